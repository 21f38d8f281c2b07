"""What is kept between runs and restarts: a file for each target, and one of unsent notices.

    watch/targets/NAME.json    when it is due, what it spent today, what was told
    watch/outbox.json          notices that wait, and the ids of those that were sent
    watch/running/NAME/        the record of the run in progress

They are in the folder of the history. Each file is replaced whole. Of a file that cannot be read
nothing is guessed: the command ends with a sentence that names it.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conformance.input_files import MIB, InputError, is_file, read_file
from conformance.watch.memory import Memory
from conformance.watch.notice import Notice
from conformance.watch.reading import count_of, time_of
from conformance.watch.spending import Spent

VERSION = 1
MAX_BYTES = 64 * MIB
MOST_WAITING = 1_000
"""Notices that wait for one channel; the oldest beyond them is dropped, and that is said."""

MOST_SENT = 5_000
"""Ids of sent notices that are kept, so that a run which is read twice is told once."""


class StoreError(Exception):
    """A file of the state cannot be used; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class TargetState:
    """What is kept of one target.

    Attributes:
        since: when it was first seen.
        slot: the last slot that was used; None if none was.
        confirm_at: when a change is to be confirmed; None if none is.
        spent: on the last day on which it spent something.
        last_run: when its last run ended; None if it had none.
        memory: what is known of it.
    """

    since: datetime
    slot: datetime | None = None
    confirm_at: datetime | None = None
    spent: Spent = Spent()  # noqa: RUF009 - frozen
    last_run: datetime | None = None
    memory: Memory = Memory()  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice that one channel has not got yet.

    Attributes:
        notice: the notice.
        channel: the name of the channel.
        tries: how often it was tried.
        next_at: when it is tried next.
    """

    notice: Notice
    channel: str
    tries: int
    next_at: datetime


@dataclass(frozen=True, slots=True)
class Outbox:
    """Notices that wait, in order, and the ids of those that were handed to it before."""

    waiting: tuple[Waiting, ...] = ()
    known: tuple[str, ...] = ()

    def with_notice(self, notice: Notice, channels: tuple[str, ...], at: datetime) -> Outbox:
        """Add a notice for all channels, unless it is known."""
        if notice.id in self.known:
            return self
        more = tuple(Waiting(notice, name, 0, at) for name in channels)
        return replace(
            self,
            waiting=(*self.waiting, *more),
            known=(*self.known, notice.id)[-MOST_SENT:],
        )


@dataclass(slots=True)
class Store:
    """The files of the state below the folder of a history."""

    folder: Path
    _made: set[Path] = field(default_factory=set)

    @property
    def home(self) -> Path:
        """The folder of the state."""
        return self.folder / "watch"

    def running(self, name: str) -> Path:
        """Return the folder of the run in progress of a target."""
        return self.home / "running" / name

    def set_aside(self, name: str, at: datetime) -> Path:
        """Move the run in progress of a target away, and return where it is now."""
        there = self.home / "set-aside" / f"{name}-{at:%Y-%m-%dT%H%M%S}-{secrets.token_hex(2)}"
        there.parent.mkdir(parents=True, exist_ok=True)
        self.running(name).rename(there)
        return there

    def target(self, name: str) -> TargetState | None:
        """Read the state of a target; None if it was never seen.

        Raises:
            StoreError: its file cannot be used.
        """
        path = self._of_target(name)
        values = self._read(path)
        if values is None:
            return None
        try:
            return TargetState(
                since=time_of(values["since"]),
                slot=_optional(values["slot"]),
                confirm_at=_optional(values["confirm_at"]),
                spent=Spent.from_json(values["spent"]),
                last_run=_optional(values["last_run"]),
                memory=Memory.from_json(values["memory"]),
            )
        except (ArithmeticError, KeyError, TypeError, ValueError, AttributeError):
            raise _unreadable(path) from None

    def keep_target(self, name: str, state: TargetState) -> None:
        """Write the state of a target.

        Raises:
            OSError: it cannot be written.
        """
        values = {
            "version": VERSION,
            "since": _written(state.since),
            "slot": _written(state.slot),
            "confirm_at": _written(state.confirm_at),
            "spent": state.spent.as_json(),
            "last_run": _written(state.last_run),
            "memory": state.memory.as_json(),
        }
        self._write(self._of_target(name), values)

    def outbox(self) -> Outbox:
        """Read the notices that wait.

        Raises:
            StoreError: the file cannot be used.
        """
        path = self.home / "outbox.json"
        values = self._read(path)
        if values is None:
            return Outbox()
        try:
            waiting = tuple(
                Waiting(
                    Notice.from_json(one["notice"]),
                    str(one["channel"]),
                    count_of(one["tries"]),
                    time_of(one["next_at"]),
                )
                for one in values["waiting"]
            )
            return Outbox(waiting, tuple(map(str, values["known"])))
        except (ArithmeticError, KeyError, TypeError, ValueError, AttributeError):
            raise _unreadable(path) from None

    def keep_outbox(self, outbox: Outbox) -> None:
        """Write the notices that wait.

        Raises:
            OSError: they cannot be written.
        """
        waiting = [
            {
                "notice": one.notice.as_json(),
                "channel": one.channel,
                "tries": one.tries,
                "next_at": _written(one.next_at),
            }
            for one in outbox.waiting
        ]
        values = {"version": VERSION, "waiting": waiting, "known": list(outbox.known)}
        self._write(self.home / "outbox.json", values)

    def _of_target(self, name: str) -> Path:
        return self.home / "targets" / f"{name}.json"

    def _read(self, path: Path) -> Mapping[str, Any] | None:
        if not is_file(path):
            return None
        try:
            values = json.loads(read_file(path, MAX_BYTES))
        except (InputError, ValueError, RecursionError):
            raise _unreadable(path) from None
        if not isinstance(values, dict) or values.get("version") != VERSION:
            raise _unreadable(path)
        return values

    def _write(self, path: Path, values: Mapping[str, Any]) -> None:
        if path.parent not in self._made:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(path.parent)
        temporary = path.with_name(f".{secrets.token_hex(8)}.part")
        try:
            # What has not reached the disk would be told twice after a power failure.
            with temporary.open("x", encoding="utf-8") as file:
                json.dump(values, file, ensure_ascii=True)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise


def _unreadable(path: Path) -> StoreError:
    return StoreError(
        f"{path} is no state of `conformance watch` of this version; move it away, and what it "
        "knew is learned anew"
    )


def _written(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(UTC).isoformat(timespec="seconds")


def _optional(text: str | None) -> datetime | None:
    return None if text is None else time_of(text)
