"""A clock that a test moves, endpoints that break and recover by it, and a receiver of notices."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from conformance.cli.watched_run import Judge, ready
from conformance.engine import runner
from conformance.history import History
from conformance.language import Text
from conformance.transport import webhook
from conformance.watch.delivery import Sender
from conformance.watch.settings import read_watch
from conformance.watch.store import Store
from conformance.watch.watcher import Outcome, Watcher
from tests.fake_server import KEY, MODEL, FakeServer

MORNING = datetime(2026, 12, 1, 0, 0, tzinfo=UTC)


class DayOverError(Exception):
    """The simulated time has come at which a test ends."""


@dataclass
class FakeClock:
    """A clock that jumps to whenever the watcher would wake, once no run is in progress."""

    at: datetime = MORNING
    until: datetime = MORNING + timedelta(days=1)
    in_progress: int = 0

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        while self.in_progress:  # noqa: ASYNC110 - several runs count themselves here
            await asyncio.sleep(0)
        # Half a second at least: the schedule has whole seconds.
        self.at += timedelta(seconds=max(seconds, 0.5))
        if self.at >= self.until:
            raise DayOverError


@dataclass
class Receiver:
    """A local webhook; it answers with a status, and keeps what it took."""

    url: str = ""
    status: int = 200
    answer: bytes = b"ok"
    bodies: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    refused: int = 0


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Serve a webhook on this machine until the block ends."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if receiver.status == 200:
                receiver.bodies.append(json.loads(body))
                receiver.paths.append(self.path)
            else:
                receiver.refused += 1
            self.send_response(receiver.status)
            self.send_header("content-length", str(len(receiver.answer)))
            self.end_headers()
            self.wfile.write(receiver.answer)

        def log_message(self, *_: object) -> None:
            """Say nothing on the test's own output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook/0123456789abcdef"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


Faults = Callable[[str, datetime], str | None]
"""The fault of a target at a time; None is an endpoint that answers nothing but 401."""


def in_memory(monkeypatch: Any, clock: FakeClock, faults: Faults, *select: str) -> list[str]:
    """Let every run meet an endpoint in memory, and return the names of those that ran."""
    conforming = runner.run
    ran: list[str] = []

    def run(target: Any, contract: Any, options: Any, **part: Any) -> Any:
        ran.append(target.name)
        fault = faults(target.name, clock.now())
        server = FakeServer(fault or "none", contract.name)
        return conforming(
            target, contract, replace(options, select=select), transport=server, **part
        )

    monkeypatch.setattr(runner, "run", run)
    return ran


def watcher_of(
    config: Path, folder: Path, clock: FakeClock, environment: Mapping[str, str], **more: Any
) -> Watcher:
    """Make a watcher as the command does, with another clock."""
    watch = read_watch(config)
    targets = ready(watch.targets, None)
    store = Store(folder)
    told: list[Text] = more.pop("told", [])
    judge = Judge(targets, {"KEY": KEY, **environment}, store, clock, told.append)

    async def counted(watched: Any, label: str, limits: Any) -> Outcome:
        clock.in_progress += 1
        try:
            return await judge(watched, label, limits)
        finally:
            clock.in_progress -= 1

    return Watcher(
        watch,
        store,
        History(folder),
        judge=counted,
        sender=Sender(watch.channels, environment, {}, webhook.post),
        clock=clock,
        options_of=lambda watched: (targets[watched.entry.name].options, "openai"),
        tell=told.append,
        **more,
    )


def a_target(name: str, **settings: str) -> str:
    """Write a target of a file."""
    rows = "".join(f"{key} = {value}\n" for key, value in settings.items())
    return (
        f'[targets.{name}]\nbase-url = "http://127.0.0.1:9/v1"\nmodel = "{MODEL}"\n'
        f'api-key-env = "KEY"\n{rows}\n'
    )
