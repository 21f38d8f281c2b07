"""``conformance run`` at endpoints whose account or route is lost in the middle of the run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.transport import account_guard
from tests.hostile import HostileServer, hostile_server
from tests.hostile.accounts import SERVED
from tests.lanes import by_default

KEY = "sk-of-this-account-0123456789"
CONCURRENCY = 8
SAID = {
    "key-revoked": "answers 401 (the API key is rejected): key revoked;",
    "balance-empty": "answers 402 (the balance or the quota is used up): Insufficient Balance;",
    "quota-of-a-relay": "answers 403 (the balance or the quota is used up): 用户额度不足",
    "quota-as-429": "answers 429 (the balance or the quota is used up): You exceeded your",
    "arrearage": "answers 400 (the balance or the quota is used up): Access denied, make sure",
    "captcha": "answers 503 (a gatekeeper blocks the client or asks for a captcha): Just a moment",
    "route-gone": "answers 404 (nothing is served at this address): 404 Not Found;",
    "login-page": "answers 302 (a redirect): to https://login.example/",
}


@pytest.fixture(scope="module")
def hostile() -> Iterator[HostileServer]:
    with hostile_server() as server:
        yield server


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    monkeypatch.setattr(account_guard, "PAUSE_SECONDS", 0.0)


def words(server: HostileServer, behaviour: str, *more: str) -> list[str]:
    named = ["--base-url", server.base_url(behaviour), "--model", "m", "--api-key-env", "MY_KEY"]
    return ["run", *named, "--tier", "smoke", "--reference", "none", "--out", "out", *more]


@pytest.mark.parametrize("behaviour", by_default(["key-revoked", "captcha"], list(SAID)))
def test_lost_account_ends_the_run(command, hostile, behaviour: str) -> None:
    hostile.calls[behaviour] = 0
    hostile.keys.clear()
    result = command(*words(hostile, behaviour))
    assert hostile.calls[behaviour] <= SERVED + CONCURRENCY + 2 + keyless(hostile)
    results = json.loads(Path("out/results.json").read_text(encoding="utf-8"))
    # What this endpoint broke before is told; that it did not complete the run, too.
    assert results["counts"]["fail"]
    assert (result.exit_code, results["verdict"]) == (3, "not conforming"), result.output
    assert results["complete"] is False
    assert re.match(
        r"since request x\d{4}, \d+\.\d s into the run, the endpoint ", results["because"]
    )
    assert SAID[behaviour] in results["because"]
    assert "since request x" in " ".join(result.output.split())
    deviating = [f for f in results["findings"] if f["verdict"] in {"fail", "warn", "error"}]
    told = SAID[behaviour].partition(": ")[2].rstrip(";")
    assert not any(told in str(finding) for finding in deviating)
    assert KEY not in Path("out/run.ndjson").read_text(encoding="utf-8")


@pytest.mark.exhaustive
def test_unknown_words_end_the_run(command, hostile) -> None:
    """The first answers are judged, as nothing tells them from answers about their requests."""
    hostile.calls["account-frozen"] = 0
    hostile.keys.clear()
    result = command(*words(hostile, "account-frozen"))
    assert result.exit_code in {1, 3}, result.output
    most = SERVED + account_guard.ALIKE_IN_A_ROW + CONCURRENCY + 2 + keyless(hostile)
    assert hostile.calls["account-frozen"] <= most
    because = json.loads(Path("out/results.json").read_text(encoding="utf-8"))["because"]
    assert "answers 400 (every request gets the same answer): 该帐户处于异常状态" in because


def test_lost_account_is_told_in_chinese(command, hostile) -> None:
    hostile.calls["key-revoked"] = 0
    result = command(*words(hostile, "key-revoked", "--lang", "zh"))
    assert result.exit_code == 3
    assert "接口返回401（API密钥被拒绝）：keyrevoked" in "".join(result.output.split())


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    [
        ("deep-error", "the API key was rejected with 401: [[["),
        ("deep-models", "the endpoint does not serve the model 'm' (404: The model `m` does not"),
        ("million-models", "available models: xxx"),
    ],
)
def test_strange_first_answer_is_one_sentence(command, hostile, behaviour, sentence) -> None:
    result = command(*words(hostile, behaviour))
    assert result.exit_code == 3
    results = json.loads(Path("out/results.json").read_text(encoding="utf-8"))
    assert sentence in results["because"]
    assert len(results["because"]) <= 400
    assert "should not have" not in result.output


def keyless(server: HostileServer) -> int:
    """The requests of checks that present no key or a wrong one."""
    return sum(key != KEY for key in server.keys)
