"""``best_of``: candidates that are generated, of which the best ``n`` come back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from statistics import fmean
from typing import Any

from conformance.api import Api, in_parallel
from conformance.checks import check
from conformance.checks._shared.refusals import (
    minimal_request,
)
from conformance.checks._shared.requests import choices_of
from conformance.checks._shared.sampling import OPEN_PROMPTS, distinguished, sampled
from conformance.checks._shared.significance import (
    SHARES,
    chance,
    critical_value,
    log_tail,
    others_before,
    sum_of,
)
from conformance.checks._shared.token_scores import scores_of
from conformance.judgement import Failure, Feature, Missing, NotApplicable, Refusal
from conformance.model import Effect
from conformance.protocol.completion import Choice

CANDIDATES = 20

CHOSEN = 2

MAX_TOKENS = 4
"""Tokens of each candidate, all of which are billed."""

Likelihood = tuple[float, float]
"""The mean log probability of a choice's tokens, and their sum."""


@check("best-of.equal-served", requirement="best-of.equal-to-n-served")
async def as_many_candidates_as_choices_are_served(api: Api) -> None:
    """`best_of: 2` with `n: 2` is served with two choices.

    `best_of: 2` 与 `n: 2` 同时使用得到处理，返回两个 choice。
    """
    completion = (await api.complete(**minimal_request(n=2, best_of=2))).expect_ok()
    choices_of(completion, 2, Feature.N_CHOICES)


@check("best-of.omitted", requirement="best-of.omitted-is-n", tier="smoke")
async def choices_need_no_best_of(api: Api) -> None:
    """`n: 3` without `best_of` is served.

    `n: 3` 不带 `best_of` 时得到处理。
    """
    (await api.complete(**sampled(n=3))).expect_ok()


@check(
    "best-of.omitted-in-stream",
    requirement="best-of.omitted-is-n",
    needs=("n", "stream"),
)
async def streamed_choices_need_no_best_of(api: Api) -> None:
    """`n: 3` without `best_of` is served as a stream.

    `n: 3` 不带 `best_of` 时可以流式返回。
    """
    (await api.stream(**sampled(n=3))).expect_ok()


@check("best-of.returns-one", requirement="best-of.returns-best")
async def candidates_are_not_returned(api: Api) -> None:
    """`best_of: 3` without `n` comes back with one choice: candidates stay behind.

    `best_of: 3` 不带 `n` 时返回一个 choice：其余候选不返回。
    """
    completion = (await api.complete(**minimal_request(best_of=3))).expect_ok()
    choices_of(completion, 1, Feature.CHOICES)


@check("best-of.returns-n", requirement="best-of.returns-best", tier="deep", needs=("n",))
async def the_best_n_are_returned(api: Api) -> None:
    """`best_of: 4` with `n: 2` comes back with two choices.

    `best_of: 4` 与 `n: 2` 同时使用时返回两个 choice。
    """
    completion = (await api.complete(**minimal_request(n=2, best_of=4))).expect_ok()
    choices_of(completion, 2, Feature.N_CHOICES)


@check(
    "best-of.picks-the-likelier",
    requirement="best-of.returns-best",
    tier="deep",
    needs=("n", "logprobs", "temperature"),
)
async def the_likelier_candidates_come_back(api: Api) -> None:
    """The best two of twenty candidates are likelier, token for token, than ordinary samples.

    二十个候选中最好的两个，逐 token 看比普通样本概率更高。
    """
    rounds = {"non-streaming responses": await rounds_of(api, OPEN_PROMPTS)}
    for shape, prompts, more in (
        ("a batch", OPEN_PROMPTS, {}),
        ("responses to Chinese text", [OPEN_PROMPTS[2]] * 3, {}),
        ("responses with echo", OPEN_PROMPTS, {"echo": True}),
    ):
        # One request for three rounds; what is not served so is asked for one by one.
        for together in ([list(prompts)], prompts):
            with suppress(Missing, Refusal):  # other checks ask for these plainly
                rounds[shape] = await rounds_of(api, together, **more)
                break
    assert_chosen(rounds)


def assert_chosen(rounds: Mapping[str, Sequence[int]]) -> None:
    """Assert that few enough ordinary samples lie above the least of those that were chosen.

    ``rounds``: how many of :data:`CANDIDATES` ordinary samples did, round by round, in each way to
    ask. That number has one distribution whatever the model is, since all are samples of it.

    Raises:
        Deviation: next to no correct choice lets so many be better: in one way, in all together, or
            in a single round.
    """
    every = [count for counts in rounds.values() for count in counts]
    tests = [(shape, counts, 1) for shape, counts in rounds.items()]
    tests += [("all rounds", every, 1), ("the worst round", [max(every)], len(every))]
    share = SHARES["best-of.picks-the-likelier"] / len(tests)
    for where, counts, looks in tests:
        correct = distribution(CANDIDATES, len(counts))
        found = log_tail(correct, sum(counts)) + math.log(looks)
        if found > math.log(share):
            continue
        bound = critical_value(correct, share / looks)
        power = math.exp(log_tail(distribution(CHOSEN, len(counts)), bound))
        raise Failure(
            f"fewer than {bound} of {len(counts)} × {CANDIDATES} ordinary samples above the worst"
            f" of the best {CHOSEN} of {CANDIDATES}",
            f"{' + '.join(map(str, counts))} in {where}, with probability {chance(found)}"
            f" (reported below {share:.0e}; random selection is detected in {power:.0%} of runs)",
            effect=Effect.IGNORED,
        )


def distribution(candidates: int, rounds: int) -> list[float]:
    """How many ordinary samples lie above the least chosen, where so many were chosen from."""
    return sum_of([others_before(CHOSEN, candidates, CANDIDATES)] * rounds)


async def rounds_of(api: Api, prompts: Sequence[str | list[str]], **more: Any) -> list[int]:
    """Sample each prompt as it is and with ``best_of``, and compare the two.

    Returns:
        For each prompt, how many ordinary samples are likelier than the least of the chosen.

    Raises:
        NotApplicable: there is nothing to compare.
    """
    rounds: list[int] = []
    for number, prompt in enumerate(prompts):
        apart = distinguished(api, number)
        request = {**sampled(prompt, **more, **apart), "max_tokens": MAX_TOKENS, "logprobs": 1}
        parts = len(prompt) if isinstance(prompt, list) else 1
        ordinary, best = await in_parallel(
            likelihoods(api, parts, {**request, "n": CANDIDATES}),
            likelihoods(api, parts, {**request, "n": CHOSEN, "best_of": CANDIDATES}),
        )
        rounds += map(above_the_least, best, ordinary)
    return rounds


async def likelihoods(api: Api, parts: int, request: dict[str, Any]) -> list[list[Likelihood]]:
    """Sample, and return for each part of a batch how likely its choices were.

    A choice that ended before its first token is left out: its mean is one of nothing, which one
    server takes for the best and another for the worst.
    """
    n = request["n"]
    completion = (await api.complete(fresh=True, **request)).expect_ok()
    choices = choices_of(completion, parts * n, Feature.N_CHOICES)
    echoed = tokens_echoed(choices) if request.get("echo") else 0
    found = [likelihood(choice, echoed) for choice in choices]
    return [
        [one for one in found[part * n : (part + 1) * n] if one is not None]
        for part in range(parts)
    ]


def tokens_echoed(choices: Sequence[Choice]) -> int:
    """Return how many tokens the choices of one prompt have in front, from one that was cut.

    Raises:
        Absence: none was cut, so that it cannot be told where the prompt ends.
    """
    cut = [len(scores_of(choice)) for choice in choices if choice.finish_reason == "length"]
    if not cut:
        raise Missing(Feature.TEXT, "a choice that is cut by the limit", "none")
    return max(cut) - MAX_TOKENS


def likelihood(choice: Choice, echoed: int) -> Likelihood | None:
    """Return how likely the tokens behind an echoed prompt were; None where there are none.

    Raises:
        NotApplicable: they have no log probabilities.
    """
    scores = scores_of(choice)[echoed:]
    values = [value for value in scores if value is not None]
    if scores and not values:
        raise NotApplicable(f"{choice.where} has no log probabilities")
    return (fmean(values), math.fsum(values)) if values else None


def above_the_least(best: Sequence[Likelihood], ordinary: Sequence[Likelihood]) -> int:
    """Count the ordinary samples that are likelier than the least likely chosen one.

    Servers choose by the mean, or by the sum. They differ for a text that ended early, and so only
    what is likelier in both ways counts, which speaks for the endpoint; so do ties.
    """
    counts = (
        sum(mean > chosen[0] and total > chosen[1] for mean, total in ordinary) for chosen in best
    )
    return max(counts, default=0)
