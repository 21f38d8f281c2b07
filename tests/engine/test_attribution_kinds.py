"""Root causes of one kind each: what explains a finding, and what comes close and does not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from conformance.contract import Contract, load_contract
from conformance.engine.attribution import explanations_of
from conformance.engine.attribution.evidence import Evidence
from conformance.engine.attribution.same_count import same_count_is_wrong
from conformance.message import say
from conformance.model import Effect, Exchange, Finding, Place, Role
from conformance.protocol.trace import RecordedExchange
from tests.engine.test_attribution import CHECKS, OPENAI, a_deviation, roots
from tests.report.builders import a_failure, an_exchange

GREEDY: dict[str, Any] = {"model": "m", "prompt": "1", "max_tokens": 16, "temperature": 0}
COMPARED = {"x1": Role.PROBE, "x2": Role.CONTROL}


def an_answer(
    key: str, text: str = " 2", *, billed: int = 1, tokens: list[str] | None = None, **asked: Any
) -> Exchange:
    logprobs = None if tokens is None else {"tokens": tokens}
    choice = {"index": 0, "text": text, "finish_reason": "length", "logprobs": logprobs}
    usage = {"prompt_tokens": billed, "completion_tokens": 1, "total_tokens": billed + 1}
    body = {"id": key, "choices": [choice], "usage": usage}
    return an_exchange(key, request={**GREEDY, **asked}, body=body)


def a_stream(key: str, *indexes: int, **asked: Any) -> Exchange:
    """Return a stream with one chunk for each index, without its end."""
    chunks = [{"id": key, "choices": [{"index": one, "text": "a"}]} for one in indexes]
    events = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks or [{"choices": []}])
    exchange = an_exchange(key, request={**GREEDY, "stream": True, **asked})
    headers = (("content-type", "text/event-stream"),)
    return replace(exchange, body=events.encode(), headers=headers)


def sometimes(odd: str, usual: str) -> Any:
    return say("sometimes {what}", what=say("{odd} instead of {usual}", odd=odd, usual=usual))


# ── choices of streams that are cut off ──────────────────────────────────────────────────────────

CUT_OFF = a_deviation("streaming.one-finish", exchanges=("x1",))
FEWER = a_deviation("n.choices-everywhere", Place.CHOICES, exchanges=("x2",))


@pytest.mark.parametrize(
    ("other", "explained"),
    [
        ((0, 1), {FEWER.id: CUT_OFF.id}),
        # Where every stream of two choices has one, `n` may as well be ignored in streams.
        ((0,), {}),
    ],
)
def test_lost_end_explains_lost_choices(other: tuple[int, ...], explained: dict[str, str]) -> None:
    exchanges = (a_stream("x1", 0), a_stream("x2", 0, n=2), a_stream("x3", *other, n=2))
    assert roots(CUT_OFF, FEWER, exchanges=exchanges) == explained


def test_lost_end_explains_streams_without_a_choice() -> None:
    exchanges = (a_stream("x1", 0), a_stream("x2"), a_stream("x3", 0))
    none = a_deviation("envelope.choices-everywhere", Place.CHOICES, exchanges=("x2",))
    assert roots(CUT_OFF, none, exchanges=exchanges) == {none.id: CUT_OFF.id}


def test_lost_end_explains_no_plain_answer() -> None:
    exchanges = (a_stream("x1", 0), an_answer("x2", n=2), a_stream("x3", 0, 1, n=2))
    assert roots(CUT_OFF, FEWER, exchanges=exchanges) == {}


# ── counts ───────────────────────────────────────────────────────────────────────────────────────


STREAMED = {"stream": True, "stream_options": {"include_usage": True}}


def in_streams(count: str) -> Any:
    return say("{name} = {value}", name=f"{count} of the stream", value=0)


@pytest.mark.parametrize(
    ("check", "asked", "is_explained"),
    [
        ("usage.prompt-once-everywhere", {**STREAMED, "n": 2}, True),
        ("usage.prompt-once-everywhere", {"n": 2}, False),  # plain answers are billed right
        ("usage.echo-not-completion-everywhere", {**STREAMED, "echo": True}, False),
    ],
)
def test_streams_billed_otherwise_explain_the_same_count(
    check: str, asked: dict[str, Any], is_explained: bool
) -> None:
    streams = a_deviation(
        "usage.stream-as-plain", exchanges=("x1",), seen=in_streams("prompt_tokens")
    )
    found = a_deviation(check, exchanges=("x2",))
    exchanges = (an_answer("x1", **STREAMED), an_answer("x2", **asked))
    explained = {found.id: streams.id} if is_explained else {}
    assert roots(streams, found, exchanges=exchanges) == explained


def test_copies_billed_wrong_explain_their_batches() -> None:
    copies = a_deviation("usage.prompt-once-for-copies", exchanges=("x1",))
    batches = a_deviation("usage.batch-sum-everywhere", exchanges=("x2",))
    batch = ["1", "2"]
    exchanges = (an_answer("x1", n=3, temperature=1), an_answer("x2", n=2, prompt=batch))
    assert roots(copies, batches, exchanges=exchanges) == {batches.id: copies.id}
    # A batch without copies is billed wrong by itself.
    known = {one.id: RecordedExchange(one, OPENAI) for one in exchanges}
    alone = an_answer("x2", prompt=batch)
    evidence = Evidence((copies, batches), {**known, "x2": RecordedExchange(alone, OPENAI)}, OPENAI)
    assert same_count_is_wrong(evidence, batches) is None


# ── values without a meaning ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("stop", "is_explained"), [("", True), ([""], True), ("2", False)])
def test_empty_stop_explains_answers_to_it_alone(stop: Any, is_explained: bool) -> None:
    empty = a_deviation("stop.empty-string", exchanges=("x1",))
    echo = a_deviation("echo.prompt-first-everywhere", Place.ECHO, exchanges=("x2",))
    exchanges = (an_answer("x1", "", stop=""), an_answer("x2", "", stop=stop, echo=True))
    explained = {echo.id: empty.id} if is_explained else {}
    assert roots(empty, echo, exchanges=exchanges) == explained


# ── answers to other requests ────────────────────────────────────────────────────────────────────


VARIES = a_deviation(
    "stop.string", exchanges=("x1", "x2"), roles=COMPARED, seen=sometimes("a", "b")
)
STEADY = a_deviation("stop.string", exchanges=("x1", "x2"), roles=COMPARED)


@pytest.mark.parametrize("root", ["isolation.own-prompt", "isolation.own-settings"])
def test_mixed_up_answers_explain_what_comes_and_goes(root: str) -> None:
    mixed = a_deviation(root, exchanges=("x3",))
    exchanges = (an_answer("x1", stop="a"), an_answer("x2"), an_answer("x3"))
    assert roots(mixed, VARIES, exchanges=exchanges) == {VARIES.id: mixed.id}
    # What came again each time is the parameter's.
    assert roots(mixed, STEADY, exchanges=exchanges) == {}


@pytest.mark.parametrize(("billed", "is_explained"), [(7, True), (1, False)])
def test_bill_of_another_prompt_tells_foreign_answers(billed: int, is_explained: bool) -> None:
    bills = a_deviation("usage.prompt-alike-everywhere", exchanges=("x3", "x4"))
    exchanges = (
        an_answer("x1", stop="a", billed=billed),
        an_answer("x5", stop="a"),
        an_answer("x2"),
        an_answer("x3", billed=9),
        an_answer("x4"),
    )
    explained = {VARIES.id: bills.id} if is_explained else {}
    assert roots(bills, VARIES, exchanges=exchanges) == explained


def test_varying_answers_without_a_root_are_told() -> None:
    exchanges = (an_answer("x1", stop="a"), an_answer("x2"))
    assert roots(VARIES, exchanges=exchanges) == {}


# ── what prompts, tokens and texts are ───────────────────────────────────────────────────────────


def test_prompts_written_with_escapes_explain_their_bill() -> None:
    def written(key: str, prompt: str, **more: Any) -> Exchange:
        exchange = an_answer(key, **more)
        body = json.dumps({**GREEDY, "prompt": prompt}).encode()
        raw = body if more.get("escaped") else body.decode("unicode-escape").encode()
        return replace(exchange, request=replace(exchange.request, body=raw))

    echo = a_deviation("echo.awkward-text", Place.ECHO, exchanges=("x3",))
    bill = a_deviation("usage.prompt-alike-everywhere", exchanges=("x1", "x2"), roles=COMPARED)
    plain = written("x2", "九")
    escaped = [written(key, "九", escaped=True) for key in ("x1", "x3")]
    assert roots(echo, bill, exchanges=(plain, *escaped)) == {bill.id: echo.id}
    both = (plain, written("x1", "九"), escaped[1])
    assert roots(echo, bill, exchanges=both) == {}


@pytest.mark.parametrize(("text", "is_explained"), [(" 2!!!", True), (" 2, 3", False)])
def test_garbled_end_explains_texts_with_it(text: str, is_explained: bool) -> None:
    joined = a_deviation("logprobs-arrays.join", Place.TOKENS, exchanges=("x1",))
    limit = a_deviation("max-tokens.longer-extends", exchanges=("x2",))
    garbled = an_answer("x1", " 2,!!!!!", tokens=[" 2", ",", " 3"], logprobs=1)
    explained = {limit.id: joined.id} if is_explained else {}
    assert roots(joined, limit, exchanges=(garbled, an_answer("x2", text))) == explained


def test_space_lost_behind_echoes_is_the_echo_s() -> None:
    space = a_deviation("text.same-space-everywhere", exchanges=("x1",))
    echo = a_deviation(
        "echo.then-completion", exchanges=("x1", "x2"), roles=COMPARED, effect=Effect.ALTERED
    )
    echoed = an_answer("x1", "12", echo=True)
    assert roots(space, echo, exchanges=(echoed, an_answer("x2", " 2"))) == {space.id: echo.id}
    # What plain answers lack as well is no echo's.
    lost = replace(space, exchanges=("x1", "x3"))
    exchanges = (echoed, an_answer("x2", " 2"), an_answer("x3", "2"))
    assert space.id not in roots(lost, echo, exchanges=exchanges)


def test_samples_explain_choices_that_seem_swapped() -> None:
    sampled = a_deviation("temperature.zero-repeats-everywhere", exchanges=("x1",))
    order = a_deviation("index.prompt-order", exchanges=("x1",), effect=Effect.ALTERED)
    exchanges = (an_answer("x1"),)
    assert roots(sampled, order, exchanges=exchanges) == {order.id: sampled.id}
    assert roots(order, exchanges=exchanges) == {}


# ── ids of tokens, and chunks of usage ───────────────────────────────────────────────────────────

VLLM = load_contract("vllm")


def told_by(contract: Contract, *findings: Finding, exchanges: tuple[Exchange, ...]) -> Any:
    trace = [RecordedExchange(one, contract) for one in exchanges]
    return {key: one.by for key, one in explanations_of(findings, trace, contract).items()}


def about(contract: Contract, check: str, **changes: Any) -> Finding:
    requirement = contract.requirement(CHECKS[check].requirement)
    known = {"requirement": requirement.id, "subject": requirement.subject}
    return a_failure(check, **{**known, **changes})


def test_wrong_ids_explain_what_ends_at_them() -> None:
    ids = about(VLLM, "token-ids.same-in-logprobs", exchanges=("x1",))
    ends = about(VLLM, "stop-token-ids.ends-at-the-token", exchanges=("x2", "x3"))
    asked = an_answer("x2", return_token_ids=True), an_answer("x3", stop_token_ids=[5])
    exchanges = (an_answer("x1", return_token_ids=True), *asked)
    assert told_by(VLLM, ids, ends, exchanges=exchanges) == {ends.id: ids.id}
    # Without ids that were returned, it rests on none.
    alone = replace(ends, exchanges=("x3",))
    assert told_by(VLLM, ids, alone, exchanges=exchanges) == {}


@pytest.mark.parametrize(("by", "is_explained"), [("stop_token_ids", True), ("stop", False)])
def test_another_end_explains_its_reason(by: str, is_explained: bool) -> None:
    ends = about(VLLM, "stop-token-ids.ends-at-the-token", exchanges=("x1",))
    reason = about(VLLM, "stop-reason.names-the-token", exchanges=("x2",))
    exchanges = (an_answer("x1", stop_token_ids=[5]), an_answer("x2", **{by: [5]}))
    explained = {reason.id: ends.id} if is_explained else {}
    assert told_by(VLLM, ends, reason, exchanges=exchanges) == explained


@pytest.mark.parametrize(("usage", "is_explained"), [({"total_tokens": 2}, True), (None, False)])
def test_chunk_of_usage_explains_a_missing_choice(usage: Any, is_explained: bool) -> None:
    contract = load_contract("deepseek-fim")
    known = {"id": "1", "object": "text_completion", "created": 1, "model": "m"}
    counts = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    last = {**known, "choices": [], "usage": usage and counts}
    stream = replace(a_stream("x1"), body=f"data: {json.dumps(last)}\n\n".encode())
    apart = about(contract, "stream-options.usage-with-last-choice", exchanges=("x1",))
    schema = about(contract, "streaming.chunk-schema", place=Place.SCHEMA, exchanges=("x1",))
    explained = {schema.id: apart.id} if is_explained else {}
    assert told_by(contract, apart, schema, exchanges=(stream,)) == explained


@pytest.mark.parametrize(
    ("echo", "is_explained"),
    [("echo-logprobs.covers-prompt", False), ("echo.then-completion", True)],
)
def test_scores_of_echoes_explain_no_missing_effect(echo: str, is_explained: bool) -> None:
    asked = {"echo": True, "logprobs": 0}
    owner = a_deviation(echo, exchanges=("x1",))
    bans = a_deviation(
        "logit-bias.bans", exchanges=("x2", "x3"), roles={"x2": Role.PROBE, "x3": Role.CONTROL}
    )
    bans = replace(bans, effect=Effect.IGNORED)
    exchanges = (an_answer("x1", **asked), an_answer("x2", logit_bias={"5": -100}))
    explained = {bans.id: owner.id} if is_explained else {}
    assert roots(owner, bans, exchanges=(*exchanges, an_answer("x3", **asked))) == explained
