"""Serves completion requests with an engine: collects, ranks and numbers the choices.

The engine works in its own thread; here, in the event loop, every request has a mailbox that
receives its updates of each step.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol

from reference_server.completions import envelope, errors
from reference_server.completions.extensions import of_choice
from reference_server.completions.prepare import plan
from reference_server.completions.schema import CompletionRequest
from reference_server.engine.choice import Choice, TextChunk
from reference_server.engine.engine import BrokenEngineError, Engine, LoadedModel, OverloadedError
from reference_server.engine.logprobs import render
from reference_server.engine.request import EngineRequest, Update

MAX_INLINE_CHARS = 16_384
"""Characters of prompts up to which tokenising in the event loop is faster than in a thread."""
RETRY_AFTER_SECONDS = 1
"""Seconds in ``Retry-After`` if the queue is full."""


@dataclass
class _Mailbox:
    """The updates of one request that were not yet read."""

    updates: list[Update] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self) -> list[Update]:
        await self.arrived.wait()
        self.arrived.clear()
        taken, self.updates = self.updates, []
        return taken


@dataclass(frozen=True)
class StreamPart:
    """New chunks of choices, in order; the last part also has the usage."""

    chunks: tuple[tuple[int, TextChunk], ...]
    """Pairs of choice index and chunk."""
    usage: dict[str, int] | None = None
    """In the last part, of the whole response."""
    prompts: tuple[tuple[int, ...] | None, ...] = ()
    """For each chunk what the model read, if it is the first of its choice."""
    so_far: tuple[dict[str, int], ...] = ()
    """For each chunk the usage of its choice until then."""
    prompt_tokens: int = 0
    """Tokens of all prompts; a part without chunks may leave them out."""


@dataclass(frozen=True)
class NonStreamingResponse:
    """A non-streaming response: its choices in order, and the usage."""

    choices: list[dict[str, Any]]
    usage: dict[str, int]


class Service(Protocol):
    """Serves checked requests."""

    @property
    def fingerprint(self) -> str:
        """The ``system_fingerprint`` of the model."""
        ...

    @property
    def healthy(self) -> bool:
        """Whether requests can be served."""
        ...

    def start(self) -> None:
        """Start; call it in the event loop in which requests are served."""
        ...

    def stop(self) -> None:
        """Stop."""
        ...

    async def respond(self, request: CompletionRequest) -> NonStreamingResponse:
        """The non-streaming response. Raises ApiError if the request cannot be served."""
        ...

    def stream(self, request: CompletionRequest) -> AsyncGenerator[StreamPart, None]:
        """The response in parts as they are generated; the last one has the usage."""
        ...


class CompletionService:
    """Serves checked requests with an `Engine`, streamed or not."""

    def __init__(self, model: LoadedModel, *, rows: int, queue: int) -> None:
        """``rows`` and ``queue`` as for `Engine`."""
        self._model = model
        self._engine = Engine(model, self._deliver, rows=rows, queue=queue)
        self._mailboxes: dict[EngineRequest, _Mailbox] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Start the engine; call it in the event loop in which requests are served."""
        self._loop = asyncio.get_running_loop()
        self._engine.start()

    @property
    def fingerprint(self) -> str:
        """The ``system_fingerprint`` of the model."""
        return self._model.fingerprint

    @property
    def healthy(self) -> bool:
        """Whether requests can be served."""
        return not self._engine.broken

    def stop(self) -> None:
        """Stop the engine; running requests get an error."""
        self._engine.stop()

    async def respond(self, request: CompletionRequest) -> NonStreamingResponse:
        """The non-streaming response.

        Raises ApiError if the request cannot be served.
        """
        engine_request = await self._request(request, live=False)
        finished: dict[tuple[int, int], Choice] = {}
        async with aclosing(self._updates(engine_request)) as steps:
            async for updates in steps:
                for update in updates:
                    finished[update.prompt, update.candidate] = Choice(list(update.chunks))
        choices: list[dict[str, Any]] = []
        completion_tokens = 0
        for prompt, generation in enumerate(engine_request.generations):
            candidates = [finished[prompt, i] for i in range(request.best_of)]
            echoed = len(generation.choice.prompt_ids) if generation.score_prompt else 0
            for chosen in _best(candidates, request.n, echoed):
                entries = None if request.logprobs is None else chosen.entries
                choice = envelope.choice(len(choices), chosen.text, entries, chosen.finish)
                extra = of_choice(
                    request.extensions,
                    chosen.chunks,
                    generation.model_ids,
                    self._name_of,
                    stream=False,
                )
                choices.append(choice | extra)
                completion_tokens += chosen.tokens
        return NonStreamingResponse(
            choices, envelope.usage(_prompt_tokens(engine_request), completion_tokens)
        )

    async def stream(self, request: CompletionRequest) -> AsyncGenerator[StreamPart, None]:
        """The response in parts as they are generated; the last one has the usage.

        Raises ApiError if the request cannot be served, before the first part if that is known by
        then.
        """
        engine_request = await self._request(request, live=True)
        completion_tokens = 0
        begun: set[int] = set()
        async with aclosing(self._updates(engine_request)) as steps:
            async for updates in steps:
                chunks = []
                for update in updates:
                    index = update.prompt * request.n + update.candidate
                    chunks += [(index, chunk) for chunk in update.chunks if chunk]
                completion_tokens += sum(chunk.tokens for _, chunk in chunks if chunk.finish)
                if chunks:
                    prompts, so_far = [], []
                    for index, chunk in chunks:
                        ids = engine_request.generations[index // request.n].model_ids
                        prompts.append(None if index in begun else ids)
                        begun.add(index)
                        so_far.append(envelope.usage(len(ids), chunk.tokens))
                    read = _prompt_tokens(engine_request)
                    yield StreamPart(tuple(chunks), None, tuple(prompts), tuple(so_far), read)
        yield StreamPart((), envelope.usage(_prompt_tokens(engine_request), completion_tokens))

    def _name_of(self, token: int) -> str:
        return render(self._model.tokenizer.token_bytes(token))

    async def _request(self, request: CompletionRequest, *, live: bool) -> EngineRequest:
        size = sum(len(prompt) for prompt in request.prompts if isinstance(prompt, str))
        is_small = size + len(request.suffix or "") <= MAX_INLINE_CHARS
        # A grammar takes up to seconds to read.
        if is_small and request.extensions.constraint is None:
            return EngineRequest(plan(request, self._model), live)
        return EngineRequest(await asyncio.to_thread(plan, request, self._model), live)

    async def _updates(self, request: EngineRequest) -> AsyncGenerator[list[Update], None]:
        """The engine's chunks of a request, until every candidate is finished."""
        mailbox = self._mailboxes[request] = _Mailbox()
        try:
            try:
                self._engine.submit(request)
            except OverloadedError:
                raise errors.overloaded(RETRY_AFTER_SECONDS) from None
            except BrokenEngineError:
                raise errors.internal() from None
            unfinished = request.size
            while unfinished:
                updates = await mailbox.take()
                made = [update for update in updates if not update.failed]
                unfinished -= sum(1 for update in made if update.chunks[-1].finish)
                if made:  # chunks from before a failure are yielded before it
                    yield made
                if len(made) < len(updates):
                    raise errors.internal()
        finally:
            self._engine.release(request)
            del self._mailboxes[request]

    def _deliver(self, updates: list[Update]) -> None:
        """Called in the engine's thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._sort, updates)

    def _sort(self, updates: list[Update]) -> None:
        for update in updates:
            # A client may have disconnected since the engine began its step.
            if mailbox := self._mailboxes.get(update.request):
                mailbox.updates.append(update)
                mailbox.arrived.set()


def _prompt_tokens(request: EngineRequest) -> int:
    """The tokens that the model read: each prompt once, with its suffix and special tokens."""
    return sum(len(generation.model_ids) for generation in request.generations)


def _best(candidates: list[Choice], count: int, echoed: int) -> list[Choice]:
    """The candidates with the highest mean log probability per token, best first.

    If all candidates are returned, they stay in order. The mean is over the tokens of the returned
    text, as a client would compute it from `logprobs`.
    """
    if len(candidates) == count:
        return candidates

    def mean(choice: Choice) -> float:
        scores = [e.logprob for e in choice.entries[echoed:] if e.logprob is not None]
        return sum(scores) / len(scores) if scores else float("-inf")

    return sorted(candidates, key=mean, reverse=True)[:count]
