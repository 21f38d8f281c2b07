"""Root causes that the text, the order or the values of answers tell, one rule after the other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.message import say
from conformance.model import Effect, Exchange, Place, Role
from tests.engine.test_attribution import a_deviation, roots
from tests.report.builders import an_exchange

GREEDY: dict[str, Any] = {"model": "m", "max_tokens": 16, "temperature": 0}
COMPARED = {"x1": Role.PROBE, "x2": Role.CONTROL}


LOST: dict[str, Any] = {
    "exchanges": ("x3", "x4"),
    "roles": {"x3": Role.CONTROL, "x4": Role.PROBE},
}
"""Where an echo shows that the text has lost a line break."""


def an_answer(key: str, *texts: str, id_: str = "cmpl-1", **asked: Any) -> Exchange:
    choices = [
        {"index": index, "text": text, "finish_reason": "length", "logprobs": None}
        for index, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    body = {"id": id_, "created": 1, "model": "m", "choices": choices, "usage": usage}
    return an_exchange(key, request={**GREEDY, **asked}, body=body)


def vs(one: object, other: object) -> Any:
    return say("{one} vs. {other} (both reproduced)", one=json.dumps(one), other=json.dumps(other))


def test_lost_white_space_explains_texts_that_lost_it() -> None:
    exchanges = (
        an_answer("x1", "", prompt="red", stop="re"),
        an_answer("x2", "red green", prompt="red"),
        an_answer("x3", "red green", prompt="red"),
        an_answer("x4", "red\n", prompt="red", echo=True),
    )
    lost = a_deviation("text.leading-line-break-of-echo", **LOST)
    stop = a_deviation("stop.earliest", exchanges=("x1", "x2"), roles=COMPARED)
    assert roots(lost, stop, exchanges=exchanges) == {stop.id: lost.id}


def test_longest_answer_tells_where_a_text_was_cut() -> None:
    def listed(key: str, *tokens: str) -> Exchange:
        logprobs = {"tokens": [*tokens], "token_logprobs": [-1.0] * len(tokens)}
        choice = {"index": 0, "text": "".join(tokens), "logprobs": logprobs}
        body = {"id": key, "choices": [{**choice, "finish_reason": "length"}]}
        return an_exchange(key, request={**GREEDY, "prompt": "0", "logprobs": 1}, body=body)

    exchanges = (
        an_answer("x1", "red", prompt="0", stop="green"),
        listed("x2", "red", "\n", "green"),
        listed("x3", "r"),
        an_answer("x4", "red", prompt="red ", echo=True),
    )
    echo = a_deviation("echo.awkward-text", Place.ECHO, exchanges=("x4",))
    stop = a_deviation("stop.cut-at-match-everywhere", exchanges=("x1",))
    assert roots(echo, stop, exchanges=exchanges) == {stop.id: echo.id}


def test_white_space_explains_no_lost_stop_sequence() -> None:
    exchanges = (
        an_answer("x1", " 1 2", prompt="0", stop="1"),
        an_answer("x2", " 1 2", prompt="0"),
        an_answer("x3", "red green", prompt="red"),
        an_answer("x4", "red\n", prompt="red", echo=True),
    )
    lost = a_deviation("text.leading-line-break-of-echo", **LOST)
    stop = a_deviation("stop.string", exchanges=("x1", "x2"), roles=COMPARED, seen=vs(" 1 2", " "))
    assert roots(lost, stop, exchanges=exchanges) == {}


def test_white_space_explains_texts_that_lack_it() -> None:
    exchanges = (
        an_answer("x1", "", prompt="0", stop="1"),
        an_answer("x3", "red green", prompt="red"),
        an_answer("x4", "red\n", prompt="red", echo=True),
    )
    lost = a_deviation("text.leading-line-break-of-echo", **LOST)
    stop = a_deviation("stop.inside-word", exchanges=("x1",), seen=vs("", "\n"))
    assert roots(lost, stop, exchanges=exchanges) == {stop.id: lost.id}


@pytest.mark.parametrize(
    ("texts", "root"),
    [
        (("a 1", "b 2", "a 1", "b 2"), "index.prompt-major"),
        # The echo alone is another prompt's: the completion is that of its index.
        (("a 1", "b 1", "a 2", "b 2"), "echo.batch-with-n"),
    ],
)
def test_echoes_in_another_order_tell_index_from_echo(texts: tuple[str, ...], root: str) -> None:
    asked = {"prompt": ["a", "b"], "n": 2, "echo": True}
    exchanges = (
        an_answer("x1", *texts, **asked),
        an_answer("x2", " 1", prompt="a"),
        an_answer("x3", " 2", prompt="b"),
    )
    names = ("index.prompt-major", "echo.batch-with-n")
    found = [a_deviation(name, Place.ECHO, exchanges=("x1",)) for name in names]
    (other,) = set(names) - {root}
    assert roots(*found, exchanges=exchanges) == {other: root}


def test_ids_read_otherwise_explain_a_ban_without_effect() -> None:
    exchanges = (
        an_answer("x1", " 1", prompt="0", logit_bias={"5": -100}),
        an_answer("x2", " 1", prompt=[5, 6], echo=True, logprobs=0),
    )
    ids = a_deviation("prompt.tokens-as-forced", exchanges=("x2",), roles={"x2": Role.PROBE})
    ban = a_deviation("logit-bias.bans", exchanges=("x1", "x2"), roles=COMPARED)
    assert roots(ids, ban, exchanges=exchanges) == {ban.id: ids.id}


def test_refused_pair_explains_what_is_said_of_one() -> None:
    refused = {"status": 400, "body": b'{"error":{}}'}
    both = {**GREEDY, "prompt": "0", "top_p": 0.1}
    alone = {key: value for key, value in both.items() if key != "temperature"}
    exchanges = (
        an_exchange("x1", request=both, **refused),
        an_exchange("x2", request={**both, "top_p": 0.2}, **refused),
        an_answer("x3", " 1", prompt="0"),
        an_exchange("x4", request=alone),
    )
    pair = a_deviation("temperature.with-top-p", effect=Effect.REFUSED, exchanges=("x1", "x4"))
    one = a_deviation("top-p.small-served", effect=Effect.REFUSED, exchanges=("x2",))
    assert roots(pair, one, exchanges=exchanges) == {one.id: pair.id}


def test_control_from_a_cache_explains_a_difference() -> None:
    exchanges = (
        an_answer("x1", " 1", prompt="0", stop="9", id_="a"),
        an_answer("x2", " 2", prompt="0", n=1, id_="b"),
        an_answer("x3", " 2", prompt="0", user="u", id_="b"),
        an_answer("x4", " 3", prompt="0", seed=1, id_="c"),
    )
    repeated = a_deviation("envelope.id-unique-everywhere", exchanges=("x2", "x3"))
    roles = {"x1": Role.PROBE, "x3": Role.CONTROL}
    stop = a_deviation("stop.string", exchanges=("x1", "x3"), roles=roles)
    assert roots(repeated, stop, exchanges=exchanges) == {stop.id: repeated.id}


def test_joined_batch_explains_its_echo() -> None:
    exchanges = (
        an_answer("x1", "a 1", "ab 2", prompt=["a", "b"], echo=True),
        an_answer("x2", " 1", " 2", prompt=["a", "b"]),
    )
    bill = a_deviation("usage.prompts-of-batch", exchanges=("x2",))
    echo = a_deviation("echo.batch", Place.ECHO, exchanges=("x1",))
    assert roots(bill, echo, exchanges=exchanges) == {echo.id: bill.id}


def test_samples_at_zero_explain_the_penalties_formula() -> None:
    exchanges = (an_answer("x1", " 1", prompt="0", presence_penalty=1),)
    zero = a_deviation("temperature.zero-repeats-everywhere")
    formula = a_deviation("presence-penalty.formula", exchanges=("x1",), effect=Effect.ALTERED)
    assert roots(zero, formula, exchanges=exchanges) == {formula.id: zero.id}


def served(count: int, prefix: str = "s") -> tuple[Exchange, ...]:
    return tuple(an_answer(f"{prefix}{number}", " 1") for number in range(count))


def failed(count: int) -> tuple[Exchange, ...]:
    body = {"error": {"message": "EngineCore encountered an issue.", "type": "server_error"}}
    return tuple(an_exchange(f"x{number}", status=500, body=body) for number in range(count))


ON_STOP = (
    a_deviation("logit-bias.unknown-id-refused", exchanges=("x0",), roles={"x0": Role.PROBE}),
    a_deviation("max-tokens.negative-refused", exchanges=("x5",), roles={"x5": Role.PROBE}),
)


def test_request_that_stops_the_endpoint_explains_later_errors() -> None:
    first, later = ON_STOP
    for exchanges in (served(3) + failed(9), served(3) + failed(1) + served(7, "t") + failed(9)):
        assert roots(first, later, exchanges=exchanges) == {later.id: first.id}


@pytest.mark.parametrize(
    "exchanges",
    [
        pytest.param(served(3) + failed(7), id="too few"),
        pytest.param(failed(9), id="never served"),
        pytest.param(served(3) + failed(9) + served(1, "t"), id="served since"),
        pytest.param(failed(6) + served(20) + failed(9), id="served between"),
    ],
)
def test_errors_of_an_endpoint_that_serves_others_stay(exchanges: tuple[Exchange, ...]) -> None:
    assert roots(*ON_STOP, exchanges=exchanges) == {}
