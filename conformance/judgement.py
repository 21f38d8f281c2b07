"""How a check speaks its mind: it returns for a pass and raises one of these for anything else.

``Judgement``
├── ``Failure``     the endpoint broke the requirement
│   └── ``Missing``   something a check wanted to judge is not there at all
├── ``Refusal``       the endpoint declined the request with a clean 4xx
├── ``Inconclusive``  no judgement is possible: 429, 5xx, no answer, unstable answers
└── ``NotApplicable`` the check has no meaning here, with the reason
    └── ``BudgetSpent`` the run has no money left for it

The runner turns them into verdicts; anything else that escapes a check is the suite's own error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from conformance.model import Effect, Request

T = TypeVar("T")


class Judgement(Exception):  # noqa: N818 - a judgement is no error
    """What a check concluded when it is not a pass."""


class Failure(Judgement):
    """The endpoint broke the requirement: what was expected beside what was seen.

    ``features`` are the parameters of the smallest request that shows it, where somebody has looked
    for that; None where nobody has.
    """

    def __init__(
        self,
        expected: str,
        seen: str,
        *,
        effect: Effect = Effect.ALTERED,
        features: frozenset[str] | None = None,
    ) -> None:
        super().__init__(f"expected {expected}; got {seen}")
        self.expected = expected
        self.seen = seen
        self.effect = effect
        self.features = features


class Feature(StrEnum):
    """What an answer can lack as a whole, so that many checks find nothing to look at."""

    BATCH = "a choice for each prompt"
    CHOICES = "as many choices as asked for"
    N_CHOICES = "n choices"
    ECHO = "the echoed prompt"
    LOGPROBS = "logprobs"
    ARRAYS = "arrays of logprobs"
    SCORES_OF_PROMPT = "logprobs of the prompt"
    JSON = "an answer in JSON"
    STREAM = "a stream"
    CHUNKS = "a stream of chunks"
    TEXT = "text"
    USAGE = "usage"
    STREAM_USAGE = "usage in a stream"


class Missing(Failure):
    """Something is missing as a whole.

    One such gap would be found by every check that wanted to look at details, so it counts once:
    where a simpler answer lacks the same thing, the check of that answer accuses, and this one has
    nothing to judge.
    """

    def __init__(
        self, feature: Feature, expected: str, seen: str, *, effect: Effect = Effect.IGNORED
    ) -> None:
        super().__init__(expected, seen, effect=effect)
        self.feature = feature


class Refusal(Judgement):
    """The endpoint declined the request with a clean 4xx.

    ``features`` are the parameters the request used, so that the runner can tell a refusal of
    something promised from one of something optional; ``request`` is the request itself, because
    some values may be declined only together.
    """

    def __init__(
        self,
        status: int,
        message: str,
        features: frozenset[str],
        request: Request | None = None,
    ) -> None:
        super().__init__(f"refused with {status}: {message}")
        self.status = status
        self.message = message
        self.features = features
        self.request = request


class Inconclusive(Judgement):
    """No judgement is possible, with the reason in one sentence."""


class NotApplicable(Judgement):
    """The check has no meaning for this contract or this endpoint, with the reason."""


class BudgetSpent(NotApplicable):
    """The run may not spend what the next request can cost; raised by the wire alone."""


def shown(value: object, *, limit: int = 200) -> str:
    """Render a value for a reader: JSON where it can be, cut to ``limit`` characters."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


@dataclass(frozen=True, slots=True)
class Expectation(Generic[T]):
    """A value seen, waiting for what it must be; each method raises :class:`Failure`.

    ``name`` says what the value is ("finish_reason of choice 0"); ``effect`` says how a deviation
    shows in the parameter's state.
    """

    value: T
    name: str
    effect: Effect = Effect.ALTERED

    def _failure(self, expected: str) -> Failure:
        return Failure(
            f"{self.name} {expected}", f"{self.name} = {shown(self.value)}", effect=self.effect
        )

    def equals(self, other: object) -> None:
        """Hold that the value is ``other``; True is not 1."""
        same = self.value == other and isinstance(self.value, bool) == isinstance(other, bool)
        if not same:
            raise self._failure(f"= {shown(other)}")

    def differs_from(self, other: object) -> None:
        """Hold that the value is not ``other``."""
        if self.value == other:
            raise self._failure(f"other than {shown(other)}")

    def one_of(self, *others: object) -> None:
        """Hold that the value is among ``others``."""
        if self.value not in others:
            raise self._failure(f"one of {', '.join(shown(o) for o in others)}")

    def at_least(self: Expectation[Any], bound: float) -> None:
        """Hold that the value is ``bound`` or more."""
        # NaN is neither, so the comparison is not turned round.
        if not self.value >= bound:
            raise self._failure(f"≥ {bound}")

    def at_most(self: Expectation[Any], bound: float) -> None:
        """Hold that the value is ``bound`` or less."""
        if not self.value <= bound:
            raise self._failure(f"≤ {bound}")

    def contains(self: Expectation[Any], part: object) -> None:
        """Hold that ``part`` occurs in the value."""
        if part not in self.value:
            raise self._failure(f"containing {shown(part)}")

    def lacks(self: Expectation[Any], part: object) -> None:
        """Hold that ``part`` does not occur in the value."""
        if part in self.value:
            raise self._failure(f"without {shown(part)}")

    def starts_with(self: Expectation[Any], part: str) -> None:
        """Hold that the text starts with ``part``."""
        if not self.value.startswith(part):
            raise self._failure(f"starting with {shown(part)}")

    def is_empty(self: Expectation[Any]) -> None:
        """Hold that there is nothing in the value."""
        if len(self.value) != 0:
            raise self._failure("empty")

    def is_not_empty(self: Expectation[Any]) -> None:
        """Hold that there is something in the value."""
        if len(self.value) == 0:
            raise self._failure("not empty")

    def has_length(self: Expectation[Collection[Any]], length: int) -> None:
        """Hold that the value has ``length`` elements."""
        if len(self.value) != length:
            raise self._failure(f"of length {length}")

    def satisfies(self, test: Callable[[T], bool], expected: str) -> None:
        """Hold any ``test``, whose meaning ``expected`` puts into words ("that is strict JSON")."""
        if not test(self.value):
            raise self._failure(expected)


def expect(value: T, name: str, *, effect: Effect = Effect.ALTERED) -> Expectation[T]:
    """Open a sentence about a value seen: ``expect(usage.total, "total_tokens").equals(12)``."""
    return Expectation(value, name, effect)
