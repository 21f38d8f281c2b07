"""``best_of``: how many candidates are generated, of which the best ``n`` are returned."""

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
from conformance.message import say
from conformance.model import Effect
from conformance.protocol.completion import Choice

CANDIDATES = 20

CHOSEN = 2

MAX_TOKENS = 4
"""Tokens of each candidate, all of which are counted."""

Likelihood = tuple[float, float]
"""The mean of the log probabilities of a choice's tokens, and their sum."""


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
    tier="deep",
    needs=("n", "stream"),
)
async def streamed_choices_need_no_best_of(api: Api) -> None:
    """`n: 3` without `best_of` is served as a stream.

    `n: 3` 不带 `best_of` 时可以流式返回。
    """
    (await api.stream(**sampled(n=3))).expect_ok()


@check("best-of.returns-one", requirement="best-of.returns-best")
async def candidates_are_not_returned(api: Api) -> None:
    """`best_of: 3` without `n` returns one choice; the other candidates are not returned.

    `best_of: 3` 不带 `n` 时返回一个 choice：其余候选不返回。
    """
    completion = (await api.complete(**minimal_request(best_of=3))).expect_ok()
    choices_of(completion, 1, Feature.CHOICES)


@check("best-of.returns-n", requirement="best-of.returns-best", tier="deep", needs=("n",))
async def the_best_n_are_returned(api: Api) -> None:
    """`best_of: 4` with `n: 2` returns two choices.

    `best_of: 4` 与 `n: 2` 同时使用时返回两个 choice。
    """
    completion = (await api.complete(**minimal_request(n=2, best_of=4))).expect_ok()
    choices_of(completion, 2, Feature.N_CHOICES)


@check(
    "best-of.picks-the-likelier",
    requirement="best-of.returns-best",
    tier="deep",
    needs=("n", "logprobs", "temperature"),
    sees_effect=True,
)
async def the_best_candidates_are_returned(api: Api) -> None:
    """The best two of twenty candidates have a higher probability per token than usual samples.

    二十个候选中最好的两个，其每个 token 的平均概率高于普通样本。
    """
    alone = say("non-streaming responses")
    rounds: dict[str, Sequence[int]] = {alone: await rounds_of(api, OPEN_PROMPTS[:1])}
    for shape, prompts, more in (
        (say("a batch"), OPEN_PROMPTS, {}),
        (say("responses with echo"), OPEN_PROMPTS, {"echo": True}),
    ):
        # One request for three rounds; if it is not served, one request for each round.
        for together in ([list(prompts)], prompts):
            with suppress(Missing, Refusal):  # other checks judge these shapes
                rounds[shape] = await rounds_of(api, together, **more)
                break
    if len(rounds) == 1:
        # No batch is served, which would have had all prompts in one request.
        rounds[alone] = [*rounds[alone], *await rounds_of(api, OPEN_PROMPTS[1:])]
    assert_chosen(rounds)


def assert_chosen(rounds: Mapping[str, Sequence[int]]) -> None:
    """Assert that few enough ordinary samples lie above the worst of the chosen ones.

    ``rounds`` has, for each request shape, the number of such samples of :data:`CANDIDATES`, round
    by round. Its distribution does not depend on the model, since all are samples of it.

    Raises:
        Failure: the number is practically impossible with a correct selection: in one shape, in all
            together, or in a single round.
    """
    every = [count for counts in rounds.values() for count in counts]
    tests = [(shape, counts, 1) for shape, counts in rounds.items()]
    tests += [(say("all rounds"), every, 1), (say("the worst round"), [max(every)], len(every))]
    share = SHARES["best-of.picks-the-likelier"] / len(tests)
    for where, counts, looks in tests:
        correct = distribution(CANDIDATES, len(counts))
        found = log_tail(correct, sum(counts)) + math.log(looks)
        if found > math.log(share):
            continue
        bound = critical_value(correct, share / looks)
        power = math.exp(log_tail(distribution(CHOSEN, len(counts)), bound))
        raise Failure(
            say(
                "fewer than {bound} of {prompts} × {candidates} ordinary samples above "
                "the worst of the best {chosen} of {others}",
                bound=bound,
                prompts=len(counts),
                candidates=CANDIDATES,
                chosen=CHOSEN,
                others=CANDIDATES,
            ),
            say(
                "{counts} in {where}, with probability {chance} (reported below "
                "{share}; random selection is detected in {power} of runs)",
                counts=" + ".join(map(str, counts)),
                where=where,
                chance=chance(found),
                share=f"{share:.0e}",
                power=f"{power:.0%}",
            ),
            effect=Effect.IGNORED,
        )


def distribution(candidates: int, rounds: int) -> list[float]:
    """Return the distribution of the number of ordinary samples above the worst chosen one."""
    return sum_of([others_before(CHOSEN, candidates, CANDIDATES)] * rounds)


async def rounds_of(api: Api, prompts: Sequence[str | list[str]], **more: Any) -> list[int]:
    """Sample each prompt as it is and with ``best_of``, and compare the two.

    Returns:
        For each prompt, how many ordinary samples are likelier than the worst chosen one.

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
    """Sample, and return the likelihoods of the choices for each part of a batch.

    A choice without tokens is left out: it has no mean, and servers rank it as the best or as the
    worst.
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
    """Return the number of echoed tokens of a prompt, from a choice that the limit cut.

    Raises:
        Missing: the limit cut none, so the end of the prompt is unknown.
    """
    cut = [len(scores_of(choice)) for choice in choices if choice.finish_reason == "length"]
    if not cut:
        raise Missing(Feature.TEXT, say("a choice that is cut by the limit"), say("none"))
    return max(cut) - MAX_TOKENS


def likelihood(choice: Choice, echoed: int) -> Likelihood | None:
    """Return the likelihood of the tokens after an echoed prompt; None if there are none.

    Raises:
        NotApplicable: they have no log probabilities.
    """
    scores = scores_of(choice)[echoed:]
    values = [value for value in scores if value is not None]
    if scores and not values:
        raise NotApplicable(say("{choice} has no log probabilities", choice=choice.where))
    return (fmean(values), math.fsum(values)) if values else None


def above_the_least(best: Sequence[Likelihood], ordinary: Sequence[Likelihood]) -> int:
    """Count the ordinary samples that are likelier than the least likely chosen one.

    Servers choose by the mean, or by the sum. These differ for a text that ended early, so only a
    sample that is likelier by both counts; ties count in favour of the endpoint, too.
    """
    counts = (
        sum(mean > chosen[0] and total > chosen[1] for mean, total in ordinary) for chosen in best
    )
    return max(counts, default=0)
