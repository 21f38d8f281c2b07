"""The ASGI application: routes and keys, from a body to a response.

Every error has the error envelope, on every path and for every method.
"""

import asyncio
import hmac
import logging
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from reference_server.completions import envelope, errors, strict_json
from reference_server.completions.dialects import BASE_PATH, REFERENCE, Dialect
from reference_server.completions.envelope import Envelope
from reference_server.completions.errors import ApiError, ErrorShape
from reference_server.completions.schema import CompletionRequest, parse
from reference_server.completions.service import Service
from reference_server.http.balance import Balance, Bill
from reference_server.http.bodies import Bodies
from reference_server.http.disconnect import unless_disconnected
from reference_server.http.event_stream import EventStream
from reference_server.http.request_log import RequestLog

MAX_INLINE_BODY_BYTES = 65_536
"""Bytes up to which a body is parsed in the event loop; a longer one would delay others."""
CLIENT_CLOSED_STATUS = 499
"""The logged status of a request whose client disconnected; it is never sent."""

HEALTH = ("/healthz", "/health")
"""Where health is asked: by the convention of orchestrators, and by that of model servers, which
routers in front of them ask."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """The key, the model names and the dialect of a server."""

    api_key: str
    models: Sequence[str]
    dialect: Dialect = REFERENCE
    balance: Balance | None = None
    """Served at ``/v1/balance``; None if there is none."""
    started: int = field(default_factory=lambda: int(time.time()))


def create_app(service: Service, settings: Settings) -> RequestLog:
    """Build the ASGI application."""
    face = _Endpoints(service, settings)
    errors_of = _ErrorResponses(settings.dialect.errors)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        service.start()
        try:
            yield
        finally:
            service.stop()

    app = Starlette(
        routes=[
            *(
                route
                for base in dict.fromkeys((BASE_PATH, settings.dialect.base_path))
                for route in (
                    Route(f"{base}/completions", face.completions, methods=["POST"]),
                    Route(f"{base}/models", face.models, methods=["GET"]),
                    Route(f"{base}/models/{{id:path}}", face.model, methods=["GET"]),
                    *(
                        [Route(f"{base}/balance", face.balance, methods=["GET"])]
                        if settings.balance
                        else []
                    ),
                )
            ),
            *(Route(path, face.health, methods=["GET"]) for path in HEALTH),
        ],
        exception_handlers={
            ApiError: errors_of.api_error,
            HTTPException: errors_of.http_error,
            ClientDisconnect: _on_disconnect,
            Exception: errors_of.internal_error,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return RequestLog(_OriginForm(app))


class _OriginForm:
    """Accepts ``POST http://host/v1/completions`` as ``POST /v1/completions``.

    RFC 9112 (3.2.2) requires that of every server: clients with a proxy send the absolute form.
    """

    _ABSOLUTE = re.compile(rb"https?://[^/]*(/.*)", re.IGNORECASE)

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's scope."""
        if scope["type"] == "http" and (
            absolute := self._ABSOLUTE.fullmatch(scope.get("raw_path") or b"")
        ):
            scope = {**scope, "raw_path": absolute[1], "path": unquote(absolute[1].decode("ascii"))}
        await self._app(scope, receive, send)


class _Endpoints:
    """The endpoints."""

    def __init__(self, service: Service, settings: Settings) -> None:
        self._service = service
        self._settings = settings
        self._bodies = Bodies()
        self._one_at_a_time = asyncio.Lock()

    async def completions(self, request: Request) -> Response:
        """``POST /v1/completions``, and at the path of the dialect."""
        self._authorize(request)
        try:
            async with self._bodies.read(request) as body:
                if len(body) <= MAX_INLINE_BODY_BYTES:
                    request_body = self._understood(body)
                else:
                    # Threads would not parse faster together, only take their memory together.
                    async with self._one_at_a_time:
                        request_body = await asyncio.to_thread(self._understood, body)
                return await self._answered(request, request_body)
        except asyncio.CancelledError:  # shutdown, after the grace period
            raise errors.shutting_down() from None

    async def models(self, request: Request) -> Response:
        """``GET /v1/models``."""
        self._authorize(request)
        cards = [self._card(name) for name in self._settings.models]
        return _json({"object": "list", "data": cards})

    async def model(self, request: Request) -> Response:
        """``GET /v1/models/{id}``."""
        self._authorize(request)
        name = request.path_params["id"]
        if name not in self._settings.models:
            raise errors.unknown_model(name)
        return _json(self._card(name))

    def _card(self, name: str) -> dict[str, Any]:
        owner = self._settings.dialect.owner
        return envelope.model_card(name, self._settings.started, owner)

    async def balance(self, request: Request) -> Response:
        """``GET /v1/balance``, if the server has one."""
        self._authorize(request)
        return _json(self._settings.balance.told() if self._settings.balance else {})

    async def health(self, _: Request) -> Response:
        """``GET`` at ``HEALTH``, for programs that start or monitor the server; needs no key."""
        if self._service.healthy:
            return _json({"status": "ok"})
        return _json({"status": "the engine has failed"}, 503)

    def _authorize(self, request: Request) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer" or not key:
            raise errors.no_key()
        # Header values are decoded as Latin-1, so the key is encoded as such; constant time.
        if not hmac.compare_digest(key.encode("latin-1"), self._settings.api_key.encode()):
            raise errors.wrong_key(key)

    def _understood(self, body: bytes) -> CompletionRequest:
        return parse(strict_json.decode(body), self._settings.dialect)

    async def _answered(self, request: Request, body: CompletionRequest) -> Response:
        model = body.model or self._settings.models[0]
        if model not in self._settings.models and not self._settings.dialect.any_model:
            raise errors.unknown_model(model)
        facts = request.state.facts
        facts |= {"prompts": len(body.prompts), "n": body.n, "stream": body.stream}
        fingerprint = self._service.fingerprint if self._settings.dialect.fingerprint else None
        dialect = self._settings.dialect
        head = Envelope(model, fingerprint, dialect.objects, has_prompt=dialect.has_prompt)
        if body.stream:
            parts = self._service.stream(body)
            # The first part is awaited, so that an error before it gets its own status.
            first = await unless_disconnected(anext(parts), request.receive)
            bill = Bill(self._settings.balance, body)
            with_last = self._settings.dialect.usage_with_last_choice
            return EventStream(
                head, body, first, parts, facts, bill=bill, usage_with_last_choice=with_last
            )
        response = await unless_disconnected(self._service.respond(body), request.receive)
        facts |= response.usage
        if self._settings.balance:
            self._settings.balance.charge(response.usage)
        return _json(head.whole(response.choices) | {"usage": response.usage})


def _json(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(strict_json.encode(content), status, headers, "application/json")


async def _on_disconnect(*_: object) -> Response:
    return Response(status_code=CLIENT_CLOSED_STATUS)


class _ErrorResponses:
    """Errors in the shape of a dialect."""

    def __init__(self, shape: ErrorShape) -> None:
        self._shape = shape

    async def api_error(self, _: Request, error: Exception) -> Response:
        """The response to an invalid request."""
        return self._response(error if isinstance(error, ApiError) else errors.internal())

    async def http_error(self, request: Request, error: Exception) -> Response:
        """Errors of the router: unknown paths and wrong methods."""
        path, method = request.url.path, request.method
        if isinstance(error, HTTPException) and error.status_code == 405:
            allowed = (error.headers or {}).get("Allow", "")
            return self._response(errors.wrong_method(method, path, allowed))
        return self._response(errors.unknown_path(method, path))

    async def internal_error(self, _: Request, error: Exception) -> Response:
        """The response where the server failed."""
        logger.error("a request failed with an internal error", exc_info=error)
        return self._response(errors.internal())

    def _response(self, error: ApiError) -> Response:
        status = self._shape.status_of(error)
        return _json(error.envelope(self._shape), status, error.headers)
