"""Runs whose key, balance, route or gatekeeper refuses every request from some moment on."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from conformance.engine.replay import rejudge
from conformance.engine.runner import Options
from conformance.locale import in_chinese
from conformance.model import (
    EXIT_CODES,
    Conclusion,
    Credentials,
    Exchange,
    ExitCode,
    Limits,
    Request,
    Run,
    Tier,
    TransportOptions,
    Verdict,
)
from conformance.record.ndjson import RunWriter, read_run
from conformance.report import results
from conformance.report.summary import Summary
from conformance.transport import account_guard
from tests.engine.dying import KINDS, OPENAI, Dying, Refusal, Result, result_of
from tests.lanes import by_default

NEVER = 10**9
SMOKE, STANDARD = Options(Tier.SMOKE), Options(Tier.STANDARD)
CASES = [(kind, after, SMOKE) for kind in KINDS for after in (1, 9, 17)]
CASES += [(kind, after, STANDARD) for kind in KINDS for after in (30, 60, 100)]
BY_DEFAULT = [(kind, 9, SMOKE) for kind in KINDS]
BY_DEFAULT += [("key revoked", 60, STANDARD), ("access denied", 60, STANDARD)]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_guard, "PAUSE_SECONDS", 0.0)


@cache
def undisturbed(options: Options) -> Result:
    return result_of(Dying(KINDS["key revoked"], NEVER), options)


def is_judged(verdict: Verdict) -> bool:
    return verdict in {Verdict.PASS, Verdict.FAIL, Verdict.WARN, Verdict.REFUSED, Verdict.ERROR}


@pytest.mark.parametrize(("kind", "after", "options"), by_default(BY_DEFAULT, CASES))
def test_no_verdict_is_about_the_account(kind: str, after: int, options: Options) -> None:
    endpoint = Dying(KINDS[kind], after)
    result = result_of(endpoint, options)
    usual = undisturbed(options).findings
    assert result.findings.keys() == usual.keys()
    for check, finding in result.findings.items():
        if is_judged(finding.verdict):
            assert finding.verdict is usual[check].verdict, f"{check}: {finding.message}"
    # Those in flight, and the two that confirm.
    assert endpoint.refused <= TransportOptions().concurrency + 2
    footer = result.footer
    assert footer.conclusion is Conclusion.UNDECIDED
    assert EXIT_CODES[footer.conclusion] == ExitCode.UNDECIDED
    assert re.match(
        r"since request x\d{4}, \d+\.\d s into the run, the endpoint ", footer.because or ""
    )
    reasons = {f.message for f in result.findings.values() if f.verdict is Verdict.INCONCLUSIVE}
    assert reasons == {footer.because}
    assert footer.cost.requests == len(endpoint.sent)


def test_moment_and_words_are_named_in_both_languages() -> None:
    result = result_of(Dying(KINDS["key revoked"], 9), SMOKE)
    because = result.footer.because or ""
    assert because.startswith("since request x0010, ")
    assert because.endswith(
        " s into the run, the endpoint answers 401 (the API key is rejected): key revoked;"
        " before that it served the same request"
    )
    chinese = in_chinese(because) or ""
    assert chinese.startswith("自请求 x0010 起（运行第 ")
    assert chinese.endswith(
        " 秒），接口返回 401（API 密钥被拒绝）：key revoked；此前它曾正常响应同一请求"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_told_in_chinese(kind: str) -> None:
    because = result_of(Dying(KINDS[kind], 9), Options(Tier.SMOKE, ("stop.*",))).footer.because
    because = because or result_of(Dying(KINDS[kind], 2), SMOKE).footer.because
    assert because is not None
    assert len(because) <= 300
    assert in_chinese(because) is not None


def test_failure_found_before_the_end_is_kept(tmp_path: Path) -> None:
    class WithoutUsage(Dying):
        async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
            exchange = await super().send(request, fresh=fresh)
            body = exchange.body.replace(b'"total_tokens":', b'"total_tokens":9')
            return replace(exchange, body=body)

    result = result_of(WithoutUsage(KINDS["balance empty"], 15), SMOKE)
    explained = result.footer.explained
    failures = [f for f in result.findings.values() if f.verdict is Verdict.FAIL]
    failed = [f for f in failures if f.id not in explained]
    assert failed
    assert result.footer.conclusion is Conclusion.NOT_CONFORMING
    run = recorded(result, tmp_path)
    summary = Summary(run)
    assert re.search(rf"{len(failed)} of \d+ checks failed; \d+ inconclusive", summary.sentence.en)
    assert summary.sentence.en.endswith("The run ended early; the rest is untested.")
    assert summary.sentence.zh.endswith("运行提前结束，其余未经测试。")
    document = json.loads(results.render(run))
    assert (document["verdict"], document["complete"]) == ("not conforming", False)
    assert rejudge(run, OPENAI).conclusion is Conclusion.NOT_CONFORMING


def test_ended_run_is_judged_again_alike(tmp_path: Path) -> None:
    for kind in ("key revoked", "access denied", "route gone"):
        run = recorded(result_of(Dying(KINDS[kind], 9), SMOKE), tmp_path)
        again = rejudge(run, OPENAI)
        assert {f.id: f.verdict for f in again.findings} == {f.id: f.verdict for f in run.findings}
        assert again.footer is not None
        assert run.footer is not None
        assert again.footer.because == run.footer.because
        assert again.conclusion is Conclusion.UNDECIDED


def test_answer_that_ended_the_run_is_evidence() -> None:
    result = result_of(Dying(KINDS["key revoked"], 9), SMOKE)
    assert result.exchanges["x0010"].status == 401
    shows = [f for f in result.findings.values() if "x0010" in f.exchanges]
    assert shows
    assert all(f.verdict is Verdict.INCONCLUSIVE for f in shows)
    assert [x.id for x in result.exchanges.values() if is_refused(x)] == ["x0010"]


def test_wrong_key_is_still_judged() -> None:
    alone = result_of(Dying(KINDS["key revoked"], 1), Options(Tier.SMOKE, ("auth.*",)))
    assert {f.verdict for f in alone.findings.values()} <= {Verdict.PASS, Verdict.SKIPPED}
    assert alone.footer.because is None


# ── no false alarm ───────────────────────────────────────────────────────────────────────────────


class Particular(Dying):
    """Refuses only requests with one parameter, for the whole run."""

    parameter = "logprobs"

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        exchange = await super().send(request, fresh=fresh)
        is_own = request.credentials is Credentials.OWN
        if is_own and exchange.status == 200 and f'"{self.parameter}":'.encode() in request.body:
            self.refused += 1
            return self.refusal.of(request, int(exchange.id[1:]))
        return exchange


@pytest.mark.parametrize("kind", by_default(["access denied", "route gone"], list(KINDS)))
def test_parameter_that_is_refused_ends_no_run(kind: str) -> None:
    endpoint = Particular(KINDS[kind], NEVER)
    result = result_of(endpoint, STANDARD)
    assert result.footer.because is None
    unguarded = result_of(Particular(KINDS[kind], NEVER), STANDARD, is_live=False)
    assert {i: f.verdict for i, f in result.findings.items()} == {
        i: f.verdict for i, f in unguarded.findings.items()
    }
    assert endpoint.refused > 10
    # The first of them are in flight together; later ones are known.
    more = 2 * TransportOptions().concurrency
    assert len(endpoint.sent) <= unguarded.footer.cost.requests + more


@pytest.mark.parametrize("kind", ["access denied", "captcha", "quota as 429"])
def test_block_that_passes_costs_no_verdict(kind: str) -> None:
    endpoint = Dying(KINDS[kind], 9, is_over=lambda number: number > 11)
    result = result_of(endpoint, Options(Tier.SMOKE, transport=TransportOptions(concurrency=1)))
    assert endpoint.refused == 2
    assert {f.verdict for f in result.findings.values()} == {Verdict.PASS, Verdict.SKIPPED}


@pytest.mark.parametrize("kind", ["key revoked", "token exhausted", "captcha"])
def test_single_refusal_is_forgotten(kind: str) -> None:
    """Some relays reject a valid key now and then."""
    endpoint = Dying(KINDS[kind], 9, is_over=lambda number: number > 10)
    result = result_of(endpoint, Options(Tier.SMOKE, transport=TransportOptions(concurrency=1)))
    assert endpoint.refused == 1
    assert {f.verdict for f in result.findings.values()} == {Verdict.PASS, Verdict.SKIPPED}
    # The refused one, its confirmation, and the list of models, which costs nothing.
    assert len(endpoint.sent) == undisturbed(SMOKE).footer.cost.requests + 3


def test_spent_budget_leaves_the_answer_open() -> None:
    endpoint = Dying(KINDS["key revoked"], 4)
    options = Options(
        Tier.SMOKE, limits=Limits(requests=5), transport=TransportOptions(concurrency=1)
    )
    result = result_of(endpoint, options)
    assert not any(f.verdict is Verdict.FAIL for f in result.findings.values())
    assert "answered 401: key revoked" in {f.message for f in result.findings.values()}


def test_conforming_endpoint_gets_no_further_request() -> None:
    for tier in (Tier.SMOKE, Tier.STANDARD):
        endpoint = Dying(KINDS["key revoked"], NEVER)
        guarded = result_of(endpoint, Options(tier))
        usual = result_of(Dying(KINDS["key revoked"], NEVER), Options(tier), is_live=False)
        asked = [request for request in endpoint.sent if request.method == "POST"]
        assert guarded.footer.cost.requests == usual.footer.cost.requests == len(asked)


# ── helpers ──────────────────────────────────────────────────────────────────────────────────────


def is_refused(exchange: Exchange) -> bool:
    return exchange.status == 401 and exchange.request.credentials is Credentials.OWN


def recorded(result: Result, folder: Path) -> Run:
    path = folder / f"{len(list(folder.iterdir()))}.ndjson"
    with RunWriter(path) as writer:
        for event in result.events:
            writer.write(event)
    return read_run(path)


def test_endpoint_that_never_served_is_judged() -> None:
    result = result_of(Dying(Refusal(200, b"null"), 0), SMOKE)
    assert result.footer.because is None
    assert result.footer.conclusion is Conclusion.NOT_CONFORMING
