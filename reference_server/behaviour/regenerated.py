"""Choices that are generated again, token by token, by a model other than the bundled one.

The server behind always gets a non-streaming request with log probabilities, so that a variant sees
each token. The client gets the form that it requested.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from reference_server.behaviour.builders import always
from reference_server.behaviour.messages import (
    DONE,
    EVENT_STREAM,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
    encode,
    json_response,
)
from reference_server.behaviour.of_requests import prompts_of

MAX_ALTERNATIVES = 5
"""The most alternatives that can be requested."""
END = "<|endoftext|>"
"""The token that ends a text, as it is listed."""

Scores = dict[str, list[Any]]
"""The four arrays of log probabilities."""

Send = Callable[[Body], Awaitable[Body | None]]
"""Sends a non-streaming request to the server behind; None if it is rejected."""


@dataclass(frozen=True)
class Choice:
    """One choice: what was generated, and the prompt as the server reads it.

    Attributes:
        prompt: as text, also if the client sent token ids.
        prompt_scores: the entries of the prompt.
        scores: the entries of ``text``, with offsets that follow those of the prompt.
    """

    index: int
    prompt: str
    prompt_scores: Scores
    text: str
    scores: Scores
    finish: str
    counted: int | None = None
    """The number of tokens counted, if it differs from the number listed."""

    @property
    def entries(self) -> int:
        """The number of tokens listed."""
        return len(self.scores["tokens"])

    def text_before(self, entry: int) -> str:
        """The text of the tokens before one of them."""
        return self.text[: self.scores["text_offset"][entry] - len(self.prompt)]

    def ended(
        self, text: str, scores: Scores, finish: str, *, counted: int | None = None
    ) -> Choice:
        """The same choice with another finish reason, or another text."""
        return replace(self, text=text, scores=scores, finish=finish, counted=counted)


Remake = Callable[[Body, Choice, Send], Awaitable[Choice]]
"""Generates a choice again, for a client's request."""


class Regenerated:
    """Responds with choices that are generated again."""

    def __init__(self, remake: Remake, when: Callable[[Body], bool] = always) -> None:
        """``when``: whether a request's choices may be changed."""
        self._remake = remake
        self._when = when

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        """Respond to one request."""
        right = await upstream(request)
        # A rejected request stays rejected, and without generated tokens nothing changes.
        if (
            right.status != 200
            or request.body.get("max_tokens") == 0
            or not self._when(request.body)
        ):
            return right

        async def send(body: Body) -> Body | None:
            got = await upstream(request.with_body(body))
            return got.body if got.status == 200 else None

        body = non_streaming(request.body)
        whole = await send(body)
        if whole is None:
            return right
        choices = await _choices(body, whole, send)
        if choices is None:
            return right
        remade = [await self._remake(request.body, choice, send) for choice in choices]
        # Tokens that a stop sequence cut off are counted although they are not listed.
        unlisted = whole["usage"]["completion_tokens"] - sum(c.entries for c in choices)
        counted = unlisted + sum(c.entries if c.counted is None else c.counted for c in remade)
        prompts = whole["usage"]["prompt_tokens"]
        usage = {
            "prompt_tokens": prompts,
            "completion_tokens": counted,
            "total_tokens": prompts + counted,
        }
        return _response(request.body, right, remade, usage)


def greedy(request: Body) -> bool:
    """Whether decoding is greedy, so that a repeated request gets the same choice."""
    return request.get("temperature") == 0


def stops_of(request: Body) -> list[str]:
    """The non-empty stop sequences of a request."""
    stop = request.get("stop") or []
    return [one for one in ([stop] if isinstance(stop, str) else stop) if one]


def non_streaming(request: Body) -> Body:
    """The request without a stream and without an echo, and with every token listed."""
    left = {k: v for k, v in request.items() if k not in ("stream", "stream_options", "echo")}
    return {**left, "logprobs": MAX_ALTERNATIVES}


def cut(scores: Scores, entries: int) -> Scores:
    """Keep the first entries."""
    return {name: values[:entries] for name, values in scores.items()}


def joined(one: Scores, other: Scores) -> Scores:
    """Put entries before others."""
    return {name: [*one[name], *other[name]] for name in one}


async def _choices(body: Body, whole: Body, send: Send) -> list[Choice] | None:
    prompts = prompts_of(body)
    choices_per_prompt = len(whole["choices"]) // len(prompts)
    echoes = []
    for prompt in prompts:
        alone = {"model": body.get("model"), "prompt": prompt}
        echo = await send({**alone, "echo": True, "max_tokens": 0, "logprobs": MAX_ALTERNATIVES})
        if echo is None:
            return None
        echoes.append(echo["choices"][0])
    result = []
    for choice in whole["choices"]:
        echo = echoes[choice["index"] // choices_per_prompt]
        result.append(
            Choice(
                choice["index"],
                echo["text"],
                echo["logprobs"],
                choice["text"],
                choice["logprobs"],
                choice["finish_reason"],
            )
        )
    return result


def _response(
    request: Body, right: ServerResponse, choices: list[Choice], usage: Body
) -> ServerResponse:
    if not right.is_stream:
        parts = [_whole(request, choice) for choice in choices]
        return json_response(200, {**right.body, "choices": parts, "usage": usage})
    sent = right.chunks
    head = {name: value for name, value in sent[0].items() if name != "choices"}
    result = [{**head, "choices": [part]} for c in choices for part in _chunks(request, c)]
    if not sent[-1]["choices"]:
        result.append({**head, "choices": [], "usage": usage})
    data = [*(encode(chunk).decode() for chunk in result), DONE]
    empty = ServerResponse(200, (("content-type", f"{EVENT_STREAM}; charset=utf-8"),), ())
    return empty.with_data(data)


def _whole(request: Body, choice: Choice) -> Body:
    text, scores = choice.text, choice.scores
    if request.get("echo") is True:
        text, scores = choice.prompt + text, joined(choice.prompt_scores, scores)
    return _part(request, choice.index, text, scores, choice.finish)


def _chunks(request: Body, choice: Choice) -> list[Body]:
    """Split a choice into one part for each token, and one before them for an echoed prompt."""
    parts = []
    if request.get("echo") is True:
        parts.append(_part(request, choice.index, choice.prompt, choice.prompt_scores, None))
    starts = [len(choice.text_before(at)) for at in range(choice.entries)]
    for at, (start, end) in enumerate(pairwise([*starts, len(choice.text)])):
        entry = {name: values[at : at + 1] for name, values in choice.scores.items()}
        parts.append(_part(request, choice.index, choice.text[start:end], entry, None))
    if choice.entries:
        parts[-1]["finish_reason"] = choice.finish
    else:
        parts.append(_part(request, choice.index, choice.text, choice.scores, choice.finish))
    return parts


def _part(request: Body, index: int, text: str, scores: Scores, finish: str | None) -> Body:
    most = request.get("logprobs")
    shown = None if most is None else trimmed(scores, most)
    return {"text": text, "index": index, "logprobs": shown, "finish_reason": finish}


def trimmed(scores: Scores, most: int) -> Scores:
    """List so many alternatives of each token, and the token itself."""
    pairs = zip(scores["tokens"], scores["top_logprobs"], strict=True)
    return {**scores, "top_logprobs": [_trimmed(top, token, most) for token, top in pairs]}


def _trimmed(top: Body | None, token: str, most: int) -> Body | None:
    if top is None:
        return None
    best = sorted(top, key=top.__getitem__, reverse=True)[:most]
    return {name: value for name, value in top.items() if name in best or name == token}
