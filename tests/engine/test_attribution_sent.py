"""Root causes that show in what was sent: nulls, prompts, and what an answer is compared with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conformance.engine.attribution.places import NO_LIST
from conformance.message import say
from conformance.model import Effect, Place, Role
from tests.engine.test_attribution import a_deviation, roots
from tests.engine.test_attribution_combined import combined
from tests.engine.test_attribution_rules import COMPARED, GREEDY, an_answer, vs
from tests.report.builders import an_exchange

SHOWN = {"x1": Role.PROBE}


@pytest.mark.parametrize(
    ("asked", "is_told"),
    [
        ({"suffix": None, "n": None}, True),
        ({"suffix": "A."}, False),
        ({"n": None}, False),
        ({}, False),
    ],
)
def test_null_explains_only_what_sends_it(asked: dict[str, Any], is_told: bool) -> None:
    exchanges = (
        an_answer("x1", " 1 2", prompt="0", stop="2", **asked),
        an_answer("x2", " 3", prompt="0", suffix=None),
    )
    null = a_deviation("suffix.null", exchanges=("x2",), roles={"x2": Role.PROBE})
    stop = a_deviation("stop.exact-everywhere", exchanges=("x1",), roles=SHOWN)
    assert roots(null, stop, exchanges=exchanges) == ({stop.id: null.id} if is_told else {})


def test_refused_null_explains_no_text() -> None:
    exchanges = (an_answer("x1", " 1 2", prompt="0", stop="2", suffix=None),)
    null = a_deviation("suffix.null", exchanges=("x1",), roles=SHOWN, effect=Effect.REFUSED)
    stop = a_deviation("stop.exact-everywhere", exchanges=("x1",), roles=SHOWN)
    assert roots(null, stop, exchanges=exchanges) == {}


@pytest.mark.parametrize(("prompt", "is_told"), [("0", True), (["0", "1"], False)])
def test_missing_list_is_about_choices(prompt: object, is_told: bool) -> None:
    body = {"id": "a", "choices": {"text": "1"}}
    exchanges = (
        an_exchange("x1", request={**GREEDY, "prompt": [[5], [6]]}, body=body),
        an_exchange("x2", request={**GREEDY, "prompt": prompt}, body=body),
    )
    missing: dict[str, Any] = {"place": Place.CHOICES, "expected": NO_LIST}
    batch = a_deviation("prompt.token-batch-served", exchanges=("x1",), **missing)
    shape = a_deviation("envelope.choices-everywhere", exchanges=("x2",), **missing)
    found = roots(batch, shape, exchanges=exchanges)
    assert (found.get(batch.id) == shape.id) is is_told


@pytest.mark.parametrize(("echo", "is_told"), [(True, True), (False, False)])
def test_wrong_count_explains_what_is_compared_with_it(echo: bool, is_told: bool) -> None:
    exchanges = (
        an_answer("x1", " 1", " 1", prompt="0", n=2),
        an_answer("x2", "0 1", prompt="0", echo=echo),
        an_answer("x3", "0 1", prompt="1", echo=True),
    )
    alike = a_deviation("usage.prompt-alike-everywhere", exchanges=("x3",))
    once = a_deviation("usage.prompt-once-everywhere", exchanges=("x1", "x2"), roles=COMPARED)
    assert roots(alike, once, exchanges=exchanges) == ({once.id: alike.id} if is_told else {})


@pytest.mark.parametrize(
    ("echoes", "plain", "is_told"),
    [
        (("red. ", "blue "), "green", True),
        # Each text has it, also that behind no echo.
        (("red. ", "blue "), "green ", False),
        # What differs is generated.
        (("red. ", "blue"), "green", False),
        (("red.", "blue"), "green", False),
    ],
)
def test_text_behind_every_prompt_explains_texts(
    echoes: tuple[str, str], plain: str, is_told: bool
) -> None:
    nothing = {"echo": True, "max_tokens": 0}
    exchanges = (
        an_answer("x1", "red. green", prompt="red.", echo=True),
        an_answer("x2", plain, prompt="red."),
        an_answer("x3", echoes[0], prompt="red.", **nothing),
        an_answer("x4", echoes[1], prompt="blue", **nothing),
    )
    echo = a_deviation("echo.then-completion", exchanges=("x1", "x2"), roles=COMPARED)
    text = a_deviation("text.leading-space-of-echo", exchanges=("x1", "x2"), roles=COMPARED)
    found = roots(echo, text, exchanges=exchanges)
    assert (found.get(text.id) == echo.id) is is_told


@pytest.mark.parametrize(("codec", "is_told"), [("gb18030", True), ("utf-8", False)])
def test_other_encoding_explains_broken_characters(codec: str, is_told: bool) -> None:
    body = 'data: {"choices":[{"index":0,"text":"胡"}]}\n\ndata: [DONE]\n\n'.encode(codec)
    asked = {**GREEDY, "prompt": "0", "stream": True}
    exchanges = (an_exchange("x1", request=asked, body=body),)
    framing = a_deviation("streaming.framing-everywhere", Place.BODY, exchanges=("x1",))
    broken = a_deviation("streaming.characters-emoji", exchanges=("x1",), roles=SHOWN)
    found = roots(framing, broken, exchanges=exchanges)
    assert found == ({broken.id: framing.id} if is_told else {})


@pytest.mark.parametrize(("echoed", "is_told"), [("ab 2", True), ("c 2", False)])
def test_joined_batch_explains_its_scores(echoed: str, is_told: bool) -> None:
    exchanges = (
        an_answer("x1", " 1", " 2", prompt=["a", "b"]),
        an_answer("x2", " 3", prompt="b"),
        an_answer("x3", "a 1", echoed, prompt=["a", "b"], echo=True),
    )
    bill = a_deviation("usage.prompts-of-batch", exchanges=("x3",))
    echo = a_deviation("echo.batch", Place.ECHO, exchanges=("x3",))
    found = roots(bill, echo, combined("interactions.scores"), exchanges=exchanges)
    assert (found.get("interactions.scores") == bill.id) is is_told


@pytest.mark.parametrize(("control", "is_told"), [({"logprobs": 1}, True), ({}, False)])
def test_other_prompt_of_the_control_explains_its_text(
    control: dict[str, Any], is_told: bool
) -> None:
    exchanges = (
        an_answer("x1", " 1", prompt="0"),
        an_answer("x2", " 2", prompt="0", **control),
        an_answer("x3", "User: 0 2", prompt="0", echo=True, logprobs=1),
    )
    echo = a_deviation("echo.prompt-first", Place.ECHO, exchanges=("x3",))
    found = roots(echo, combined(), exchanges=exchanges)
    assert found == ({"interactions.text": echo.id} if is_told else {})


def test_stream_without_total_explains_a_combination() -> None:
    asked = {"prompt": "0", "stream": True, "stream_options": {"include_usage": True}}
    exchanges = (an_answer("x1", " 1", **asked), an_answer("x2", " 1", prompt="0"))
    total = a_deviation("stream-options.usage-everywhere", Place.USAGE, exchanges=("x1",))
    usage = combined("interactions.usage", place=Place.USAGE)
    assert roots(total, usage, exchanges=exchanges) == {usage.id: total.id}


@pytest.mark.parametrize(
    ("seen", "is_told"), [(vs(" 1", ""), True), (say("no chunk with usage"), False)]
)
def test_options_that_change_the_text_explain_echoes(seen: Any, is_told: bool) -> None:
    options = {"stream": True, "stream_options": {"include_usage": True}}
    exchanges = (
        an_answer("x1", " 1", prompt="0", echo=True, **options),
        an_answer("x2", "", prompt="0", **options),
        an_answer("x3", " 1", prompt="0", stream=True),
    )
    roles = {"x2": Role.PROBE, "x3": Role.CONTROL}
    text = a_deviation("stream-options.same-text", exchanges=("x2", "x3"), roles=roles, seen=seen)
    echo = a_deviation("echo.own-prompt-everywhere", Place.ECHO, exchanges=("x1",), roles=SHOWN)
    assert roots(text, echo, exchanges=exchanges) == ({echo.id: text.id} if is_told else {})


def test_cached_answer_without_a_role_explains_a_difference() -> None:
    exchanges = (
        an_answer("x1", " 1", prompt="0", top_p=0, id_="a"),
        an_answer("x2", " 2", prompt="0", max_tokens=1, id_="b"),
        an_answer("x3", " 2", prompt="0", id_="b"),
        an_answer("x4", " 3", prompt="0", seed=1, id_="c"),
    )
    repeated = a_deviation("envelope.id-unique-everywhere", exchanges=("x2", "x3"))
    narrow = a_deviation("top-p.zero", exchanges=("x1", "x3"), roles=SHOWN)
    assert roots(repeated, narrow, exchanges=exchanges) == {narrow.id: repeated.id}


@pytest.mark.parametrize(("elapsed", "is_told"), [(0.1, True), (9.0, False)])
def test_answer_is_that_of_who_got_it_first(elapsed: float, is_told: bool) -> None:
    late = an_answer("x1", " 2", prompt="0", logprobs=1, id_="b")
    early = an_answer("x2", " 2", prompt="0", id_="b")
    attempts = (replace(early.attempts[0], elapsed=elapsed),)
    exchanges = (
        replace(late, attempts=(replace(late.attempts[0], elapsed=1.0),)),
        replace(early, attempts=attempts),
        an_answer("x3", " 3", prompt="0", seed=1, id_="c"),
        an_answer("x4", " 4", prompt="0", seed=2, id_="d"),
    )
    repeated = a_deviation("envelope.id-unique-everywhere", exchanges=("x1", "x2"))
    listed = a_deviation("logprobs.returned", Place.LOGPROBS, exchanges=("x1",), roles=SHOWN)
    found = roots(repeated, listed, exchanges=exchanges)
    assert found == ({listed.id: repeated.id} if is_told else {})
