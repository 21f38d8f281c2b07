"""The HTTP face: routes, keys, bodies in, answers and event streams out.

Whatever goes wrong is answered with the error envelope, on every path and for every method.
"""

import asyncio
import hmac
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from reference_server import envelope, errors, strict_json
from reference_server.dialects import REFERENCE, Dialect
from reference_server.envelope import Envelope
from reference_server.errors import ApiError
from reference_server.request_log import RequestLog
from reference_server.schema import CompletionRequest, parse
from reference_server.service import CompletionService, StreamPart

MAX_BODY = 8 * 2**20
"""Bytes. 2,048 prompts of the full context would be more, but who asks that in earnest?"""
BODY_SECONDS = 30.0
"""How long a client may take to send its body."""
CLIENT_CLOSED = 499
"""The status that logs show for a request whose client did not wait; nobody receives it."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """What a server serves under which names, and to whom."""

    api_key: str
    models: Sequence[str]
    dialect: Dialect = REFERENCE
    started: int = field(default_factory=lambda: int(time.time()))


def create_app(service: CompletionService, settings: Settings) -> RequestLog:
    """The whole application as ASGI."""
    face = _Face(service, settings)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        service.start()
        try:
            yield
        finally:
            service.stop()

    app = Starlette(
        routes=[
            Route("/v1/completions", face.completions, methods=["POST"]),
            Route("/v1/models", face.models, methods=["GET"]),
            Route("/v1/models/{id:path}", face.model, methods=["GET"]),
            Route("/healthz", face.health, methods=["GET"]),
        ],
        exception_handlers={
            ApiError: _on_api_error,
            HTTPException: _on_http_error,
            ClientDisconnect: _on_disconnect,
            Exception: _on_fault,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return RequestLog(app)


class _Face:
    """The endpoints."""

    def __init__(self, service: CompletionService, settings: Settings) -> None:
        self._service = service
        self._settings = settings

    async def completions(self, request: Request) -> Response:
        """``POST /v1/completions``."""
        self._authorize(request)
        body = strict_json.decode(await _read_body(request))
        asked = parse(body, self._settings.dialect)
        if asked.model not in self._settings.models:
            raise errors.unknown_model(asked.model)
        request.state.facts = {"prompts": len(asked.prompts), "n": asked.n, "stream": asked.stream}
        if asked.stream:
            return await self._streamed(request, asked)
        answer = asyncio.ensure_future(self._service.answer(asked))
        await _finished_or_gone(answer, request)
        content = answer.result()
        request.state.facts |= content["usage"]
        return _json(content)

    async def models(self, request: Request) -> Response:
        """``GET /v1/models``."""
        self._authorize(request)
        cards = [
            envelope.model_card(name, self._settings.started) for name in self._settings.models
        ]
        return _json({"object": "list", "data": cards})

    async def model(self, request: Request) -> Response:
        """``GET /v1/models/{id}``."""
        self._authorize(request)
        name = request.path_params["id"]
        if name not in self._settings.models:
            raise errors.unknown_model(name)
        return _json(envelope.model_card(name, self._settings.started))

    async def health(self, _: Request) -> Response:
        """``GET /healthz``, for whoever waits for the server; needs no key."""
        return _json({"status": "ok"})

    def _authorize(self, request: Request) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer" or not key:
            raise errors.no_key()
        # Header values arrive decoded as Latin-1; so does the comparison, in constant time.
        if not hmac.compare_digest(key.encode("latin-1"), self._settings.api_key.encode()):
            raise errors.wrong_key(key)

    async def _streamed(self, request: Request, asked: CompletionRequest) -> Response:
        parts = self._service.stream(asked)
        # The first part is waited for, so that what fails before it still gets its own status.
        first = asyncio.ensure_future(anext(parts))
        await _finished_or_gone(first, request)
        head = self._service.envelope(asked)
        return StreamingResponse(
            _events(head, asked, first.result(), parts, request.state.facts),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        )


async def _events(
    head: Envelope,
    asked: CompletionRequest,
    first: StreamPart,
    rest: AsyncGenerator[StreamPart, None],
    facts: dict[str, object],
) -> AsyncIterator[str]:
    """Server-sent events: one per piece, and the mark of the end."""
    try:
        yield _chunks(head, asked, first)
        async for part in rest:
            if part.usage:
                facts |= part.usage
            yield _chunks(head, asked, part)
        yield "data: [DONE]\n\n"
    except ApiError as error:  # too late for a status; the missing [DONE] says that it broke off
        yield _event(error.envelope())
    finally:
        await rest.aclose()


def _chunks(head: Envelope, asked: CompletionRequest, part: StreamPart) -> str:
    events = []
    for index, piece in part.pieces:
        entries = None if asked.logprobs is None else piece.entries
        chunk = head.around([envelope.choice(index, piece.text, entries, piece.finish)])
        if asked.include_usage:
            chunk["usage"] = None
        events.append(_event(chunk))
    if part.usage and asked.include_usage:
        events.append(_event(head.around([]) | {"usage": part.usage}))
    return "".join(events)


def _event(value: object) -> str:
    return f"data: {strict_json.encode(value)}\n\n"


def _json(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(strict_json.encode(content), status, headers, "application/json")


async def _finished_or_gone(work: "asyncio.Future[Any]", request: Request) -> None:
    """Wait for the work, or cancel it when the client goes away. Raises ClientDisconnect then."""
    gone: asyncio.Future[Any] = asyncio.ensure_future(_disconnect(request))
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise ClientDisconnect
    finally:
        gone.cancel()
        work.cancel()


async def _disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _read_body(request: Request) -> bytes:
    """The body, if it is declared as JSON and not too long. Raises ApiError (413, 415, 408)."""
    _check_declared(request)
    body = bytearray()
    length = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                length += len(part)
                # A body over the limit is read to its end, up to a point, but not kept: a client
                # that is still sending would see a broken connection and not the reason.
                if length <= MAX_BODY:
                    body += part
                elif length > 8 * MAX_BODY:
                    break
    except TimeoutError:
        raise ApiError(408, "The request's body did not arrive in time.") from None
    if length > MAX_BODY:
        raise errors.too_large(MAX_BODY)
    return bytes(body)


def _check_declared(request: Request) -> None:
    declared = request.headers.get("content-type", "application/json")
    kind, *parameters = (part.strip().lower() for part in declared.split(";"))
    charset = next((p.partition("=")[2].strip('"') for p in parameters if "charset=" in p), "utf-8")
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if kind != "application/json" or charset not in ("utf-8", "utf8") or coding != "identity":
        shown = declared[:100] if coding == "identity" else f"Content-Encoding: {coding[:100]}"
        raise ApiError(
            415,
            f"Unsupported content type: '{shown}'. This API method only accepts "
            "'application/json' requests in UTF-8, without content encoding.",
            code="unsupported_content_type",
        )


def _refusal(error: ApiError) -> Response:
    return _json(error.envelope(), error.status, error.headers)


async def _on_api_error(_: Request, error: Exception) -> Response:
    return _refusal(error if isinstance(error, ApiError) else errors.internal())


async def _on_http_error(request: Request, error: Exception) -> Response:
    """What the router itself refuses: unknown paths and wrong methods."""
    path, method = request.url.path, request.method
    if isinstance(error, HTTPException) and error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        return _refusal(errors.wrong_method(method, path, allowed))
    return _refusal(errors.unknown_path(method, path))


async def _on_disconnect(*_: object) -> Response:
    return Response(status_code=CLIENT_CLOSED)


async def _on_fault(_: Request, error: Exception) -> Response:
    logger.error("a request failed by the server's own fault", exc_info=error)
    return _refusal(errors.internal())
