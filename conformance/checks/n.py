"""``n``: how many choices come back for every prompt."""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._asking import TWO_PROMPTS, choices_of, joined, plain, two_prompts
from conformance.checks._refusals import above, below, expect_declined
from conformance.checks._sampling import OPEN_PROMPTS, ROWS, copies_of, expect_variety, sampled
from conformance.completion import Choice
from conformance.judgement import Thing, expect

COPIES = 3
"""Choices asked for: with three, one that is missing or doubled shows."""

INDEPENDENT = "choices that were sampled each for itself"


@check("n.choices", requirement="n.count", tier="smoke")
async def as_many_choices_as_asked_for(api: Api) -> None:
    """`n: 3` comes back with three choices."""
    answer = (await api.complete(**sampled(n=COPIES))).expect_ok()
    choices_of(answer, COPIES, Thing.COPIES)


@check("n.choices-of-batch", requirement="n.count", needs=("temperature", "echo"))
async def as_many_choices_for_every_prompt(api: Api) -> None:
    """`n: 2` with a batch of two prompts comes back with four choices."""
    answer = (await api.complete(**copies_of(TWO_PROMPTS))).expect_ok()
    choices_of(answer, 2 * len(TWO_PROMPTS), Thing.COPIES)


@check("n.choices-streamed", requirement="n.count", needs=("stream",))
async def as_many_choices_in_a_stream(api: Api) -> None:
    """`n: 3` streams three choices, and each of them comes to its end."""
    answer = joined(await api.stream(**sampled(n=COPIES)))
    for choice in choices_of(answer, COPIES, Thing.COPIES):
        expect(choice.finish_reason, f"finish_reason of {choice.where}").differs_from(None)


@check("n.one-by-default", requirement="n.default-one", tier="smoke")
async def one_choice_by_default(api: Api) -> None:
    """Without `n` one choice comes back."""
    expect(len((await plain(api)).choices), "number of choices").equals(1)


@check("n.one-by-default-in-batch", requirement="n.default-one")
async def one_choice_for_each_prompt_by_default(api: Api) -> None:
    """Without `n` no more than one choice comes back for each prompt of a batch."""
    choices = (await plain(api, TWO_PROMPTS)).choices
    expect(len(choices), "number of choices").at_most(len(TWO_PROMPTS))


@check("n.samples-differ", requirement="n.samples-are-independent", needs=("temperature",))
async def choices_are_no_copies(api: Api) -> None:
    """At temperature 1 the three choices of an open prompt are not one text three times."""

    async def draw(prompt: str, number: int, **more: Any) -> list[Choice]:
        answer = (await api.complete(**sampled(prompt, n=COPIES, **more))).expect_ok()
        return [choices_of(answer, COPIES, Thing.COPIES)[number % COPIES]]

    await expect_variety(
        "n.samples-differ", draw, INDEPENDENT, draws=COPIES, rows=lambda: rows_of(api)
    )


@check(
    "n.samples-differ-in-stream",
    requirement="n.samples-are-independent",
    tier="deep",
    needs=("temperature", "stream"),
)
async def streamed_choices_are_no_copies(api: Api) -> None:
    """At temperature 1 the three streamed choices of an open prompt are not one text."""

    async def draw(prompt: str, number: int, **more: Any) -> list[Choice]:
        answer = joined(await api.stream(**sampled(prompt, n=COPIES, **more)))
        return [choices_of(answer, COPIES, Thing.COPIES)[number % COPIES]]

    await expect_variety("n.samples-differ-in-stream", draw, INDEPENDENT, draws=COPIES)


@check(
    "n.samples-differ-in-batch",
    requirement="n.samples-are-independent",
    tier="deep",
    needs=("temperature",),
)
async def choices_of_a_batch_are_no_copies(api: Api) -> None:
    """At temperature 1 the choices of each prompt of a batch are not one text."""
    two_prompts(api)

    async def draw(prompt: str, number: int, **more: Any) -> list[Choice]:
        batch = [OPEN_PROMPTS[0], prompt]
        answer = (await api.complete(**sampled(batch, n=COPIES, **more))).expect_ok()
        choices = choices_of(answer, len(batch) * COPIES, Thing.COPIES)
        return [choices[COPIES + number % COPIES]]

    await expect_variety("n.samples-differ-in-batch", draw, INDEPENDENT, draws=COPIES)


@check("n.zero-refused", requirement="n.zero-refused")
async def zero_choices_are_refused(api: Api) -> None:
    """`n: 0`, or what lies just below the documented minimum, is declined."""
    await expect_declined(api, n=int(below(api, "n", 1)))


@check("n.above-maximum-refused", requirement="n.above-maximum-refused")
async def too_many_choices_are_refused(api: Api) -> None:
    """One choice more than the documented maximum is declined."""
    await expect_declined(api, n=int(above(api, "n", 1)))


@check("n.word-refused", requirement="errors.wrong-type-refused", tier="deep", needs=("n",))
async def a_word_is_no_number_of_choices(api: Api) -> None:
    """An `n` given as a word is declined."""
    await expect_declined(api, n="two")


async def rows_of(api: Api) -> list[tuple[str, ...]]:
    """Take the texts of several answers with three choices each."""
    asked = sampled(n=COPIES)
    replies = [await api.complete(fresh=True, **asked) for _ in range(ROWS)]
    return [reply.expect_ok().texts for reply in replies]
