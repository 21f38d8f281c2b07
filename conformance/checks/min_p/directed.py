"""``min_p``: the least probability of a sampled token, as a share of the most probable one's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.narrow_sampling import (
    assert_inside,
    assert_narrow_as_greedy,
    freely,
    less_likely,
)
from conformance.checks._shared.request_shapes import assert_greedy_in_every_shape
from conformance.checks._shared.sampling import distinguished, expect_variety, sampled
from conformance.message import say
from conformance.protocol.completion import Choice

SHARE = 0.5
"""The ``min_p`` whose border is judged. The temperature is 1 then, so that it is the same for
servers that apply the temperature before or after it."""


@check(
    "min-p.one-is-greedy",
    requirement="min-p.leaves-out-the-unlikely",
    needs=("temperature",),
    sees_effect=True,
)
async def one_is_greedy(api: Api) -> None:
    """With `min_p: 1`, sampling at temperature 1 gives the greedy text.

    设置 `min_p: 1` 时，以 temperature 1 采样得到贪心文本。
    """
    await assert_narrow_as_greedy(api, sampled(min_p=1))


@check(
    "min-p.above-the-share",
    requirement="min-p.leaves-out-the-unlikely",
    needs=("temperature", "logprobs"),
    sees_effect=True,
)
async def sampled_tokens_reach_the_share(api: Api) -> None:
    """With `min_p: 0.5`, each sampled token is at least half as probable as the best one.

    设置 `min_p: 0.5` 时，每个采样的 token 的概率都不低于最优 token 的一半。
    """
    expected = say("tokens of at least {share} of the best one's probability", share=f"{SHARE:g}")
    await assert_inside(api, freely(api, min_p=SHARE), less_likely(SHARE), expected)


@check(
    "min-p.one-in-every-way",
    requirement="min-p.leaves-out-the-unlikely",
    tier="deep",
    needs=("temperature", "logprobs"),
    sees_effect=True,
)
async def one_is_greedy_in_every_way(api: Api) -> None:
    """With `min_p: 1`, streams, batches and several choices have the best tokens.

    设置 `min_p: 1` 时，无论流式、批次还是多个 choice，都选取最优 token。
    """
    await assert_greedy_in_every_shape(
        api, say("the best token at every position"), temperature=1, min_p=1
    )


@check("min-p.zero-varies", requirement="min-p.zero-keeps-all", tier="deep", needs=("temperature",))
async def zero_keeps_all_tokens(api: Api) -> None:
    """With `min_p: 0`, samples at temperature 1 differ.

    设置 `min_p: 0` 时，以 temperature 1 采样得到的结果互不相同。
    """

    async def draw(prompt: str, number: int, **more: Any) -> Sequence[Choice]:
        request = sampled(prompt, min_p=0, **distinguished(api, number), **more)
        return (await api.complete(fresh=number > 0, **request)).expect_ok().choices

    await expect_variety("min-p.zero-varies", draw, say("different samples, as without `min_p`"))
