"""Faults of an echoed prompt's scores that depend on its text, or on what came before."""

from __future__ import annotations

from typing import Any

from reference_server.behaviour.builders import choices
from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.registry import Evidence, Tier, fault
from reference_server.faults._endings import prompt_of

Scores = dict[str, list[Any]]

BLOCK_TOKENS = 16
"""The tokens that a prefix cache keeps together."""

READ_WITH = 3
"""Tokens behind a line break that are still read with it."""


def _echoed(request: Body) -> bool:
    return request.get("echo") is True and request.get("logprobs") is not None


def _length(request: Body, index: int, scores: Scores) -> int:
    """The number of entries of the echoed prompt."""
    end = len(prompt_of(request, index))
    return sum(start < end for start in scores["text_offset"])


@fault(
    "echo-tokens-gather-line-breaks",
    breaks="echo.logprobs-cover-prompt",
    also_breaks="logprobs-arrays.tokens-join-to-text logprobs-arrays.sampled-agrees-with-top",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def echo_tokens_gather_line_breaks() -> Behaviour:
    """Behind a line break, each echoed token is listed with one line break more before it.

    Reported for vLLM: https://github.com/vllm-project/vllm/issues/5334
    """

    def change(request: Body, choice: Body) -> Body:
        scores = choice["logprobs"]
        if not (scores and _echoed(request)):
            return choice
        tokens, end = list(scores["tokens"]), _length(request, choice["index"], scores)
        first = next((n for n in range(end) if tokens[n] == "\n"), end)
        for more, at in enumerate(range(first + READ_WITH, end), start=1):
            tokens[at] = "\n" * more + tokens[at]
        return {**choice, "logprobs": {**scores, "tokens": tokens}}

    return choices(lambda request, of: [change(request, choice) for choice in of])


class _Stale:
    """What the cache keeps of a prompt is scored with what the last prompt left."""

    def __init__(self) -> None:
        self._cached: set[tuple[str, ...]] = set()
        self._left: list[float | None] = []

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        response = await upstream(request)
        body = request.body
        if response.status != 200 or response.is_stream or not _echoed(body):
            return response
        result = [self._scored(body, choice) for choice in response.body["choices"]]
        return response.with_body({**response.body, "choices": result})

    def _scored(self, request: Body, choice: Body) -> Body:
        scores = choice["logprobs"]
        block = tuple(scores["tokens"][:BLOCK_TOKENS])
        size = _length(request, choice["index"], scores)
        left, self._left = self._left, scores["token_logprobs"][:size]
        if size <= BLOCK_TOKENS:
            return choice
        if block not in self._cached:
            self._cached.add(block)
            return choice
        # Of the first token, there is no score in any case.
        stale = [score for score in left[1:BLOCK_TOKENS] if score is not None]
        values, tops = list(scores["token_logprobs"]), list(scores["top_logprobs"])
        for at, score in enumerate(stale, start=1):
            values[at] = score
            tops[at] = {**(tops[at] or {}), scores["tokens"][at]: score}
        return {
            **choice,
            "logprobs": {**scores, "token_logprobs": values, "top_logprobs": tops},
        }


@fault(
    "echo-scores-stale-when-cached",
    breaks="echo.scored-equals-generated",
    also_breaks="logprobs-arrays.top-mass-at-most-one isolation.earlier-requests",
    evidence=Evidence.REPORTED,
    tier=Tier.DEEP,
    triggers=(),
)
def echo_scores_stale_when_cached() -> Behaviour:
    """Sixteen cached tokens of an echoed prompt have the scores of the prompt before.

    Reported for vLLM: https://github.com/vllm-project/vllm/issues/42019
    """
    return _Stale()
