"""One run of ``conformance watch``: begin it, or continue the one that was interrupted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from conformance.cli import inputs
from conformance.cli.execution import failed
from conformance.cli.exit_codes import UserError
from conformance.cli.expected import expecting
from conformance.cli.folder import RECORD
from conformance.cli.options import tokenizer_of
from conformance.cli.resuming import BEGINNING, NEW, TakenUp, taken_up
from conformance.contract import Contract
from conformance.engine import runner
from conformance.engine.resumption import UndatedRunError, earlier_of, has_ended
from conformance.engine.selection import Options
from conformance.language import Text
from conformance.model import Cost, Limits, Run, Target
from conformance.record.line import RunFileError
from conformance.record.ndjson import RecordError, read_run
from conformance.targets import MissingSecretError
from conformance.transport.budget import plus
from conformance.watch.settings import Watched
from conformance.watch.store import Store
from conformance.watch.watcher import Clock, Outcome

LONGEST_BREAK = timedelta(hours=1)
"""A run that began earlier is not continued: an endpoint may have changed in the meantime."""

LABEL = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Ready:
    """A target with its contract and the options of its runs."""

    contract: Contract
    options: Options


@dataclass(frozen=True, slots=True)
class _Left:
    """What an earlier process left of a run: its part, its label, or the whole run."""

    part: TakenUp = BEGINNING
    label: str | None = None
    whole: Run | None = None
    lost: Cost = Cost()  # noqa: RUF009 - frozen


def ready(targets: Sequence[Watched], region: str | None) -> Mapping[str, Ready]:
    """Load the contract, tokenizer and expected deviations of each target, by its name.

    Raises:
        UserError: one of them cannot be used.
    """
    found = {}
    for watched in targets:
        entry = watched.entry
        known = expecting(entry.expected, update=False, prune=False) if entry.expected else None
        tokenizer = None
        if entry.tokenizer is not None:
            name, folder = entry.tokenizer
            tokenizer = tokenizer_of(name, folder, f"target {entry.name!r}: tokenizer")
        options = replace(
            entry.options,
            tier=watched.how.tier or entry.options.tier,
            expected=known.file if known else None,
            tokenizer=tokenizer,
            region=region,
        )
        found[entry.name] = Ready(inputs.contract(entry.contract), options)
    return found


class Judge:
    """Runs a target into the folder of its run in progress.

    Args:
        targets: what is needed of each, by name.
        environment: the environment variables, with the keys.
        store: where that folder is.
        clock: the time.
        tell: takes a sentence for the terminal.
    """

    def __init__(
        self,
        targets: Mapping[str, Ready],
        environment: Mapping[str, str],
        store: Store,
        clock: Clock,
        tell: Callable[[Text], None],
    ) -> None:
        self._targets = targets
        self._environment = environment
        self._store = store
        self._clock = clock
        self._tell = tell

    async def __call__(self, watched: Watched, label: str, limits: Limits) -> Outcome:
        """Return what became of the run; see :class:`conformance.watch.watcher.Judge`."""
        entry, ready = watched.entry, self._targets[watched.entry.name]
        folder = self._store.running(entry.name)
        record = folder / RECORD
        try:
            target = entry.target(ready.contract, self._environment)
        except MissingSecretError as error:
            return Outcome(reason=error.reason, lost=_spent(record, ready.contract))
        left = self._left(target, ready, folder)
        if left.whole is not None:
            return Outcome(left.whole, record)
        options = replace(ready.options, limits=limits, label=left.label or label)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            await _recorded(target, ready.contract, options, folder, left.part)
            return Outcome(read_run(record), record, lost=left.lost)
        except (RecordError, RunFileError) as error:
            reason = Text(str(error), "")
        except Exception as error:  # noqa: BLE001 - one target's failure must not stop the others
            reason = Text(failed(error, target, self._store.home), "")
        return Outcome(reason=reason, lost=plus(left.lost, _spent(record, ready.contract)))

    def _left(self, target: Target, ready: Ready, folder: Path) -> _Left:
        """Return what an earlier process left; what cannot be continued is set aside."""
        record = folder / RECORD
        if not record.exists():
            return _Left()
        lost = Cost()
        try:
            run = read_run(record)
            label = run.header.label or ""
            began = datetime.strptime(label, LABEL).replace(tzinfo=UTC)
            options = replace(ready.options, label=label)
            if has_ended(run):
                return _Left(whole=run)
            lost = earlier_of(run, ready.contract).spent
            if self._clock.now() - began <= LONGEST_BREAK:
                part = taken_up(folder, target, ready.contract, options, repeat=False)
                return _Left(part, label)
            why = _OLD
        except UserError as error:
            # The run is begun anew right away; there is nothing for the user to do.
            why = Text(error.message.removesuffix(f"; {NEW}"), "")
        except (RunFileError, UndatedRunError, ValueError) as error:
            why = Text(str(error), "")
        there = self._store.set_aside(target.name or "", self._clock.now())
        self._tell(_SET_ASIDE.format(name=target.name or "", why=why, there=str(there)))
        return _Left(lost=lost)


def _spent(record: Path, contract: Contract) -> Cost:
    """Return what an incomplete run has cost; nothing, if its record cannot be read."""
    try:
        return earlier_of(read_run(record), contract).spent
    except (RunFileError, UndatedRunError):
        return Cost()


async def _recorded(
    target: Target, contract: Contract, options: Options, folder: Path, part: TakenUp
) -> None:
    events = runner.run(target, contract, options, earlier=part.earlier)
    with part.writer(folder) as writer:
        async with aclosing(events):
            async for event in events:
                writer.write(event)


_OLD = Text("it began more than an hour ago", "开始于一个多小时前")
_SET_ASIDE = Text(
    "{name}: the interrupted run cannot be continued: {why}; it is now in {there}",
    "{name}：被中断的运行无法继续：{why}；已移至 {there}",
)
