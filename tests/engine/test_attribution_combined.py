"""Root causes of what checks of combinations find, and of texts whose end or scores mislead."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from conformance.message import Message, say
from conformance.model import Effect, Exchange, Finding, Place, Role, Verdict
from tests.engine.test_attribution import a_deviation, roots
from tests.engine.test_attribution_rules import COMPARED, GREEDY, an_answer, vs
from tests.report.builders import an_exchange


def scored(
    key: str, text: str, tokens: list[str], finish: str = "length", **asked: Any
) -> Exchange:
    logprobs = {"tokens": tokens, "token_logprobs": [-1.0] * len(tokens)}
    choice = {"index": 0, "text": text, "finish_reason": finish, "logprobs": logprobs}
    usage = {"prompt_tokens": 1, "completion_tokens": len(tokens), "total_tokens": 1 + len(tokens)}
    body = {"id": key, "created": 1, "model": "m", "choices": [choice], "usage": usage}
    return an_exchange(key, request={**GREEDY, "logprobs": 1, **asked}, body=body)


def combined(check: str = "interactions.text", **changes: Any) -> Finding:
    known = {"exchanges": ("x1", "x2"), "roles": COMPARED, "effect": Effect.ALTERED}
    return a_deviation(check, **{**known, **changes})


# ── settings in combination ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("asked", "owner", "is_told"),
    [
        ({"max_tokens": 4}, "max-tokens.few", True),
        ({"max_tokens": 16}, "max-tokens.few", False),
        ({"echo": True}, "echo.off-by-default", True),
        ({"stream": True}, "echo.off-by-default", False),
        ({"max_tokens": 4}, "text.present", True),
        ({"stream": True}, "text.present", False),
    ],
)
def test_only_what_differs_explains_a_combination(
    asked: dict[str, Any], owner: str, is_told: bool
) -> None:
    exchanges = (
        an_answer("x1", " 1", prompt="0", **asked),
        an_answer("x2", " 2", prompt="0"),
        an_answer("x3", " 3", prompt="0"),
    )
    alone = a_deviation(owner, exchanges=("x3",))
    text = combined()
    found = roots(alone, text, exchanges=exchanges)
    assert found == ({text.id: alone.id} if is_told else {})


def test_batch_that_shares_its_limit_explains_its_text() -> None:
    batch = {"prompt": ["a", "b"]}
    exchanges = (
        an_answer("x1", " 1", " 2", **batch),
        an_answer("x2", " 1 1", prompt="a"),
        an_answer("x3", " 1", " 2", **batch, n=1),
    )
    shared = a_deviation("max-tokens.few", exchanges=("x3",))
    text = combined()
    assert roots(shared, text, exchanges=exchanges) == {text.id: shared.id}


@pytest.mark.parametrize(
    ("check", "told"),
    [("usage.completion-at-limit", True), ("usage.prompt-has-tokens", False)],
)
def test_usage_is_explained_by_the_count_that_differs(check: str, told: bool) -> None:
    exchanges = (an_answer("x1", " 1", prompt="0"), an_answer("x2", " 1", prompt="0", n=1))
    counts = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    seen = {**counts, "completion_tokens": 4, "total_tokens": 5}
    said = say("{seen} instead of {expected}", seen=json.dumps(seen), expected=json.dumps(counts))
    alone = a_deviation(check, exchanges=("x2",))
    usage = combined("interactions.usage", seen=said, subject="usage")
    assert roots(alone, usage, exchanges=exchanges) == ({usage.id: alone.id} if told else {})


def test_text_of_fewer_settings_explains_their_stop() -> None:
    exchanges = (
        an_answer("x1", " 1", prompt="0", stream=True, n=1),
        an_answer("x2", " 2", prompt="0"),
        an_answer("x3", " 1", prompt="0", stream=True, stop="9"),
    )
    text = combined()
    roles = {"x3": Role.PROBE, "x2": Role.CONTROL}
    stop = combined("interactions.stop", exchanges=("x3", "x2"), roles=roles)
    assert roots(text, stop, exchanges=exchanges) == {stop.id: text.id}


def test_one_wrong_setting_explains_its_other_answers() -> None:
    exchanges = (
        an_answer("x1", " 1", prompt="0", suffix=None),
        an_answer("x2", " 2", prompt="0"),
        an_answer("x3", " 1", prompt="0", suffix=None, n=1),
        an_answer("x4", " 1", prompt="0", user="u"),
    )
    text = combined(subject="suffix")
    bill = a_deviation("usage.prompt-alike-everywhere", exchanges=("x3",))
    other = a_deviation("stop.string", exchanges=("x4",))
    assert roots(text, bill, other, exchanges=exchanges) == {bill.id: text.id}


# ── what is left of a text ───────────────────────────────────────────────────────────────────────


def test_lost_end_explains_a_text_that_lacks_it() -> None:
    exchanges = (
        scored("x3", " 1,", [" 1", ",", " 2"], prompt="0"),
        an_answer("x1", " 1", prompt="0", stop=","),
        an_answer("x2", " 1,", prompt="0"),
    )
    lost = a_deviation("logprobs-arrays.join", Place.TOKENS, exchanges=("x3",))
    stop = a_deviation("stop.string", exchanges=("x1", "x2"), roles=COMPARED, effect=Effect.ALTERED)
    ban = a_deviation("logit-bias.bans", exchanges=("x1",), effect=Effect.IGNORED)
    assert roots(lost, stop, ban, exchanges=exchanges) == {stop.id: lost.id}


def test_text_added_behind_moves_no_offset() -> None:
    exchanges = (scored("x1", " 1, 2 (ad)", [" 1", ",", " 2"], prompt="0"),)
    added = a_deviation("logprobs-arrays.join", Place.TOKENS, exchanges=("x1",))
    offset = a_deviation("text-offset.everywhere", exchanges=("x1",))
    assert roots(added, offset, exchanges=exchanges) == {}


@pytest.mark.parametrize(("stop", "told"), [("⭐⭐", True), ("⭐", False)])
def test_lost_characters_explain_stops_never_generated(stop: str, told: bool) -> None:
    exchanges = (
        scored("x2", "⭐⭐", ["⭐", "🌙", "⭐"], prompt="0"),
        an_answer("x1", "⭐⭐", prompt="0", stop=stop),
    )
    lost = a_deviation("logprobs-arrays.join-emoji", Place.TOKENS, exchanges=("x2",))
    stopped = a_deviation("stop.excluded-everywhere", exchanges=("x1",), effect=Effect.IGNORED)
    assert roots(lost, stopped, exchanges=exchanges) == ({stopped.id: lost.id} if told else {})


@pytest.mark.parametrize(("stop", "told"), [("15", True), ("9", False)])
def test_wrong_finish_explains_tokens_behind_the_text(stop: str, told: bool) -> None:
    exchanges = (
        scored("x1", " 13, 14, ", [" 13", ", 14", ", ", "1"], prompt="0", stop=stop),
        an_answer("x2", " 13, 14, ", prompt="0", stop=stop),
    )
    finish = a_deviation("finish-reason.stop-sequence", exchanges=("x2",))
    join = a_deviation("logprobs-arrays.join", Place.TOKENS, exchanges=("x1",))
    assert roots(finish, join, exchanges=exchanges) == ({join.id: finish.id} if told else {})


# ── samples at temperature 0 ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("texts", "told"), [((" 2", " 3", " 2", " 2"), True), ((" 2",) * 4, False)]
)
def test_samples_explain_no_steady_difference(texts: tuple[str, ...], told: bool) -> None:
    exchanges = (
        *(an_answer(f"p{n}", " 1", prompt="0", stop="9") for n in range(4)),
        *(an_answer(f"c{n}", text, prompt="0") for n, text in enumerate(texts)),
    )
    zero = a_deviation("temperature.zero-repeats")
    roles = {"p0": Role.PROBE, "c0": Role.CONTROL}
    stop = a_deviation("stop.string", exchanges=("p0", "c0"), roles=roles, effect=Effect.ALTERED)
    assert roots(zero, stop, exchanges=exchanges) == ({stop.id: zero.id} if told else {})


def test_wrong_text_explains_no_text_that_changes() -> None:
    exchanges = (an_answer("x1", " 1<|end|>", prompt="0"),)
    mark = a_deviation("text.no-special-tokens", exchanges=("x1",))
    zero = a_deviation("temperature.zero-repeats", exchanges=("x1",))
    assert roots(mark, zero, exchanges=exchanges) == {}


# ── bills and limits ─────────────────────────────────────────────────────────────────────────────


def test_one_bill_for_two_lengths_explains_the_limit() -> None:
    exchanges = (
        an_answer("x1", " 1", prompt="0", max_tokens=4),
        an_answer("x2", " 1 2", prompt="0"),
    )
    bill = a_deviation("usage.completion-at-limit", exchanges=("x2",))
    limit = a_deviation("max-tokens.few", exchanges=("x1",))
    assert roots(bill, limit, exchanges=exchanges) == {limit.id: bill.id}


def test_prompt_read_as_one_explains_its_bill() -> None:
    same = a_deviation("prompt.not-answered-alike", effect=Effect.IGNORED)
    bill = a_deviation("usage.prompt-has-tokens")
    hidden = a_deviation("prompt.no-hidden-text")
    assert roots(same, bill, hidden) == {bill.id: same.id, hidden.id: same.id}


def test_white_space_lost_from_lists_explains_them() -> None:
    exchanges = (
        an_answer("x1", " 13,", prompt="0", echo=True, stop="9"),
        an_answer("x3", "red", prompt="red ", echo=True),
        an_answer("x2", " 13, ", prompt="0"),
    )
    lost = a_deviation("echo.awkward-text", Place.ECHO, exchanges=("x3",))
    stop = combined("interactions.stop", seen=vs([" 13,"], [" 13, "]))
    assert roots(lost, stop, exchanges=exchanges) == {stop.id: lost.id}


# ── what never gets a whole answer ───────────────────────────────────────────────────────────────


def cut_off(key: str, **asked: Any) -> Exchange:
    answer = an_answer(key, " 1", prompt="0", **asked)
    return replace(answer, fault="incomplete response")


@pytest.mark.parametrize(
    ("asked", "told"),
    [({"stream": True, "n": 2}, True), ({"echo": True}, False)],
)
def test_never_answered_request_explains_what_is_undecided(
    asked: dict[str, Any], told: bool
) -> None:
    exchanges = (cut_off("x1", stream=True), cut_off("x2", **asked))
    never = a_deviation("errors.good-input-whole-response", exchanges=("x1",))
    lacks = say("the response is incomplete: {fault}", fault="incomplete response")
    text = an_undecided(lacks, exchanges=("x2",))
    assert roots(never, text, exchanges=exchanges) == ({text.id: never.id} if told else {})


def test_request_answered_once_explains_nothing_undecided() -> None:
    exchanges = (
        cut_off("x1", stream=True),
        an_answer("x2", " 1", prompt="0", stream=True),
    )
    never = a_deviation("errors.good-input-whole-response", exchanges=("x1",))
    lacks = say("the response is incomplete: {fault}", fault="incomplete response")
    assert roots(never, an_undecided(lacks, exchanges=("x1",)), exchanges=exchanges) == {}


def test_other_doubts_are_no_missing_answers() -> None:
    never = a_deviation("errors.good-input-whole-response", exchanges=("x1",))
    doubt = an_undecided(say("the log probabilities are not deterministic"), exchanges=("x1",))
    assert roots(never, doubt, exchanges=(cut_off("x1", stream=True),)) == {}


def an_undecided(message: Message, **changes: Any) -> Finding:
    known = {"verdict": Verdict.INCONCLUSIVE, "message": message, "effect": None}
    return a_deviation("interactions.text", **{**known, **changes})


def test_stop_that_loses_text_explains_missing_echo() -> None:
    asked = {"prompt": "red green", "echo": True, "stop": "n9", "stream": True}
    exchanges = (an_answer("x1", "red gree", **asked), an_answer("x2", "red gree", **asked, n=1))
    stop = a_deviation("stop.string", exchanges=("x1",))
    echo = a_deviation("echo.prompt-first-everywhere", Place.ECHO, exchanges=("x2",))
    assert roots(stop, echo, exchanges=exchanges) == {echo.id: stop.id}


def test_completion_for_two_requests_is_no_error() -> None:
    asked = {"prompt": "0", "stop": "9"}
    exchanges = (
        an_answer("x1", "bad", prompt="1", id_="cmpl-error", n=0),
        an_answer("x2", "ill", prompt="2", id_="cmpl-error", best_of=0),
        *(an_answer(f"y{n}", f" {n}", prompt=str(n), id_=str(n)) for n in range(3)),
        an_answer("x3", " 0", id_="0", **asked),
    )
    served = a_deviation("n.zero-refused", Place.SERVED, exchanges=("x1",))
    ids = a_deviation("envelope.id-unique-everywhere", exchanges=("x1",))
    stop = a_deviation("stop.string", exchanges=("x3",))
    found = roots(served, ids, stop, exchanges=exchanges)
    assert found == {stop.id: ids.id}


def test_sampled_count_explains_a_greedy_layout() -> None:
    sampled = {"prompt": "0", "n": 2, "temperature": 1}
    exchanges = (an_answer("x1", " 1", prompt="0", n=2), an_answer("x2", " 1", **sampled))
    count = a_deviation("n.choices", Place.CHOICES, exchanges=("x2",))
    layout = combined("interactions.layout", exchanges=("x1",), roles={"x1": Role.PROBE})
    assert roots(count, layout, exchanges=exchanges) == {layout.id: count.id}


def test_samples_explain_odd_tokens_everywhere() -> None:
    exchanges = (scored("x1", " 1", [" 1"], prompt="0"),)
    zero = a_deviation("temperature.zero-repeats")
    odd = a_deviation(
        "logprobs-arrays.greedy-is-top-everywhere", exchanges=("x1",), effect=Effect.ALTERED
    )
    assert roots(zero, odd, exchanges=exchanges) == {odd.id: zero.id}
