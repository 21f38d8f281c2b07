"""A model that goes on otherwise than the one behind it: choices are made anew, token by token.

The server proper is asked plainly and for log probabilities, whatever the client wants, so that a
behaviour sees each token; of what it makes of them the client gets what it asked for.
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
    Answer,
    Asked,
    Body,
    Upstream,
    encode,
    json_answer,
)
from reference_server.variants._requests import prompts_of

MOST = 5
"""Alternatives that can be asked for."""
END = "<|endoftext|>"
"""The token that ends a text, as it is listed."""

Scores = dict[str, list[Any]]
"""The four arrays of log probabilities."""

Ask = Callable[[Body], Awaitable[Body | None]]
"""Asks the server proper, plainly; None where it declines."""


@dataclass(frozen=True)
class Choice:
    """One answer to one prompt: what was generated, and the prompt as the server reads it.

    Attributes:
        prompt: as text, also where the client sent token ids.
        prompt_scores: the entries of the prompt.
        scores: the entries of ``text``, with offsets that follow those of the prompt.
    """

    index: int
    prompt: str
    prompt_scores: Scores
    text: str
    scores: Scores
    finish: str
    billed: int | None = None
    """How many of its tokens are counted, where that is not how many are listed."""

    @property
    def entries(self) -> int:
        """How many tokens are listed."""
        return len(self.scores["tokens"])

    def text_before(self, entry: int) -> str:
        """The text of the tokens before one of them."""
        return self.text[: self.scores["text_offset"][entry] - len(self.prompt)]

    def ended(self, text: str, scores: Scores, finish: str, *, billed: int | None = None) -> Choice:
        """The same choice with another end, or another text."""
        return replace(self, text=text, scores=scores, finish=finish, billed=billed)


Remake = Callable[[Body, Choice, Ask], Awaitable[Choice]]
"""Makes a choice anew, for a client's request."""


class Retold:
    """Answers with choices that are made anew."""

    def __init__(self, remake: Remake, when: Callable[[Body], bool] = always) -> None:
        """``when`` says of a request whether its choices may be other ones."""
        self._remake = remake
        self._when = when

    async def __call__(self, asked: Asked, upstream: Upstream) -> Answer:
        """Answer one request."""
        right = await upstream(asked)
        # A request that is declined stays declined, and where nothing is generated nothing changes.
        if right.status != 200 or asked.body.get("max_tokens") == 0 or not self._when(asked.body):
            return right

        async def ask(body: Body) -> Body | None:
            got = await upstream(asked.with_body(body))
            return got.body if got.status == 200 else None

        body = plainly(asked.body)
        whole = await ask(body)
        if whole is None:
            return right
        choices = await _choices(body, whole, ask)
        if choices is None:
            return right
        remade = [await self._remake(asked.body, choice, ask) for choice in choices]
        # Tokens that a stop sequence cut off are on the bill, though nobody lists them.
        unlisted = whole["usage"]["completion_tokens"] - sum(c.entries for c in choices)
        billed = unlisted + sum(c.entries if c.billed is None else c.billed for c in remade)
        prompts = whole["usage"]["prompt_tokens"]
        bill = {
            "prompt_tokens": prompts,
            "completion_tokens": billed,
            "total_tokens": prompts + billed,
        }
        return _told(asked.body, right, remade, bill)


def greedy(asked: Body) -> bool:
    """Whether the most probable token is always taken, so that the same is answered again."""
    return asked.get("temperature") == 0


def stops_of(asked: Body) -> list[str]:
    """The stop sequences of a request that hold something."""
    stop = asked.get("stop") or []
    return [one for one in ([stop] if isinstance(stop, str) else stop) if one]


def plainly(asked: Body) -> Body:
    """Ask the same for an answer that is no stream and no echo, and has every token listed."""
    left = {k: v for k, v in asked.items() if k not in ("stream", "stream_options", "echo")}
    return {**left, "logprobs": MOST}


def cut(scores: Scores, entries: int) -> Scores:
    """Keep the first entries."""
    return {name: values[:entries] for name, values in scores.items()}


def joined(one: Scores, other: Scores) -> Scores:
    """Put entries behind others."""
    return {name: [*one[name], *other[name]] for name in one}


async def _choices(body: Body, whole: Body, ask: Ask) -> list[Choice] | None:
    prompts = prompts_of(body)
    copies = len(whole["choices"]) // len(prompts)
    echoes = []
    for prompt in prompts:
        alone = {"model": body.get("model"), "prompt": prompt}
        echo = await ask({**alone, "echo": True, "max_tokens": 0, "logprobs": MOST})
        if echo is None:
            return None
        echoes.append(echo["choices"][0])
    told = []
    for choice in whole["choices"]:
        echo = echoes[choice["index"] // copies]
        told.append(
            Choice(
                choice["index"],
                echo["text"],
                echo["logprobs"],
                choice["text"],
                choice["logprobs"],
                choice["finish_reason"],
            )
        )
    return told


def _told(asked: Body, right: Answer, choices: list[Choice], bill: Body) -> Answer:
    if not right.is_stream:
        parts = [_whole(asked, choice) for choice in choices]
        return json_answer(200, {**right.body, "choices": parts, "usage": bill})
    sent = right.chunks
    head = {name: value for name, value in sent[0].items() if name != "choices"}
    told = [{**head, "choices": [part]} for c in choices for part in _pieces(asked, c)]
    if not sent[-1]["choices"]:
        told.append({**head, "choices": [], "usage": bill})
    data = [*(encode(chunk).decode() for chunk in told), DONE]
    empty = Answer(200, (("content-type", f"{EVENT_STREAM}; charset=utf-8"),), ())
    return empty.with_data(data)


def _whole(asked: Body, choice: Choice) -> Body:
    text, scores = choice.text, choice.scores
    if asked.get("echo") is True:
        text, scores = choice.prompt + text, joined(choice.prompt_scores, scores)
    return _part(asked, choice.index, text, scores, choice.finish)


def _pieces(asked: Body, choice: Choice) -> list[Body]:
    """Cut a choice into one part for each token, and one before them for an echoed prompt."""
    parts = []
    if asked.get("echo") is True:
        parts.append(_part(asked, choice.index, choice.prompt, choice.prompt_scores, None))
    starts = [len(choice.text_before(at)) for at in range(choice.entries)]
    for at, (start, end) in enumerate(pairwise([*starts, len(choice.text)])):
        entry = {name: values[at : at + 1] for name, values in choice.scores.items()}
        parts.append(_part(asked, choice.index, choice.text[start:end], entry, None))
    if choice.entries:
        parts[-1]["finish_reason"] = choice.finish
    else:
        parts.append(_part(asked, choice.index, choice.text, choice.scores, choice.finish))
    return parts


def _part(asked: Body, index: int, text: str, scores: Scores, finish: str | None) -> Body:
    most = asked.get("logprobs")
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
