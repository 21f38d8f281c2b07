"""A model that computes only when released, so that the order of events is certain."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from reference_server.completions.service import CompletionService
from reference_server.engine.backend import Floats, Prefilled
from reference_server.engine.engine import LoadedModel
from reference_server.engine.tokenizer import Tokenizer
from reference_server.http.app import Settings, create_app
from tests.reference_server.scripted import ScriptedBackend

SECONDS = 30.0
"""After which a test stops waiting."""


class GatedBackend(ScriptedBackend):
    """Reads a prompt or makes a step only when released; signals when it is about to."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__(tokenizer.encode("abSTOP世界you"), tokenizer.size, context=500)
        self.steps = 0
        self.rows = 0
        """Total over all steps."""
        self._about_to = threading.Semaphore(0)
        self._released = threading.Semaphore(0)

    def prefill(self, ids: Sequence[int]) -> Prefilled:
        self._wait()
        return super().prefill(ids)

    def step(self, handles: Sequence[int], ids: Sequence[int]) -> Floats:
        self._wait()
        self.steps += 1
        self.rows += len(handles)
        return super().step(handles, ids)

    def _wait(self) -> None:
        self._about_to.release()
        assert self._released.acquire(timeout=SECONDS)

    async def about_to(self) -> None:
        """Wait until the engine is about to compute and needs a release."""
        await asyncio.to_thread(self.wait_until_about_to)

    def wait_until_about_to(self) -> None:
        """`about_to` outside an event loop."""
        assert self._about_to.acquire(timeout=SECONDS)

    def release(self, times: int) -> None:
        self._released.release(times)


@dataclass
class Connection:
    """The client of one request, over ASGI."""

    app: Callable[..., Awaitable[None]]
    left: asyncio.Event = field(default_factory=asyncio.Event)
    sent: list[dict[str, Any]] = field(default_factory=list)
    whole: bool = True
    """False: the body never ends."""
    leaves_at: str = ""
    """The type of message at which the client disconnects."""
    reads: bool = True
    """False: the client reads nothing, so that sending to it blocks."""

    async def ask(self, **body: Any) -> None:
        request = {"model": "m", "prompt": "you", "max_tokens": 100, **body}
        parts = [{"body": json.dumps(request).encode(), "more_body": not self.whole}]

        async def receive() -> dict[str, Any]:
            if parts:
                return {"type": "http.request", **parts.pop()}
            await self.left.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == self.leaves_at:
                self.left.set()
            if not self.reads:
                await self.left.wait()
            if not self.left.is_set():
                self.sent.append(message)

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "path": "/v1/completions",
            "query_string": b"",
            "headers": [(b"authorization", b"Bearer key")],
        }
        await asyncio.wait_for(self.app(scope, receive, send), SECONDS)

    @property
    def status(self) -> int | None:
        return self.sent[0]["status"] if self.sent else None

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"]) if self.sent else {}

    @property
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self.sent).decode()


async def all_queued() -> None:
    """Wait until every started request is in the queue; no step before it needs a thread."""
    for _ in range(100):
        await asyncio.sleep(0)


Scenario = Callable[[GatedBackend, Callable[..., Connection]], Awaitable[None]]


def run_scenario(tokenizer: Tokenizer, scenario: Scenario, rows: int = 1, queue: int = 10) -> None:
    """Run a scenario on a new server, and assert that no request or row remains."""

    async def happen() -> None:
        backend = GatedBackend(tokenizer)
        service = CompletionService(LoadedModel(backend, tokenizer, "fp"), rows=rows, queue=queue)
        app = create_app(service, Settings("key", ["m"]))
        service.start()
        try:
            await scenario(backend, lambda **how: Connection(app, **how))
            backend.release(1000)
            last = Connection(app)
            await last.ask(n=queue, max_tokens=1)  # accepted only if the queue is empty
            assert last.status == 200
            assert not backend.open_handles
        finally:
            backend.release(1000)
            service.stop()

    asyncio.run(happen())
