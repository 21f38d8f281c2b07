"""``logit_bias``: what is added to the logits of single tokens before one is sampled."""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._asking import plain
from conformance.checks._compare import expect_agreement
from conformance.checks._neutral import neutral_values_are_harmless, nulls_are_harmless
from conformance.checks._refusals import above, below, expect_declined, little, where_served
from conformance.checks._vocabulary import (
    FEW,
    FORCE,
    ONE,
    OTHER,
    banning,
    forced,
    natural_token,
    repeated_piece,
)
from conformance.judgement import expect
from conformance.model import Effect

BEYOND_ANY_VOCABULARY = 99_999_999


@check("logit-bias.forces", requirement="logit-bias.forces")
async def a_bias_of_100_forces_a_token(api: Api) -> None:
    """Forcing one token fills the text with it, and forcing another fills it with the other.

    强制某个 token 时文本全由它组成，强制另一个时则全由另一个组成。
    """
    one, other = await forced(api, ONE), await forced(api, OTHER)
    # The same text for both would be the text that comes without a bias.
    expect(one, f"text with token {ONE} forced", effect=Effect.IGNORED).differs_from(other)
    for text in (one, other):
        expect(text, "text with one token forced").satisfies(
            lambda it: repeated_piece(it) is not None, f"one piece, {FEW} times"
        )


@check("logit-bias.bans", requirement="logit-bias.bans")
async def a_bias_of_minus_100_bans_a_token(api: Api) -> None:
    """A token that the endpoint would sample next does not come when it is banned.

    接口本会接着采样的 token，被禁之后不再出现。

    A second token is banned beside it, so that it takes more than the first entry of the map.
    """
    prompt, piece, token = await natural_token(api)
    banned = await plain(api, prompt, max_tokens=1, logit_bias=banning(token))
    expect(banned.text, f"text with {piece!r} banned", effect=Effect.IGNORED).differs_from(piece)


@check("logit-bias.ends-served", requirement="logit-bias.forces", tier="deep")
async def both_ends_of_the_range_are_served(api: Api) -> None:
    """The lowest and the highest documented bias are served in one request.

    文档允许的最低与最高偏置在同一请求中得到处理。
    """
    bias = {str(ONE): below(api, "logit_bias", 0), str(OTHER): above(api, "logit_bias", 0)}
    (await api.complete(**little(logit_bias=bias))).expect_ok()


@check("logit-bias.none", requirement="logit-bias.forces")
async def an_empty_map_biases_nothing(api: Api) -> None:
    """An empty `logit_bias` gives the answer that comes without one.

    空的 `logit_bias` 给出与未设置时相同的响应。
    """
    if not await neutral_values_are_harmless(api, "logit_bias"):
        await hold_unbiased(api, {})


@check("logit-bias.null", requirement="logit-bias.forces")
async def null_biases_nothing(api: Api) -> None:
    """`logit_bias: null` gives the answer that comes without one.

    `logit_bias: null` 给出与未设置时相同的响应。
    """
    if await nulls_are_harmless(api, "logit_bias"):
        return
    async with where_served(api, "logit_bias", {str(ONE): 0}):
        await hold_unbiased(api, None)


@check("logit-bias.above-refused", requirement="logit-bias.out-of-range-refused")
async def above_the_maximum_is_refused(api: Api) -> None:
    """A bias just above the documented maximum is declined.

    略高于文档上限的偏置会被拒绝。
    """
    await expect_declined(api, logit_bias={str(ONE): above(api, "logit_bias", 1)})


@check("logit-bias.below-refused", requirement="logit-bias.out-of-range-refused", tier="deep")
async def below_the_minimum_is_refused(api: Api) -> None:
    """A bias just below the documented minimum is declined.

    略低于文档下限的偏置会被拒绝。
    """
    await expect_declined(api, logit_bias={str(ONE): below(api, "logit_bias", 1)})


@check("logit-bias.word-key-refused", requirement="logit-bias.unknown-token-refused", tier="deep")
async def a_word_is_no_token_id(api: Api) -> None:
    """A bias for a word in place of a token id is declined.

    以单词代替 token id 设置偏置会被拒绝。
    """
    await expect_declined(api, logit_bias={"hello": 1})


@check("logit-bias.unknown-id-refused", requirement="logit-bias.unknown-token-refused")
async def an_id_beyond_the_vocabulary_is_refused(api: Api) -> None:
    """A bias for an id that no vocabulary has is declined.

    对任何词表都没有的 id 设置偏置会被拒绝。
    """
    await expect_declined(api, logit_bias={str(BEYOND_ANY_VOCABULARY): 1})


@check(
    "logit-bias.array-refused",
    requirement="errors.wrong-type-refused",
    tier="deep",
    needs=("logit_bias",),
)
async def an_array_is_no_bias(api: Api) -> None:
    """A `logit_bias` given as an array is declined.

    `logit_bias` 为数组时会被拒绝。
    """
    await expect_declined(api, logit_bias=[ONE, FORCE])


async def hold_unbiased(api: Api, bias: Any) -> None:
    """Hold that a ``logit_bias`` that holds nothing changes nothing."""

    async def with_bias(fresh: bool) -> str:
        return (await plain(api, fresh=fresh, logit_bias=bias)).text

    async def without(fresh: bool) -> str:
        return (await plain(api, fresh=fresh)).text

    await expect_agreement(with_bias, without, "the answer without `logit_bias`")
