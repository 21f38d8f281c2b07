"""A server process from its listening socket to its exit."""

import argparse
import asyncio
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from reference_server.behaviour.relay import Relay
from reference_server.behaviour.showcase import Showcase
from reference_server.completions.dialects import BASE_PATH, DIALECTS, Dialect
from reference_server.completions.response_cache import ResponseCache
from reference_server.completions.service import CompletionService, Service
from reference_server.engine.engine import LoadedModel, MissingExtraError, ModelError, load
from reference_server.http import request_log
from reference_server.http.app import Settings, create_app
from reference_server.http.balance import Balance, Rule
from reference_server.http.connection import Connection

GRACE_SECONDS = 5
"""Seconds that running requests have to finish after a signal."""
ERROR_SECONDS = 1
"""Additional seconds to send errors to the requests that did not finish."""
IDLE_SECONDS = 75
"""Seconds until an idle connection is closed: longer than most clients wait."""


class CannotRunError(Exception):
    """The server cannot run; the message is a sentence for the user."""


class _Server(uvicorn.Server):
    """Uvicorn, but it prints its address on stdout and exits with code 0 after a signal.

    After the first signal it accepts no connections and lets running requests finish. After the
    grace period, or at a second signal, the rest is cancelled, for which the application sends
    errors.
    """

    def __init__(self, config: uvicorn.Config, base_path: str) -> None:
        super().__init__(config)
        self._base_path = base_path
        self._hurry = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Print the address once connections are accepted."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            sys.stdout.write(f"Listening on http://{shown}:{port}{self._base_path}\n")
            sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Refuse new connections, and cancel running requests after the grace period."""
        cancelling = asyncio.create_task(self._cancel_after_grace())
        await super().shutdown(sockets)
        cancelling.cancel()

    async def _cancel_after_grace(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), GRACE_SECONDS)
        for task in self.server_state.tasks:
            task.cancel()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let SIGINT and SIGTERM end the server; unlike uvicorn, do not raise them again."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {s: signal.signal(s, self._on_signal) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self.should_exit and self._loop is not None:
            self._loop.call_soon_threadsafe(self._hurry.set)
        self.should_exit = True


def run(listener: socket.socket, options: argparse.Namespace) -> None:
    """Load the model and serve on the socket until a signal.

    Raises CannotRunError.
    """
    request_log.configure(options.log_level)
    try:
        model = load(options.model)
    except (ModelError, MissingExtraError) as error:
        raise CannotRunError(str(error)) from error
    config = uvicorn.Config(
        _application(model, options),
        log_config=None,
        access_log=False,
        server_header=False,
        # Explicit, so that uvicorn does not choose another installed HTTP or WebSocket package.
        http=Connection,
        ws="none",
        timeout_graceful_shutdown=GRACE_SECONDS + ERROR_SECONDS,
        timeout_keep_alive=IDLE_SECONDS,
        lifespan="on",
    )
    base_path = BASE_PATH if options.showcase else DIALECTS[options.dialect].base_path
    _Server(config, base_path).run(sockets=[listener])


def _application(model: LoadedModel, options: argparse.Namespace) -> ASGIApp:
    """The application: one dialect, with a behaviour in front of it, or all dialects."""
    service: Service = CompletionService(model, rows=options.max_running, queue=options.max_waiting)
    if options.showcase:
        service = ResponseCache(service)

    def serve(dialect: Dialect) -> ASGIApp:
        names = tuple(options.served_model_name)
        balance = Balance(Rule(options.balance)) if options.balance else None
        return create_app(service, Settings(options.api_key, names, dialect, balance))

    if options.showcase:
        return Showcase(serve, options.api_key)
    app = serve(DIALECTS[options.dialect])
    if not options.behaviour:
        return app
    base_path = DIALECTS[options.dialect].base_path
    return Relay(app, options.behaviour, options.api_key, base_path)
