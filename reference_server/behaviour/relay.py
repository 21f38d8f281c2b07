"""A behaviour in front of an ASGI application, as a relay in front of a server."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reference_server.behaviour.messages import (
    BEHIND,
    DROP,
    IDLE,
    Behaviour,
    ClientRequest,
    Part,
    ServerResponse,
    json_response,
)
from reference_server.completions import errors
from reference_server.completions.dialects import BASE_PATH
from reference_server.completions.strict_json import MAX_BODY_BYTES

MIN_STREAM_SECONDS = 0.005
"""Seconds below which a stream cannot be distinguished from a burst."""

logger = logging.getLogger(__name__)


class Relay:
    """Serves ``POST /v1/completions`` with a behaviour; everything else passes unchanged.

    It does so below ``base_path``, too.
    """

    def __init__(
        self, app: ASGIApp, behaviour: Behaviour, key: str, base_path: str = BASE_PATH
    ) -> None:
        """``key`` is the one that the application accepts."""
        self._app = app
        self._paths = frozenset(f"{base}/completions" for base in (BASE_PATH, base_path))
        self._behaviour = behaviour
        self._key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's scope."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in self._paths:
            await self._app(scope, receive, send)
            return
        raw = await _read(receive)
        if raw is None:
            return
        if len(raw) > MAX_BODY_BYTES:
            refused = errors.too_large(MAX_BODY_BYTES)
            await send_response(send, json_response(refused.status, refused.envelope()))
            return
        headers = tuple(
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in scope["headers"]
            if name != b"content-length"
        )

        took: list[float] = []

        async def upstream(request: ClientRequest) -> ServerResponse:
            response, span = await self._respond(scope, request, receive)
            took.append(span)
            return response

        response = await self._behaviour(ClientRequest(raw, headers, self._key), upstream)
        state = scope.setdefault("state", {})
        if response.unsent and DROP in state:
            logger.info("the behaviour closes the connection")
            state[DROP]()
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        state[BEHIND] = response.behind
        state[IDLE] = response.idle
        sending = send_response(send, paced(response, sum(took)))
        if response.left is None:
            await sending
        else:
            await _sent_or_left(sending, receive, response.left)

    async def _respond(
        self, scope: Scope, request: ClientRequest, receive: Receive
    ) -> tuple[ServerResponse, float]:
        """Call the application; returns its whole response, and how many seconds it took."""
        body: list[Message] = [{"type": "http.request", "body": request.raw, "more_body": False}]
        result: list[Message] = []
        came: list[float] = []

        async def receive_body() -> Message:
            return body.pop() if body else await receive()

        async def gather(message: Message) -> None:
            result.append(message)
            came.append(time.monotonic())

        length = (b"content-length", str(len(request.raw)).encode())
        headers = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in request.headers]
        inner = {**scope, "headers": [*headers, length], "state": dict(scope.get("state", {}))}
        await self._app(inner, receive_body, gather)
        return _response(result), came[-1] - came[0]


def paced(response: ServerResponse, span: float) -> ServerResponse:
    """Send a collected stream over the time in which it was generated.

    A response with pauses keeps them, and one that took almost no time is sent at once.
    """
    parts = response.parts
    if (
        not (response.is_stream and parts)
        or span < MIN_STREAM_SECONDS
        or any(p.pause for p in parts)
    ):
        return response
    pause = span / len(parts)
    return replace(response, parts=tuple(replace(part, pause=pause) for part in parts))


def _response(result: list[Message]) -> ServerResponse:
    start, *parts = result
    headers = tuple(
        (name.decode("latin-1").lower(), value.decode("latin-1"))
        for name, value in start["headers"]
        if name.lower() != b"content-length"
    )
    data = tuple(Part(part["body"]) for part in parts if part.get("body"))
    return ServerResponse(start["status"], headers, data)


async def _sent_or_left(
    sending: Coroutine[Any, Any, None], receive: Receive, left: Callable[[], None]
) -> None:
    """Wait until a response is sent; call ``left`` if the client closes the connection before."""

    async def leaving() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    tasks = [asyncio.ensure_future(sending), asyncio.ensure_future(leaving())]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    if not tasks[0].done():
        left()
    tasks[1].cancel()
    await tasks[0]


async def _read(receive: Receive) -> bytes | None:
    """The request's body, or enough of it to show that it is too long; None if the client left."""
    raw = bytearray()
    while len(raw) <= MAX_BODY_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        raw += message.get("body", b"")
        if not message.get("more_body"):
            break
    return bytes(raw)


async def send_response(send: Send, response: ServerResponse) -> None:
    """Send a response in its parts, with its pauses."""
    headers = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in response.headers]
    if not (response.is_stream or response.cut):
        headers.append((b"content-length", str(len(response.raw)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    for part in response.parts:
        if part.pause:
            await asyncio.sleep(part.pause)
        await send({"type": "http.response.body", "body": part.data, "more_body": True})
    if response.cut:
        logger.info("the behaviour cuts the connection")
        return  # an incomplete response makes the server close the connection
    await send({"type": "http.response.body", "body": b"", "more_body": False})
