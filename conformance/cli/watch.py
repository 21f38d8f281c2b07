"""``conformance watch``: run targets when they are due, and tell what changed."""

from __future__ import annotations

import asyncio
import glob
import os
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from conformance.cli import inputs
from conformance.cli.exit_codes import UserError
from conformance.cli.files import WriteError, write_text
from conformance.cli.folder import claimed, make_folder
from conformance.cli.help import examples
from conformance.cli.history_shared import FOLDER_NAME
from conformance.cli.metrics import with_metrics_file
from conformance.cli.options import in_language
from conformance.cli.resuming import word
from conformance.cli.run import mistakes_of
from conformance.cli.terminal import say
from conformance.cli.watched_run import Judge, ready
from conformance.engine.discovery import all_checks
from conformance.engine.selection import Options
from conformance.history import Entry as Row
from conformance.history import History, IndexBrokenError, NoHistoryError
from conformance.history.metrics import Watched, metrics_text
from conformance.language import Language, Text
from conformance.model import ExitCode
from conformance.report.sanitize import line
from conformance.targets import FILE, TargetsError
from conformance.transport import webhook
from conformance.transport.exposure import exposure
from conformance.watch.delivery import ChannelError, Sender
from conformance.watch.settings import Watch, read_watch
from conformance.watch.settings import Watched as WatchedTarget
from conformance.watch.store import Store, StoreError
from conformance.watch.watcher import Watcher


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


CLOCK = SystemClock()


@click.command(
    epilog=examples(
        "conformance watch",
        "conformance watch --once --history /srv/history",
        "conformance watch --dry-run",
    )
    + "\n\nExit codes: 0 everything that was due has run and every notice is sent; 2 interrupted "
    "with --once; 3 a target could not be judged, or a notice is not sent yet. What targets "
    "deviate in does not count: that is what notices are for.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=FILE,
    show_default=True,
    metavar="FILE",
    help="File that lists the targets, and in [watch] when they are due and who is told.",
)
@click.option(
    "--history",
    "folder",
    type=inputs.FOLDER,
    default=FOLDER_NAME,
    show_default=True,
    metavar="DIR",
    help="Folder of the history, where runs are kept and what was told.",
)
@click.option("--once", is_flag=True, help="Run what is due, send what is to be told, and end.")
@click.option("--dry-run", is_flag=True, help="Send nothing; show what is due when.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1, max=100),
    default=4,
    show_default=True,
    metavar="N",
    help="Number of targets tested in parallel.",
)
@click.option(
    "--region",
    callback=partial(word, "region"),
    metavar="NAME",
    help="Where the requests are sent from; runs from different regions are kept apart.",
)
@with_metrics_file
@in_language
def watch(
    config: Path,
    folder: Path,
    *,
    once: bool,
    dry_run: bool,
    jobs: int,
    region: str | None,
    metrics: Path | None,
    language: Language,
) -> ExitCode:
    """Run targets when they are due, keep the runs, and tell regressions and recoveries once.

    The first run of a target is what later ones are compared with. A change is told when a second
    run has seen it. Ctrl-C or SIGTERM ends the command; a run in progress is continued by the next
    one within an hour.
    """
    if once and dry_run:
        raise click.UsageError("--once and --dry-run cannot be combined")
    with _sentences():
        watching = read_watch(config)
        targets = ready(watching.targets, region)

    def options_of(watched: WatchedTarget) -> tuple[Options, str]:
        one = targets[watched.entry.name]
        return one.options, one.contract.name

    def tell(text: Text) -> None:
        now = CLOCK.now().astimezone(watching.shared.zone)
        click.echo(line(f"{now:%Y-%m-%d %H:%M:%S}  {text.of(language)}"))

    store = Store(folder)
    titles = {check.id: Text(check.title, check.title_zh) for check in all_checks()}

    def watcher() -> Watcher:
        channels = () if dry_run else watching.channels
        return Watcher(
            watching,
            store,
            History(folder, say),
            judge=Judge(targets, os.environ, store, CLOCK, tell),
            sender=Sender(channels, os.environ, titles, webhook.post),
            clock=CLOCK,
            options_of=options_of,
            tell=tell,
            jobs=jobs,
        )

    if dry_run:
        with _sentences():
            _show(watcher(), watching, language)
        return ExitCode.CONFORMING
    make_folder(store.home)
    with claimed(store.home) as is_ours, _sentences():
        if not is_ours:
            raise UserError(
                f"another process watches with the history {folder}; end it, or choose another "
                "with --history"
            )
        one = watcher()
        _assert_usable(folder)
        _announce(watching)
        if metrics is not None:
            one.rows.update(_last_rows(folder, watching))
            one.on_change = partial(_write_metrics, metrics, one, watching)
        if not watching.channels:
            say(f"{config} has no [watch.notices.NAME]; what changes is only printed here")
        is_ended = _until_ended(one.run(once=once))
    if is_ended:
        return ExitCode.INTERRUPTED if once else ExitCode.CONFORMING
    return ExitCode.UNDECIDED if one.failed or one.unsent else ExitCode.CONFORMING


@contextmanager
def _sentences() -> Iterator[None]:
    """Turn what goes wrong with files and settings into one sentence.

    Raises:
        UserError: with it.
    """
    try:
        yield
    except TargetsError as error:
        raise mistakes_of(error) from None
    except (ChannelError, StoreError) as error:
        raise UserError(str(error)) from None
    except IndexBrokenError as error:
        raise UserError(f"{error}; see `conformance history rebuild`") from None


def _until_ended(work: Coroutine[None, None, None]) -> bool:
    """Run until the end, or until a signal; return whether it was a signal."""

    async def ending() -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - this is one
        for number in (signal.SIGTERM, signal.SIGINT):
            # Windows event loops have no signal handlers; Ctrl-C is a KeyboardInterrupt there.
            with suppress(NotImplementedError):
                asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        await work

    try:
        asyncio.run(ending())
    except (KeyboardInterrupt, asyncio.CancelledError):
        return True
    return False


def _announce(watching: Watch) -> None:
    """Say which secret goes to which host, and who else can read it."""
    for watched in watching.targets:
        entry = watched.entry
        variables = [
            *([entry.api_key_env] if entry.api_key_env else []),
            *entry.headers_env.values(),
        ]
        for variable in variables:
            say(f"{entry.name}: sending ${variable} to {entry.base_url}")
        if exposed := exposure(entry.base_url, variables):
            say(f"{entry.name}: {exposed}")


def _assert_usable(folder: Path) -> None:
    """Open the history before anything is sent, so that no run is paid for that it cannot keep.

    Raises:
        IndexBrokenError: its index cannot be used.
    """
    with suppress(NoHistoryError), History(folder, say).index():
        pass


def _last_rows(folder: Path, watching: Watch) -> Iterator[tuple[str, Row]]:
    """Yield the last run of each target that the history has."""
    with suppress(NoHistoryError), History(folder, say).index() as index:
        for watched in watching.targets:
            if rows := index.entries([glob.escape(watched.entry.name)]):
                yield watched.entry.name, rows[-1]


def _write_metrics(path: Path, watcher: Watcher, watching: Watch) -> None:
    """Write what is known now."""
    today = CLOCK.now().astimezone(watching.shared.zone).date().isoformat()
    watched = []
    for planned in watcher.schedule():
        name = planned.watched.entry.name
        spent = watcher.states[name].spent.on(today)
        watched.append(Watched(name, planned.at, spent.requests, spent.tokens))
    text = metrics_text([row for _, row in sorted(watcher.rows.items())], watched, watcher.unsent)
    try:
        write_text(path, text)
    except WriteError as error:  # watching goes on
        say(error.message)


def _show(watcher: Watcher, watching: Watch, language: Language) -> None:
    """Print what is due when."""
    now = CLOCK.now()

    def shown(at: datetime) -> Text:
        return Text(f"{at.astimezone(watching.shared.zone):%Y-%m-%d %H:%M:%S}", "")

    for planned in watcher.schedule():
        watched = planned.watched
        last = watcher.states[watched.entry.name].last_run
        row = _ROW.format(
            at=_NOW if planned.at <= now else shown(planned.at),
            name=watched.entry.name,
            tier=(watched.how.tier or watched.entry.options.tier).value,
            why=planned.why,
            last=_NEVER if last is None else shown(last),
        )
        click.echo(line(row.of(language)))


_NOW = Text("now", "现在")
_NEVER = Text("never", "从未")
_ROW = Text(
    "{at}  {name}  {tier}  {why} (last run: {last})",
    "{at}  {name}  {tier}  {why}（上次运行：{last}）",
)
