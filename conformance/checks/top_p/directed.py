"""``top_p``: the share of probability that sampling may choose from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.narrow_sampling import assert_narrow_as_greedy
from conformance.checks._shared.neutral_values import neutral_values_are_harmless
from conformance.checks._shared.refusals import (
    minimal_request,
    served_or_rejected,
)
from conformance.checks._shared.request_shapes import assert_greedy_in_every_shape
from conformance.checks._shared.resampling import (
    NULL_SHAPES,
    assert_no_repeat,
    choices_in_every_shape,
    is_sampled_with_nulls,
    same_response,
)
from conformance.checks._shared.sampling import (
    NARROW_TOP_P,
    beside_top_p,
    distinguished,
    expect_variety,
    narrowed,
    sampled,
)
from conformance.checks._shared.seeded import (
    assert_same_sample,
    differs,
    is_sampled,
    nulled,
    seeded,
)
from conformance.judgement import Failure, shown
from conformance.message import say
from conformance.model import Effect
from conformance.protocol.completion import Choice


@check("top-p.one-served", requirement="top-p.range-served")
async def one_is_served(api: Api) -> None:
    """`top_p: 1` is accepted.

    `top_p: 1` 会被接受。
    """
    if not await neutral_values_are_harmless(api, "top_p"):
        (await api.complete(**minimal_request(top_p=1))).expect_ok()


@check("top-p.small-served", requirement="top-p.range-served")
async def a_small_value_is_served(api: Api) -> None:
    """A `top_p` just above 0 is accepted.

    略大于 0 的 `top_p` 会被接受。
    """
    (await api.complete(**narrowed(api, NARROW_TOP_P))).expect_ok()


@check(
    "top-p.narrow-is-greedy",
    requirement="top-p.narrows-sampling",
    needs=("temperature",),
    sees_effect=True,
)
async def a_narrow_choice_is_greedy(api: Api) -> None:
    """With `top_p` near 0, sampling at temperature 1 gives the greedy text.

    `top_p` 接近 0 时，以 temperature 1 采样得到贪心文本。
    """
    await assert_narrow_as_greedy(api, narrowed(api, NARROW_TOP_P), tells_ignored=True)


@check(
    "top-p.narrow-is-greedy-in-copies",
    requirement="top-p.narrows-sampling",
    tier="deep",
    needs=("temperature", "n"),
    sees_effect=True,
)
async def a_narrow_choice_is_greedy_in_every_choice(api: Api) -> None:
    """With `top_p` near 0, three choices have the same text.

    `top_p` 接近 0 时，三个 choice 的文本全部相同。
    """
    completion = (await api.complete(**narrowed(api, NARROW_TOP_P, n=3))).expect_ok()
    if len(set(completion.texts)) == len(completion.texts) > 2:
        raise Failure(
            say("the same text three times"), shown(completion.texts), effect=Effect.IGNORED
        )


@check(
    "top-p.narrow-in-every-way",
    requirement="top-p.narrows-sampling",
    tier="deep",
    needs=("temperature", "logprobs"),
    sees_effect=True,
)
async def a_narrow_choice_is_greedy_in_every_way(api: Api) -> None:
    """With `top_p` at or near 0, streams, batches and several choices have the best tokens.

    `top_p: 0` 或 `top_p` 接近 0 时，无论流式、批次还是多个 choice，都选取最优 token。
    """
    # Zero is the narrowest and is lost in a truth test; it may be rejected.
    zero = served_or_rejected(await api.complete(**narrowed(api, 0))) is not None
    request = beside_top_p(api, {"temperature": 1, "top_p": 0 if zero else NARROW_TOP_P})
    await assert_greedy_in_every_shape(api, say("the best token at every position"), **request)


@check("top-p.zero", requirement="top-p.narrows-sampling", needs=("temperature",), sees_effect=True)
async def zero_is_the_narrowest_choice(api: Api) -> None:
    """`top_p: 0` is rejected or gives the greedy text; it is not treated as unset.

    `top_p: 0` 会被拒绝，或给出贪心文本，而不是当作未设置。
    """
    response = await api.complete(**narrowed(api, 0))
    if served_or_rejected(response) is not None:
        await assert_narrow_as_greedy(api, narrowed(api, 0), tells_ignored=True)


@check("top-p.zero-served", requirement="top-p.minimum-served", needs=("temperature",))
async def zero_is_served(api: Api) -> None:
    """`top_p: 0`, the documented minimum, is accepted.

    `top_p: 0` 是文档给出的下限，会被接受。
    """
    (await api.complete(**narrowed(api, 0))).expect_ok()


@check("top-p.null-as-one", requirement="top-p.null-is-default", needs=("seed",))
async def null_is_as_one(api: Api) -> None:
    """With `top_p: null`, a seed gives the same sample as without `top_p`.

    设置 `top_p: null` 时，同一 seed 给出与未设置 `top_p` 时相同的样本。
    """
    if await differs(api, seeded(0), nulled(api)):
        (await api.complete(**minimal_request(top_p=None))).expect_ok()
        alone = seeded(0, top_p=None)
        await assert_same_sample(api, seeded(0), alone, say("the sample without `top_p`"))


@check(
    "top-p.null-in-every-way",
    requirement="top-p.null-is-default",
    tier="deep",
    needs=("temperature", "n", "logprobs"),
)
async def null_narrows_nothing_in_every_way(api: Api) -> None:
    """With `top_p: null`, choices differ without streaming, in streams and in Chinese.

    设置 `top_p: null` 时，无论非流式、流式还是中文，各 choice 互不相同。
    """
    if await is_sampled_with_nulls(api, "top_p", same_response):
        return
    request = {"temperature": 1, "top_p": None}
    taken = [
        await choices_in_every_shape(api, request, shapes=NULL_SHAPES, fresh=number > 0)
        for number in range(2)
    ]
    expected = say("different samples, as without `top_p`")
    assert_no_repeat("top-p.null-in-every-way", taken, expected, same_response)


@check("top-p.null", requirement="top-p.null-is-default", tier="deep", needs=("temperature",))
async def null_narrows_nothing(api: Api) -> None:
    """`top_p: null` is accepted and restricts sampling no more than 1 does.

    `top_p: null` 会被接受，采样与取 1 时一样自由。
    """
    if await is_sampled(api, nulled(api)):
        return

    async def draw(prompt: str, number: int, **more: Any) -> Sequence[Choice]:
        request = sampled(prompt, top_p=None, **distinguished(api, number), **more)
        return (await api.complete(fresh=number > 0, **request)).expect_ok().choices

    await expect_variety("top-p.null", draw, say("different samples, as with `top_p: 1`"))
