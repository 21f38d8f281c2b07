"""A message is its English sentence, and keeps what it was made from."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest

from conformance.judgement import Failure, Inconclusive, Refusal, either, expect, shown
from conformance.message import (
    MAX_FINDING_CHARS,
    Message,
    as_message,
    bounded,
    say,
    split,
    verbatim,
)

NESTED = say("{seen} ({among})", seen=say("{n} choices", n=1), among=("a", say("b {c}", c="d")))


def test_message_is_its_english_sentence() -> None:
    message = say("{count} choices, {promised} promised", count=1, promised=3)
    assert message == "1 choices, 3 promised"
    assert hash(message) == hash("1 choices, 3 promised")
    assert message.template == "{count} choices, {promised} promised"
    assert message.arguments == {"count": 1, "promised": 3}


@pytest.mark.parametrize(
    ("value", "english"),
    [
        (True, "x True"),
        (None, "x None"),
        (1.5, "x 1.5"),
        (float("nan"), "x nan"),
        (2**70, f"x {2**70}"),
        (("a", 2, say("b")), "x a, 2, b"),
        ((), "x "),
        (verbatim("{y}"), "x {y}"),
        (either(400, 422), "x 400 or 422"),
    ],
)
def test_argument_is_written(value: Any, english: str) -> None:
    assert say("x {value}", value=value) == english


def test_braces_of_a_template_are_doubled() -> None:
    assert say('an event with {{"error": {what}}}', what="1") == 'an event with {"error": 1}'
    assert as_message('{"a": 1}') == '{"a": 1}'
    assert as_message('{"a": 1}').arguments == {}


@pytest.mark.parametrize(
    ("template", "arguments"),
    [
        ("{a} and {b}", {"a": 1}),
        ("{a}", {"a": 1, "b": 2}),
        ("{a}{a}", {"a": 1}),
        ("{}", {}),
        ("{0}", {"0": 1}),
        ("{a.b}", {"a": 1}),
        ("{a[0]}", {"a": "x"}),
        ("{a!r}", {"a": 1}),
        ("{a:>999999}", {"a": 1}),
        ("{a", {"a": 1}),
        ("a}", {}),
        ("{Ä}", {"Ä": 1}),
    ],
)
def test_placeholders_and_arguments_have_to_agree(template: str, arguments: Any) -> None:
    with pytest.raises(ValueError, match=r"brace|placeholder"):
        Message(template, arguments)


def test_other_values_are_no_arguments() -> None:
    with pytest.raises(TypeError, match="list is no argument"):
        say("{value}", value=[1])  # type: ignore[arg-type]


def test_text_cannot_break_the_formatting() -> None:
    hostile = "{0} {a.__class__} {{ %s \\1 {b}"
    assert say("got {a}; {b}", a=hostile, b="x") == f"got {hostile}; x"


def test_evidence_in_evidence_is_plain() -> None:
    assert say("got {value}", value=shown("a")).arguments == {"value": '"a"'}
    assert verbatim(verbatim("a")).arguments == {"text": "a"}


def test_split_returns_literals_and_names() -> None:
    assert split("a {b} c {{d}} {e}") == (("a ", " c {d} ", ""), ("b", "e"))


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_copy_keeps_what_it_is_made_from(again: Any) -> None:
    assert again(NESTED) == NESTED
    assert again(NESTED).template == NESTED.template
    assert again(NESTED).arguments == NESTED.arguments


def test_arguments_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        NESTED.arguments["seen"] = "other"  # type: ignore[index]


def test_change_applies_to_evidence_alone() -> None:
    message = say("key {key} in {where}", key="key", where=(say("a key {x}", x="key"), "key"))
    assert message.mapped(lambda text: text.replace("key", "***")) == "key *** in a key ***, ***"


# ── limits ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "message",
    [
        say("got {a}", a="x" * 10_000),
        say("got {a}", a="\x00" * 10_000),
        say("got {a} and {b}", a="x" * 900, b="y" * 900),
        say("got {a}", a=tuple("x" * 50 for _ in range(10_000))),
        say("got {a}", a=say("an {inner}", inner="x" * 10_000)),
        say("got {a}", a=tuple(say("an {inner}", inner="x" * 5_000) for _ in range(5))),
        verbatim("x" * 10_000),
        as_message("word " * 5_000),
        say("word " * 500 + "{a}", a=1),
    ],
)
def test_long_message_is_cut_in_its_evidence(message: Message) -> None:
    shorter = bounded(message)
    assert len(shorter) <= MAX_FINDING_CHARS
    assert len(json.dumps(shorter, ensure_ascii=False)) <= 2 * MAX_FINDING_CHARS + 2
    assert "…" in shorter
    if len(message.template) < 100:
        assert shorter.template == message.template


def test_short_message_is_not_cut() -> None:
    message = say("got {a}", a="x" * 900)
    assert bounded(message) is message


# ── judgements ───────────────────────────────────────────────────────────────────────────────────


def test_failure_says_both_values() -> None:
    failure = Failure(say("a stream"), shown([1]))
    assert str(failure) == failure.said == "expected a stream; got [1]"
    assert failure.said.arguments["expected"] is failure.expected
    assert failure.said.arguments["seen"] == "[1]"


def test_strings_of_plugins_become_messages() -> None:
    failure = Failure("a {stream}", "none")  # type: ignore[arg-type]
    assert failure.said == "expected a {stream}; got none"
    assert isinstance(failure.expected, Message)
    assert Inconclusive("why").said == "why"  # type: ignore[arg-type]


def test_refusal_quotes_the_endpoint() -> None:
    refusal = Refusal(400, "{no}", frozenset())
    assert refusal.said == "refused with 400: {no}"
    assert refusal.said.arguments == {"status": 400, "message": "{no}"}


def test_assertion_names_its_value() -> None:
    with pytest.raises(Failure) as found:
        expect([1], say("number of {what}", what="x")).satisfies(lambda _: False, say("a sentence"))
    assert found.value.expected == "number of x a sentence"
    assert found.value.seen == "number of x = [1]"
    assert isinstance(found.value.seen.arguments["name"], Message)
