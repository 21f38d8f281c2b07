"""A minimal server behind a behaviour; its responses repeat the request."""

from __future__ import annotations

import asyncio
from typing import Any

from reference_server.behaviour.messages import (
    DONE,
    EVENT_STREAM,
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    encode,
    json_response,
)

KEY = "sk-toy"


class Toy:
    """Returns each prompt as the text of its ``n`` choices."""

    def __init__(self) -> None:
        self.met: list[ClientRequest] = []

    async def __call__(self, request: ClientRequest) -> ServerResponse:
        """Respond to one request; an unknown key or an empty body is rejected."""
        self.met.append(request)
        if request.key != KEY:
            return json_response(401, {"error": {"message": "no"}})
        if not request.body:
            return json_response(400, {"error": {"message": "not JSON"}})
        prompts = request.body["prompt"]
        prompts = prompts if isinstance(prompts, list) else [prompts]
        texts = [prompt for prompt in prompts for _ in range(request.body.get("n", 1))]
        choices = [{"text": text, "index": i} for i, text in enumerate(texts)]
        head = {"id": f"cmpl-{len(self.met)}", "created": 1, "model": "toy"}
        if request.body.get("stream"):
            chunks = [{**head, "choices": [choice]} for choice in choices]
            data = [*(encode(chunk).decode() for chunk in chunks), DONE]
            return ServerResponse(200, (("content-type", EVENT_STREAM),), ()).with_data(data)
        usage = {"total_tokens": len(texts)}
        return json_response(200, {**head, "choices": choices, "usage": usage})


def asking(body: Body | bytes, *, key: str | None = KEY) -> ClientRequest:
    """A client's request."""
    raw = body if isinstance(body, bytes) else encode(body)
    return ClientRequest(raw, (("content-type", "application/json"),), KEY).with_key(key)


def responses(
    behaviour: Behaviour, *bodies: Body | bytes, toy: Toy | None = None
) -> list[ServerResponse]:
    """Put requests to one behaviour, one after the other."""
    upstream = toy or Toy()

    async def ask() -> list[ServerResponse]:
        return [await behaviour(asking(body), upstream) for body in bodies]

    return asyncio.run(ask())


def texts_of(response: ServerResponse) -> list[tuple[int, str]]:
    """Pairs of index and text, in the order in which they came."""
    wholes: list[Any] = response.chunks if response.is_stream else [response.body]
    return [(c["index"], c["text"]) for whole in wholes for c in whole["choices"]]
