"""``best_of``: candidates that are generated, of which the best ``n`` come back."""

from __future__ import annotations

from bisect import bisect_right
from statistics import fmean
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._asking import choices_of
from conformance.checks._refusals import DECLINED, above, expect_declined, little
from conformance.checks._sampling import sampled
from conformance.completion import Choice
from conformance.judgement import Deviation, NotApplicable, Thing
from conformance.model import Effect

CANDIDATES = 20
CHOSEN = 2
ORDINARY_ROUNDS, CHOSEN_ROUNDS = 3, 4
LIFT = 0.7
"""The share of ordinary samples that the chosen ones must reach on average.

The best two of twenty reach 93 % of sixty ordinary samples on average; over four rounds they fall
below 70 % less than once in 100,000 runs, whatever the distribution, by simulation of ranks. Two
taken at random reach 50 %, and fall below 70 % in 96 of 100 runs.
"""


@check("best-of.below-n-refused", requirement="best-of.below-n-refused", tier="smoke")
async def fewer_candidates_than_choices_are_refused(api: Api) -> None:
    """`best_of: 1` with `n: 2` is declined: the best two of one cannot be chosen."""
    await expect_declined(api, n=2, best_of=1)


@check("best-of.equal-served", requirement="best-of.equal-to-n-served")
async def as_many_candidates_as_choices_are_served(api: Api) -> None:
    """`best_of: 2` with `n: 2` is served with two choices."""
    answer = (await api.complete(**little(n=2, best_of=2))).expect_ok()
    choices_of(answer, 2, Thing.COPIES)


@check("best-of.equal-refused", requirement="best-of.equal-to-n-refused")
async def as_many_candidates_as_choices_are_refused(api: Api) -> None:
    """`best_of: 2` with `n: 2` is declined where the document asks for more candidates than `n`."""
    await expect_declined(api, n=2, best_of=2)


@check("best-of.omitted", requirement="best-of.omitted-is-n")
async def choices_need_no_best_of(api: Api) -> None:
    """`n: 3` without `best_of` is served."""
    (await api.complete(**sampled(n=3))).expect_ok()


@check("best-of.returns-one", requirement="best-of.returns-best")
async def candidates_are_not_returned(api: Api) -> None:
    """`best_of: 3` without `n` comes back with one choice: candidates stay behind."""
    answer = (await api.complete(**little(best_of=3))).expect_ok()
    choices_of(answer, 1, Thing.CHOICES)


@check("best-of.returns-n", requirement="best-of.returns-best", tier="deep", needs=("n",))
async def the_best_n_are_returned(api: Api) -> None:
    """`best_of: 4` with `n: 2` comes back with two choices."""
    answer = (await api.complete(**little(n=2, best_of=4))).expect_ok()
    choices_of(answer, 2, Thing.COPIES)


@check(
    "best-of.picks-the-likelier",
    requirement="best-of.returns-best",
    tier="deep",
    needs=("n", "logprobs", "temperature"),
)
async def the_likelier_candidates_come_back(api: Api) -> None:
    """The best two of twenty candidates are likelier, token for token, than ordinary samples."""
    asked = {**sampled(), "max_tokens": 4, "logprobs": 1}
    ordinary = await draw(api, ORDINARY_ROUNDS, {**asked, "n": CANDIDATES})
    chosen = await draw(api, CHOSEN_ROUNDS, {**asked, "n": CHOSEN, "best_of": CANDIDATES})
    # Ties speak for the endpoint: where all samples are equally likely none is better.
    reached = fmean(bisect_right(ordinary, score) / len(ordinary) for score in chosen)
    if reached < LIFT:
        raise Deviation(
            f"chosen samples that reach {LIFT:.0%} of ordinary ones on average (93 % is usual)",
            f"{len(chosen)} chosen samples that reach {reached:.0%} of {len(ordinary)}",
            effect=Effect.IGNORED,
        )


@check("best-of.stream-refused", requirement="best-of.stream-refused")
async def a_stream_of_candidates_is_refused(api: Api) -> None:
    """`best_of: 2` together with `stream` is declined."""
    (await api.stream(**little(best_of=2))).expect_error(*DECLINED)


@check("best-of.above-maximum-refused", requirement="best-of.above-maximum-refused")
async def too_many_candidates_are_refused(api: Api) -> None:
    """One candidate more than the documented maximum is declined."""
    await expect_declined(api, best_of=int(above(api, "best_of", 1)))


@check(
    "best-of.word-refused", requirement="errors.wrong-type-refused", tier="deep", needs=("best_of",)
)
async def a_word_is_no_number_of_candidates(api: Api) -> None:
    """A `best_of` given as a word is declined."""
    await expect_declined(api, best_of="many")


async def draw(api: Api, rounds: int, asked: dict[str, Any]) -> list[float]:
    """Sample several times, and return how likely each choice was, in rising order."""
    replies = [await api.complete(fresh=True, **asked) for _ in range(rounds)]
    choices = [choice for reply in replies for choice in reply.expect_ok().choices]
    return sorted(mean_logprob(choice) for choice in choices)


def mean_logprob(choice: Choice) -> float:
    """Return the mean log probability of a choice's tokens."""
    values = [value for value in choice.logprobs.token_logprobs if isinstance(value, int | float)]
    if not values:
        raise NotApplicable(f"{choice.where} has no log probabilities")
    return fmean(values)
