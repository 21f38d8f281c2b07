"""Faults of isolation: a request changes the response to another one, at the same time or later.

Each is built as its report describes it, and no stronger: it strikes only beside the requests, or
after the requests, that the report names. What stands between is the relay, so that another request
in flight is one that arrived and has not been answered.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    Rejected,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.registry import Evidence, fault

GATHERING_SECONDS = 0.01
"""How long a request waits for others to join its batch."""

STEP_SECONDS = 0.005
"""Between two tokens of a stream that a client may leave."""

BLOCK_CHARS = 200
"""Characters of a prompt from which on the cache keeps it: some blocks of tokens."""

OWN_PROMPT, OWN_SETTINGS = "isolation.own-prompt", "isolation.own-settings"
EARLIER, SEED = "isolation.earlier-requests", "isolation.seed-kept"

REPORTED = Evidence.REPORTED
ANYTHING = "*"
"""A response that is another request's breaks whatever it is judged by."""


@dataclass(eq=False)
class _Visit:
    """A request in flight, and those that are or were in flight beside it, in order of arrival."""

    body: Body
    beside: list[_Visit] = field(default_factory=list)
    before: _Visit | None = None


class _Crowd:
    """Answers each request in view of those that are in flight beside it."""

    def __init__(self) -> None:
        self._present: list[_Visit] = []

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        visit = _Visit(request.body, list(self._present))
        visit.before = self._present[-1] if self._present else None
        for other in self._present:
            other.beside.append(visit)
        self._present.append(visit)
        try:
            right = await upstream(request)
            # A response from a cache takes no time; in a batch, others join meanwhile.
            await asyncio.sleep(GATHERING_SECONDS)
            # What the server rejects is in no batch.
            if right.status != 200 or not visit.beside:
                return right
            return await self.answer(request, visit, right, upstream)
        finally:
            self._present.remove(visit)

    async def answer(
        self, request: ClientRequest, visit: _Visit, right: ServerResponse, upstream: Upstream
    ) -> ServerResponse:
        """Return the response to a request with others beside it; ``right`` is the right one."""
        raise NotImplementedError


class _Changing(_Crowd):
    """Serves another request instead, which has something of a neighbour."""

    async def answer(
        self, request: ClientRequest, visit: _Visit, right: ServerResponse, upstream: Upstream
    ) -> ServerResponse:
        body = self.changed(visit, [one.body for one in visit.beside])
        if body == visit.body:
            return right
        changed = await upstream(request.with_body(body))
        # Of a neighbour that the server rejects, nothing is in the batch.
        return changed if changed.status == 200 else right

    def changed(self, visit: _Visit, others: Sequence[Body]) -> Body:
        """Return the request that is served."""
        raise NotImplementedError


def _text_prompts(bodies: Sequence[Body], but: Any) -> list[str]:
    prompts = [body.get("prompt") for body in bodies]
    return [prompt for prompt in prompts if isinstance(prompt, str) and prompt and prompt != but]


def _is_greedy(body: Body) -> bool:
    return body.get("temperature") == 0


# ── Other prompts ────────────────────────────────────────────────────────────────────────────────


class _Mixed(_Changing):
    """Some requests get the continuation of another prompt in flight."""

    def __init__(self, least: int, share: float) -> None:
        super().__init__()
        self._least, self._share = least, share
        self._chance = random.Random(16)  # noqa: S311 - randomness that can be repeated

    def changed(self, visit: _Visit, others: Sequence[Body]) -> Body:
        body = visit.body
        prompts = _text_prompts(others, body.get("prompt"))
        is_text = isinstance(body.get("prompt"), str)
        if len(others) + 1 < self._least or not prompts or not is_text:
            return body
        if self._chance.random() >= self._share:
            return body
        return {**body, "prompt": self._chance.choice(prompts)}


@fault(
    "mixed-up-at-sixteen",
    breaks=f"{OWN_PROMPT} {OWN_SETTINGS}",
    statistical=True,
    triggers=(),
    evidence=REPORTED,
)
def mixed_up_at_sixteen() -> Behaviour:
    """With sixteen requests at once, some continue the prompt of another.

    Source: https://github.com/sgl-project/sglang/issues/4593
    """
    return _Mixed(16, 0.2)


@fault(
    "mixed-up-at-four",
    breaks=f"{OWN_PROMPT} {OWN_SETTINGS}",
    also_breaks=ANYTHING,
    statistical=True,
    triggers=(),
    evidence=REPORTED,
)
def mixed_up_at_four() -> Behaviour:
    """With four requests at once, the responses are mixed up.

    Source: https://github.com/inferencerlabs/inferencer-feedback/issues/127
    """
    return _Mixed(4, 0.5)


class _Restored(_Changing):
    """A new request may continue the prompt of an unrelated one that was finished before."""

    def __init__(self) -> None:
        super().__init__()
        self._finished: list[str] = []
        self._chance = random.Random(27148)  # noqa: S311 - randomness that can be repeated

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        response = await super().__call__(request, upstream)
        prompt = request.body.get("prompt")
        if response.status == 200 and isinstance(prompt, str) and prompt not in self._finished:
            self._finished.append(prompt)
        return response

    def changed(self, visit: _Visit, others: Sequence[Body]) -> Body:  # noqa: ARG002 - any will do
        prompt = visit.body.get("prompt")
        stale = [kept for kept in self._finished if kept != prompt]
        if not stale or not isinstance(prompt, str) or self._chance.random() >= 0.1:
            return visit.body
        return {**visit.body, "prompt": self._chance.choice(stale)}


@fault(
    "stale-prompt-restored",
    breaks=f"{OWN_PROMPT} {OWN_SETTINGS}",
    also_breaks=ANYTHING,
    statistical=True,
    triggers=(),
    evidence=REPORTED,
)
def stale_prompt_restored() -> Behaviour:
    """Under load, a request may continue an unrelated prompt that was served before.

    Source: https://github.com/ggml-org/llama.cpp/issues/27148
    """
    return _Restored()


# ── Other settings ───────────────────────────────────────────────────────────────────────────────


class _Inheriting(_Changing):
    """A request without some settings gets those of a neighbour."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self._names = names

    def changed(self, visit: _Visit, others: Sequence[Body]) -> Body:
        body = visit.body
        if any(body.get(name) for name in self._names):
            return body
        for other in others:
            given = {name: other[name] for name in self._names if other.get(name)}
            if given:
                return {**body, **given}
        return body


@fault(
    "penalty-of-neighbour",
    breaks=OWN_SETTINGS,
    also_breaks=ANYTHING,
    statistical=True,
    triggers=(),
    evidence=REPORTED,
)
def penalty_of_neighbour() -> Behaviour:
    """If one request of a batch has a frequency penalty, all are generated with it.

    Source: https://github.com/huggingface/text-generation-inference/issues/1810
    """
    return _Inheriting("frequency_penalty")


@fault(
    "bias-of-neighbour",
    breaks=OWN_SETTINGS,
    also_breaks=ANYTHING,
    statistical=True,
    triggers=(),
    evidence=REPORTED,
)
def bias_of_neighbour() -> Behaviour:
    """The logits processor of a request is applied to the one behind it in the batch.

    Source: https://github.com/ml-explore/mlx-lm/pull/1225
    """
    return _NextInherits("logit_bias")


class _NextInherits(_Inheriting):
    """Only the request that joined right behind gets the settings."""

    def changed(self, visit: _Visit, others: Sequence[Body]) -> Body:  # noqa: ARG002 - one counts
        return super().changed(visit, [visit.before.body] if visit.before else [])


@fault(
    "stop-of-neighbour",
    breaks=OWN_SETTINGS,
    also_breaks=ANYTHING,
    statistical=True,
    triggers=(),
    evidence=REPORTED,
)
def stop_of_neighbour() -> Behaviour:
    """Requests of one batch are cut at the stop sequences with which it was begun.

    Source: https://github.com/raullenchai/Rapid-MLX/pull/665
    """
    return _Inheriting("stop")


class _Refused(_Crowd):
    """A sampled request beside a greedy one gets the error that greedy sampling would get."""

    async def answer(
        self, _: ClientRequest, visit: _Visit, right: ServerResponse, __: Upstream
    ) -> ServerResponse:
        if not visit.body.get("temperature"):
            return right
        if not any(_is_greedy(one.body) for one in visit.beside):
            return right
        return Rejected(400, "temperature must be greater than 0.", param="temperature").response


@fault(
    "refused-for-neighbour",
    breaks=OWN_SETTINGS,
    also_breaks=ANYTHING,
    statistical=True,
    triggers=(),
    evidence=REPORTED,
)
def refused_for_neighbour() -> Behaviour:
    """A request with ``temperature: 0`` makes others at the same time fail with its error.

    Source: https://github.com/NVIDIA/TensorRT-LLM/issues/1632
    """
    return _Refused()


class _OtherTemperature(_Crowd):
    """A request beside one with another temperature gets a server error."""

    async def answer(
        self, _: ClientRequest, visit: _Visit, right: ServerResponse, __: Upstream
    ) -> ServerResponse:
        mine = visit.body.get("temperature", 1)
        if all(one.body.get("temperature", 1) == mine for one in visit.beside):
            return right
        message = "Currently only supporting same temperature for all sequences in batch"
        return Rejected(500, message, kind="InternalServerError").response


@fault(
    "other-temperature-beside-breaks",
    breaks=f"{OWN_SETTINGS} errors.few-left-unanswered",
    also_breaks=ANYTHING,
    statistical=True,
    triggers=(),
    evidence=REPORTED,
)
def other_temperature_beside_breaks() -> Behaviour:
    """Requests with different temperatures at the same time get a server error.

    Source: https://github.com/tenstorrent/vllm/issues/29
    """
    return _OtherTemperature()


class _SeedLost(_Changing):
    """A seed has no effect beside a sampled request without one."""

    def changed(self, visit: _Visit, others: Sequence[Body]) -> Body:
        body = visit.body
        unseeded = any(not _is_greedy(other) and other.get("seed") is None for other in others)
        if not unseeded or body.get("seed") is None:
            return body
        return {name: value for name, value in body.items() if name != "seed"}


@fault(
    "seed-lost-beside-unseeded",
    breaks=SEED,
    also_breaks="seed.*",
    triggers=(),
    evidence=REPORTED,
    statistical=True,
)
def seed_lost_beside_unseeded() -> Behaviour:
    """A seed has no effect if another request of the batch has none.

    Source: https://github.com/vllm-project/vllm/issues/51226
    """
    return _SeedLost()


class _Garbled(_Crowd):
    """In a batch of eight, a request that outlives another one is corrupted."""

    async def answer(
        self, _: ClientRequest, visit: _Visit, right: ServerResponse, __: Upstream
    ) -> ServerResponse:
        mine = visit.body.get("max_tokens")
        early = any(_ends_before(other.body, mine) for other in visit.beside)
        return _exclaimed(right) if early and len(visit.beside) + 1 >= 8 else right


def _ends_before(other: Body, limit: object) -> bool:
    theirs = other.get("max_tokens")
    return isinstance(theirs, int) and isinstance(limit, int) and theirs < limit


def _exclaimed(response: ServerResponse) -> ServerResponse:
    """Replace the second half of each text by exclamation marks."""
    if response.is_stream:
        chunks = response.chunks
        for chunk in chunks[len(chunks) // 2 :]:
            chunk["choices"] = [_with_marks(choice, 0) for choice in chunk["choices"]]
        return response.with_chunks(chunks)
    body = response.body
    choices = [_with_marks(choice, len(choice["text"]) // 2) for choice in body["choices"]]
    return response.with_body({**body, "choices": choices})


def _with_marks(choice: Body, kept: int) -> Body:
    text = choice["text"]
    return {**choice, "text": text[:kept] + "!" * (len(text) - kept)}


@fault(
    "garbled-by-early-end",
    breaks=OWN_SETTINGS,
    also_breaks=ANYTHING,
    statistical=True,
    triggers=(),
    evidence=REPORTED,
)
def garbled_by_early_end() -> Behaviour:
    """In a batch of eight, the early end of one request corrupts those that go on.

    Source: https://github.com/scouzi1966/maclocal-api/issues/140
    """
    return _Garbled()


class _Interleaved(_Crowd):
    """Of two streams at once, the second one also gets pieces of the first."""

    async def answer(
        self, request: ClientRequest, visit: _Visit, right: ServerResponse, upstream: Upstream
    ) -> ServerResponse:
        response = right
        streams = [one.body for one in visit.beside if one.body.get("stream") is True]
        if not (response.is_stream and streams):
            return response
        theirs = await upstream(request.with_body(streams[0]))
        if not theirs.is_stream or theirs.status != 200:
            return response
        mine, foreign = response.chunks, [c for c in theirs.chunks if c["choices"]]
        texts = [choice["text"] for chunk in foreign for choice in chunk["choices"]]
        for place, text in enumerate(texts[:3]):
            at = 2 * place + 1
            if at < len(mine) and mine[at]["choices"]:
                first, *rest = mine[at]["choices"]
                mine[at]["choices"] = [{**first, "text": first["text"] + text}, *rest]
        return response.with_chunks(mine)


@fault(
    "streams-interleaved",
    breaks=OWN_SETTINGS,
    also_breaks=ANYTHING,
    statistical=True,
    triggers=(),
    evidence=REPORTED,
)
def streams_interleaved() -> Behaviour:
    """Of two streams at the same time, tokens of one appear in the other.

    Source: https://github.com/chenhunghan/ialacol/issues/74
    """
    return _Interleaved()


# ── Earlier requests ─────────────────────────────────────────────────────────────────────────────


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
        if prompt in self._cached and _is_greedy(request.body):
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


@fault(
    "cache-hit-is-empty",
    breaks=EARLIER,
    also_breaks=ANYTHING,
    statistical=True,
    triggers=(),
    evidence=REPORTED,
)
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
        if prompt in self._stopped and _is_greedy(body):
            # What was kept ends some tokens too early.
            return await upstream(request.with_body({**body, "prompt": prompt[:-9]}))
        return await upstream(request)


@fault(
    "cache-poisoned-by-stop",
    breaks=EARLIER,
    also_breaks=ANYTHING,
    triggers=(),
    evidence=REPORTED,
    statistical=True,
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


@fault(
    "cache-hit-stays",
    breaks=f"{EARLIER} {OWN_PROMPT}",
    also_breaks=ANYTHING,
    statistical=True,
    triggers=(),
    evidence=REPORTED,
)
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


@fault(
    "aborted-stream-stays",
    breaks=EARLIER,
    also_breaks=ANYTHING,
    statistical=True,
    triggers=(),
    evidence=REPORTED,
)
def aborted_stream_stays() -> Behaviour:
    """The request after an aborted one gets the memory of its prompt, and continues that.

    Source: https://github.com/sgl-project/sglang/pull/35049
    """
    return _Aborted()
