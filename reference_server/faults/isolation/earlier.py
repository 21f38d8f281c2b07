"""A request changes the response to a later one."""

from __future__ import annotations

from dataclasses import replace

from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
)
from reference_server.faults.isolation.crowd import is_greedy
from reference_server.faults.isolation.reported import (
    ANOTHER_PROMPT,
    EARLIER,
    OWN_PROMPT,
    reported_fault,
)

STEP_SECONDS = 0.005
"""Between two tokens of a stream that a client may leave."""

BLOCK_CHARS = 200
"""Characters of a prompt from which on the cache keeps it: some blocks of tokens."""


def _long_prompt(body: Body) -> str | None:
    prompt = body.get("prompt")
    return prompt if isinstance(prompt, str) and len(prompt) >= BLOCK_CHARS else None


class _HitIsEmpty:
    """The second request with a long prompt, which the cache serves, gets no text."""

    def __init__(self) -> None:
        self._cached: set[str] = set()

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        prompt = _long_prompt(request.body)
        if prompt is None:
            return await upstream(request)
        if prompt in self._cached and is_greedy(request.body):
            return _without_text(await upstream(request))
        self._cached.add(prompt)
        return await upstream(request)


def _without_text(response: ServerResponse) -> ServerResponse:
    if response.status != 200:
        return response
    if response.is_stream:
        chunks = response.chunks
        for chunk in chunks:
            chunk["choices"] = [_ended_at_once(choice) for choice in chunk["choices"]]
        return response.with_chunks(chunks)
    body = response.body
    return response.with_body({**body, "choices": [_ended_at_once(c) for c in body["choices"]]})


def _ended_at_once(choice: Body) -> Body:
    reason = choice.get("finish_reason") and "stop"
    return {**choice, "text": "", "logprobs": None, "finish_reason": reason}


@reported_fault("cache-hit-is-empty", breaks=EARLIER)
def cache_hit_is_empty() -> Behaviour:
    """A long prompt that is served from the cache gets an empty text.

    Source: https://github.com/tenstorrent/tt-xla/issues/5132
    """
    return _HitIsEmpty()


class _Poisoned:
    """After a stop sequence ended a response to a long prompt, that prompt is continued wrongly."""

    def __init__(self) -> None:
        self._stopped: set[str] = set()

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        body, prompt = request.body, _long_prompt(request.body)
        if prompt is None:
            return await upstream(request)
        if body.get("stop"):
            response = await upstream(request)
            if response.status == 200 and b'"stop"' in response.raw:
                self._stopped.add(prompt)
            return response
        if prompt in self._stopped and is_greedy(body):
            # What was kept ends some tokens too early.
            return await upstream(request.with_body({**body, "prompt": prompt[:-9]}))
        return await upstream(request)


@reported_fault(
    "cache-poisoned-by-stop",
    breaks=EARLIER,
    # What is left of the prompt is billed.
    also_breaks="usage.prompt-grows-with-text",
)
def cache_poisoned_by_stop() -> Behaviour:
    """A long prompt whose response ended at a stop sequence is continued otherwise from then on.

    Source: https://github.com/vllm-project/vllm/issues/5543
    """
    return _Poisoned()


class _AfterHit:
    """The request after one that the cache served continues the cached prompt."""

    def __init__(self) -> None:
        self._cached: set[str] = set()
        self._left: str | None = None

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        body, prompt = request.body, _long_prompt(request.body)
        left, self._left = self._left, None
        if prompt is not None:
            self._left = prompt if prompt in self._cached else None
            self._cached.add(prompt)
            return await upstream(request)
        if left is not None and isinstance(body.get("prompt"), str) and body["prompt"]:
            return await upstream(request.with_body({**body, "prompt": left}))
        return await upstream(request)


@reported_fault("cache-hit-stays", breaks=f"{EARLIER} {OWN_PROMPT}", also_breaks=ANOTHER_PROMPT)
def cache_hit_stays() -> Behaviour:
    """The request after one whose long prompt came from the cache continues that prompt.

    Source: https://github.com/ggml-org/llama.cpp/pull/23565
    """
    return _AfterHit()


class _Aborted:
    """The next request after a stream that its client left continues the prompt of that stream."""

    def __init__(self) -> None:
        self._left: str | None = None

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        prompt = request.body.get("prompt")
        left, self._left = self._left, None
        if left is not None and isinstance(prompt, str) and left != prompt:
            return await upstream(request.with_body({**request.body, "prompt": left}))
        response = await upstream(request)
        if not (response.is_stream and isinstance(prompt, str)):
            return response
        # Slowly, so that a client can leave before the end.
        parts = tuple(replace(part, pause=STEP_SECONDS) for part in response.parts)
        return replace(response, parts=parts, left=lambda: self._leave(prompt))

    def _leave(self, prompt: str) -> None:
        self._left = prompt


@reported_fault("aborted-stream-stays", breaks=EARLIER, also_breaks=ANOTHER_PROMPT)
def aborted_stream_stays() -> Behaviour:
    """The request after an aborted one gets the memory of its prompt, and continues that.

    Source: https://github.com/sgl-project/sglang/pull/35049
    """
    return _Aborted()
