"""Greedy responses of a whole run, by prompt, and the text on which they agree.

The greedy responses of a conforming endpoint may differ now and then. So a response is reported
only if it differs from the others in a way that no other choice of tokens explains: an incomplete
character, a part of a stop sequence at the end, the prompt in front.
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
"""Parameters that change the text of a greedy response."""

MIN_PROMPTS = 2
"""Prompts whose responses must end wrongly: with one prompt, a near-tie may be the reason."""


MOST_CHARS, MOST_CHARS_PER_TOKEN = 20_000, 1_000
"""Characters of a text, and more for each token of its limit. No tokens are so long, so a longer
text is not cut at its limit, which other checks report; and all texts are kept at once."""


@dataclass(frozen=True, eq=False)
class Sight:
    """One choice of a greedy response, with its prompt, its text and its limit.

    It holds no part of the parsed response, so that the run can drop that.
    """

    exchange: RecordedExchange
    position: int
    prompt: Prompt
    text: str
    limit: int
    stops: tuple[str, ...]

    @property
    def choice(self) -> Choice:
        """The choice, parsed again if the run has dropped it."""
        return self.exchange.numbered[self.position][1]

    @property
    def in_stream(self) -> bool:
        """Whether the response is a stream."""
        return self.exchange.response.is_stream

    @property
    def echoes(self) -> bool:
        """Whether the text followed an echoed prompt."""
        return self.exchange.request.echo


@dataclass(frozen=True)
class Greedy:
    """The greedy choices of a run, and for each prompt the text that they agree on.

    ``settled`` is the longest text that agrees with at least half of the responses without a stop
    sequence, and with at least two of them; other prompts have none.
    """

    sights: tuple[Sight, ...]
    settled: Mapping[Prompt, str]


def greedy_in(exchanges: Sequence[RecordedExchange]) -> Greedy:
    """Collect the greedy choices whose text can be separated from the prompt."""
    return _gathered(tuple(exchanges))


def forget() -> None:
    """Drop what was collected last, which holds a whole trace."""
    _gathered.cache_clear()


@lru_cache(maxsize=1)  # several invariants in a row read the same trace
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
        texts = [
            (position, number, exchange.generated(number, choice))
            for position, (number, choice) in enumerate(exchange.numbered)
        ]
        stops = tuple(stop for stop in request.stops if stop)
        return [
            Sight(exchange, position, request.prompts[number], text, request.limit, stops)
            for position, number, text in texts
            if len(text) <= MOST_CHARS + MOST_CHARS_PER_TOKEN * request.limit
        ]
    except Judgement:
        return []


def _agreed(texts: Sequence[str]) -> str | None:
    """Return the longest text that agrees with half of all texts, itself included.

    Two texts agree if one begins with the other. Texts with a broken character come last.
    """
    support = {text: sum(_agree(text, other) for other in texts) for text in texts}
    enough = [text for text, count in support.items() if 2 * count >= max(len(texts), 4)]
    return max(enough, key=lambda text: (not has_broken_character(text), len(text)), default=None)


def _agree(left: str, right: str) -> bool:
    one, other = solid(left), solid(right)
    return bool(one and other) and (one.startswith(other) or other.startswith(one))


def place_of_stop(sight: Sight, greedy: Greedy) -> tuple[str | None, str]:
    """Return the usual text of a prompt before its earliest stop match, and the match.

    The text is None if no sequence occurs there, or if the limit may have ended the text first.
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
