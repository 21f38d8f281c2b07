"""Root causes: which findings of a run another one explains."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from conformance.api import Api
from conformance.checks import Check
from conformance.contract import load_contract
from conformance.engine.attribution import (
    _why,
    characters,
    counts,
    evidence,
    explanations_of,
    finish,
    foreign_text,
    parts,
    sampling,
    simpler,
)
from conformance.engine.attribution.members import ENVELOPE_MEMBERS, ERROR_MEMBER_OF, SCHEMAS
from conformance.engine.attribution.places import OWNERS
from conformance.engine.discovery import all_checks
from conformance.engine.runner import Options, run
from conformance.judgement import Failure
from conformance.message import say
from conformance.model import (
    Credentials,
    Effect,
    Exchange,
    Explanation,
    Finding,
    Place,
    Role,
    Target,
    Tier,
    Verdict,
)
from conformance.protocol.trace import RecordedExchange
from conformance.record.ndjson import RunWriter, read_run
from conformance.testing import FakeEndpoint
from conformance.testing.fake_endpoint import MODEL
from tests.report.builders import a_failure, an_exchange

OPENAI = load_contract("openai")
CHECKS = {check.id: check for check in all_checks()}

SCORED = {"model": "m", "prompt": "1", "max_tokens": 2, "temperature": 0, "logprobs": 0}


def a_deviation(check: str, place: Place | None = None, **changes: Any) -> Finding:
    requirement = OPENAI.requirement(CHECKS[check].requirement)
    known = {"requirement": requirement.id, "subject": requirement.subject, "place": place}
    return a_failure(check, **{**known, **changes})


def roots(*findings: Finding, exchanges: tuple[Exchange, ...] = ()) -> Mapping[str, str]:
    trace = [RecordedExchange(exchange, OPENAI) for exchange in exchanges]
    found = explanations_of(findings, trace, OPENAI)
    return {key: explanation.by for key, explanation in found.items()}


def without_key(key: str, **changes: Any) -> Exchange:
    answer = an_exchange(key, **changes)
    return replace(answer, request=replace(answer.request, credentials=Credentials.NONE))


def a_completion(text: str, tokens: list[str], billed: int, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "text": text, "finish_reason": "length", "logprobs": {"tokens": tokens}}
    usage = {"prompt_tokens": 1, "completion_tokens": billed, "total_tokens": 1 + billed}
    return {"choices": [choice], "usage": usage, **more}


# ── what a check could not read ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("root", "check", "place"),
    [
        ("streaming.content-type", "stop.streamed", Place.STREAM),
        ("streaming.framing-everywhere", "streaming.text-batch", Place.EVENTS),
        ("headers.content-type", "seed.repeats", Place.BODY),
        ("errors.envelope", "errors.content-type", Place.ERROR),
        ("errors.envelope", "n.zero-refused", Place.MESSAGE),
        ("errors.bad-type-is-400", "stop.five-refused", Place.STATUS),
        ("index.of-one", "finish-reason.per-choice", Place.INDEX),
        ("logprobs-arrays.join", "logprobs.returned-for-each-choice", Place.TOKENS),
    ],
)
def test_unread_place_is_explained_by_its_owner(root: str, check: str, place: Place) -> None:
    owner, found = a_deviation(root), a_deviation(check, place)
    assert roots(owner, found) == {check: root}


BAD_INPUT = an_exchange("x1", request=b"[]", status=500)


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        ("prompt.object-refused", an_exchange("x2", status=500)),
        ("prompt.object-refused", an_exchange("x2", status=409)),
        ("auth.missing-key", without_key("x2", status=500)),
    ],
)
def test_status_is_explained_for_its_kind_of_request(check: str, answer: Exchange) -> None:
    owner = a_deviation("errors.no-server-fault-of-body", exchanges=("x1",))
    found = a_deviation(check, Place.STATUS, exchanges=("x2",))
    is_same = answer.status == 500 and answer.request.credentials is Credentials.OWN
    told = {found.id: owner.id} if is_same else {}
    assert roots(owner, found, exchanges=(BAD_INPUT, answer)) == told


def test_unread_place_without_owner_is_kept() -> None:
    found = a_deviation("stop.streamed", Place.EVENTS)
    assert roots(found, a_deviation("temperature.above-refused", Place.SERVED)) == {}


def test_two_causes_in_one_answer_both_stay() -> None:
    usage = a_deviation("usage.present", Place.USAGE, exchanges=("x1",))
    stop = a_deviation("stop.string", exchanges=("x1",))
    assert roots(usage, stop, exchanges=(an_exchange(),)) == {}


@pytest.mark.parametrize(("finish", "explained"), [("length", False), (None, True)])
def test_missing_done_explains_only_streams_that_are_cut(
    finish: str | None, explained: bool
) -> None:
    choice = {"index": 0, "text": " 4", "finish_reason": finish}
    body = f"data: {json.dumps({'choices': [choice]})}\n\n".encode()
    request = {"model": "m", "prompt": "1", "stream": True}
    stream = an_exchange("x1", request=request, body=body, content_type="text/event-stream")
    done = a_deviation("streaming.done-last", exchanges=("x1",))
    text = a_deviation("streaming.text-words", exchanges=("x1",))
    assert (text.id in roots(done, text, exchanges=(stream,))) is explained


def test_missing_scores_explain_no_text() -> None:
    request = {**SCORED, "frequency_penalty": -2}
    answers = (an_exchange("x1", request=SCORED), an_exchange("x2", request=request))
    scores = a_deviation("logprobs-arrays.parallel", Place.ARRAYS, exchanges=("x1",))
    text = a_deviation("frequency-penalty.prompt-not-favoured", exchanges=("x2",))
    assert text.id not in roots(scores, text, exchanges=answers)


def test_default_explains_no_request_that_states_it() -> None:
    cold, seeded = {"model": "m", "prompt": "1"}, {"model": "m", "prompt": "1", "temperature": 1}
    answers = (an_exchange("x1", request=cold), an_exchange("x2", request=seeded))
    default = a_deviation("temperature.default-as-one", exchanges=("x1",))
    seed = a_deviation("seed.large-told-apart", exchanges=("x2",))
    assert seed.id not in roots(default, seed, exchanges=answers)


def test_empty_stop_explains_no_real_one() -> None:
    empty, real = ({"model": "m", "prompt": "1", "stop": stop} for stop in ("", ["7"]))
    answers = (an_exchange("x1", request=empty), an_exchange("x2", request=real))
    harmless = a_deviation("stop.empty-string", exchanges=("x1",))
    lost = a_deviation("stop.held-text-released", exchanges=("x2",))
    assert lost.id not in roots(harmless, lost, exchanges=answers)


def test_error_for_a_key_explains_no_other_error() -> None:
    answers = (without_key("x1", status=401), an_exchange("x2", status=500))
    key = a_deviation("auth.missing-key-envelope", Place.ERROR, exchanges=("x1",))
    fault = a_deviation("errors.server-fault-envelope", Place.ERROR, exchanges=("x2",))
    assert fault.id not in roots(key, fault, exchanges=answers)


def test_generated_request_like_directed_is_told_once() -> None:
    request = {"prompt": "1", "max_tokens": 1}
    served = an_exchange("x1", request=request)
    directed = a_deviation("model.missing-refused", Place.SERVED, exchanges=("x1",))
    drawn = a_deviation("schema.model-required", Place.SERVED, exchanges=("x1",))
    assert roots(directed, drawn, exchanges=(served,)) == {drawn.id: directed.id}


def test_served_invalid_request_is_never_explained_by_text() -> None:
    request = {"model": "m", "prompt": "1", "logit_bias": {"1": 101}, "logprobs": 0}
    text = a_deviation("text.present", exchanges=("x1",))
    served = a_deviation("logit-bias.above-refused", Place.SERVED, exchanges=("x1",))
    assert served.id not in roots(text, served, exchanges=(an_exchange(request=request),))


def test_invariant_explains_its_own_answers_only() -> None:
    stream = {"model": "m", "prompt": "1", "stream": True}
    exchanges = tuple(an_exchange(key, request=stream) for key in ("x1", "x2"))
    stray = a_deviation("streaming.framing-everywhere", exchanges=("x1",))
    within = a_deviation("stop.streamed", exchanges=("x1", "x2"))
    elsewhere = a_deviation("stop.held-text-released", exchanges=("x2",))
    assert roots(stray, within, elsewhere, exchanges=exchanges) == {"stop.streamed": stray.id}


def tabled() -> set[str]:
    tables = (*OWNERS.values(), SCHEMAS, ERROR_MEMBER_OF, ENVELOPE_MEMBERS)
    reading = (
        parts.PARTS,
        parts.EFFECTS,
        simpler.PROMPT_OWNERS,
        simpler.PROMPT_CLAIMS,
        *simpler.ORDERS,
    )
    sets = (counts.LIMIT, counts.BILLED, finish.OWNERS, counts.PROMPT_BILLED, counts.TOKEN_PROMPTS)
    rests = (counts.RESTS_ON_LIMIT, counts.RESTS_ON_BILLED, counts.RESTS_ON_PROMPT_BILLED)
    texts = (foreign_text.OWNERS, foreign_text.CLAIMS, characters.OWNERS, characters.STOPS)
    single = (finish.COUNTED, sampling.OF_ONE_ANSWER, evidence.ALWAYS)
    every = (*tables, *reading, *sets, *rests, *texts, *single)
    return {name for names in every for name in names}


def test_every_name_in_a_table_is_a_requirement() -> None:
    known = OPENAI.requirements
    assert not {glob for glob in tabled() if not any(fnmatchcase(key, glob) for key in known)}


@pytest.mark.parametrize(
    ("simpler", "claimed", "explained"),
    [
        # wrong without the parameter, so the parameter is not the reason
        ({"logprobs": 0}, {"logprobs": 0, "stop": "a"}, ["stop.string"]),
        # wrong in what asks for more, which says nothing about the claim
        ({"logprobs": 0, "echo": True}, {"logprobs": 0, "stop": "a"}, []),
    ],
)
def test_only_simpler_answers_explain(
    simpler: dict[str, Any], claimed: dict[str, Any], explained: list[str]
) -> None:
    plain = {"model": "m", "prompt": "1", "temperature": 0}
    exchanges = (
        an_exchange("x1", request={**plain, **simpler}),
        an_exchange("x2", request={**plain, **claimed}),
    )
    scores = a_deviation("logprobs-arrays.parallel", exchanges=("x1",))
    stop = a_deviation("stop.string", effect=Effect.ALTERED, exchanges=("x2",))
    assert list(roots(scores, stop, exchanges=exchanges)) == explained


def test_billed_count_does_not_rest_on_scores() -> None:
    request = {"model": "m", "prompt": "1", "temperature": 0, "logprobs": 0, "echo": True}
    exchanges = (
        an_exchange("x1", request={"model": "m", "prompt": "1", "temperature": 0, "logprobs": 0}),
        an_exchange("x2", request={**request, "max_tokens": 0}),
    )
    scores = a_deviation("logprobs-arrays.parallel", exchanges=("x1",))
    seen = say("{name} = {value}", name="completion_tokens", value=1)
    billed = a_deviation("echo-logprobs.zero-tokens-free", exchanges=("x2",), seen=seen)
    other = a_deviation("echo-logprobs.zero-tokens", exchanges=("x2",), effect=Effect.ALTERED)
    assert list(roots(scores, billed, other, exchanges=exchanges)) == [other.id]


def test_refusal_rests_on_no_answer() -> None:
    request = {"model": "m", "prompt": "1", "temperature": 0}
    exchanges = (
        an_exchange("x1", request=request),
        an_exchange("x2", request={**request, "suffix": None}, status=400, body=b"{}"),
    )
    choices = a_deviation("envelope.choices", exchanges=("x1",))
    refused = a_deviation("suffix.null", effect=Effect.REFUSED, exchanges=("x2",))
    assert roots(choices, refused, exchanges=exchanges) == {}
    altered = a_deviation("suffix.null", effect=Effect.ALTERED, exchanges=("x2",))
    assert roots(choices, altered, exchanges=exchanges) == {altered.id: choices.id}


def test_comparison_of_greedy_samples_is_explained() -> None:
    plain = {"model": "m", "prompt": "1", "temperature": 0}
    requests = (plain, {**plain, "stop": "a"}, {**plain, "temperature": 1, "stop": "b"})
    exchanges = tuple(an_exchange(f"x{i}", request=one) for i, one in enumerate(requests))
    roles = {"x0": Role.CONTROL}
    samples = a_deviation("temperature.zero-repeats", effect=Effect.IGNORED, exchanges=("x0",))
    stop = a_deviation("stop.string", effect=Effect.ALTERED, exchanges=("x0", "x1"), roles=roles)
    sampled = a_deviation("seed.repeats", exchanges=("x0", "x2"), roles=roles)
    assert roots(samples, stop, sampled, exchanges=exchanges) == {stop.id: samples.id}


def test_reason_is_about_the_root() -> None:
    short, bill, free = map(a_deviation, ("max-tokens.few", "usage.present", "envelope.id"))
    causes = {
        free.id: Explanation(bill.id, say("{text}", text="between")),
        bill.id: Explanation(short.id, say("{text}", text="last")),
    }
    assert _why(free.id, causes) == "last"
    causes[bill.id] = Explanation(short.id, simpler.TWIN)
    assert _why(free.id, causes) == "between"


def test_text_before_each_prompt_is_no_echo() -> None:
    def echo(key: str, prompt: str, text: str) -> Exchange:
        request = {"model": "m", "prompt": prompt, "echo": True, "temperature": 0}
        return an_exchange(key, request=request, body=a_completion(text, [], 1))

    hidden = a_deviation("prompt.no-hidden-text", exchanges=("x1",))
    echoed = a_deviation("echo.prompt-first", exchanges=("x1",))
    same = (echo("x1", "one", "Be brief. one"), echo("x2", "two", "Be brief. two"))
    assert roots(hidden, echoed, exchanges=same) == {echoed.id: hidden.id}


def test_schema_of_another_member_owns_no_choices() -> None:
    body = {**a_completion(" 1", [" 1"], 1), "object": "text_completion", "created": 1}
    exchange = an_exchange(request={"model": "m", "prompt": "1", "n": 3}, body=body)
    schema = a_deviation("envelope.schema", Place.SCHEMA, exchanges=("x1",))
    count = a_deviation("n.choices", Place.CHOICES, exchanges=("x1",))
    assert roots(schema, count, exchanges=(exchange,)) == {}


def test_field_wrong_with_one_parameter_follows_it() -> None:
    request = {"model": "m", "prompt": ["1", "2"], "temperature": 0, "echo": True}
    index = a_deviation("index.prompt-major-everywhere", exchanges=("x1",))
    echo = a_deviation("echo.batch", Place.ECHO, exchanges=("x1",))
    found = roots(index, echo, exchanges=(an_exchange(request=request),))
    assert found == {index.id: echo.id}


def test_same_finding_is_told_once() -> None:
    plain = {"model": "m", "prompt": "1", "temperature": 0, "logprobs": 0}
    exchanges = (
        an_exchange("x1", request=plain),
        an_exchange("x2", request={**plain, "stream": True}),
    )
    first = a_deviation("logprobs.returned", Place.LOGPROBS, exchanges=("x1",))
    again = a_deviation("logprobs.returned-in-stream", Place.LOGPROBS, exchanges=("x2",))
    assert roots(again, first, exchanges=exchanges) == {again.id: first.id}


def test_leak_is_told_once_whatever_is_sent() -> None:
    exchanges = (
        an_exchange("x1", request={"model": "m", "prompt": "1", "stream": True}),
        an_exchange("x2", request={"model": "m", "prompt": "1", "n": "two"}),
    )
    asked = a_deviation("errors.no-leak", exchanges=("x1",))
    read = a_deviation("errors.no-leak-everywhere", exchanges=("x1", "x2"))
    assert roots(asked, read, exchanges=exchanges) == {read.id: asked.id}


def test_answer_to_an_invalid_request_says_nothing() -> None:
    request = {"model": "nobody", "prompt": "1", "temperature": 0}
    served = a_deviation("model.unknown-refused", Place.SERVED, exchanges=("x1",))
    name = a_deviation("model.named-everywhere", exchanges=("x1",))
    exchange = an_exchange(request=request)
    assert roots(served, name, exchanges=(exchange,)) == {name.id: served.id}
    other = a_deviation("model.named-everywhere", exchanges=("x2",))
    right = {**request, "model": "m"}
    exchanges = (exchange, *(an_exchange(key, request=right) for key in ("x2", "x3")))
    assert roots(served, other, exchanges=exchanges) == {}


def test_refused_model_is_not_explained() -> None:
    refused = an_exchange("x2", request={"model": "nobody", "prompt": "1"}, status=404)
    exchanges = (an_exchange("x1", request={"prompt": "1"}), refused)
    served = a_deviation("model.missing-refused", Place.SERVED, exchanges=("x1",))
    code = a_deviation("model.unknown-is-404", exchanges=("x2",))
    assert roots(served, code, exchanges=exchanges) == {}


def test_cached_answer_is_explained_by_its_id() -> None:
    body = a_completion(" 1", [" 1"], 1, id="cmpl-1", created=1, model="m")
    exchanges = tuple(
        an_exchange(key, request={"model": "m", "prompt": "1", "n": n}, body=body)
        for key, n in (("x1", 1), ("x2", 2))
    )
    repeated = a_deviation("envelope.id-unique-everywhere", exchanges=("x2",))
    count = a_deviation("n.choices", Place.CHOICES, exchanges=("x2",))
    others = tuple(
        an_exchange(key, request={"model": "m", "prompt": key}, body={**body, "id": key})
        for key in ("x3", "x4")
    )
    ids = (*exchanges, *others)
    assert roots(repeated, count, exchanges=ids) == {count.id: repeated.id}
    # Where there is one id, it is a constant, and says nothing of the rest of the response.
    assert roots(repeated, count, exchanges=exchanges) == {}


# ── refusals, members and counts ─────────────────────────────────────────────────────────────────


def test_refusals_are_explained_by_the_refused_parameter() -> None:
    refusal = b'{"error":{"message":"temperature must be positive"}}'
    asked = {"model": "m", "prompt": "1", "temperature": 0}
    exchanges = (
        an_exchange("x1", request=asked, status=400, body=refusal),
        an_exchange("x2", request={**asked, "stop": "a"}, status=400, body=refusal),
        an_exchange("x3", request={"model": "m", "prompt": "1", "stop": "a"}),
    )
    zero = a_deviation("temperature.zero-repeats", effect=Effect.REFUSED, exchanges=("x1",))
    stop = a_deviation("stop.string", effect=Effect.REFUSED, exchanges=("x2",))
    assert roots(zero, stop, exchanges=exchanges) == {"stop.string": zero.id}


def a_refusal(check: str, exchange: str) -> Finding:
    return a_deviation(check, verdict=Verdict.REFUSED, effect=None, exchanges=(exchange,))


def test_refusals_beside_a_refused_parameter_are_explained() -> None:
    refusal = b'{"error":{"message":"unsupported"}}'
    plain = {"model": "m", "prompt": "1", "temperature": 0}
    several = a_refusal("n.choices", "x1")
    biased = a_refusal("logit-bias.forces", "x2")
    exchanges = (
        an_exchange("x1", request={**plain, "n": 3}, status=400, body=refusal),
        an_exchange(
            "x2", request={**plain, "n": 2, "logit_bias": {"1": 1}}, status=400, body=refusal
        ),
    )
    assert roots(several, biased, exchanges=exchanges) == {biased.id: several.id}


def test_each_parameter_that_is_refused_alone_stays() -> None:
    plain = {"model": "m", "prompt": "1", "temperature": 0}
    refusals = [("n.choices", {"n": 3}), ("logit-bias.forces", {"logit_bias": {"1": 1}})]
    exchanges = tuple(
        an_exchange(check, request={**plain, **asked}, status=400, body=b"{}")
        for check, asked in refusals
    )
    assert roots(*(a_refusal(check, check) for check, _ in refusals), exchanges=exchanges) == {}


def test_violated_schema_is_explained_by_its_member() -> None:
    body = {
        **a_completion(" 1", [" 1"], 1),
        "id": "",
        "object": "text_completion",
        "created": 1,
        "model": "m",
    }
    body["choices"][0]["logprobs"] = None
    exchange = an_exchange(request={"model": "m", "prompt": "1"}, body=body)
    schema = a_deviation("envelope.schema", Place.SCHEMA, exchanges=("x1",))
    empty_id = a_deviation("envelope.id", exchanges=("x1",))
    assert roots(schema, empty_id, exchanges=(exchange,)) == {schema.id: empty_id.id}
    other = a_deviation("envelope.created", exchanges=("x1",))
    assert roots(schema, other, exchanges=(exchange,)) == {}


@pytest.mark.parametrize(
    ("billed", "tokens", "explained"),
    [
        (3, [" 1", "2", "3"], "usage.completion-at-limit"),
        (9, [" 1", "2"], "max-tokens.few"),
    ],
)
def test_odd_count_of_three_is_the_root(billed: int, tokens: list[str], explained: str) -> None:
    exchange = an_exchange(request=SCORED, body=a_completion("".join(tokens), tokens, billed))
    limit, bill = a_deviation("max-tokens.few"), a_deviation("usage.completion-at-limit")
    (root,) = {limit.id, bill.id} - {explained}
    assert roots(limit, bill, exchanges=(exchange,)) == {explained: root}


def test_text_added_to_every_answer_explains_comparisons() -> None:
    body = a_completion(" 12 (an advertisement)", [" 1", "2"], 2)
    exchanges = (
        an_exchange("x1", request=SCORED, body=body),
        an_exchange("x2", request={"model": "m", "prompt": "1", "stop": "a"}),
    )
    join = a_deviation("logprobs-arrays.join", Place.TOKENS, exchanges=("x1",))
    stop = a_deviation("stop.string", exchanges=("x2",))
    assert roots(join, stop, exchanges=exchanges) == {stop.id: join.id}


def test_lost_stop_sequence_is_not_explained_by_tokens() -> None:
    exchanges = (
        an_exchange("x1", request=SCORED, body=a_completion(" 12", ["7", "8"], 2)),
        an_exchange("x2", request={"model": "m", "prompt": "1", "stop": "a"}),
    )
    join = a_deviation("logprobs-arrays.join", Place.TOKENS, exchanges=("x1",))
    stop = a_deviation("stop.string", exchanges=("x2",))
    assert roots(join, stop, exchanges=exchanges) == {}


# ── chains ───────────────────────────────────────────────────────────────────────────────────────


def test_only_deviations_explain_and_are_explained() -> None:
    passed = a_deviation("errors.envelope", verdict=Verdict.PASS)
    found = a_deviation("n.zero-refused", Place.MESSAGE)
    assert roots(passed, found, a_deviation("stop.string")) == {}


def test_every_chain_ends_at_a_root() -> None:
    several = {"model": "m", "prompt": ["1", "2"], "temperature": 0}
    exchanges = (
        an_exchange("x1", request={**several, "echo": True, "logprobs": 0}),
        an_exchange("x2", request=several),
    )
    index = a_deviation("index.prompt-order", exchanges=("x2",))
    echo = a_deviation("echo.batch", Place.ECHO, exchanges=("x1",))
    offset = a_deviation("text-offset.base", exchanges=("x1",))
    found = roots(index, echo, offset, exchanges=exchanges)
    assert found[echo.id] == index.id
    assert set(found.values()) <= {index.id}


# ── in a run ─────────────────────────────────────────────────────────────────────────────────────


def a_failing_check(key: str, requirement: str, place: Place | None) -> Check:
    async def run_it(_: Api) -> None:
        raise Failure("an index", "none", place=place)

    return Check(key, requirement, Tier.SMOKE, "It fails.", "它未通过。", (), run_it)


def test_run_records_what_explains_a_finding(tmp_path: Path) -> None:
    checks = [
        a_failing_check("a.index", "index.each-once", None),
        a_failing_check("a.reason", "finish-reason.per-choice", Place.INDEX),
    ]
    target = Target("http://fake/v1", MODEL, "openai", "sk-in-memory")

    async def written() -> None:
        transport = FakeEndpoint(OPENAI)
        events = run(target, OPENAI, Options(), transport=transport, checks=checks)
        with RunWriter(tmp_path / "run.ndjson") as writer:
            async for event in events:
                writer.write(event)

    asyncio.run(written())
    recorded = read_run(tmp_path / "run.ndjson")
    verdicts = {finding.id: finding.verdict for finding in recorded.findings}
    assert verdicts == {"a.index": Verdict.FAIL, "a.reason": Verdict.EXPLAINED}
    assert recorded.footer is not None
    assert recorded.footer.explained["a.reason"].by == "a.index"
    assert (recorded.footer.counts["fail"], recorded.footer.counts["explained"]) == (1, 1)
