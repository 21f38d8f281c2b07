"""The queue of requests for rows of the batch.

A free row goes to the request with the fewest rows. A request without a row gets one as soon as
another has two: if none is free, the request with the most rows pauses its latest sequence, which
resumes later. Therefore a request for a thousand completions does not delay one for a single
completion, however long they are.
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from reference_server.engine.request import EngineRequest

OPEN_PER_ROW = 2
"""The number of started requests per row. The others wait unread, because a prompt that was read
for its first sequence stays in memory until its last has begun."""


class Owned(Protocol):
    """A sequence; the queue needs only its request."""

    @property
    def request(self) -> EngineRequest:
        """The request that the sequence belongs to."""
        ...


T = TypeVar("T", bound=Owned)


@dataclass(eq=False)
class _Entry(Generic[T]):
    """A request with sequences that do not run: paused ones, and those not yet begun."""

    request: EngineRequest
    fresh: Iterator[T]
    paused: list[T] = field(default_factory=list)

    def take(self) -> T | None:
        return self.paused.pop() if self.paused else next(self.fresh, None)


class RequestQueue(Generic[T]):
    """Requests in the order of their turns."""

    def __init__(self, rows: int) -> None:
        """``rows``: the number of sequences that run at once."""
        self._rows = rows
        self._coming: deque[_Entry[T]] = deque()
        self._begun: deque[_Entry[T]] = deque()

    def __bool__(self) -> bool:
        return bool(self._coming or self._begun)

    def join(self, request: EngineRequest, sequences: Iterator[T]) -> None:
        """Add a request."""
        self._coming.append(_Entry(request, sequences))

    def next(self, running: Sequence[T]) -> tuple[T, T | None] | None:
        """The sequence to run next, and the one of ``running`` to replace by it and `pause`.

        None if no sequence may start: the rows are distributed evenly, or none is waiting.
        """
        while entry := self._turn(running):
            self._begun.remove(entry)
            sequence = entry.take()
            if sequence is not None:
                self._begun.append(entry)
                full = len(running) == self._rows
                return sequence, _latest_of_the_largest(running) if full else None
        return None

    def pause(self, sequence: T) -> None:
        """Return a running sequence to the queue."""
        entry = next((e for e in self._begun if e.request is sequence.request), None)
        if entry is None:
            entry = _Entry(sequence.request, iter(()))
            self._begun.append(entry)
        entry.paused.append(sequence)

    def leave(self, *, everything: bool = False) -> tuple[list[EngineRequest], list[T]]:
        """Remove cancelled requests, or all; returns them and their paused sequences."""
        left = [e for e in (*self._begun, *self._coming) if everything or e.request.cancelled]
        if left:
            self._coming = deque(entry for entry in self._coming if entry not in left)
            self._begun = deque(entry for entry in self._begun if entry not in left)
        return [entry.request for entry in left], [s for entry in left for s in entry.paused]

    def _turn(self, running: Sequence[T]) -> _Entry[T] | None:
        """The waiting request with the fewest rows; among these, the one that waited longest."""
        while self._coming and len(self._begun) < OPEN_PER_ROW * self._rows:
            self._begun.append(self._coming.popleft())
        rows = Counter(id(sequence.request) for sequence in running)
        poorest = min(self._begun, key=lambda entry: rows[id(entry.request)], default=None)
        if poorest is None or len(running) < self._rows:
            return poorest
        shared_out = rows[id(poorest.request)] > 0 or max(rows.values()) == 1
        return None if shared_out else poorest


def _latest_of_the_largest(running: Sequence[T]) -> T:
    largest, _ = Counter(id(sequence.request) for sequence in running).most_common(1)[0]
    return next(s for s in reversed(running) if id(s.request) == largest)
