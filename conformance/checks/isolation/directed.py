"""Other requests, at the same time or before, do not change a response.

The checks share one scene: each row is sent alone, then all of them at once with neighbours, then
some once more. Only if a response differs are more requests sent, to find out whether it is a
near-tie and, if not, which neighbour changes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.nondeterminism import NEAR_TIE_NATS
from conformance.checks.isolation import comparing, trials
from conformance.checks.isolation.comparing import MIN_LEAD_NATS, evidence
from conformance.checks.isolation.refused_beside import SUBJECT
from conformance.checks.isolation.sending import (
    Answer,
    Answers,
    afterwards,
    again_alone,
    at_once,
    burst_of,
    scene_of,
)
from conformance.checks.isolation.stimuli import Row, neighbours_of
from conformance.judgement import Failure, NotApplicable, shown
from conformance.message import say
from conformance.model import Stage

TOGETHER: dict[str, Any] = {"tier": "deep", "stage": Stage.TOGETHER}

MAX_ROWS = 3
"""Rows with another text that are looked into."""

AS_ALONE = say("the response of the request alone, whatever else the endpoint is serving")

MORE_BURSTS = 2
"""How often the burst is sent again if no row with another text is clear."""

SEEDS_DIFFER = say("samples with the same seed differ, so none can be compared")

UNCLEAR = say("responses differed, and near-ties or repeats may explain it")


@check("isolation.own-prompt", requirement="isolation.own-prompt", **TOGETHER)
async def each_response_continues_its_own_prompt(api: Api) -> None:
    """Of many requests at once, each gets the continuation of its own prompt.

    同时发送多个请求时，每个请求得到的都是自己的 prompt 的续写。
    """
    scene = await scene_of(api)
    swapped = comparing.swapped_in(scene.at_once, scene.alone)
    if not swapped:
        return
    responses = len(scene.at_once)
    if len(swapped) == 1 and await _may_be_near_tie(api, swapped[0], scene.alone):
        # A second one is no near-tie.
        more, others = await trials.swapped_again(api, scene.alone)
        swapped, responses = [*swapped, *more], responses + others
        if not more:
            raise NotApplicable(UNCLEAR)
    first = swapped[0]
    own, other = scene.alone[first.row], scene.alone[first.other]
    raise (
        Failure(
            say(
                "the continuation of each request's own prompt, with {count} requests at once",
                count=scene.count,
            ),
            say(
                "{text}, which continues {other}, in response to {own} ({swapped} of {responses} "
                "responses)",
                text=shown(first.seen.text),
                other=_prompt(first.other),
                own=_prompt(first.row),
                swapped=len(swapped),
                responses=responses,
            ),
        )
        .shown_by(evidence(first.seen, own, other))
        .only_by_suite()
    )


@check("isolation.own-settings", requirement="isolation.own-settings", **TOGETHER)
async def neighbours_change_no_response(api: Api) -> None:
    """Of many requests with different settings at once, each gets its response alone.

    同时发送设置各异的多个请求时，每个请求得到的响应都与单独发送时相同。
    """
    scene = await scene_of(api)
    if comparing.swapped_in(scene.at_once, scene.alone):
        raise NotApplicable(say("same cause as {check}", check="isolation.own-prompt"))
    if not scene.differing:
        return
    firm, answers = await _firm_in(api, scene.at_once, scene.alone), scene.at_once
    for _ in range(MORE_BURSTS):
        if firm or not api.retest_budget.take(scene.count):
            break
        # Another row, with a wider lead, may show what this one leaves open.
        answers = await at_once(api, burst_of(api, scene.alone), fresh=True)
        firm = await _firm_in(api, answers, scene.alone)
    if not firm:
        raise NotApplicable(UNCLEAR)
    found = await trials.trial_beside_one_neighbour(api, firm, scene.alone)
    if found is None:
        found = await trials.bursts_again(
            api, lambda answers: _firm_in(api, answers, scene.alone), scene.alone
        )
    if found is None:
        raise NotApplicable(say("a response at once differed from that alone, and never again"))
    usual = scene.alone[found.row]
    often = say("{times} of {rounds} times", times=found.times, rounds=found.rounds)
    if found.without is not None:
        plain = found.without
        often = say("{often}, and {plain} times beside a plain request", often=often, plain=plain)
    raise (
        Failure(
            AS_ALONE,
            say(
                "{odd} instead of {usual} beside {what} ({often}), although one token leads by "
                "{lead} nats or more",
                odd=_written(found.seen),
                usual=_written(usual),
                what=found.beside,
                often=often,
                lead=MIN_LEAD_NATS,
            ),
        )
        .shown_by(evidence(found.seen, usual))
        .only_by_suite()
    )


@check("isolation.served-beside-others", requirement="isolation.own-settings", **TOGETHER)
async def no_neighbour_has_a_request_rejected(api: Api) -> None:
    """A request that is served alone is not rejected because of others at the same time.

    单独发送时可用的请求，不会因同时有其他请求而被拒绝。
    """
    scene = await scene_of(api)
    refused = [row for row, answer in scene.at_once.items() if answer.refusal is not None]
    if not refused:
        return
    again = await at_once(api, burst_of(api, scene.alone), fresh=True)
    for row in refused:
        answer = again.get(row)
        if answer is None or answer.refusal is None:
            continue
        alone = await again_alone(api, row)
        if alone is not None and alone.texts is not None:
            raise (
                Failure(
                    say("a request that is served alone served beside others"),
                    answer.refusal.said,
                    subject=SUBJECT,
                )
                .shown_by(evidence(answer, alone))
                .only_by_suite()
            )
    raise NotApplicable(say("requests at once were rejected, and not again"))


@check(
    "isolation.seed-kept",
    requirement="isolation.seed-kept",
    needs=("seed", "temperature"),
    **TOGETHER,
)
async def a_seed_is_kept_beside_requests_without_one(api: Api) -> None:
    """A seed repeats its sample beside requests without a seed, too.

    同时有未设置 seed 的请求时，seed 同样重现其样本。
    """
    scene = await scene_of(api)
    rows = [row for row in scene.at_once if not row.is_greedy]
    if not rows:
        raise NotApplicable(say("no sample with a seed came back"))
    lost = trials.differing(rows, scene.at_once, scene.alone)
    if not lost:
        return
    if not all([await comparing.is_repeated_alone(api, row, scene.alone[row]) for row in rows]):
        raise NotApplicable(SEEDS_DIFFER)
    unseeded, seeded = await trials.beside_seeds(api, rows, scene.alone)
    enough = min(unseeded.samples, seeded.samples) >= trials.MIN_SAMPLES
    only_unseeded = unseeded.times >= unseeded.samples - 1 and seeded.times <= 1
    always = all(each.from_start >= each.samples - 1 for each in (unseeded, seeded))
    if not enough or not (only_unseeded or always):
        raise NotApplicable(SEEDS_DIFFER)
    row = lost[0]
    kind = say("a request without a seed") if only_unseeded else trials.ANY_REQUEST
    raise (
        Failure(
            say("the sample of the seed, whatever else the endpoint is serving"),
            say(
                "{odd} instead of {usual} beside {what} ({times} of {samples} samples; "
                "beside a request with a seed {seeded} of {all})",
                odd=_written(scene.at_once[row]),
                usual=_written(scene.alone[row]),
                what=kind,
                times=unseeded.times,
                samples=unseeded.samples,
                seeded=seeded.times,
                all=seeded.samples,
            ),
        )
        .shown_by(evidence(scene.at_once[row], scene.alone[row]))
        .only_by_suite()
    )


@check("isolation.asked-again-last", requirement="isolation.earlier-requests", **TOGETHER)
async def earlier_requests_change_no_response(api: Api) -> None:
    """After many requests and a long prompt from the cache, requests get their first responses.

    在许多请求之后、长 prompt 取自缓存之后，再次发送的请求仍得到最初的响应。
    """
    scene = await scene_of(api)
    last = await afterwards(api, scene.alone)
    if not last:
        raise NotApplicable(say("no response came back after the burst"))
    changed = [(row, seen) for row, seen in last if seen.texts != scene.alone[row].texts]
    if not changed:
        return
    row, seen = changed[0]
    known = scene.alone[row]
    if comparing.is_another_backend(known, seen):
        raise NotApplicable(say("the backend changed between the responses"))
    lead = await comparing.lead_of(api, row, known, seen)
    if lead is None or lead < MIN_LEAD_NATS:
        raise NotApplicable(UNCLEAR)
    found = await _later(api, row, scene.alone)
    if found is None:
        raise NotApplicable(say("a later response differed from the first, and never again"))
    raise (
        Failure(
            say("the first response of a request again, whatever was served since"),
            say(
                "{odd} instead of {usual} after {what} ({times} of {rounds} times), "
                "although one token leads by {lead} nats or more",
                odd=_written(found.seen),
                usual=_written(known),
                what=found.beside,
                times=found.times,
                rounds=found.rounds,
                lead=MIN_LEAD_NATS,
            ),
        )
        .shown_by(evidence(found.seen, known))
        .only_by_suite()
    )


async def _later(api: Api, row: Row, alone: Answers) -> trials.Trial | None:
    """Return after what a row has another text than at first; None if it never has again."""
    known = alone[row]
    always = await trials.after(api, row, row, known)
    if always is not None and always.times == always.rounds:
        return replace(always, beside=say("earlier requests, ever since"))
    long = [one for one in alone if one.is_long]
    for one in (*long, *(one for one in neighbours_of(api) if one.ends_early)):
        found = await trials.after(api, row, one, known)
        if found is not None:
            return replace(found, beside=say("a long prompt") if one.is_long else one.name)
    return None


async def _may_be_near_tie(api: Api, swap: comparing.Swap, alone: Answers) -> bool:
    """Return whether two tokens are near each other where a swapped text leaves its own."""
    if not swap.row.is_greedy:
        return True
    lead = await comparing.lead_of(api, swap.row, alone[swap.row], swap.seen)
    return lead is not None and lead < NEAR_TIE_NATS


async def _firm_in(api: Api, answers: Answers, alone: Answers) -> list[Row]:
    """Return the greedy rows with a text that differs from that alone, and that is no near-tie."""
    greedy = [row for row in alone if row.is_greedy]
    rows = trials.differing(greedy, answers, alone)[:MAX_ROWS]
    return [row for row in rows if await _is_firm(api, row, alone[row], answers[row])]


async def _is_firm(api: Api, row: Row, known: Answer, seen: Answer) -> bool:
    if comparing.is_another_backend(known, seen):
        return False
    if not await comparing.is_repeated_alone(api, row, known):
        return False
    lead = await comparing.lead_of(api, row, known, seen)
    return lead is not None and lead >= MIN_LEAD_NATS


def _prompt(row: Row) -> str:
    return shown(row.body["prompt"], limit=60)


def _written(answer: Answer) -> str:
    texts: Sequence[str] = answer.texts or ()
    return shown(texts[0] if len(texts) == 1 else list(texts), limit=120)
