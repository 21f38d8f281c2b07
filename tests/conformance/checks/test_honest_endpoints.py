"""What a correct endpoint may do is no deviation, and no answer at all breaks a check."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from conformance.imagined import language
from conformance.model import Verdict
from tests.conformance.checks import honest_rewrites as h
from tests.conformance.checks.faulty import Body, Fault, found
from tests.conformance.checks.test_honest_mixtures import may_flip
from tests.conformance.checks.test_parameters import in_force

HARMLESS = {Verdict.PASS, Verdict.SKIPPED, Verdict.INCONCLUSIVE}


def counted(name: str, more: int) -> Fault:
    """The bill counts a token of the server's own beside those of the request."""

    def tell(_: Body, answer: Body) -> Body:
        usage = answer["usage"]
        changed = {name: usage[name] + more, "total_tokens": usage["total_tokens"] + more}
        return {**answer, "usage": {**usage, **changed}}

    return Fault(tell=tell)


def each_choice(**values: Any) -> Fault:
    """Every choice carries something more."""

    def change(answer: Body) -> Body:
        return {**answer, "choices": [{**c, **values} for c in answer["choices"]], "extra": {}}

    return Fault(
        tell=lambda _, answer: change(answer),
        tell_stream=lambda _, chunks: [change(chunk) for chunk in chunks],
    )


def end_counted(_: Body, answer: Body) -> Body:
    """The token that ended a choice is on the bill, though it is not in the text."""
    ended = sum(choice["finish_reason"] == "stop" for choice in answer["choices"])
    usage = answer["usage"]
    counts = {"completion_tokens": usage["completion_tokens"] + ended}
    return {**answer, "usage": {**usage, **counts}}


def without_usage(_: Body, answer: Body) -> Body:
    return {key: value for key, value in answer.items() if key != "usage"}


def ended_early(body: Body) -> Body:
    """The model has said all it wants to say before it begins."""
    return {**body, "logit_bias": body.get("logit_bias") or {str(language.END_OF_TEXT): 90}}


def cut_character(body: Body, answer: Body) -> Body:
    """The limit fell into a character, of which the rest is shown."""
    cut = [
        {**c, "text": c["text"] + "\ufffd"}
        if c["finish_reason"] == "length" and body.get("max_tokens")
        else c
        for c in answer["choices"]
    ]
    return {**answer, "choices": cut}


def unsteady(seed: int) -> Fault:
    """Near-ties flip: now and then a greedy answer takes another turn."""
    rng = random.Random(seed)

    def ask(body: Body) -> Body:
        turns = may_flip(body) and rng.random() < 0.3
        return {**body, "temperature": 0.35} if turns else body

    def tell(body: Body, answer: Body) -> Body:
        scored = may_flip(body) and body.get("logprobs") is not None
        return h.scored_closely(answer) if scored else answer

    return Fault(ask, tell, lambda body, chunks: [tell(body, chunk) for chunk in chunks])


HONEST = {
    "counts a start token": counted("prompt_tokens", 1),
    "counts an end token": Fault(tell=end_counted),
    "sends no usage": Fault(tell=without_usage),
    "sends more fields": each_choice(stop_reason=None, matched_stop=None),
    "ends at once": Fault(ask=ended_early),
    "ends inside a character": Fault(tell=cut_character),
    **{f"is unsteady ({seed})": unsteady(seed) for seed in range(3)},
}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_endpoint_is_not_accused(name: str) -> None:
    accused = {}
    for check_id in in_force("openai"):
        finding = asyncio.run(found(check_id, HONEST[name]))
        if finding.verdict not in HARMLESS:
            accused[check_id] = finding.message
    assert accused == {}


def with_choice(**values: Any) -> Fault:
    """Every choice of a plain answer carries nonsense."""
    return Fault(
        tell=lambda _, answer: {
            **answer,
            "choices": [{**choice, **values} for choice in answer["choices"]],
        }
    )


HOSTILE = {
    "no choices": Fault(tell=lambda _, answer: {**answer, "choices": []}),
    "choices of strings": Fault(tell=lambda _, answer: {**answer, "choices": ["a", "b"]}),
    "first choice only": Fault(tell=lambda _, answer: {**answer, "choices": answer["choices"][:1]}),
    "a choice too many": Fault(tell=lambda _, answer: {**answer, "choices": answer["choices"] * 2}),
    "text is null": with_choice(text=None),
    "text is a list": with_choice(text=["a"]),
    "index is null": with_choice(index=None),
    "logprobs are nonsense": with_choice(logprobs={"tokens": [1], "token_logprobs": ["x"]}),
    "usage is nonsense": Fault(tell=lambda _, answer: {**answer, "usage": {"prompt_tokens": "7"}}),
    "an empty object": Fault(tell=lambda _, __: {}),
    "a stream of nothing": Fault(tell_stream=lambda _, __: []),
    "a refusal without words": Fault(decline=lambda status, _: (status, {})),
    "too many requests": Fault(decline=lambda _, error: (429, error)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_answer_makes_a_check_itself_fail(name: str) -> None:
    stumbled = {}
    for check_id in in_force("openai"):
        finding = asyncio.run(found(check_id, HOSTILE[name]))
        if finding.verdict is Verdict.ERROR:
            stumbled[check_id] = finding.message
    assert stumbled == {}
