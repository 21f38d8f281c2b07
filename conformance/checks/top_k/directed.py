"""``top_k``: how many of the most probable tokens sampling may choose from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.narrow_sampling import (
    assert_inside,
    assert_narrow_as_greedy,
    beyond,
    freely,
    hot,
)
from conformance.checks._shared.request_shapes import assert_greedy_in_every_shape
from conformance.checks._shared.sampling import distinguished, expect_variety, sampled
from conformance.message import say
from conformance.protocol.completion import Choice

KEPT = 2
"""The ``top_k`` whose border is judged: with it, an error of one lets many other tokens in."""


@check(
    "top-k.one-is-greedy",
    requirement="top-k.keeps-the-likeliest",
    needs=("temperature",),
    sees_effect=True,
)
async def one_token_is_greedy(api: Api) -> None:
    """With `top_k: 1`, sampling at temperature 1 gives the greedy text.

    设置 `top_k: 1` 时，以 temperature 1 采样得到贪心文本。
    """
    await assert_narrow_as_greedy(api, sampled(top_k=1))


@check(
    "top-k.among-the-likeliest",
    requirement="top-k.keeps-the-likeliest",
    needs=("temperature", "logprobs"),
    sees_effect=True,
)
async def sampled_tokens_are_among_the_likeliest(api: Api) -> None:
    """With `top_k: 2`, each sampled token is one of the two most probable ones.

    设置 `top_k: 2` 时，每个采样的 token 都是概率最高的两个之一。
    """
    request = freely(api, temperature=hot(api), top_k=KEPT)
    expected = say("tokens among the {count} most probable ones", count=KEPT)
    await assert_inside(api, request, beyond(KEPT), expected)


@check(
    "top-k.one-in-every-way",
    requirement="top-k.keeps-the-likeliest",
    tier="deep",
    needs=("temperature", "logprobs"),
    sees_effect=True,
)
async def one_token_is_greedy_in_every_way(api: Api) -> None:
    """With `top_k: 1`, streams, batches and several choices have the best tokens.

    设置 `top_k: 1` 时，无论流式、批次还是多个 choice，都选取最优 token。
    """
    await assert_greedy_in_every_shape(
        api, say("the best token at every position"), temperature=1, top_k=1
    )


@check("top-k.zero-varies", requirement="top-k.zero-keeps-all", tier="deep", needs=("temperature",))
async def zero_keeps_all_tokens(api: Api) -> None:
    """With `top_k: 0`, samples at temperature 1 differ.

    设置 `top_k: 0` 时，以 temperature 1 采样得到的结果互不相同。
    """

    async def draw(prompt: str, number: int, **more: Any) -> Sequence[Choice]:
        request = sampled(prompt, top_k=0, **distinguished(api, number), **more)
        return (await api.complete(fresh=number > 0, **request)).expect_ok().choices

    await expect_variety("top-k.zero-varies", draw, say("different samples, as without `top_k`"))
