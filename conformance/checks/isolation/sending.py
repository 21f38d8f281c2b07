"""Sends rows alone, at once and afterwards, and reads what came back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from conformance.api import Api, burst
from conformance.checks._shared.characters import solid
from conformance.checks.isolation.stimuli import Row, neighbours_of, rows_of
from conformance.judgement import BudgetSpent, Judgement, NotApplicable, Refusal
from conformance.message import say
from conformance.model import Exchange
from conformance.protocol.completion import Completion

MIN_ROWS = 3
"""Rows that have to be served alone, so that there is something to send at once."""


@dataclass(frozen=True)
class Answer:
    """The response to a row.

    Attributes:
        exchange: the exchange that it was received in.
        texts: the complete characters of each choice; None if there is no completion.
        refusal: the clean rejection of the request, if that is what came.
        completion: the response itself.
    """

    exchange: Exchange
    texts: tuple[str, ...] | None = None
    refusal: Refusal | None = None
    completion: Completion | None = field(default=None, repr=False)

    @property
    def text(self) -> str:
        """The first text."""
        return self.texts[0] if self.texts else ""


Answers = Mapping[Row, Answer]


@dataclass(frozen=True)
class Scene:
    """The rows alone and at once.

    Attributes:
        alone: the rows that are served alone.
        at_once: the same rows, sent at once with neighbours; without those that got a temporary
            error, no response or one that other checks judge.
        count: the requests that were sent at once, neighbours included.
    """

    alone: Answers
    at_once: Answers
    count: int

    @property
    def differing(self) -> list[Row]:
        """The greedy rows with another text than alone."""
        return [
            row
            for row, answer in self.at_once.items()
            if row.is_greedy and answer.texts not in {None, self.alone[row].texts}
        ]


def assert_bursts_allowed(api: Api) -> None:
    """Assert that the run may send several requests at once.

    Raises:
        NotApplicable: ``--concurrency`` or ``--rate`` does not allow it.
    """
    pace = api.pace
    if pace.burst < 2:
        raise NotApplicable(
            say("one request at a time is sent (`--concurrency 1`), so none can affect another")
        )
    if pace.rate is not None and pace.rate < pace.burst:
        raise NotApplicable(
            say(
                "at most {rate} requests per second are sent (`--rate`), too few at once",
                rate=f"{pace.rate:g}",
            )
        )


async def scene_of(api: Api) -> Scene:
    """Send each row alone, then all of them at once; the checks of isolation share both.

    Raises:
        NotApplicable: nothing can be sent at once, or too few rows are served alone.
        BudgetSpent: a limit of the run forbids a request.
    """
    assert_bursts_allowed(api)
    alone = await alone_of(api, rows_of(api.contract))
    if len(alone) < MIN_ROWS:
        raise NotApplicable(say("too few requests are served alone to send several at once"))
    answers = await at_once(api, burst_of(api, alone))
    return Scene(alone, {row: answers[row] for row in alone if row in answers}, len(answers))


def burst_of(api: Api, alone: Answers) -> list[Row]:
    """Return what is sent at once: a row behind each neighbour, then the other rows.

    What a neighbour leaves is most often found by the request that comes next.
    """
    pairs = zip_longest(neighbours_of(api), alone)
    return [row for pair in pairs for row in pair if row is not None]


async def alone_of(api: Api, rows: Iterable[Row]) -> dict[Row, Answer]:
    """Send rows one after the other; return those with text, which no other check has to judge."""
    answers: dict[Row, Answer] = {}
    for each in rows:
        row, answer = each, await _sent(api, each, form=0)
        if each.simpler is not None and (answer is None or answer.texts is None):
            row, answer = each.simpler, await _sent(api, each.simpler, form=0)
        if answer is not None and answer.text:
            answers[row] = answer
    return answers


async def again_alone(api: Api, row: Row) -> Answer | None:
    """Send a row once more, with nothing beside it."""
    return await _sent(api, row, form=0, fresh=True)


async def at_once(api: Api, rows: Sequence[Row], *, fresh: bool = False) -> dict[Row, Answer]:
    """Send rows at once; a row without an answer to judge is left out."""
    sent = await burst(api, [_sent(api, row, form=1, fresh=fresh) for row in rows])
    return {row: one for row, one in zip(rows, sent, strict=True) if one is not None}


async def afterwards(api: Api, alone: Answers) -> list[tuple[Row, Answer]]:
    """Send the canaries one after the other after the burst, and the long one once more."""
    canaries = [row for row in alone if row.is_canary]
    answers = []
    for form, rows in ((2, canaries), (3, [row for row in canaries if row.is_long])):
        for row in rows:
            answer = await _sent(api, row, form=form)
            if answer is not None and answer.texts is not None:
                answers.append((row, answer))
    return answers


async def _sent(api: Api, row: Row, *, form: int, fresh: bool = False) -> Answer | None:
    """Send a row; None if there is no answer that shows anything about other requests.

    Raises:
        BudgetSpent: a limit of the run forbids it.
    """
    body = row.written(api.model, form)
    response = await api.post(body, fresh=fresh, read_events=row.read_events)
    if row.read_events is not None:
        return Answer(response.exchange)
    try:
        completion = response.expect_ok()
        if row.is_streamed != response.is_stream:
            return None
        texts = tuple(map(solid, completion.texts))
        return Answer(response.exchange, texts, completion=completion)
    except Refusal as refusal:
        return Answer(response.exchange, refusal=refusal.with_traceback(None))
    except BudgetSpent:
        raise
    except Judgement:
        # What is no completion is judged by other checks, which send the same requests.
        return None
