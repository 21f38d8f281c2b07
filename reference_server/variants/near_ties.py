"""Greedy completions that sometimes differ, because batching decides near-ties differently."""

from __future__ import annotations

import random

from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.regenerated import (
    MAX_ALTERNATIVES,
    Choice,
    Regenerated,
    Send,
    cut,
    greedy,
    joined,
)
from reference_server.behaviour.registry import variant

MAX_GAP_NATS = 0.5
"""Log probabilities that differ by less than this may swap places between two requests."""


@variant("near-ties", may_be_inconclusive=True)
def near_ties() -> Behaviour:
    """One greedy choice in twelve takes the second of two almost equally probable tokens."""
    return Flipping(0.08).behaviour


@variant("near-ties-often", may_be_inconclusive=True)
def near_ties_often() -> Behaviour:
    """One greedy choice in three takes the second of two almost equally probable tokens."""
    return Flipping(0.33).behaviour


class Flipping:
    """Takes the other token at a near-tie, and continues from there as the model does."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._chance = random.Random(8)  # noqa: S311 - randomness that can be repeated

    @property
    def behaviour(self) -> Regenerated:
        """What stands between the client and the server."""
        return Regenerated(self._remade, _is_plain_greedy)

    async def _remade(self, request: Body, choice: Choice, send: Send) -> Choice:
        if self._chance.random() >= self._share:
            return choice
        ties = [at for at in range(choice.entries) if _second(choice, at) is not None]
        if not ties:
            return choice
        at = self._chance.choice(ties)
        return await _gone_on(request, choice, at, send) or choice


def _is_plain_greedy(request: Body) -> bool:
    """Whether decoding is greedy and depends on the text alone.

    With a bias, a penalty or a suffix, near-ties cannot be recognised from the log probabilities; a
    stop sequence could extend across the changed token.
    """
    deciding = ("logit_bias", "presence_penalty", "frequency_penalty", "suffix", "stop")
    return greedy(request) and not any(request.get(name) for name in deciding)


def _second(choice: Choice, at: int) -> str | None:
    """The runner-up to a token, if it is near and has text."""
    top = choice.scores["top_logprobs"][at]
    first, second, *_ = sorted(top, key=top.__getitem__, reverse=True)
    near = top[first] - top[second] < MAX_GAP_NATS and first == choice.scores["tokens"][at]
    written = not second.startswith(("bytes:", "<|")) and "\ufffd" not in second
    return second if near and written else None


async def _gone_on(request: Body, choice: Choice, at: int, send: Send) -> Choice | None:
    """Take the runner-up and let the model continue; None if the text is tokenised otherwise."""
    second = _second(choice, at)
    assert second is not None  # noqa: S101 - only near-ties are chosen
    before = choice.text_before(at)
    limit = request.get("max_tokens")
    limit = 16 if limit is None else limit
    known = len(choice.prompt_scores["tokens"]) + at
    whole = await send(
        {
            "model": request.get("model"),
            "prompt": choice.prompt + before + second,
            "temperature": 0,
            "max_tokens": limit - at - 1,
            "echo": True,
            "logprobs": MAX_ALTERNATIVES,
        }
    )
    if whole is None:
        return None
    (other,) = whole["choices"]
    expected = [*choice.prompt_scores["tokens"], *choice.scores["tokens"][:at], second]
    if other["logprobs"]["tokens"][: known + 1] != expected:
        return None
    rest = {name: values[known:] for name, values in other["logprobs"].items()}
    text = other["text"][len(choice.prompt) :]
    return choice.ended(text, joined(cut(choice.scores, at), rest), other["finish_reason"])
