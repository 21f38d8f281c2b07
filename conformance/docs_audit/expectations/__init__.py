"""Expectations for the response to an example, derived from its request and its page; pure.

Determinism at temperature 0 is left to the suite's checks: conforming servers can have near-ties,
and distinguishing these from faults takes more requests than an example sends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from conformance.docs_audit.expectations import documented as written
from conformance.docs_audit.expectations import response as answer
from conformance.docs_audit.expectations import stream
from conformance.docs_audit.expectations import usage as counted
from conformance.docs_audit.expectations.case import Case
from conformance.docs_audit.results import Unmet
from conformance.judgement import Failure
from conformance.message import say

__all__ = ["EXPECTATIONS", "Case", "Expectation", "judge"]


def _always(_: Case) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expectation for responses to examples for which ``applies`` returns true.

    ``judge`` returns, or raises :class:`~conformance.judgement.Failure`.
    """

    name: str
    judge: Callable[[Case], None]
    applies: Callable[[Case], bool] = _always


def _is_streamed(case: Case) -> bool:
    return case.streamed


def _shows_its_body(case: Case) -> bool:
    return case.streamed and case.response.raw is not None


EXPECTATIONS: tuple[Expectation, ...] = (
    Expectation("answered", answer.is_answered),
    Expectation("media type", answer.media_type, lambda c: c.response.content_type is not None),
    Expectation("events", stream.events, _shows_its_body),
    Expectation("[DONE]", stream.done, _shows_its_body),
    Expectation("object", answer.kind),
    Expectation("choices", answer.choices),
    Expectation("text", answer.text),
    Expectation("finish_reason", answer.finish_reason),
    Expectation("endings", stream.endings, _is_streamed),
    Expectation("one answer", stream.identity, _is_streamed),
    Expectation("reads", written.reads, lambda c: bool(c.example.reads)),
    Expectation("fields", written.fields, lambda c: bool(c.page.fields)),
    Expectation("sample", written.shape, written.has_sample),
    Expectation("max_tokens", counted.max_tokens, lambda c: counted.limit_of(c) is not None),
    Expectation("usage", counted.usage, lambda c: not c.streamed),
    Expectation("logprobs", counted.logprobs, lambda c: c.count("logprobs") is not None),
    Expectation("stop", answer.stop, lambda c: bool(c.request.get("stop"))),
    Expectation("echo", answer.echo, lambda c: c.request.get("echo") is True),
)
"""All expectations, in order; if the first is not met, the others are not judged."""


def judge(case: Case) -> tuple[tuple[str, ...], tuple[Unmet, ...]]:
    """Judge a response by all expectations that apply.

    A failure with the same expected and actual value as an earlier one is not repeated.

    Returns:
        The names of the expectations that are met, and those that are not.
    """
    met: list[str] = []
    unmet: dict[tuple[str, str], Unmet] = {}
    for expectation in EXPECTATIONS:
        if not expectation.applies(case):
            continue
        try:
            expectation.judge(case)
        except Failure as failure:
            seen = (failure.expected, failure.seen)
        except RecursionError:
            seen = (
                say("a response that can be parsed"),
                say("a response that is nested too deeply"),
            )
        else:
            met.append(expectation.name)
            continue
        unmet.setdefault(seen, Unmet(expectation.name, *seen))
        if expectation.judge is answer.is_answered:
            break
    return tuple(met), tuple(unmet.values())
