"""A client that leaves, at whatever moment, is worked for no longer than a token."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from reference_server.app import Settings, create_app
from reference_server.engine.backend import Floats, Prefilled
from reference_server.engine.engine import LoadedModel
from reference_server.engine.tokenizer import Tokenizer
from reference_server.service import CompletionService
from tests.reference_server.scripted import ScriptedBackend

SECONDS = 30.0
"""After which a test gives up waiting for what must come."""


class Gated(ScriptedBackend):
    """Reads a prompt or makes a step only when it is let; says when it is about to."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__(tokenizer.encode("abSTOP世界you"), tokenizer.size, context=500)
        self.steps = 0
        self.rows = 0
        """Of all steps together."""
        self._about_to = threading.Semaphore(0)
        self._let = threading.Semaphore(0)

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
        assert self._let.acquire(timeout=SECONDS)

    async def about_to(self) -> None:
        """The engine is about to compute something, and waits to be let."""
        assert await asyncio.to_thread(self._about_to.acquire, timeout=SECONDS)

    def let(self, times: int) -> None:
        self._let.release(times)


@dataclass
class Connection:
    """The client's end of one request, spoken in ASGI."""

    app: Callable[..., Awaitable[None]]
    left: asyncio.Event = field(default_factory=asyncio.Event)
    sent: list[dict[str, Any]] = field(default_factory=list)
    whole: bool = True
    """False: the body never comes to its end."""
    leaves_at: str = ""
    """The type of message at which the client leaves."""

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
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self.sent).decode()


Story = Callable[[Gated, Callable[..., Connection]], Awaitable[None]]


def tell(tokenizer: Tokenizer, story: Story, rows: int = 1, queue: int = 10) -> None:
    """Let a story happen to a server of its own, and hold that nothing of it stays behind."""

    async def happen() -> None:
        backend = Gated(tokenizer)
        service = CompletionService(LoadedModel(backend, tokenizer, "fp"), rows=rows, queue=queue)
        app = create_app(service, Settings("key", ["m"]))
        service.start()
        try:
            await story(backend, lambda **how: Connection(app, **how))
            backend.let(1000)
            last = Connection(app)
            await last.ask(n=queue, max_tokens=1)  # taken on only if nobody else is in line
            assert last.status == 200
            assert not backend.open_handles
        finally:
            backend.let(1000)
            service.stop()

    asyncio.run(happen())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("steps", [0, 1, 5])
def test_a_client_that_leaves_in_the_middle(tiny: Tokenizer, steps: int, stream: bool) -> None:
    async def story(backend: Gated, connect: Callable[..., Connection]) -> None:
        client = connect()
        asked = asyncio.create_task(client.ask(stream=stream))
        backend.let(1 + steps)  # the prompt and some steps
        for _ in range(1 + steps + 1):
            await backend.about_to()
        client.left.set()
        await asked
        assert "[DONE]" not in client.text
        # What it was about to do, it does; after that the row belongs to the next.
        backend.let(100)
        other = connect()
        await other.ask(max_tokens=3)
        assert other.status == 200
        assert backend.steps == steps + 1 + 2

    tell(tiny, story)


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_before_the_first_token(tiny: Tokenizer, stream: bool) -> None:
    async def story(backend: Gated, connect: Callable[..., Connection]) -> None:
        client = connect()
        asked = asyncio.create_task(client.ask(stream=stream, n=5))
        await backend.about_to()  # read the prompt
        client.left.set()
        await asked
        assert client.sent == []
        backend.let(100)
        other = connect()
        await other.ask(max_tokens=1)
        assert backend.steps <= 1
        assert backend.prefills == 2

    tell(tiny, story)


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_while_it_waits_in_line(tiny: Tokenizer, stream: bool) -> None:
    async def story(backend: Gated, connect: Callable[..., Connection]) -> None:
        served, waiting = connect(), connect()
        first = asyncio.create_task(served.ask(max_tokens=4))
        await backend.about_to()
        second = asyncio.create_task(waiting.ask(stream=stream))
        await asyncio.sleep(0)  # it gets in line
        waiting.left.set()
        await second
        backend.let(100)
        await first
        assert served.status == 200
        assert backend.prefills == 1

    tell(tiny, story)


def test_a_client_that_leaves_while_its_body_is_read(tiny: Tokenizer) -> None:
    async def story(backend: Gated, connect: Callable[..., Connection]) -> None:
        client = connect(whole=False)
        asked = asyncio.create_task(client.ask())
        await asyncio.sleep(0)
        client.left.set()
        await asked
        assert backend.prefills == 0

    tell(tiny, story)


@pytest.mark.parametrize("moment", ["http.response.start", "http.response.body"])
def test_a_client_that_leaves_as_its_stream_begins(tiny: Tokenizer, moment: str) -> None:
    async def story(backend: Gated, connect: Callable[..., Connection]) -> None:
        client = connect(leaves_at=moment)
        asked = asyncio.create_task(client.ask(stream=True))
        backend.let(2)  # the prompt, and the step that follows in the same turn
        await asked
        backend.let(100)
        await connect().ask(max_tokens=3)
        assert backend.steps <= 2 + 2

    tell(tiny, story)


def test_one_of_several_leaves_and_the_others_go_on(tiny: Tokenizer) -> None:
    async def story(backend: Gated, connect: Callable[..., Connection]) -> None:
        clients = [connect() for _ in range(3)]
        asked = [
            asyncio.create_task(client.ask(max_tokens=6, stream=place == 1))
            for place, client in enumerate(clients)
        ]
        for _ in range(5):  # the first one's prompt and a step, two prompts, a step of all three
            await backend.about_to()
            backend.let(1)
        await backend.about_to()
        assert (backend.steps, backend.rows) == (2, 4)
        clients[1].left.set()
        await asked[1]
        backend.let(100)
        await asyncio.gather(asked[0], asked[2])
        texts = [json.loads(clients[i].text)["choices"][0]["text"] for i in (0, 2)]
        assert texts == ["abSTOP世界youab"] * 2
        assert (backend.steps, backend.rows) == (6, 5 + 2 + 5)

    tell(tiny, story, rows=3)
