"""``seed``: equal seeds give equal samples, and null is no seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.refusals import where_served
from conformance.checks._shared.request_shapes import (
    NON_STREAMING,
    SHAPES,
    RequestShape,
    ShapeQueue,
)
from conformance.checks._shared.resampling import (
    NULL_SHAPES,
    assert_no_repeat,
    choices_in_every_shape,
    is_sampled_with_nulls,
    other_response,
)
from conformance.checks._shared.sampling import (
    STORY,
    expect_variety,
    sampled,
)
from conformance.checks._shared.seeded import (
    SEED,
    differs,
    nulled,
    sample,
    seeded,
    unsaid,
)
from conformance.judgement import Failure, NotApplicable, Refusal, shown
from conformance.message import say
from conformance.model import Effect
from conformance.protocol.completion import Choice, Completion

SAMPLES = 3
"""Samples to compare: if the seed is ignored, all of them differ."""

MIN_NON_DETERMINISTIC_SHAPES = 3
"""Request shapes in which a seed does not repeat its sample, before that is a finding."""


@check("seed.repeats", requirement="seed.repeats", needs=("temperature",), sees_effect=True)
async def the_same_seed_gives_the_same_text(api: Api) -> None:
    """At temperature 1, a request with a seed gets the same text when it is sent again.

    temperature 为 1 时，带 seed 的请求再次发送，得到相同的文本。
    """
    if await differs(api, seeded(), unsaid(api)):
        await assert_repeats(api, SEED)


@check(
    "seed.repeats-in-every-way",
    requirement="seed.repeats",
    tier="deep",
    needs=("temperature",),
    sees_effect=True,
)
async def the_same_seed_gives_the_same_text_in_every_way(api: Api) -> None:
    """A seed repeats its samples in streams, batches, several choices, echoes and Chinese.

    无论流式、批次、多个 choice、回显还是中文，同一 seed 都重现其样本。
    """
    non_deterministic: list[str] = []
    turns = ShapeQueue(SHAPES)
    for shape in turns:
        texts = await seeded_in(api, shape)
        if not texts:
            turns.take_apart(shape)
        if len(set(texts)) == SAMPLES:
            raise Failure(
                say("the same text for seed {seed} again", seed=SEED),
                say("in {way} {texts}", way=shape.name, texts=shown(texts, limit=400)),
                effect=Effect.IGNORED,
            )
        if len(set(texts)) > 1:
            non_deterministic.append(shape.name)
    # Determinism is best effort: an occasional difference in one request shape is no finding.
    if len(non_deterministic) >= MIN_NON_DETERMINISTIC_SHAPES:
        raise Failure(
            say("the same text for seed {seed} again", seed=SEED),
            say("different samples in {ways}", ways=tuple(non_deterministic)),
        )


@check(
    "seed.zero-repeats",
    requirement="seed.whole-range-served",
    needs=("temperature",),
    sees_effect=True,
)
async def the_seed_zero_repeats(api: Api) -> None:
    """`seed: 0` is a seed and not treated as unset: it repeats its text.

    `seed: 0` 是一个 seed，而不是未设置：它重现自己的文本。
    """
    if await differs(api, seeded(0), nulled(api)):
        await assert_repeats(api, 0)


@check("seed.default-one", requirement="seed.default-one", needs=("temperature",))
async def without_a_seed_it_is_one(api: Api) -> None:
    """Without a seed, the response is the same as with `seed: 1`.

    未设置 seed 时的响应与 `seed: 1` 相同。
    """
    await assert_repeats(api, 1)

    async def without(fresh: bool) -> str:
        return (await api.complete(fresh=fresh, **sampled())).expect_ok().text

    async def with_one(fresh: bool) -> str:
        return (await api.complete(fresh=fresh, **sampled(seed=1))).expect_ok().text

    if await without(False) != await with_one(False):
        raise Failure(say("the sample of seed 1"), say("another sample"), effect=Effect.IGNORED)


@check("seed.null", requirement="seed.null-is-none", needs=("temperature",))
async def null_is_no_seed(api: Api) -> None:
    """`seed: null` is accepted, and repeats are sampled again as without a seed.

    `seed: null` 会被接受，重复请求时与未设置 seed 一样重新采样。
    """
    if api.contract.parameter("seed").default is not None:
        raise NotApplicable(say("this document states a default seed, so repeats may agree"))

    async def draw(prompt: str, number: int, **more: Any) -> Sequence[Choice]:
        body = sampled(prompt, seed=None, **more)
        return (await sample(api, body, fresh=number > 0)).choices

    async with where_served(api, "seed", 1):
        texts = (await sample(api, sampled(seed=None))).texts
    # Null is most often treated as seed 0, which one sample shows; repeats show the rest.
    if texts == (await sample(api, seeded(0))).texts:
        await expect_variety("seed.null", draw, say("a different sample of the same request"))


@check("seed.null-repeats", requirement="seed.null-is-none", tier="deep", needs=("temperature",))
async def null_is_sampled_again(api: Api) -> None:
    """Samples with `seed: null` all differ, streaming or not.

    使用 `seed: null` 的多个样本，无论流式与否，任意两个文本都不相同。
    """
    if api.contract.parameter("seed").default is not None:
        raise NotApplicable(say("this document states a default seed, so repeats may agree"))
    if await is_sampled_with_nulls(api, "seed", other_response):
        return
    request = {"temperature": 1, "seed": None}
    rounds = [
        await choices_in_every_shape(api, request, shapes=NULL_SHAPES, fresh=i > 0)
        for i in range(3)
    ]
    assert_no_repeat(
        "seed.null-repeats", rounds, say("a different sample each time"), other_response
    )


async def seeded_in(api: Api, shape: RequestShape) -> list[tuple[str, ...]]:
    """Take the same seeded sample twice in one request shape, and once more if those differ.

    Returns:
        Their texts; empty if the shape is rejected (covered by other checks).
    """
    body = {"prompt": STORY, "max_tokens": 4, "temperature": 1, "seed": SEED, **shape.more}
    texts: list[tuple[str, ...]] = []
    try:
        for number in range(SAMPLES):
            if number == SAMPLES - 1 and len(set(texts)) == 1:
                break
            ask = api.stream if shape.stream else api.complete
            texts.append((await ask(fresh=number > 0, **body)).expect_ok().texts)
    except (Failure, Refusal):
        if shape is NON_STREAMING:
            raise
        return []
    return texts


async def assert_repeats(api: Api, seed: int) -> None:
    """Assert that a seeded sample repeats in one of two further tries.

    Determinism is best effort: a change of the backend, which ``system_fingerprint`` shows, or
    the batch that a request happened to share may change a sample sometimes.
    """

    async def draw(*, fresh: bool) -> Completion:
        return (await api.complete(fresh=fresh, **sampled(seed=seed))).expect_ok()

    samples = [await draw(fresh=False), await draw(fresh=True)]
    if samples[0].texts == samples[1].texts:
        return
    samples.append(await draw(fresh=True))
    texts = [sample.texts for sample in samples]
    if len(set(texts)) < len(texts):
        return
    backends = {shown(sample.raw.get("system_fingerprint")) for sample in samples}
    if len(backends) > 1:
        raise NotApplicable(
            say("the backend changed between the samples: {backends}", backends=tuple(backends))
        )
    raise Failure(
        say("the same text for seed {seed} again", seed=seed),
        shown(texts, limit=400),
        effect=Effect.IGNORED,
    )
