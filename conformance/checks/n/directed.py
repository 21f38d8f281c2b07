"""``n``: how many choices are returned for every prompt."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.requests import (
    TWO_PROMPTS,
    choices_of,
    collect_stream,
    non_streaming,
    two_prompts,
)
from conformance.checks._shared.resampling import (
    assert_no_repeat,
    choices_in_every_shape,
    same_response,
)
from conformance.checks._shared.sampling import ROWS, Rows, choices_for, expect_variety, sampled
from conformance.judgement import Failure, Feature, expect
from conformance.message import say
from conformance.model import Place
from conformance.protocol.completion import Choice

CHOICES = 3
"""Requested choices: with three, a missing or duplicated one is visible."""

INDEPENDENT = say("independently sampled choices")


@check("n.choices", requirement="n.count", tier="smoke", sees_effect=True)
async def as_many_choices_as_asked_for(api: Api) -> None:
    """`n: 3` returns three choices.

    `n: 3` 返回三个 choice。
    """
    completion = (await api.complete(**sampled(n=CHOICES))).expect_ok()
    choices_of(completion, CHOICES, Feature.N_CHOICES)


@check(
    "n.choices-of-batch",
    requirement="n.count",
    tier="smoke",
    needs=("temperature", "echo"),
    sees_effect=True,
)
async def as_many_choices_for_every_prompt(api: Api) -> None:
    """`n: 2` with a batch of two prompts returns four choices.

    两个 prompt 的批次带 `n: 2` 时返回四个 choice。
    """
    completion = (await api.complete(**choices_for(two_prompts(api)))).expect_ok()
    choices_of(completion, 2 * len(TWO_PROMPTS), Feature.N_CHOICES)


@check(
    "n.choices-streamed", requirement="n.count", tier="deep", needs=("stream",), sees_effect=True
)
async def as_many_choices_in_a_stream(api: Api) -> None:
    """`n: 3` streams three choices, each with a finish_reason.

    `n: 3` 流式返回三个 choice，每个都有 finish_reason。
    """
    completion = collect_stream(await api.stream(**sampled(n=CHOICES)))
    for choice in choices_of(completion, CHOICES, Feature.N_CHOICES):
        try:
            expect(
                choice.finish_reason, say("finish_reason of {choice}", choice=choice.where)
            ).differs_from(None)
        except Failure as missing:
            missing.place = Place.FINISH
            raise


@check("n.one-by-default", requirement="n.default-one", tier="smoke")
async def one_choice_by_default(api: Api) -> None:
    """Without `n`, one choice is returned.

    未设置 `n` 时返回一个 choice。
    """
    expect(len((await non_streaming(api)).choices), say("number of choices")).equals(1)


@check("n.one-by-default-in-batch", requirement="n.default-one")
async def one_choice_for_each_prompt_by_default(api: Api) -> None:
    """Without `n`, one choice is returned for each prompt of a batch.

    未设置 `n` 时，批次中每个 prompt 只返回一个 choice。
    """
    prompts = two_prompts(api)
    choices = (await non_streaming(api, prompts)).choices
    expect(len(choices), say("number of choices")).at_most(len(prompts))


@check("n.samples-differ", requirement="n.samples-are-independent", needs=("temperature",))
async def choices_differ(api: Api) -> None:
    """At temperature 1, the three choices of an open prompt differ.

    temperature 为 1 时，开放式 prompt 的三个 choice 互不相同。
    """
    texts = (await api.complete(**sampled(n=CHOICES))).expect_ok().texts
    equal = next((pair for pair in combinations(range(len(texts)), 2) if copied(texts, pair)), None)
    if equal is None:
        return

    async def draw(prompt: str, number: int, **more: Any) -> Sequence[Choice]:
        completion = (await api.complete(**sampled(prompt, n=CHOICES, **more))).expect_ok()
        return [choices_of(completion, CHOICES, Feature.N_CHOICES)[equal[number]]]

    await expect_variety("n.samples-differ", draw, INDEPENDENT, draws=2, rows=rows_of(api, equal))


@check(
    "n.samples-differ-in-every-way",
    requirement="n.samples-are-independent",
    tier="deep",
    needs=("temperature", "logprobs"),
)
async def choices_differ_in_every_shape(api: Api) -> None:
    """At temperature 1, choices differ in streams, batches, echoes and Chinese.

    temperature 为 1 时，无论流式、批次、回显还是中文，各 choice 互不相同。
    """
    taken = await choices_in_every_shape(api, {"temperature": 1})
    assert_no_repeat("n.samples-differ-in-every-way", [taken], INDEPENDENT, same_response)


def copied(texts: Sequence[str], pair: tuple[int, int]) -> bool:
    """Return whether two choices have the same text."""
    return texts[pair[0]] == texts[pair[1]] != ""


def rows_of(api: Api, pair: tuple[int, int]) -> Rows:
    """Return the texts of two choices over several responses, as two rows."""

    async def rows() -> list[tuple[str, str]]:
        responses = [await api.complete(fresh=True, **sampled(n=CHOICES)) for _ in range(ROWS)]
        texts = [response.expect_ok().texts for response in responses]
        return [(of[pair[0]], of[pair[1]]) for of in texts if len(of) == CHOICES]

    return rows
