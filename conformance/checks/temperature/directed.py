"""``temperature``: from the most probable text at 0 to many different ones at the maximum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.ab_compare import Unsettled
from conformance.checks._shared.refusals import (
    REJECTED_STATUSES,
    above,
    minimal_request,
    served_or_rejected,
)
from conformance.checks._shared.request_shapes import assert_greedy_in_every_shape
from conformance.checks._shared.requests import MAX_TOKENS, non_streaming
from conformance.checks._shared.resampling import (
    NULL_SHAPES,
    assert_no_repeat,
    choices_in_every_shape,
    is_sampled_with_nulls,
    other_response,
    same_response,
)
from conformance.checks._shared.sampling import (
    NARROW_TOP_P,
    ROWS,
    STORY,
    distinguished,
    expect_variety,
    hottest,
    narrowed,
    sampled,
)
from conformance.checks._shared.seeded import (
    assert_same_sample,
    differs,
    is_sampled,
    nulled,
    seeded,
    unsaid,
)
from conformance.judgement import Failure, Judgement, NotApplicable, shown
from conformance.message import say
from conformance.model import Effect
from conformance.protocol.completion import Choice

REPEATS = 5
"""Greedy responses requested before an endpoint that changes them is judged."""

LOW_TEMPERATURE = 0.05
"""At this temperature, a lead of half a nat has a probability of 0.99995."""

ANOTHER = say("a different sample of the same request")


@check("temperature.maximum-served", requirement="temperature.range-served")
async def the_maximum_is_served(api: Api) -> None:
    """The highest documented temperature is accepted.

    文档允许的最高 temperature 会被接受。
    """
    (await api.complete(**sampled(temperature=above(api, "temperature", 0)))).expect_ok()


@check("temperature.minimum-served", requirement="temperature.range-served", tier="smoke")
async def the_minimum_is_served(api: Api) -> None:
    """Temperature 0, the minimum, is accepted.

    temperature 为 0，即范围的下限，会被接受。
    """
    await non_streaming(api)


@check("temperature.zero-repeats", requirement="temperature.zero-is-greedy")
async def greedy_responses_repeat(api: Api) -> None:
    """At temperature 0, an open prompt gets the same text again.

    temperature 为 0 时，开放式 prompt 再次得到相同的文本。
    """
    texts = [(await non_streaming(api, STORY)).text]
    # Sampling from the best token alone has that text, too, and other checks request it anyway.
    if await narrow_text(api) == texts[0]:
        return
    texts.append((await non_streaming(api, STORY, fresh=True)).text)
    if texts[0] == texts[1]:
        return
    # Near-ties flip sometimes even on a greedy server; samples hardly ever agree.
    texts += [(await non_streaming(api, STORY, fresh=True)).text for _ in range(REPEATS - 2)]
    if len(set(texts)) >= REPEATS - 1:
        raise Failure(
            say("the same greedy text each time"),
            say(
                "{count} texts in {answers} responses: {texts}",
                count=len(set(texts)),
                answers=REPEATS,
                texts=shown(texts),
            ),
            effect=Effect.IGNORED,
        )

    async def text(fresh: bool) -> str:
        return (await non_streaming(api, STORY, fresh=fresh)).text

    # Whether a near-tie flips, or samples are often equal by chance, the tokens' scores tell.
    expected = say("the same greedy text each time")
    raise Unsettled((text, text), (texts[:2], texts[2:]), expected, Effect.IGNORED)


async def narrow_text(api: Api) -> str | None:
    """Return a sample's text with a ``top_p`` near 0; None if there is no such response."""
    if not api.contract.parameter("top_p").documented:
        return None
    try:
        return (await api.complete(**narrowed(api, NARROW_TOP_P))).expect_ok().text
    except Judgement:
        return None


@check(
    "temperature.zero-in-every-way",
    requirement="temperature.zero-is-greedy",
    tier="deep",
    needs=("logprobs",),
)
async def zero_is_greedy_in_every_way(api: Api) -> None:
    """At temperature 0, streams, batches, several choices and echoes have the best tokens.

    temperature 为 0 时，无论流式、批次、多个 choice 还是回显，都选取最优 token。
    """
    await assert_greedy_in_every_shape(api, say("the best token at every position"), temperature=0)


@check("temperature.maximum-varies", requirement="temperature.scales-randomness")
async def the_maximum_gives_variety(api: Api) -> None:
    """At the highest documented temperature, an open prompt gets other text than at 0.

    在文档允许的最高 temperature 下，开放式 prompt 的响应与为 0 时不同。
    """
    request = sampled(temperature=hottest(api))
    if (await api.complete(**request)).expect_ok().text != (await non_streaming(api, STORY)).text:
        return

    async def draw(prompt: str, number: int, **more: Any) -> Sequence[Choice]:
        hot = sampled(prompt, temperature=hottest(api), **distinguished(api, number), **more)
        return (await api.complete(fresh=number > 0, **hot)).expect_ok().choices

    expected = say("different texts at the highest temperature")
    await expect_variety("temperature.maximum-varies", draw, expected, hot=True)


@check(
    "temperature.low-in-every-way",
    requirement="temperature.scales-randomness",
    tier="deep",
    needs=("logprobs",),
    sees_effect=True,
)
async def a_low_temperature_is_near_greedy_in_every_way(api: Api) -> None:
    """At a temperature just above 0, any request gets almost only the best tokens.

    temperature 略大于 0 时，无论以何种方式请求，（几乎）总是选取最优 token。
    """
    expected = say("the best token at every position, or a near-tie")
    await assert_greedy_in_every_shape(api, expected, temperature=LOW_TEMPERATURE)


@check("temperature.repeats-vary", requirement="temperature.repeats-vary", needs=("n",))
async def a_repeated_request_is_sampled_again(api: Api) -> None:
    """At temperature 1, the same request does not always get the same text.

    temperature 为 1 时，再次发送同一请求，不会总是得到相同的文本。
    """
    if api.contract.parameter("seed").default is not None:
        raise NotApplicable(say("this document states a default seed, so repeats may agree"))

    # Three choices at a time: other checks send the same request.
    async def draw(prompt: str, number: int, **more: Any) -> Sequence[Choice]:
        request = sampled(prompt, n=3, **more)
        return (await api.complete(fresh=number > 0, **request)).expect_ok().choices

    async def rows() -> Sequence[Sequence[str]]:
        taken = [await draw(STORY, number) for number in range(ROWS)]
        return list(zip(*([choice.text for choice in sample] for sample in taken), strict=False))

    await expect_variety("temperature.repeats-vary", draw, ANOTHER, rows=rows)


@check(
    "temperature.repeats-vary-in-every-way",
    requirement="temperature.repeats-vary",
    tier="deep",
    needs=("n", "logprobs"),
)
async def repeats_are_sampled_again_in_every_way(api: Api) -> None:
    """At temperature 1, repeats differ in streams, batches, echoes and Chinese.

    temperature 为 1 时，无论流式、批次、回显还是中文，同一响应都不会再次出现。
    """
    if api.contract.parameter("seed").default is not None:
        raise NotApplicable(say("this document states a default seed, so repeats may agree"))
    first = await choices_in_every_shape(api, {"temperature": 1})
    again = await choices_in_every_shape(api, {"temperature": 1}, fresh=True)
    check_id = "temperature.repeats-vary-in-every-way"
    assert_no_repeat(check_id, [first, again], ANOTHER, other_response)


@check("temperature.default-as-one", requirement="temperature.default-one", needs=("seed",))
async def the_default_is_as_one(api: Api) -> None:
    """Without `temperature`, a seed gives the same sample as at temperature 1.

    未设置 `temperature` 时，同一 seed 给出与 temperature 为 1 时相同的样本。
    """
    await assert_same_sample(api, seeded(), unsaid(api), say("the sample of `temperature: 1`"))


@check("temperature.null-as-one", requirement="temperature.null-is-default", needs=("seed",))
async def null_is_as_one(api: Api) -> None:
    """With `temperature: null`, a seed gives the same sample as without `temperature`.

    设置 `temperature: null` 时，同一 seed 给出与未设置 `temperature` 时相同的样本。
    """
    if await differs(api, seeded(0), nulled(api)):
        (await api.complete(**minimal_request(temperature=None))).expect_ok()
        unset = {name: value for name, value in seeded(0).items() if name != "temperature"}
        alone = {**unset, "temperature": None}
        await assert_same_sample(api, unset, alone, say("the sample without `temperature`"))


@check("temperature.default-varies", requirement="temperature.default-one", tier="deep")
async def the_default_samples(api: Api) -> None:
    """Without `temperature`, responses are sampled: they differ.

    未设置 `temperature` 时响应是采样得到的：各次响应不同。
    """
    if await is_sampled(api, unsaid(api)):
        return

    async def draw(prompt: str, number: int, **more: Any) -> Sequence[Choice]:
        request = {"prompt": prompt, "max_tokens": MAX_TOKENS, **distinguished(api, number), **more}
        return (await api.complete(fresh=number > 0, **request)).expect_ok().choices

    await expect_variety("temperature.default-varies", draw, say("different samples"))


@check("temperature.null-served", requirement="temperature.null-is-default", tier="deep")
async def null_is_served(api: Api) -> None:
    """`temperature: null` is accepted.

    `temperature: null` 会被接受。
    """
    (await api.complete(**minimal_request(temperature=None))).expect_ok()


@check(
    "temperature.null-in-every-way",
    requirement="temperature.null-is-default",
    tier="deep",
    needs=("n", "logprobs"),
)
async def null_samples_in_every_way(api: Api) -> None:
    """With `temperature: null`, choices differ without streaming, in streams and in Chinese.

    设置 `temperature: null` 时，无论非流式、流式还是中文，各 choice 互不相同。
    """
    if await is_sampled_with_nulls(api, "temperature", same_response):
        return
    taken = [
        await choices_in_every_shape(
            api, {"temperature": None}, shapes=NULL_SHAPES, fresh=number > 0
        )
        for number in range(2)
    ]
    expected = say("different samples, as without `temperature`")
    assert_no_repeat("temperature.null-in-every-way", taken, expected, same_response)


@check("temperature.null-varies", requirement="temperature.null-is-default", tier="deep")
async def null_samples(api: Api) -> None:
    """`temperature: null` is the default 1 and not 0: responses differ.

    `temperature: null` 取默认值 1 而不是 0：各次响应不同。
    """
    if await is_sampled(api, nulled(api)):
        return

    async def draw(prompt: str, number: int, **more: Any) -> Sequence[Choice]:
        request = sampled(prompt, temperature=None, **distinguished(api, number), **more)
        return (await api.complete(fresh=number > 0, **request)).expect_ok().choices

    await expect_variety("temperature.null-varies", draw, say("different samples"))


@check("temperature.with-top-p", requirement="temperature.with-top-p-served")
async def temperature_and_top_p_go_together(api: Api) -> None:
    """`temperature` and `top_p` are accepted in one request.

    `temperature` 与 `top_p` 同在一个请求中时会被接受。

    If they are not, `top_p` is sent alone: it can be what is rejected.
    """
    request = sampled(top_p=NARROW_TOP_P)
    together = await api.complete(**request)
    if together.status in REJECTED_STATUSES:
        del request["temperature"]
        if (await api.complete(**request)).status in REJECTED_STATUSES:
            raise NotApplicable(say("`top_p` is rejected without `temperature`, too"))
    together.expect_ok()


@check("temperature.with-top-p-harmless", requirement="temperature.with-top-p-refused")
async def temperature_and_top_p_may_exclude_each_other(api: Api) -> None:
    """`temperature` and `top_p` in one request are accepted or rejected, without a server error.

    `temperature` 与 `top_p` 同在一个请求中时，要么被接受，要么被拒绝，不会引起服务器错误。
    """
    served_or_rejected(await api.complete(**minimal_request(temperature=0.5, top_p=0.5)))
