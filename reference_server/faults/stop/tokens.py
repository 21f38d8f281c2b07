"""Faults of ``stop`` in servers that look for a sequence token by token, or after a step."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.faults._endings import cut_elsewhere, generates, sequences
from reference_server.faults._parts import of_each_choice
from reference_server.faults.stop.drafts import TOKENS_PER_STEP, tokens_to_stop
from reference_server.faults.stop.sequences import CUTS

TAIL_CHARS = 6
"""Characters that are decoded behind a sequence until the decoder has halted."""


@fault(
    "stop-rest-of-response-returned",
    breaks=CUTS,
    evidence=Evidence.REPORTED,
    triggers=(),
)
def stop_rest_of_response_returned() -> Behaviour:
    """The sequence is cut out, and characters that were decoded behind it are returned.

    Reported for vMLX: https://github.com/osaurus-ai/vmlx-swift/pull/109
    """

    def cut(request: Body, _: str, text: str) -> str:
        at, stop = min(
            ((text.find(s), s) for s in sequences(request) if s in text), default=(-1, "")
        )
        if at < 0:
            return text
        behind = at + len(stop)
        return text[:at] + text[behind : behind + TAIL_CHARS]

    return cut_elsewhere(cut)


class _OfTokens:
    """Answers with the tokens that the server generates without ``stop``."""

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        right = await upstream(request)
        body = request.body
        if right.status != HTTPStatus.OK or not sequences(body) or not self.strikes(body):
            return right
        asked = {**generates(body), "logprobs": body.get("logprobs") or 0}
        plain = {k: v for k, v in asked.items() if k not in ("stream", "stream_options", "echo")}
        free = await upstream(request.with_body(plain))
        if free.status != HTTPStatus.OK:
            return right
        return await self.answer(request, upstream, right, free.body["choices"])

    def strikes(self, body: Body) -> bool:
        """Whether tokens of a second request are those of the first."""
        return body.get("temperature") == 0 or body.get("seed") is not None

    async def answer(
        self,
        request: ClientRequest,
        upstream: Upstream,
        right: ServerResponse,
        free: list[Any],
    ) -> ServerResponse:
        """Return the response, from the choices without ``stop``."""
        raise NotImplementedError


class _LastTokenCut(_OfTokens):
    async def answer(
        self,
        request: ClientRequest,
        upstream: Upstream,  # noqa: ARG002 - the right response has all that is returned
        right: ServerResponse,
        free: list[Any],
    ) -> ServerResponse:
        if right.is_stream or request.body.get("echo"):
            return right
        choices = []
        for choice, whole in zip(right.body["choices"], free, strict=True):
            tokens = whole["logprobs"]["tokens"]
            needed = tokens_to_stop(tokens, sequences(request.body))
            ended = choice["finish_reason"] == "stop" and needed is not None
            text = "".join(tokens[: needed - 1]) if ended and needed else choice["text"]
            broken = "bytes:" in text or not text.startswith(choice["text"])
            choices.append(choice if broken else {**choice, "text": text})
        return right.with_body({**right.body, "choices": choices})


@fault(
    "stop-only-last-token-cut",
    breaks=CUTS,
    evidence=Evidence.REPORTED,
    triggers=(),
)
def stop_only_last_token_cut() -> Behaviour:
    """Of a sequence of several tokens, only the last token is cut from the text.

    Reported for oMLX: https://github.com/jundot/omlx/issues/2386
    """
    return _LastTokenCut()


class _MaskedByLimit(_OfTokens):
    async def answer(
        self,
        request: ClientRequest,
        upstream: Upstream,
        right: ServerResponse,
        free: list[Any],
    ) -> ServerResponse:
        body = request.body
        limit = body.get("max_tokens") or 16
        # The first token comes with the prompt.
        before_last = 1 + max(-(-(limit - 1) // TOKENS_PER_STEP) - 1, 0) * TOKENS_PER_STEP
        stops = sequences(body)
        needed = [tokens_to_stop(choice["logprobs"]["tokens"], stops) for choice in free]
        reached = all(choice["finish_reason"] == "length" for choice in free)
        if not reached or any(n is None or n <= before_last for n in needed):
            return right
        return await upstream(request.with_body(generates(body)))


@fault(
    "stop-missed-in-last-step",
    breaks=CUTS,
    also_breaks="finish-reason.stop-at-sequence",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def stop_missed_in_last_step() -> Behaviour:
    """A sequence in the step of several tokens that reaches ``max_tokens`` has no effect.

    Reported for SGLang: https://github.com/sgl-project/sglang/issues/31599
    """
    return _MaskedByLimit()


@fault(
    "stream-stop-within-token-only",
    breaks="streaming.stop-never-leaks streaming.text-equals-plain stop.across-token-borders",
    # No token is withheld, and the stream goes on.
    also_breaks="finish-reason.stop-at-sequence usage.stream-equals-plain stop.excluded-from-text",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def stream_stop_within_token_only() -> Behaviour:
    """In a stream, a sequence is only seen within one token, and that token is sent.

    Reported for mlx-knife: https://github.com/mzau/mlx-knife/issues/68
    """

    def of(request: Body, own: list[Body]) -> list[Body]:
        stops = sequences(request)
        for number, part in enumerate(own):
            if any(stop in part["text"] for stop in stops):
                return [*own[:number], {**part, "finish_reason": "stop"}]
        return own

    def free(request: Body) -> Body:
        return generates(request) if request.get("stream") is True else request

    def first_match(request: Body, sent: list[Body]) -> list[Body]:
        return of_each_choice(of).chunks(request, sent) if sequences(request) else sent  # type: ignore[misc]  # it changes chunks

    return Rewrite(request=free, chunks=first_match)
