"""The loop of ``conformance watch``: start what is due, learn from it, tell what is new.

Time, the runs and the channels are given, so that a test can let a day pass in a second.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from conformance.engine.selection import Options
from conformance.history import History
from conformance.history.entry import Entry as Row
from conformance.history.entry import entry_of
from conformance.language import Language, Text
from conformance.model import Cost, Limits, Run
from conformance.watch.cadence import due_at, next_slot, used_slot
from conformance.watch.delivery import Sender, delivered
from conformance.watch.memory import Learned, learned, unjudged
from conformance.watch.notice import Notice, subject_of
from conformance.watch.settings import Watch, Watched
from conformance.watch.spending import Spent, allowed, left_of, most_of, together
from conformance.watch.store import Store, TargetState, Waiting
from conformance.watch.telling import line_of, notice_of, notice_of_budget, reason_of

LONGEST_SLEEP = 60.0
"""Seconds after which the clock is looked at again; it may have been set, or the machine asleep."""


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run.

    Attributes:
        run: it; None if it could not begin, or has no record.
        record: its record; None without a run.
        reason: why it could not begin, or did not end.
        lost: what earlier parts cost that no record will have.
    """

    run: Run | None = None
    record: Path | None = None
    reason: Text = Text("", "")  # noqa: RUF009 - frozen
    lost: Cost = Cost()  # noqa: RUF009 - frozen


class Judge(Protocol):
    """Runs one target, or continues its run in progress."""

    async def __call__(self, watched: Watched, label: str, limits: Limits) -> Outcome:
        """Return what became of it; only a cancellation leaves a run in progress."""
        ...


@dataclass(frozen=True, slots=True)
class Planned:
    """When a target is due next, and why.

    Attributes:
        watched: the target.
        at: when; a time that has passed means now.
        why: in words.
        is_slot: whether its cadence says so.
    """

    watched: Watched
    at: datetime
    why: Text
    is_slot: bool


class Watcher:
    """Watches targets.

    Args:
        watch: what is watched, and who is told.
        store: the state.
        history: where finished runs are kept.
        judge: runs a target.
        sender: tells the channels.
        clock: the time.
        options_of: the options of a target's runs and the name of its contract, for their price.
        tell: takes a sentence for the terminal or the log.
        jobs: how many targets are tested at a time.

    Raises:
        StoreError: a file of the state cannot be used.
    """

    def __init__(
        self,
        watch: Watch,
        store: Store,
        history: History,
        *,
        judge: Judge,
        sender: Sender,
        clock: Clock,
        options_of: Callable[[Watched], tuple[Options, str]],
        tell: Callable[[Text], None],
        jobs: int = 4,
    ) -> None:
        self._watch = watch
        self._store = store
        self._history = history
        self._judge = judge
        self._sender = sender
        self._clock = clock
        self._options_of = options_of
        self._tell = tell
        self.on_change: Callable[[], None] = lambda: None
        """Called at the start, after each run and after notices were sent."""
        self._jobs = jobs
        self._reserved: dict[str, Spent] = {}
        self._blocked: dict[str, str] = {}  # the day on which a limit did not allow a run
        self._running: dict[str, asyncio.Task[None]] = {}
        now = clock.now()
        self.states: dict[str, TargetState] = {}
        for watched in watch.targets:
            name = watched.entry.name
            self.states[name] = store.target(name) or TargetState(since=now)
        self._outbox = store.outbox()
        self.rows: dict[str, Row] = {}
        """The last run of each target, since the start."""
        self.failed: set[str] = set()
        """Targets whose last run judged nothing."""

    @property
    def unsent(self) -> int:
        """How many notices wait."""
        return len(self._outbox.waiting)

    def schedule(self) -> list[Planned]:
        """Return when each target is due next, the earliest first."""
        found = [self._planned(watched) for watched in self._watch.targets]
        return sorted(found, key=lambda one: (one.at, one.watched.entry.name))

    async def run(self, *, once: bool) -> None:
        """Run what is due; with ``once`` return then, otherwise go on until cancelled.

        When it is cancelled, runs in progress are left so that the next process continues them.
        """
        done: set[str] = set()
        for name, state in self.states.items():
            self._store.keep_target(name, state)
        self.on_change()
        try:
            while True:
                self._start_due(done if once else set())
                await self._deliver()
                if once and not self._running:
                    return
                await self._wait(sleeps=not once)
        finally:
            tasks = list(self._running.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _wait(self, *, sleeps: bool) -> None:
        """Wait until a run has ended or the next thing is due."""
        waits: set[asyncio.Task[None]] = set(self._running.values())
        sleeper = None
        if sleeps:
            sleeper = asyncio.create_task(self._sleep())
            waits.add(sleeper)
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if sleeper is not None and sleeper.done():
                sleeper.result()
        finally:
            if sleeper is not None:
                sleeper.cancel()
        for name, task in list(self._running.items()):
            if task.done():
                del self._running[name]
                task.result()

    async def _sleep(self) -> None:
        now = self._clock.now()
        free = len(self._running) < self._jobs
        times = [one.at for one in self.schedule() if free and self._is_idle(one)]
        times += [one.next_at for one in self._heads()]
        seconds = min(((at - now).total_seconds() for at in times), default=LONGEST_SLEEP)
        await self._clock.sleep(min(max(seconds, 0.0), LONGEST_SLEEP))

    def _heads(self) -> Iterator[Waiting]:
        seen: set[str] = set()
        for one in self._outbox.waiting:
            if one.channel not in seen:
                seen.add(one.channel)
                yield one

    def _is_idle(self, planned: Planned) -> bool:
        return planned.watched.entry.name not in self._running

    def _planned(self, watched: Watched) -> Planned:
        name, cadence = watched.entry.name, watched.how.cadence
        state = self.states[name]
        is_blocked = self._blocked.get(name) == self._day(self._clock.now())
        if not is_blocked and self._store.running(name).exists():
            return Planned(watched, state.since, _LEFT, is_slot=False)
        zone = self._watch.shared.zone
        slot = next_slot(cadence, last=state.slot, since=state.since, zone=zone)
        due = due_at(cadence, slot, name)
        if state.confirm_at is not None and state.confirm_at < due:
            return Planned(watched, state.confirm_at, _CONFIRMS, is_slot=False)
        return Planned(watched, due, _BY_CADENCE, is_slot=True)

    def _start_due(self, done: set[str]) -> None:
        now = self._clock.now()
        for planned in self.schedule():
            name = planned.watched.entry.name
            if planned.at > now or len(self._running) >= self._jobs:
                return
            if self._is_idle(planned) and name not in done:
                done.add(name)
                self._start(planned, now)

    def _start(self, planned: Planned, now: datetime) -> None:
        watched = planned.watched
        name = watched.entry.name
        state = replace(self.states[name], confirm_at=None)
        if planned.is_slot:
            cadence, zone = watched.how.cadence, self._watch.shared.zone
            slot = next_slot(cadence, last=state.slot, since=state.since, zone=zone)
            state = replace(state, slot=used_slot(cadence, slot, now=now, zone=zone))
        self._keep(name, state)
        day = self._day(now)
        limits = self._allowed(watched, day)
        if limits is None:
            self._blocked[name] = day
            return
        self._reserved[name] = most_of(limits, watched.entry.prices, day)
        may_confirm = planned.is_slot and watched.how.confirm_after is not None
        task = self._run_one(watched, now, day, limits, may_confirm=may_confirm)
        self._running[name] = asyncio.create_task(task)

    def _day(self, at: datetime) -> str:
        return at.astimezone(self._watch.shared.zone).date().isoformat()

    def _allowed(self, watched: Watched, day: str) -> Limits | None:
        """Return the limits of a run; None if a limit of the day does not allow it."""
        prices = watched.entry.prices
        own = self.states[watched.entry.name].spent.on(day)
        everything = (*(state.spent for state in self.states.values()), *self._reserved.values())
        of_all = left_of(self._watch.shared.limits, together(everything, day), prices)
        of_own = left_of(watched.how.limits, own, prices)
        options, contract = self._options_of(watched)
        limits = allowed(options, contract, (of_own, of_all))
        if limits is None:
            is_own = allowed(options, contract, (of_own,)) is None
            self._tell_budget(watched if is_own else None, day)
        return limits

    async def _run_one(
        self, watched: Watched, now: datetime, day: str, limits: Limits, *, may_confirm: bool
    ) -> None:
        name = watched.entry.name
        label = f"{now:%Y-%m-%dT%H:%M:%SZ}"
        try:
            outcome = await self._judge(watched, label, limits)
        finally:
            self._reserved.pop(name, None)
        self._absorb(watched, outcome, label, day, may_confirm=may_confirm)

    def _absorb(
        self, watched: Watched, outcome: Outcome, label: str, day: str, *, may_confirm: bool
    ) -> None:
        """Keep a run, and what it teaches."""
        name, at = watched.entry.name, self._clock.now()
        state = self.states[name]
        run = outcome.run
        spent = state.spent.on(day).plus(outcome.lost, watched.entry.prices)
        if run is not None and run.footer is not None:
            spent = spent.plus(run.footer.cost, watched.entry.prices)
        found, row = self._learned(watched, outcome, at)
        confirm_after = watched.how.confirm_after
        confirm_at = None
        if found.is_open and may_confirm and confirm_after is not None:
            confirm_at = at + confirm_after
        if found.news:
            why = reason_of(run, outcome.reason)
            label = row.label if row else label
            key = f"{name} {label}"
            self._post(notice_of(key, watched, row, found.news, at=at, reason=why))
        self._keep(
            name,
            replace(state, spent=spent, last_run=at, memory=found.memory, confirm_at=confirm_at),
        )
        # Last, so that a process that is killed before has it read again, and told once.
        if outcome.record is not None:
            shutil.rmtree(self._store.running(name))
        elif self._store.running(name).exists():
            there = self._store.set_aside(name, at)
            self._tell(_SET_ASIDE.format(name=name, there=str(there)))
        self._tell(line_of(name, outcome.run, outcome.reason, found, self._next_at(name)))
        self.on_change()

    def _learned(
        self, watched: Watched, outcome: Outcome, at: datetime
    ) -> tuple[Learned, Row | None]:
        memory = self.states[watched.entry.name].memory
        confirms = watched.how.confirm_after is not None
        run = outcome.run
        if run is None or run.footer is None or outcome.record is None:
            self.failed.add(watched.entry.name)
            return unjudged(memory, at, confirms=confirms), None
        self._history.add(outcome.record)
        row = self.rows[watched.entry.name] = entry_of(run, "", None)
        found = learned(memory, row, at, confirms=confirms)
        if run.footer.because is None:
            self.failed.discard(watched.entry.name)
        else:
            self.failed.add(watched.entry.name)
        return found, row

    def _next_at(self, name: str) -> str:
        planned = next(one for one in self.schedule() if one.watched.entry.name == name)
        return f"{planned.at.astimezone(self._watch.shared.zone):%Y-%m-%d %H:%M:%S}"

    def _tell_budget(self, watched: Watched | None, day: str) -> None:
        """Tell that a limit is reached, of one target or of all; the outbox takes it once."""
        self._post(notice_of_budget(watched, day, self._clock.now()))

    def _post(self, notice: Notice) -> None:
        """Put a notice into the outbox, before anything else knows of it."""
        outbox = self._outbox.with_notice(notice, self._sender.names, self._clock.now())
        if outbox == self._outbox:
            return
        self._tell(Text(*(subject_of(notice, language) for language in Language)))
        self._outbox = outbox
        self._store.keep_outbox(outbox)

    async def _deliver(self) -> None:
        before = self._outbox
        if not before.waiting:
            return
        after = await delivered(before, self._sender, self._clock.now(), self._tell)
        # Runs that ended in the meantime have added to it.
        more = tuple(one for one in self._outbox.waiting if one not in before.waiting)
        self._outbox = replace(self._outbox, waiting=(*after.waiting, *more))
        if self._outbox != before:
            self._store.keep_outbox(self._outbox)
            self.on_change()

    def _keep(self, name: str, state: TargetState) -> None:
        self.states[name] = state
        self._store.keep_target(name, state)


_SET_ASIDE = Text(
    "{name}: what was recorded of the run is now in {there}",
    "{name}：该次运行已记录的内容已移至 {there}",
)
_LEFT = Text("continues the run that was interrupted", "继续被中断的运行")
_CONFIRMS = Text("confirms a change", "确认变化")
_BY_CADENCE = Text("by its cadence", "按周期")
