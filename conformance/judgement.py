"""The outcomes of a check: it returns to pass and raises one of these exceptions otherwise.

``Judgement``
├── ``Failure``       the endpoint breaks the requirement
│   └── ``Missing``     a feature that the check needs is missing altogether
├── ``Refusal``       the endpoint rejected the request with a clean 4xx
├── ``Inconclusive``  no judgement is possible: 429, 5xx, no response, unstable responses
│   └── ``EndedEarly``  the run is over: the key, the balance or the route is gone
└── ``NotApplicable`` the check does not apply, with the reason
    └── ``BudgetSpent`` a limit of the run forbids the next request

The runner turns them into verdicts. Any other exception is an internal error of the suite.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, Self, TypeVar

from conformance.evidence import Evidence
from conformance.message import (
    Message,
    Named,
    Scalar,
    as_message,
    cut_text,
    say,
    verbatim,
)
from conformance.model import Effect, Exchange, Place, Request

T = TypeVar("T")


class Judgement(Exception):  # noqa: N818 - a judgement is no error
    """The outcome of a check that did not pass.

    Attributes:
        said: the deviation or the reason, in one sentence.
        evidence: the exchanges that show it, if the check says so.
        needs_suite: whether its requests do not show it to who sends them again by hand, because
            it is about time, or about what several requests at once provoke.
        needs_run: whether even the check may not show it again by itself, because it may depend on
            what was sent before.
    """

    evidence: Evidence | None = None
    needs_suite: bool = False
    needs_run: bool = False

    def __init__(self, said: Message) -> None:
        # A package of checks that is not typed may pass any string.
        self.said = as_message(said)
        super().__init__(self.said)

    def shown_by(self, evidence: Evidence | None) -> Self:
        """Say which exchanges show it, unless that is said already; return the judgement."""
        self.evidence = self.evidence or evidence
        return self

    def only_by_suite(self) -> Self:
        """Say that its requests alone do not show it; return the judgement."""
        self.needs_suite = True
        return self

    def only_by_run(self) -> Self:
        """Say that it may depend on the requests before; return the judgement."""
        self.needs_run = True
        return self


class Failure(Judgement):
    """The endpoint breaks the requirement.

    Attributes:
        expected: the expected value or behaviour.
        seen: the actual value or behaviour.
        effect: how the deviation shows in the state of the parameter.
        place: the part of the answer that could not be read; None if the check judged what it is
            about.
        subject: the parameter or field that it is about, if that is not the one of the check.
    """

    def __init__(
        self,
        expected: Message,
        seen: Message,
        *,
        effect: Effect = Effect.ALTERED,
        place: Place | None = None,
        subject: str | None = None,
    ) -> None:
        self.expected, self.seen = as_message(expected), as_message(seen)
        super().__init__(
            say("expected {expected}; got {seen}", expected=self.expected, seen=self.seen)
        )
        self.effect = effect
        self.place = place
        self.subject = subject


class Feature(Named):
    """A part of a response that can be missing altogether, which affects many checks."""

    BATCH = say("a choice for each prompt")
    CHOICES = say("as many choices as requested")
    N_CHOICES = say("n choices")
    ECHO = say("the echoed prompt")
    LOGPROBS = say("logprobs")
    ARRAYS = say("arrays of logprobs")
    SCORES_OF_PROMPT = say("logprobs of the prompt")
    JSON = say("a response in JSON")
    ENVELOPE = say("an error object")
    KEY_ENVELOPE = say("an error object for a rejected key")
    STREAM = say("a stream")
    CHUNKS = say("a stream of chunks")
    TEXT = say("text")
    USAGE = say("usage")
    STREAM_USAGE = say("usage in a stream")


PLACES: Mapping[Feature, Place] = {
    Feature.BATCH: Place.CHOICES,
    Feature.CHOICES: Place.CHOICES,
    Feature.N_CHOICES: Place.CHOICES,
    Feature.ECHO: Place.ECHO,
    Feature.LOGPROBS: Place.LOGPROBS,
    Feature.ARRAYS: Place.ARRAYS,
    Feature.SCORES_OF_PROMPT: Place.PROMPT_SCORES,
    Feature.JSON: Place.BODY,
    Feature.ENVELOPE: Place.ERROR,
    Feature.KEY_ENVELOPE: Place.ERROR,
    Feature.STREAM: Place.STREAM,
    Feature.CHUNKS: Place.EVENTS,
    Feature.TEXT: Place.TEXT,
    Feature.USAGE: Place.USAGE,
    Feature.STREAM_USAGE: Place.STREAM_USAGE,
}
"""The part of an answer that each feature is."""


class Missing(Failure):
    """A feature is missing altogether.

    Every check of a detail of the feature fails for this one cause. Attribution explains them by
    the check that is about the feature, if that reports it too.
    """

    def __init__(
        self, feature: Feature, expected: Message, seen: Message, *, effect: Effect = Effect.IGNORED
    ) -> None:
        super().__init__(expected, seen, effect=effect, place=PLACES[feature])
        self.feature = feature


class Refusal(Judgement):
    """The endpoint rejected the request with a clean 4xx.

    Attributes:
        status: the HTTP status.
        message: the endpoint's error message.
        features: the parameters that the request used. The runner reports a failure only if the
            contract promises all of them.
        request: the request itself, because a server may reject some values only in combination.
    """

    def __init__(
        self,
        status: int,
        message: str,
        features: frozenset[str],
        request: Request | None = None,
    ) -> None:
        super().__init__(say("refused with {status}: {message}", status=status, message=message))
        self.status = status
        self.message = message
        self.features = features
        self.request = request


class Inconclusive(Judgement):
    """No judgement is possible; the message is the reason in one sentence."""


class EndedEarly(Inconclusive):
    """The run ended before this request was judged; only the transport raises it.

    Attributes:
        exchange: the one that ended the run, if it was this request's; None for later ones.
    """

    def __init__(self, why: Message, exchange: Exchange | None = None) -> None:
        super().__init__(why)
        self.exchange = exchange


class NotApplicable(Judgement):
    """The check does not apply to this contract or endpoint; the message is the reason."""


class BudgetSpent(NotApplicable):
    """The next request could exceed a limit of the run; only the transport raises it."""


def either(*values: Scalar) -> Message:
    """List alternatives: ``400 or 422``."""
    first, *others = values
    result = verbatim(first)
    for other in others:
        result = say("{one} or {other}", one=result, other=other)
    return result


def shown(value: object, *, limit: int = 200) -> Message:
    """Format a value as JSON, or as ``repr`` if JSON cannot represent it.

    Longer results are cut to ``limit`` characters, the last one an ellipsis.
    """
    return verbatim(cut_text(_written(_trimmed(value, limit)), limit))


def _trimmed(value: object, limit: int, depth: int = 2) -> object:
    """Return a value whose JSON begins as that of ``value``, for at least ``limit`` characters.

    A value can be megabytes long, and many checks show the same one.
    """
    if isinstance(value, str):
        return value[:limit]
    if depth and type(value) is list:
        return [_trimmed(inner, limit, depth - 1) for inner in value[:limit]]
    if depth and type(value) is dict:
        return {
            _trimmed(name, limit, 0): _trimmed(inner, limit, depth - 1)
            for name, inner in islice(value.items(), limit)
        }
    return value


def _written(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        pass
    try:
        return repr(value)
    except (ValueError, RecursionError):
        # Too deep for either, or an integer of more digits than Python writes.
        return f"a value of type {type(value).__name__} that cannot be shown"


@dataclass(frozen=True, slots=True)
class Expectation(Generic[T]):
    """An actual value and assertions about it; each method raises :class:`Failure` if it fails.

    Attributes:
        value: the actual value.
        name: names the value in messages: the path of a field, or a message
            ("finish_reason of choice 0").
        effect: how a deviation shows in the state of the parameter.
    """

    value: T
    name: str
    effect: Effect = Effect.ALTERED

    def _failure(self, expected: Message) -> Failure:
        seen = say("{name} = {value}", name=self.name, value=shown(self.value))
        return Failure(expected, seen, effect=self.effect)

    def equals(self, other: object) -> None:
        """Assert that the value equals ``other``; True does not equal 1."""
        same = self.value == other and isinstance(self.value, bool) == isinstance(other, bool)
        if not same:
            raise self._failure(say("{name} = {value}", name=self.name, value=shown(other)))

    def differs_from(self, other: object) -> None:
        """Assert that the value does not equal ``other``."""
        if self.value == other:
            raise self._failure(
                say("{name} other than {value}", name=self.name, value=shown(other))
            )

    def one_of(self, *others: object) -> None:
        """Assert that the value equals one of ``others``."""
        if self.value not in others:
            raise self._failure(
                say("{name} one of {values}", name=self.name, values=tuple(map(shown, others)))
            )

    def at_least(self: Expectation[Any], bound: float) -> None:
        """Assert that the value is at least ``bound``."""
        # Not `<`: neither holds for NaN.
        if not self.value >= bound:
            raise self._failure(say("{name} ≥ {bound}", name=self.name, bound=bound))

    def at_most(self: Expectation[Any], bound: float) -> None:
        """Assert that the value is at most ``bound``."""
        if not self.value <= bound:
            raise self._failure(say("{name} ≤ {bound}", name=self.name, bound=bound))

    def contains(self: Expectation[Any], part: object) -> None:
        """Assert that ``part`` occurs in the value."""
        if part not in self.value:
            raise self._failure(say("{name} containing {part}", name=self.name, part=shown(part)))

    def lacks(self: Expectation[Any], part: object) -> None:
        """Assert that ``part`` does not occur in the value."""
        if part in self.value:
            raise self._failure(say("{name} without {part}", name=self.name, part=shown(part)))

    def starts_with(self: Expectation[Any], part: str) -> None:
        """Assert that the text starts with ``part``."""
        if not self.value.startswith(part):
            raise self._failure(
                say("{name} starting with {part}", name=self.name, part=shown(part))
            )

    def is_empty(self: Expectation[Any]) -> None:
        """Assert that the value has length 0."""
        if len(self.value) != 0:
            raise self._failure(say("{name} empty", name=self.name))

    def is_not_empty(self: Expectation[Any]) -> None:
        """Assert that the value does not have length 0."""
        if len(self.value) == 0:
            raise self._failure(say("{name} not empty", name=self.name))

    def has_length(self: Expectation[Collection[Any]], length: int) -> None:
        """Assert that the value has ``length`` elements."""
        if len(self.value) != length:
            raise self._failure(say("{name} of length {length}", name=self.name, length=length))

    def satisfies(self, test: Callable[[T], bool], expected: Message) -> None:
        """Assert that ``test`` returns true; ``expected`` describes it ("that is strict JSON")."""
        if not test(self.value):
            described = say("{name} {expected}", name=self.name, expected=as_message(expected))
            raise self._failure(described)


def expect(value: T, name: str, *, effect: Effect = Effect.ALTERED) -> Expectation[T]:
    """Begin an assertion about an actual value.

    For example ``expect(usage.total_tokens, "total_tokens").equals(12)``.
    """
    return Expectation(value, name, effect)
