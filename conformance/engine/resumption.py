"""Continue an interrupted run: recorded answers are given again, and only the rest is sent.

The checks run from the beginning, as in any run. A request that the record has an answer to is not
sent; each recorded exchange is given once, so a check that wants independent samples gets what it
got then and the rest from the endpoint. In the end there is one whole run.

What is sent again, because no check could judge the answer:

- requests without an answer, and answers of a passing kind, such as 429 and 503, unless a check
  judged them;
- the answer that ended a run early, and everything if not even preflight succeeded;
- bursts that were not complete: half a burst is another burst;
- on request, what inconclusive checks sent.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime

from conformance.contract import Contract
from conformance.engine.header import now
from conformance.model import Cost, Exchange, Finding, Header, Request, Resumption, Run, Verdict
from conformance.protocol.response import TRANSIENT_STATUSES
from conformance.transport.account_guard import AccountGuard
from conformance.transport.budget import cost_of
from conformance.transport.coalesce import Sender
from conformance.transport.starting_line import current_line
from conformance.transport.token_bound import upper_bound

MAX_AGE_SECONDS = 10 * 365 * 86_400
"""An older start is that of a machine without a clock; times behind it would not be plausible."""

OPEN = frozenset({Verdict.INCONCLUSIVE, Verdict.ERROR})
"""Verdicts of checks that did not judge."""


class UndatedRunError(ValueError):
    """The record has no valid start time, from which the times of what follows are counted."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a record hands on to the run that takes it up; by default nothing.

    Attributes:
        header: of the record; None if there is none.
        exchanges: the exchanges that are taken over, by number.
        finished: ids of the checks whose exchanges are all taken over.
        last_number: the highest number of any exchange of the record.
        spent: what the run has cost so far, also for what is not taken over.
        elapsed: the seconds that it has taken so far.
        began: seconds from its start until it is taken up.
        unrecorded: the part of ``spent`` for exchanges that are not taken over.
    """

    header: Header | None = None
    exchanges: tuple[Exchange, ...] = ()
    finished: frozenset[str] = frozenset()
    last_number: int = 0
    spent: Cost = Cost()  # noqa: RUF009 - frozen
    elapsed: float = 0.0
    began: float = 0.0
    unrecorded: Cost = Cost()  # noqa: RUF009 - frozen

    def continued(self, header: Header) -> Header:
        """Return the header of the whole run, from that of its last part."""
        if self.header is None:
            return header
        part = Resumption(
            at=now(),
            began=round(self.began, 3),
            exchanges=len(self.exchanges),
            elapsed=round(self.elapsed, 3),
            unrecorded=self.unrecorded,
        )
        return replace(
            header,
            started_at=self.header.started_at,
            resumed=(*self.header.resumed, part),
        )


NOTHING_EARLIER = Earlier()


def has_ended(run: Run) -> bool:
    """Return whether a run came to its end, so that there is nothing to take up."""
    footer = run.footer
    return footer is not None and (footer.because is None or footer.is_stopped)


def is_open(run: Run) -> bool:
    """Return whether a check of a run did not judge, so that it can be repeated."""
    return any(finding.verdict in OPEN for finding in run.findings)


def earlier_of(
    run: Run, contract: Contract, *, repeat: bool = False, at: datetime | None = None
) -> Earlier:
    """Return what is taken over from a record.

    Args:
        run: the record.
        contract: the contract of the run.
        repeat: send again what inconclusive checks sent.
        at: the time; None is now.

    Raises:
        UndatedRunError: the record has no valid start time.
    """
    taken = tuple(sorted(_taken(run, repeat=repeat), key=_number))
    ids = {exchange.id for exchange in taken}
    spent = _spent(run, contract)
    ends = [attempt.started + attempt.elapsed for x in run.exchanges for attempt in x.attempts]
    since = ((at or datetime.now(UTC)) - _started(run.header)).total_seconds()
    if since > MAX_AGE_SECONDS:
        raise UndatedRunError(f"{run.header.started_at!r} is too long ago to be its start")
    return Earlier(
        header=run.header,
        exchanges=taken,
        finished=frozenset(f.id for f in run.findings if ids.issuperset(f.exchanges)),
        last_number=max(map(_number, run.exchanges), default=0),
        spent=spent,
        elapsed=run.elapsed,
        began=max(since, *ends, 0.0),
        unrecorded=_minus(spent, _cost(taken, contract)),
    )


def _taken(run: Run, *, repeat: bool) -> Iterable[Exchange]:
    judged = {key for f in run.findings if f.verdict not in OPEN for key in f.exchanges}
    left_open = [finding for finding in run.findings if finding.verdict in OPEN]
    footer = run.footer
    if footer is not None and footer.because is not None and not (judged or left_open):
        return []  # preflight failed, and would fail again by the same answer
    # The sentence that ended a run is its reason and that of the checks it left open.
    dropped = {AccountGuard.first_withheld(finding.message) for finding in left_open}
    if repeat:
        again = _repeated(run.exchanges, left_open)
        dropped |= {exchange.id for exchange in again}
        # Other checks may have sent the same and had no answer either.
        requests = {exchange.request for exchange in again}
        judged -= {exchange.id for exchange in run.exchanges if exchange.request in requests}
    return [
        exchange
        for exchange in run.exchanges
        if exchange.id not in dropped and (_is_answer(exchange) or exchange.id in judged)
    ]


def _repeated(exchanges: Iterable[Exchange], left_open: Iterable[Finding]) -> list[Exchange]:
    """Return what is sent again for checks that did not judge.

    What had no answer is the reason, if there is any; otherwise it can be any of their exchanges.
    """
    known = {exchange.id: exchange for exchange in exchanges}
    result = []
    for finding in left_open:
        own = [known[key] for key in finding.exchanges if key in known]
        unanswered = [exchange for exchange in own if not _is_answer(exchange)]
        result += unanswered or own
    return result


def _is_answer(exchange: Exchange) -> bool:
    return exchange.status is not None and exchange.status not in TRANSIENT_STATUSES


def _number(exchange: Exchange) -> int:
    digits = exchange.id.removeprefix("x")
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def _started(header: Header) -> datetime:
    try:
        started = datetime.fromisoformat(header.started_at)
        return started if started.tzinfo else started.replace(tzinfo=UTC)
    except ValueError:
        raise UndatedRunError(f"{header.started_at!r} is not a valid start time") from None


def _spent(run: Run, contract: Contract) -> Cost:
    if run.footer is not None:
        return run.footer.cost
    before = [part.unrecorded for part in run.header.resumed[-1:]]
    return _sum([_cost(run.exchanges, contract), *before])


def _cost(exchanges: Iterable[Exchange], contract: Contract) -> Cost:
    """Return what exchanges cost, with one request for each attempt."""
    return _sum(
        replace(
            cost_of(exchange, upper_bound(exchange.request, contract.default_tokens)),
            requests=len(exchange.attempts),
        )
        for exchange in exchanges
    )


def _sum(costs: Iterable[Cost]) -> Cost:
    return Cost(*map(sum, zip(*map(astuple, (Cost(), *costs)), strict=True)))


def _minus(whole: Cost, part: Cost) -> Cost:
    """Return the difference; never below zero, because a footer counts as the budget did."""
    pairs = zip(astuple(whole), astuple(part), strict=True)
    return Cost(*(max(0, one - other) for one, other in pairs))


class RecordedFirst:
    """A sender in front of another one: it gives each recorded exchange once and sends the rest."""

    def __init__(self, earlier: Earlier) -> None:
        self._finished = earlier.finished
        self._left: dict[Request, deque[Exchange]] = defaultdict(deque)
        for exchange in earlier.exchanges:
            self._left[exchange.request].append(exchange)
        self._ids = {exchange.id for exchange in earlier.exchanges}
        self._started = _started(earlier.header).timestamp() if earlier.header else 0.0
        self._has_whole_burst = False

    def begin_burst(self, check_id: str) -> None:
        """Take what the next burst sends from the record only if the check had finished."""
        self._has_whole_burst = check_id in self._finished

    def around(self, send: Sender) -> Sender:
        """Return a sender that sends only what the record has no answer to."""

        async def recorded_or_sent(request: Request) -> Exchange:
            is_burst = current_line.get() is not None
            left = self._left.get(request)
            if left and (self._has_whole_burst or not is_burst):
                return left.popleft()
            return await send(request)

        return recorded_or_sent

    def clock_of(
        self, exchanges: Sequence[Exchange], clock: Callable[[], float]
    ) -> Callable[[], float]:
        """Return the clock of a check: after a recorded answer, the time of its recording.

        Args:
            exchanges: the exchanges of the check, which grow.
            clock: the time in Unix seconds.
        """

        def time_of_last() -> float:
            last = exchanges[-1] if exchanges else None
            if last is None or last.id not in self._ids or not last.attempts:
                return clock()
            return self._started + last.attempts[-1].started + last.elapsed

        return time_of_last
