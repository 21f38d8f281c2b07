"""The server on a scripted model, called without a network, behind any front."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
from starlette.types import ASGIApp

from reference_server.behaviour.showcase import Showcase
from reference_server.completions.response_cache import ResponseCache
from reference_server.completions.service import CompletionService
from reference_server.engine.engine import LoadedModel
from reference_server.engine.tokenizer import Tokenizer
from reference_server.http.app import Settings, create_app
from tests.reference_server.scripted import ScriptedBackend

KEY = "key"
BODY = {"model": "m", "prompt": "you", "max_tokens": 3, "temperature": 0}
Request = tuple[str, dict[str, Any] | bytes]


def ask(
    tokenizer: Tokenizer,
    front: Callable[[CompletionService], ASGIApp],
    *requests: Request,
    backend: ScriptedBackend | None = None,
) -> list[httpx.Response]:
    """Post bodies to paths, one after the other."""
    script = backend or ScriptedBackend(tokenizer.encode("abSTOP世界 and"), tokenizer.size)

    async def post() -> list[httpx.Response]:
        service = CompletionService(LoadedModel(script, tokenizer, "fp"), rows=4, queue=10)
        transport = httpx.ASGITransport(front(service))
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        service.start()
        try:
            async with httpx.AsyncClient(
                transport=transport, base_url="http://server", headers=headers
            ) as client:
                return [
                    await client.post(path, content=body)
                    if isinstance(body, bytes)
                    else await client.post(path, json=body)
                    for path, body in requests
                ]
        finally:
            service.stop()

    return asyncio.run(post())


def showcase(service: CompletionService) -> ASGIApp:
    cache = ResponseCache(service)
    return Showcase(lambda dialect: create_app(cache, Settings(KEY, ["m"], dialect)), KEY)
