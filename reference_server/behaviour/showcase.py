"""Every dialect, fault and variant in one process, each under its own path.

``/{dialect}/{behaviours}/{instance}/v1/completions`` responds like a server with that dialect and
those behaviours; ``none`` stands for no behaviour. The state of a behaviour belongs to one
instance: a new word creates a new one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from reference_server.behaviour.messages import json_response
from reference_server.behaviour.registry import NOTHING, UnknownBehaviourError, behaviour
from reference_server.behaviour.relay import Relay, send_response
from reference_server.completions import errors
from reference_server.completions.dialects import DIALECTS, REFERENCE, Dialect

MAX_INSTANCES = 64
"""Instances whose state is kept; one that was dropped starts again."""

_PATH = re.compile(r"/([^/]+)/([^/]+)/([^/]+)(/.+)")


class Showcase:
    """The ASGI application."""

    def __init__(self, serve: Callable[[Dialect], ASGIApp], key: str) -> None:
        """``serve`` builds the application of one dialect; ``key`` is the key of all."""
        self._serve = serve
        self._key = key
        self._apps: dict[str, ASGIApp] = {}
        self._instances: dict[tuple[str, str, str], ASGIApp] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's scope."""
        if scope["type"] != "http":  # startup and shutdown, which all dialects share
            await self._speaking(REFERENCE.name)(scope, receive, send)
            return
        path = _PATH.fullmatch(scope["path"])
        if not path or path[1] not in DIALECTS:
            await _refuse(send, errors.unknown_path(scope["method"], scope["path"]))
            return
        try:
            app = self._instance(path[1], path[2], path[3])
        except UnknownBehaviourError as error:
            await _refuse(send, errors.bad_request(str(error)))
            return
        await app({**scope, "path": path[4], "raw_path": path[4].encode()}, receive, send)

    def _instance(self, dialect: str, spec: str, instance: str) -> ASGIApp:
        key = (dialect, spec, instance)
        if key not in self._instances:
            app = self._speaking(dialect)
            # A relay collects a whole stream before it sends it; the server itself does not.
            if spec != NOTHING:
                app = Relay(app, behaviour(spec), self._key, DIALECTS[dialect].base_path)
            while len(self._instances) >= MAX_INSTANCES:
                del self._instances[next(iter(self._instances))]
            self._instances[key] = app
        return self._instances[key]

    def _speaking(self, dialect: str) -> ASGIApp:
        if dialect not in self._apps:
            self._apps[dialect] = self._serve(DIALECTS[dialect])
        return self._apps[dialect]


async def _refuse(send: Send, error: errors.ApiError) -> None:
    await send_response(send, json_response(error.status, error.envelope()))
