"""Greedy answers that differ now and then, where another batch decides a near-tie otherwise."""

from __future__ import annotations

import random

from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import variant
from reference_server.variants._retold import (
    MAX_ALTERNATIVES,
    Ask,
    Choice,
    Regenerated,
    cut,
    greedy,
    joined,
)

NEAR = 0.5
"""Log probabilities that are less apart than this may change places between two requests."""


@variant("near-ties", may_be_inconclusive=True)
def near_ties() -> Behaviour:
    """One greedy choice of twelve takes the second of two tokens that are nearly as probable."""
    return _Flipping(0.08).behaviour


@variant("near-ties-often", may_be_inconclusive=True)
def near_ties_often() -> Behaviour:
    """One greedy choice of three takes the second of two tokens that are nearly as probable."""
    return _Flipping(0.33).behaviour


class _Flipping:
    """Takes another turn at a near-tie, and goes on from there as the model does."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._chance = random.Random(8)  # noqa: S311 - chance that can be repeated

    @property
    def behaviour(self) -> Regenerated:
        return Regenerated(self._remade, _is_plain_greedy)

    async def _remade(self, request: Body, choice: Choice, ask: Ask) -> Choice:
        if self._chance.random() >= self._share:
            return choice
        ties = [at for at in range(choice.entries) if _second(choice, at) is not None]
        if not ties:
            return choice
        at = self._chance.choice(ties)
        return await _gone_on(request, choice, at, ask) or choice


def _is_plain_greedy(request: Body) -> bool:
    """Whether the most probable token is always taken, and nothing but the text decides which.

    Where a bias, a penalty or a suffix has its say, a near-tie cannot be told from the scores; and
    a stop sequence could lie across the turn that is taken.
    """
    deciding = ("logit_bias", "presence_penalty", "frequency_penalty", "suffix", "stop")
    return greedy(request) and not any(request.get(name) for name in deciding)


def _second(choice: Choice, at: int) -> str | None:
    """The runner-up to a token, where it is near and has a text of its own."""
    top = choice.scores["top_logprobs"][at]
    first, second, *_ = sorted(top, key=top.__getitem__, reverse=True)
    near = top[first] - top[second] < NEAR and first == choice.scores["tokens"][at]
    written = not second.startswith(("bytes:", "<|")) and "\ufffd" not in second
    return second if near and written else None


async def _gone_on(request: Body, choice: Choice, at: int, ask: Ask) -> Choice | None:
    """Take the runner-up and let the model go on; None where the text would be read otherwise."""
    second = _second(choice, at)
    assert second is not None  # noqa: S101 - only near-ties are chosen
    before = choice.text_before(at)
    limit = request.get("max_tokens")
    limit = 16 if limit is None else limit
    known = len(choice.prompt_scores["tokens"]) + at
    whole = await ask(
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
