"""A property that Hypothesis draws for and shrinks, held inside the run's own event loop.

Hypothesis is synchronous, and a run is not. So it draws in a thread of its own, and what it has
drawn is judged by a coroutine in the loop: budget, sharing, record and redaction are those of any
other check, and properties run side by side while the requests of each come one after the other.

What has failed is made smaller, with a few requests more. On the way down a difference counts at
once; what it ends at has to hold out the same control as what it began with.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from conformance.api import Api, features_of
from conformance.generated._extra import extra
from conformance.generated.agreement import Trial
from conformance.judgement import (
    Absence,
    Deviation,
    Judgement,
    NotApplicable,
    Refusal,
    shown,
)
from conformance.model import Exchange, Request

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

SHRINKING = 12
"""Requests that the search for a smaller one may make, for each property: a share of its own, so
that what it ends at does not depend on what else was found."""

C = TypeVar("C", bound=Hashable)
W = TypeVar("W")

Relation = Callable[[Trial, C, W], Awaitable[None]]
"""Asks for what was drawn, in one way, and raises a judgement where the relation does not hold."""


@dataclass(frozen=True, slots=True)
class Failure(Generic[C, W]):
    """A case in which a relation does not hold, and how it was asked for.

    Attributes:
        exchanges: those that show it.
        request: the one that was to be answered otherwise.
    """

    case: C
    way: W
    deviation: Deviation
    exchanges: tuple[Exchange, ...]
    request: Request

    @property
    def size(self) -> int:
        """Bytes of the request: the smallest is shown."""
        return len(self.request.body)


class _Broken(Exception):  # noqa: N818 - tells Hypothesis that an example fails, and nobody else
    """What Hypothesis shrinks."""


class _Ended(BaseException):
    """Nothing more is to be drawn; passes through Hypothesis, which catches exceptions."""


async def hold_property(
    api: Api,
    cases: Callable[[], SearchStrategy[C]],
    relation: Relation[C, W],
    ways: Sequence[W],
    *,
    examples: int = 1,
) -> None:
    """Hold a relation for examples drawn from the run's seed.

    Args:
        api: asks the endpoint; its seed decides what is drawn.
        cases: makes the strategy; called where Hypothesis can be imported.
        relation: raises a judgement for a case in which it does not hold.
        ways: how it can be asked for, the fullest first. Where that is declined the next is taken;
            where it fails, the simplest that fails as well.
        examples: how many are drawn, at most.

    Raises:
        Deviation: the relation does not hold; told of the smallest request that was found.
        Absence: something is missing as a whole, which no smaller request would show better.
        Refusal: every way is declined; that of the simplest.
        NotApplicable: Hypothesis is not installed.
        Judgement: whatever else the relation raised for a case that was drawn.
    """
    with extra():
        import hypothesis  # noqa: F401 - to tell at once whether it is there
    search = _Search(api, relation, ways)
    loop = asyncio.get_running_loop()
    # Not the loop's own threads: these resolve host names, and would all be waiting here.
    threads = ThreadPoolExecutor(1, thread_name_prefix="property")
    try:
        draw = partial(search.draw, cases, examples, loop)
        await loop.run_in_executor(threads, copy_context().run, draw)
    finally:
        search.end()
        threads.shutdown(wait=False)
    await search.conclude()


class _Search(Generic[C, W]):
    """The examples of one property: those that were tried, and those that failed."""

    def __init__(self, api: Api, relation: Relation[C, W], ways: Sequence[W]) -> None:
        self._api = api
        self._relation = relation
        self._ways = ways
        self._first: Failure[C, W] | None = None
        self._smallest: Failure[C, W] | None = None
        self._tried: dict[C, bool] = {}
        self._judgement: Exception | None = None
        self._spent = 0
        self._lock = threading.Lock()
        self._ended = False
        self._under_way: Future[bool] | None = None

    def draw(
        self,
        cases: Callable[[], SearchStrategy[C]],
        examples: int,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """Let Hypothesis draw and shrink, in a thread, until it is finished or told to end."""
        from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
        from hypothesis import strategies as st

        # Hypothesis begins with the simplest example there is, whatever the seed. So that no
        # request is spent on it, the simplest is none at all.
        drawn = st.booleans().flatmap(lambda real: cases() if real else st.none())

        @settings(
            max_examples=examples + 1,
            phases=(Phase.generate, Phase.shrink),
            database=None,
            deadline=None,
            derandomize=False,
            print_blob=False,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        @seed(self._api.seed)
        @given(drawn)
        def holds(case: C | None) -> None:
            if case is not None and self._fails(case, loop):
                raise _Broken

        with _random_state_kept():
            try:
                holds()
            except (_Broken, _Ended):
                return

    def end(self) -> None:
        """Draw nothing more, and leave what is under way."""
        with self._lock:
            self._ended = True
            if self._under_way is not None:
                self._under_way.cancel()

    async def conclude(self) -> None:
        """Raise what came out of it.

        Raises:
            Judgement: the relation does not hold, or could not be judged.
        """
        if self._judgement is not None:
            raise self._judgement
        if self._first is None:
            return
        failure = await self._confirmed(self._first)
        # What decided comes last, where readers look for it, and who asks the reference.
        others = [one for one in self._api.exchanges if one not in failure.exchanges]
        self._api.exchanges[:] = [*others, *failure.exchanges]
        raise Deviation(
            f"{failure.deviation.expected}; the smallest request that shows it:"
            f" {told(failure.request)}",
            failure.deviation.seen,
            effect=failure.deviation.effect,
            features=features_of(failure.request.body),
        )

    async def _confirmed(self, first: Failure[C, W]) -> Failure[C, W]:
        """Return the smallest failure if it holds out the control, else the first, which did."""
        smallest = self._smallest or first
        if smallest is first:
            return first
        careful = Trial(self._api)
        with suppress(Judgement):
            failure = await self._failure(careful, smallest.case, smallest.way)
            if failure is not None and _same(failure, first):
                return failure
        return first

    def _fails(self, case: C, loop: asyncio.AbstractEventLoop) -> bool:
        """Judge a case in the loop, and wait for it in Hypothesis' thread."""
        if case in self._tried:
            return self._tried[case]
        with self._lock:
            if self._ended:
                raise _Ended
            self._under_way = asyncio.run_coroutine_threadsafe(self._judge(case), loop)
        try:
            failed = self._under_way.result()
        except CancelledError:
            raise _Ended from None
        if self._judgement is not None:
            raise _Ended
        self._tried[case] = failed
        return failed

    async def _judge(self, case: C) -> bool:
        """Tell whether the relation fails for a case; what is no deviation is kept for the end."""
        try:
            if self._first is None:
                return await self._fails_at_first(case)
            return await self._fails_smaller(case, self._first)
        except Exception as raised:  # noqa: BLE001 - raised again where the check is
            self._judgement = raised
            return False

    async def _fails_at_first(self, case: C) -> bool:
        """Judge a case in the fullest way that is served, then find the simplest that fails."""
        for place, way in enumerate(self._ways):
            try:
                self._first = await self._failure(Trial(self._api), case, way)
            except Refusal:
                if place + 1 == len(self._ways):
                    raise
                continue
            if self._first is not None:
                for simpler in reversed(self._ways[place + 1 :]):
                    if await self._try_smaller(case, simpler, self._first):
                        break
            return self._first is not None
        raise NotApplicable("this document leaves nothing to ask for")

    async def _fails_smaller(self, case: C, first: Failure[C, W]) -> bool:
        """Try another case for a smaller request, as long as some may be made."""
        if self._spent >= SHRINKING:
            self.end()
            return False
        way = (self._smallest or first).way
        return await self._try_smaller(case, way, first)

    async def _try_smaller(self, case: C, way: W, first: Failure[C, W]) -> bool:
        failure: Failure[C, W] | None = None
        if self._spent < SHRINKING:
            seen = {exchange.id for exchange in self._api.exchanges}
            with suppress(Judgement):
                failure = await self._failure(Trial(self._api, careful=False), case, way)
            # What was asked before costs nothing, and is no step.
            new = len({exchange.id for exchange in self._api.exchanges} - seen)
            self._spent += new
        if failure is None or not _same(failure, first):
            return False
        if failure.size < (self._smallest or first).size:
            self._smallest = failure
        return True

    async def _failure(self, trial: Trial, case: C, way: W) -> Failure[C, W] | None:
        """Ask for a case in one way; return how the relation fails, or None if it holds.

        Raises:
            Judgement: neither can be told.
        """
        earlier = len(self._api.exchanges)
        try:
            await self._relation(trial, case, way)
        except Absence:
            raise
        except Deviation as deviation:
            exchanges = tuple(self._api.exchanges[earlier:])
            request = trial.about or exchanges[-1].request
            return Failure(case, way, deviation, exchanges, request)
        return None


def _same(one: Failure[C, W], other: Failure[C, W]) -> bool:
    """Tell whether one sentence is broken: another is another fault, or has had no control."""
    return one.deviation.expected == other.deviation.expected


def told(request: Request) -> str:
    """Write a request for a reader: its body, but for the model that every request names."""
    body = json.loads(request.body)
    body.pop("model", None)
    return shown(body, limit=400)


_drawing = 0
_state_before: Any = None
_drawing_lock = threading.Lock()


@contextmanager
def _random_state_kept() -> Iterator[None]:
    """Leave Python's own random numbers as they were, when the last property is finished.

    Hypothesis seeds them for each example and puts them back; of several at once, the last would
    put back what another had seeded.
    """
    global _drawing, _state_before  # noqa: PLW0603 - there is one such state in a process
    with _drawing_lock:
        if not _drawing:
            _state_before = random.getstate()
        _drawing += 1
    try:
        yield
    finally:
        with _drawing_lock:
            _drawing -= 1
            if not _drawing:
                random.setstate(_state_before)
