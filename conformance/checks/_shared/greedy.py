"""Greedy responses of a whole run, by prompt, and the text on which they agree.

A conforming endpoint may answer a greedy request differently now and then. So a response is
reported only if it differs from the others in a way that no other choice of tokens explains: half a
character, a piece of a stop sequence at the end, the prompt in front.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from conformance.checks._shared.characters import has_broken_character, solid
from conformance.judgement import Judgement
from conformance.protocol.completion import Choice
from conformance.protocol.request import Prompt
from conformance.protocol.trace import RecordedExchange

OTHER_STEERING = ("logit_bias", "presence_penalty", "frequency_penalty")

STEERING = ("suffix", *OTHER_STEERING)
"""Parameters that make another text of a greedy answer."""

MIN_PROMPTS = 2
"""Prompts whose answers must end wrongly: of one, a near-tie may have ended it otherwise."""


@dataclass(frozen=True, eq=False)
class Sight:
    """One choice of a greedy answer: whose prompt it continues, with which text, up to what."""

    exchange: RecordedExchange
    choice: Choice
    prompt: Prompt
    text: str
    limit: int
    stops: tuple[str, ...]

    @property
    def in_stream(self) -> bool:
        """Whether the text came in pieces."""
        return self.exchange.response.is_stream

    @property
    def echoes(self) -> bool:
        """Whether the text was cut from behind an echoed prompt."""
        return self.exchange.request.echo


@dataclass(frozen=True)
class Greedy:
    """The greedy choices of a run, and for each prompt the text that they agree on.

    ``settled`` is the longest text that half of the unstopped answers agree with, and two at least;
    a prompt that was answered once, or every time otherwise, has none.
    """

    sights: tuple[Sight, ...]
    settled: Mapping[Prompt, str]


def greedy_in(exchanges: Sequence[RecordedExchange]) -> Greedy:
    """Gather the greedy choices whose text can be told from the prompt."""
    return _gathered(tuple(exchanges))


@lru_cache(maxsize=1)  # several invariants in a row want the same
def _gathered(exchanges: tuple[RecordedExchange, ...]) -> Greedy:
    sights = tuple(sight for exchange in exchanges for sight in _sights(exchange))
    free: dict[Prompt, list[str]] = defaultdict(list)
    for sight in sights:
        if sight.text and not sight.stops:
            free[sight.prompt].append(sight.text)
    known = {prompt: _agreed(texts) for prompt, texts in free.items()}
    return Greedy(sights, {prompt: text for prompt, text in known.items() if text})


def _sights(exchange: RecordedExchange) -> list[Sight]:
    try:
        request = exchange.request
        if not request.is_greedy or request.has(*STEERING):
            return []
        return [
            Sight(
                exchange,
                choice,
                request.prompts[number],
                exchange.generated(number, choice),
                request.limit,
                tuple(stop for stop in request.stops if stop),
            )
            for number, choice in exchange.numbered
        ]
    except Judgement:
        return []


def _agreed(texts: Sequence[str]) -> str | None:
    """Return the longest text that half of all, itself among them, begin with or begin.

    One that breaks a character in its middle says less than those that do not.
    """
    support = {text: sum(_agree(text, other) for other in texts) for text in texts}
    enough = [text for text, count in support.items() if 2 * count >= max(len(texts), 4)]
    return max(enough, key=lambda text: (not has_broken_character(text), len(text)), default=None)


def _agree(left: str, right: str) -> bool:
    one, other = solid(left), solid(right)
    return bool(one and other) and (one.startswith(other) or other.startswith(one))


def place_of_stop(sight: Sight, greedy: Greedy) -> tuple[str | None, str]:
    """Return the text before the earliest match in what the prompt's other answers say, and it.

    None where no sequence of the request occurs there, or the limit may have ended the text first.
    """
    usual = greedy.settled.get(sight.prompt)
    found = [(usual.find(stop), stop) for stop in sight.stops if stop in usual] if usual else []
    if usual is None or not found:
        return None, ""
    start, stop = min(found)
    met = usual[: start + len(stop)]
    within = any(
        other.prompt == sight.prompt
        and not other.stops
        and other.limit <= sight.limit
        and other.text.startswith(met)
        for other in greedy.sights
    )
    return (usual[:start], stop) if within else (None, "")
