"""Runs a property: Hypothesis draws and shrinks the cases, the run's event loop judges them.

Hypothesis is synchronous and a run is not, so Hypothesis draws in a separate thread. Each case is
judged by a coroutine in the loop, where budget, coalescing, record and redaction are those of any
other check. Properties run concurrently; the requests of one property are sent one after the other.

A failing case is shrunk with a limited number of requests. While shrinking, a single difference
counts; the smallest case then has to pass the same A/A control as the first one.
"""

from __future__ import annotations

import asyncio
import gc
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

from conformance.api import Api
from conformance.evidence import Evidence
from conformance.generation._imports import quietly
from conformance.judgement import (
    Failure,
    Judgement,
    Missing,
    NotApplicable,
    Refusal,
    shown,
)
from conformance.message import say
from conformance.model import Exchange, Request

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

MAX_SHRINKING_REQUESTS = 12
"""Requests that shrinking may send for each property. Properties do not share this limit, so the
result of one does not depend on what the others find."""

C = TypeVar("C", bound=Hashable)
S = TypeVar("S")


@dataclass(slots=True)
class Trial:
    """One evaluation of a relation.

    Attributes:
        api: sends the requests.
        careful: whether a difference has to pass the A/A control before it counts; while shrinking
            it does not.
        request: the request that the relation is about, if the relation compares two and sets it.
    """

    api: Api
    careful: bool = True
    request: Request | None = None


MetamorphicRelation = Callable[[Trial, C, S], Awaitable[None]]
"""Sends the requests for a case in one shape, and raises a judgement if the relation is broken."""


@dataclass(frozen=True, slots=True)
class PropertyFailure(Generic[C, S]):
    """A case and a shape in which a relation is broken.

    Attributes:
        exchanges: the exchanges that show it.
        request: the request whose response is wrong.
    """

    case: C
    shape: S
    failure: Failure
    exchanges: tuple[Exchange, ...]
    request: Request

    @property
    def size(self) -> int:
        """Bytes of the request body. The smallest request is reported."""
        return len(self.request.body)


class _Broken(Exception):  # noqa: N818 - only signals a failing example to Hypothesis
    """The relation is broken for an example; Hypothesis shrinks on it."""


class _Ended(BaseException):
    """Stops drawing. Hypothesis catches every ``Exception``, so this is none."""


async def assert_property(
    api: Api,
    cases: Callable[[], SearchStrategy[C]],
    relation: MetamorphicRelation[C, S],
    shapes: Sequence[S],
    *,
    examples: int = 1,
) -> None:
    """Assert that a relation holds for examples generated from the run's seed.

    Args:
        api: sends the requests; its seed decides which cases are generated.
        cases: returns the strategy; called only where Hypothesis can be imported.
        relation: raises a judgement for a case in which it does not hold.
        shapes: the shapes of request to try, the largest first. If one is rejected, the next is
            used; if one fails, the simplest one that fails too is reported.
        examples: the most cases to generate.

    Raises:
        Failure: the relation is broken; reported for the smallest request found.
        Missing: a whole feature is missing, which shrinking could not show better.
        Refusal: every shape is rejected; the rejection of the simplest.
        NotApplicable: there is no shape.
        Judgement: any other judgement that the relation raised.
    """
    search = _Search(api, relation, shapes)
    loop = asyncio.get_running_loop()
    # The loop's default executor also resolves host names; waiting properties would fill it.
    threads = ThreadPoolExecutor(1, thread_name_prefix="property")
    try:
        draw = partial(search.draw, cases, examples, loop)
        await loop.run_in_executor(threads, copy_context().run, draw)
    finally:
        search.end()
        threads.shutdown(wait=False)
    await search.conclude()


class _Search(Generic[C, S]):
    """The search for a failing case of one property, and for the smallest one."""

    def __init__(self, api: Api, relation: MetamorphicRelation[C, S], shapes: Sequence[S]) -> None:
        self._api = api
        self._relation = relation
        self._shapes = shapes
        self._first: PropertyFailure[C, S] | None = None
        self._smallest: PropertyFailure[C, S] | None = None
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
        """Let Hypothesis draw and shrink until it finishes or :meth:`end` is called.

        Blocks; runs in a separate thread.
        """
        with quietly():
            from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
            from hypothesis import strategies as st

        # Hypothesis always tries the simplest example first, whatever the seed. The simplest one
        # here is no case at all, so no request is spent on it.
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

        with _random_state_kept(), _turn:
            try:
                holds()
            except (_Broken, _Ended):
                return

    def end(self) -> None:
        """Stop drawing, and cancel the case that is being judged."""
        with self._lock:
            self._ended = True
            if self._under_way is not None:
                self._under_way.cancel()

    async def conclude(self) -> None:
        """Raise the result of the search, if it is not a pass.

        Raises:
            Judgement: the relation is broken, or the result is inconclusive.
        """
        if self._judgement is not None:
            raise self._judgement
        if self._first is None:
            return
        failure = await self._confirmed(self._first)
        # Reports and the comparison server take the last exchange as the decisive one.
        others = [one for one in self._api.exchanges if one not in failure.exchanges]
        self._api.exchanges[:] = [*others, *failure.exchanges]
        raise Failure(
            say(
                "{words}; smallest failing request: {request}",
                words=failure.failure.expected,
                request=body_text(failure.request),
            ),
            failure.failure.seen,
            effect=failure.failure.effect,
            place=failure.failure.place,
        ).shown_by(_evidence_of(failure))

    async def _confirmed(self, first: PropertyFailure[C, S]) -> PropertyFailure[C, S]:
        """Return the smallest failure if it passes the A/A control, else the first, which did."""
        smallest = self._smallest or first
        if smallest is first:
            return first
        careful = Trial(self._api)
        with suppress(Judgement):
            failure = await self._failure(careful, smallest.case, smallest.shape)
            if failure is not None and _same(failure, first):
                return failure
        return first

    def _fails(self, case: C, loop: asyncio.AbstractEventLoop) -> bool:
        """Judge a case in the loop, and wait for the result in Hypothesis' thread."""
        if case in self._tried:
            return self._tried[case]
        with self._lock:
            if self._ended:
                raise _Ended
            self._under_way = asyncio.run_coroutine_threadsafe(self._judge(case), loop)
        try:
            with _turn_passed_on():
                failed = self._under_way.result()
        except CancelledError:
            raise _Ended from None
        if self._judgement is not None:
            raise _Ended
        self._tried[case] = failed
        return failed

    async def _judge(self, case: C) -> bool:
        """Return whether the relation fails for a case; keep any other judgement for the end."""
        try:
            if self._first is None:
                return await self._fails_at_first(case)
            return await self._fails_smaller(case, self._first)
        except Exception as raised:  # noqa: BLE001 - raised again by `conclude`
            self._judgement = raised
            return False

    async def _fails_at_first(self, case: C) -> bool:
        """Judge a case in the largest shape that is served, then find the simplest that fails."""
        for place, shape in enumerate(self._shapes):
            try:
                self._first = await self._failure(Trial(self._api), case, shape)
            except Refusal:
                if place + 1 == len(self._shapes):
                    raise
                continue
            if self._first is not None:
                for simpler in reversed(self._shapes[place + 1 :]):
                    if await self._try_smaller(case, simpler, self._first):
                        break
            return self._first is not None
        raise NotApplicable(say("no request is possible under this document"))

    async def _fails_smaller(self, case: C, first: PropertyFailure[C, S]) -> bool:
        """Judge another case while shrinking, as long as the limit on requests allows it."""
        if self._spent >= MAX_SHRINKING_REQUESTS:
            self.end()
            return False
        shape = (self._smallest or first).shape
        return await self._try_smaller(case, shape, first)

    async def _try_smaller(self, case: C, shape: S, first: PropertyFailure[C, S]) -> bool:
        failure: PropertyFailure[C, S] | None = None
        if self._spent < MAX_SHRINKING_REQUESTS:
            seen = {exchange.id for exchange in self._api.exchanges}
            with suppress(Judgement):
                failure = await self._failure(Trial(self._api, careful=False), case, shape)
            # A coalesced request costs nothing and is not counted.
            new = len({exchange.id for exchange in self._api.exchanges} - seen)
            self._spent += new
        if failure is None or not _same(failure, first):
            return False
        if failure.size < (self._smallest or first).size:
            self._smallest = failure
        return True

    async def _failure(self, trial: Trial, case: C, shape: S) -> PropertyFailure[C, S] | None:
        """Return how the relation fails for a case in one shape, or None if it holds.

        Raises:
            Judgement: the result is inconclusive, or a whole feature is missing.
        """
        earlier = len(self._api.exchanges)
        try:
            await self._relation(trial, case, shape)
        except Missing:
            raise
        except Failure as failure:
            exchanges = tuple(self._api.exchanges[earlier:])
            request = trial.request or exchanges[-1].request
            return PropertyFailure(case, shape, failure, exchanges, request)
        return None


def _same(one: PropertyFailure[C, S], other: PropertyFailure[C, S]) -> bool:
    """Return whether two failures break the same sentence of a relation.

    Another sentence is another fault, or one that has not passed the A/A control.
    """
    return one.failure.expected == other.failure.expected


def _evidence_of(failure: PropertyFailure[C, S]) -> Evidence:
    """Return the exchange whose response is wrong, and those that a relation compares it with."""
    if failure.failure.evidence is not None:
        return failure.failure.evidence
    probes = tuple(one for one in failure.exchanges if one.request == failure.request)
    controls = tuple(one for one in failure.exchanges if one.request != failure.request)
    return Evidence(probes, controls)


def body_text(request: Request) -> str:
    """Return a request's body for a reader, without the model, which every request names."""
    body = json.loads(request.body)
    body.pop("model", None)
    return shown(body, limit=400)


_turn = threading.Lock()
"""Held by the one thread that draws. Of threads that draw at the same time each gets so little of
the interpreter that the first requests are drawn only when the last ones are, too."""


@contextmanager
def _turn_passed_on() -> Iterator[None]:
    """Let another thread draw while a block waits for a response."""
    _turn.release()
    try:
        yield
    finally:
        _turn.acquire()


_drawing = 0
_state_before: Any = None
_frozen_here = False
_drawing_lock = threading.Lock()


@contextmanager
def _random_state_kept() -> Iterator[None]:
    """Restore the state of :mod:`random` when the last of the concurrent properties has finished.

    Hypothesis seeds it for each example and restores it; with several properties at once, the last
    one would restore a state that another had seeded.

    In each thread, Hypothesis also collects garbage and searches the referrers of an object among
    all objects. With some hundred thousand objects that takes longer than drawing, so those that
    exist before are left out of both.
    """
    global _drawing, _state_before, _frozen_here  # noqa: PLW0603 - one state per process
    with _drawing_lock:
        if not _drawing:
            _state_before = random.getstate()
            _frozen_here = not gc.get_freeze_count()
            if _frozen_here:
                gc.freeze()
        _drawing += 1
    try:
        yield
    finally:
        with _drawing_lock:
            _drawing -= 1
            if not _drawing:
                random.setstate(_state_before)
                if _frozen_here:
                    gc.unfreeze()
