"""A client that sends requests to a server with a given variant."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.servers import RunningServer

COUNTING = "1, 2, 3, 4, 5, 6,"
GREEDY: dict[str, Any] = {"prompt": COUNTING, "max_tokens": 6, "temperature": 0}


@dataclass(frozen=True)
class Shown:
    """Sends requests to variants by name."""

    client: httpx.Client

    @classmethod
    @contextmanager
    def at(cls, server: RunningServer) -> Iterator[Shown]:
        origin = server.base_url.removesuffix("/v1")
        with httpx.Client(base_url=origin, headers=server.headers, timeout=60) as client:
            yield cls(client)

    def post(
        self, variant: str, *, key: str | None = None, dialect: str = "reference", **body: Any
    ) -> httpx.Response:
        """Send a small greedy request, updated by ``body``, to a variant of a dialect."""
        request = {"model": "davinci-002", **GREEDY, **body}
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        path = f"/{dialect}/{variant}/tests/v1/completions"
        return self.client.post(path, json=request, headers=headers)

    def non_streaming(self, variant: str, **body: Any) -> dict[str, Any]:
        """A non-streaming response."""
        response = self.post(variant, **body)
        assert response.status_code == 200, response.text
        whole: dict[str, Any] = response.json()
        return whole

    def choice(self, variant: str, **body: Any) -> dict[str, Any]:
        """The first choice of a non-streaming response, by its index."""
        choices = self.non_streaming(variant, **body)["choices"]
        choice: dict[str, Any] = min(choices, key=lambda c: int(c["index"]))
        return choice

    def chunks(self, variant: str, **body: Any) -> list[dict[str, Any]]:
        """The chunks of a stream, read as the standard has it."""
        response = self.post(variant, stream=True, **body)
        assert response.status_code == 200, response.text
        return chunks_of(response.text)


def chunks_of(raw: str) -> list[dict[str, Any]]:
    """Read the events of a stream, whatever else its lines carry; it must end with ``[DONE]``."""
    lines = raw.replace("\r\n", "\n").split("\n")
    data = [line[5:].removeprefix(" ") for line in lines if line.startswith("data:")]
    assert data[-1] == "[DONE]"
    return [json.loads(one) for one in data[:-1]]


def texts_of(chunks: list[dict[str, Any]]) -> dict[int, str]:
    """The joined text of each choice of a stream."""
    texts: dict[int, str] = {}
    for part in (part for chunk in chunks for part in chunk["choices"]):
        texts[part["index"]] = texts.get(part["index"], "") + part["text"]
    return texts
