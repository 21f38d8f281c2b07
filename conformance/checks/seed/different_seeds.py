"""``seed``: different seeds give different samples, over the whole range of a seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import neg
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.requests import choices_of
from conformance.checks._shared.resampling import (
    assert_no_repeat,
    choices_in_every_shape,
    other_round,
)
from conformance.checks._shared.sampling import (
    ROWS,
    STORY,
    expect_variety,
    sampled,
    text_of,
)
from conformance.checks._shared.seeded import (
    SEED,
    SEED_BEYOND_32_BITS,
    differs,
    sample,
    seeded,
)
from conformance.evidence import Evidence
from conformance.judgement import Failure, Feature, NotApplicable, Refusal
from conformance.message import Message, say
from conformance.model import Effect
from conformance.protocol.completion import Choice, Completion

OTHER_TEXT = say("another text for another seed")

OTHER_UPPER_BITS = say("another text for a seed that differs above its lower 32 bits")

SEED_FAR_AWAY = SEED + 1000
"""A distant seed that no choice uses: some servers give each choice the next seed."""

VARIED = (SEED, SEED_BEYOND_32_BITS, SEED + 1, SEED + 2)

EDGES = (0, -1, 2**63 - 1)
"""Seeds that a faulty endpoint treats as unset or random, or rounds to a float."""


@check(
    "seed.others-differ-in-every-way",
    requirement="seed.different-seeds-differ",
    tier="deep",
    needs=("temperature", "logprobs", "n"),
)
async def other_seeds_give_other_texts_in_every_way(api: Api) -> None:
    """Two seeds give different samples in streams, batches, several choices, echoes, Chinese.

    无论流式、批次、多个 choice、回显还是中文，两个 seed 没有相同的样本。
    """
    rounds = [
        await choices_in_every_shape(api, {"temperature": 1, "seed": seed})
        for seed in (SEED, SEED_FAR_AWAY)
    ]
    check_id = "seed.others-differ-in-every-way"
    assert_no_repeat(check_id, rounds, OTHER_TEXT, other_round)


@check("seed.others-differ", requirement="seed.different-seeds-differ", needs=("temperature",))
async def other_seeds_give_other_texts(api: Api) -> None:
    """At temperature 1, different seeds do not all give the same text.

    temperature 为 1 时，不同的 seed 不会都给出相同的文本。
    """
    # One that differs is enough, also where the endpoint lists no probabilities.
    if await tells_apart(api, SEED_BEYOND_32_BITS) or await tells_apart(api, SEED + 1):
        return

    async def draw(prompt: str, number: int, **more: Any) -> Sequence[Choice]:
        try:
            return (await sample(api, sampled(prompt, seed=VARIED[number], **more))).choices
        except Refusal:
            # A large seed may be rejected; the check of large seeds reports that.
            if VARIED[number] != SEED_BEYOND_32_BITS:
                raise
            return (await sample(api, sampled(prompt, seed=SEED + 3, **more))).choices

    await expect_variety("seed.others-differ", draw, OTHER_TEXT)


@check("seed.large-served", requirement="seed.whole-range-served", needs=("temperature",))
async def a_large_seed_is_accepted(api: Api) -> None:
    """A seed of more than 32 bits is accepted like a smaller one.

    超过 32 位的 seed 与较小的 seed 一样会被接受。
    """
    await sample(api, seeded())
    await assert_accepted(api, SEED_BEYOND_32_BITS)


@check("seed.large-told-apart", requirement="seed.upper-bits-count", needs=("temperature",))
async def all_bits_of_a_seed_count(api: Api) -> None:
    """Two seeds that differ only above the lower 32 bits give different texts.

    仅在低 32 位以上有别的两个 seed，不会给出相同的文本。
    """
    distance = SEED_BEYOND_32_BITS - SEED
    if await is_refused(api, SEED_BEYOND_32_BITS):
        raise NotApplicable(say("the large seed is rejected (covered by another check)"))
    await assert_distinguished(
        api, "seed.large-told-apart", lambda seed: seed + distance, OTHER_UPPER_BITS
    )


@check("seed.negative-told-apart", requirement="seed.whole-range-served", needs=("temperature",))
async def the_sign_of_a_seed_counts(api: Api) -> None:
    """A seed and its negative give different texts.

    一个 seed 与其相反数不会给出相同的文本。
    """
    await assert_distinguished(api, "seed.negative-told-apart", neg)


@check(
    "seed.copies-differ",
    requirement="n.samples-are-independent",
    tier="deep",
    needs=("temperature", "seed"),
    sees_effect=True,
)
async def one_seed_gives_different_choices(api: Api) -> None:
    """With one seed, the choices of an open prompt still differ.

    使用同一 seed 时，开放式 prompt 的各 choice 仍互不相同。
    """

    async def draw(prompt: str, number: int, **more: Any) -> Sequence[Choice]:
        completion = (await api.complete(**sampled(prompt, n=3, seed=SEED, **more))).expect_ok()
        return [choices_of(completion, 3, Feature.N_CHOICES)[number]]

    await expect_variety("seed.copies-differ", draw, say("independently sampled choices"), draws=3)


@check(
    "seed.edges-told-apart",
    requirement="seed.whole-range-served",
    tier="deep",
    needs=("temperature",),
)
async def seeds_of_the_whole_range_are_distinguished(api: Api) -> None:
    """Zero, negative and large seeds are accepted and do not all give the same text.

    零、负数与很大的 seed 均会被接受，且不会都给出相同的文本。
    """

    async def draw(prompt: str, number: int, **more: Any) -> Sequence[Choice]:
        request = sampled(prompt, seed=EDGES[number], **more)
        return (await api.complete(**request)).expect_ok().choices

    for number in range(len(EDGES)):
        await draw(STORY, number)
    await expect_variety("seed.edges-told-apart", draw, OTHER_TEXT, draws=len(EDGES))


async def tells_apart(api: Api, other: int) -> bool:
    """Return whether another seed gives another text than :data:`SEED`.

    False if it is too large for the endpoint, which the check of large seeds reports.
    """
    first = (await sample(api, seeded())).texts
    try:
        return first != (await sample(api, seeded(other))).texts
    except Refusal:
        if other != SEED_BEYOND_32_BITS:
            raise
        return False


async def assert_distinguished(
    api: Api, check_id: str, counterpart: Callable[[int], int], expected: Message = OTHER_TEXT
) -> None:
    """Assert that a seed and its counterpart give different texts, if seeds have any effect.

    Raises:
        Failure: they give the same, which practically never happens by chance, or the counterpart
            is rejected.
    """
    other = counterpart(SEED)
    first = await sample(api, seeded())
    second = await assert_accepted(api, other)
    if first.texts != second.texts:
        return
    if not await differs(api, seeded(), seeded(SEED + 1)):
        raise NotApplicable(say("all seeds give the same sample (covered by another check)"))

    async def draw(prompt: str, number: int, **more: Any) -> Sequence[Choice]:
        body = sampled(prompt, seed=(SEED, other)[number], **more)
        return (await sample(api, body)).choices

    async def rows() -> Sequence[Sequence[str]]:
        pairs: list[list[str]] = []
        for seed in range(SEED, SEED + ROWS):
            both = (seed, counterpart(seed))
            pairs.append([text_of((await sample(api, seeded(one))).choices) for one in both])
            if len(set(pairs[-1])) > 1:
                break
        return pairs

    try:
        await expect_variety(check_id, draw, expected, draws=2, rows=rows)
    except Failure as found:
        raise found.shown_by(Evidence((second.exchange,), (first.exchange,))) from None


async def assert_accepted(api: Api, seed: int) -> Completion:
    """Assert that a seed is accepted where :data:`SEED` is, and return its sample.

    Raises:
        Failure: it is rejected.
    """
    try:
        return await sample(api, seeded(seed))
    except Refusal as refusal:
        raise Failure(
            say("seed {seed} accepted like {other}", seed=seed, other=SEED),
            refusal.said,
            effect=Effect.REFUSED,
        ) from None


async def is_refused(api: Api, seed: int) -> bool:
    """Return whether a seed is rejected."""
    try:
        await sample(api, seeded(seed))
    except Refusal:
        return True
    return False
