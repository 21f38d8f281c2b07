"""Judges one aspect of all results, and reports the smallest request that shows a failure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from conformance.api import Api
from conformance.checks._shared.ab_compare import Unsettled, expect_agreement
from conformance.checks._shared.token_scores import expect_scored_alike
from conformance.checks.interactions.aspects import (
    Observation,
    Observer,
    is_same,
    is_scored_alike,
    observe,
)
from conformance.checks.interactions.cases import TestCase, has_no_empty_stop
from conformance.checks.interactions.predictions import Baselines
from conformance.checks.interactions.requests import (
    Outcome,
    Results,
    baselines_of,
    run_test_cases,
    send,
    send_or_judgement,
)
from conformance.evidence import Evidence, noted
from conformance.judgement import (
    Failure,
    Judgement,
    Missing,
    NotApplicable,
    Refusal,
    shown,
)
from conformance.message import Message, say
from conformance.protocol.completion import Completion
from conformance.protocol.refusal import is_promised

MAX_SHRINKING_REQUESTS = 14
"""Requests that may be spent on shrinking one test case."""

MAX_REPORTED_CASES = 2
"""Failing test cases that are shrunk, until one of them gives a verdict."""


@dataclass(frozen=True)
class Aspect:
    """One aspect of a response that is judged.

    Attributes:
        words: the expected behaviour, for a reader.
        observer: observes the aspect.
        by_text: whether a near-tie could change it, so that a difference has to be reproduced
            before it counts.
        by_score: whether it has log probabilities, which are compared as numbers.
        names_setting: whether a failure is about the only setting of the smallest request that
            shows it, if it has only one.
        among: whether a test case is judged.
        owns: whether the smallest request that shows a failure is this aspect's to report. What
            only an empty stop sequence shows breaks no must, and has an aspect of its own.
    """

    words: Message
    observer: Observer
    by_text: bool = False
    by_score: bool = False
    names_setting: bool = False
    among: Callable[[TestCase], bool] = lambda _: True
    owns: Callable[[TestCase], bool] = has_no_empty_stop

    def failure(
        self, case: TestCase, baselines: Baselines, outcome: Outcome
    ) -> Observation | Failure | None:
        """Return what is wrong with the outcome of a test case, or None."""
        if isinstance(outcome, Judgement):
            return None
        seen = observe(self.observer, case, baselines, outcome)
        if isinstance(seen, Observation):
            return None if (is_scored_alike if self.by_score else is_same)(seen) else seen
        return seen


async def assert_aspect(api: Api, aspect: Aspect, *, core: bool) -> None:
    """Assert an aspect of the test cases of the core, or of those that come after them.

    Raises:
        Failure: it is not as predicted; reported for the smallest request that shows it.
        Unsettled: the difference is not reproduced each time.
        Inconclusive: test cases have no response.
        NotApplicable: there is nothing to observe, or the check of the core fails already.
    """
    results = await run_test_cases(api, core=core)
    failed = [
        case
        for case, outcome in results.outcomes
        if aspect.among(case) and aspect.failure(case, results.baselines, outcome)
    ]
    own = _part_of(results, core=core)
    if not core and any(case not in own and aspect.owns(case) for case in failed):
        raise NotApplicable(say("requests of the standard tier show it already"))
    doubt: Unsettled | None = None
    failed.sort(key=lambda case: (not aspect.owns(case), len(case.traits)))
    for case in failed[:MAX_REPORTED_CASES]:
        try:
            await report(api, aspect, case, results.baselines)
        except Unsettled as unsettled:
            doubt = doubt or unsettled
    if doubt is not None:
        raise doubt
    results.assert_answered(own)


async def report(api: Api, aspect: Aspect, case: TestCase, baselines: Baselines) -> None:
    """Shrink a failing test case, and raise what is wrong with its response.

    Raises:
        Failure: the response is not as predicted.
        Unsettled: the difference is not reproduced each time.
    """

    async def fails(smaller: TestCase) -> bool:
        return bool(aspect.failure(smaller, baselines, await send_or_judgement(api, smaller)))

    case = await smallest(api, case, fails)
    if aspect.owns(case):
        await _report(api, aspect, case, baselines)


async def _report(api: Api, aspect: Aspect, case: TestCase, baselines: Baselines) -> None:
    sources = [(prompt, case.suffix) for prompt in case.prompts]
    with noted() as probes:
        response = await send(api, case)
    with noted() as controls:
        # The same requests as before, which are not sent again: a reader sees what is compared.
        await baselines_of(api, sources)
    wrong = aspect.failure(case, baselines, response)
    if isinstance(wrong, Failure):
        raise _with_case(wrong, case).shown_by(Evidence(tuple(probes)))
    evidence = Evidence(tuple(probes), tuple(one for one in controls if one not in probes))
    expected = shown_by(aspect.words, case)
    if wrong is not None and not (aspect.by_text or aspect.by_score):
        raise Failure(
            expected,
            say(
                "{seen} instead of {expected}",
                seen=shown(wrong.seen),
                expected=shown(wrong.expected),
            ),
        ).shown_by(evidence)

    async def as_observed(fresh: bool) -> Any:
        return _observed(aspect, case, baselines, await send(api, case, fresh=fresh)).seen

    async def as_predicted(fresh: bool) -> Any:
        again = (
            {**baselines, **await baselines_of(api, sources, fresh=True)} if fresh else baselines
        )
        return _observed(aspect, case, again, await send(api, case)).expected

    compare = expect_scored_alike if aspect.by_score else expect_agreement
    try:
        await compare(as_observed, as_predicted, expected)
    except Unsettled as doubt:
        doubt.evidence = evidence
        raise
    except Failure as failure:
        failure.evidence = evidence
        failure.subject = case.only_setting if aspect.names_setting else None
        raise


async def assert_served(api: Api, *, core: bool) -> None:
    """Assert that settings that are served alone are served together, with a readable response.

    Raises:
        Refusal: a combination is rejected; one that is promised before any other.
        Failure: a response cannot be read.
        Inconclusive: test cases have no response.
        NotApplicable: the check of the core fails already.
    """
    results = await run_test_cases(api, core=core)
    own = _part_of(results, core=core)
    broken = [(case, one) for case, one in results.outcomes if isinstance(one, Refusal | Failure)]
    if not core and any(case not in own for case, _ in broken):
        raise NotApplicable(say("requests of the standard tier show it already"))
    unreadable = [(case, one) for case, one in broken if isinstance(one, Failure)]
    if unreadable:
        case = await smallest(api, unreadable[0][0], _results_in(api, Failure))
        with noted() as probes:
            again = await send_or_judgement(api, case)
        wrong = _with_case(again if isinstance(again, Failure) else unreadable[0][1], case)
        raise wrong.shown_by(Evidence(tuple(probes)))
    refusals: list[Refusal] = []
    # An empty stop sequence may be rejected anywhere.
    broken = [(case, one) for case, one in broken if has_no_empty_stop(case)]
    for case, _ in sorted(broken, key=lambda each: len(each[0].traits))[:MAX_REPORTED_CASES]:
        small = await smallest(api, case, _results_in(api, Refusal))
        if isinstance(refusal := await send_or_judgement(api, small), Refusal):
            refusals.append(_refusal_with_case(refusal, small))
    if refusals:
        raise min(refusals, key=lambda one: not is_promised(one, api.contract))
    results.assert_answered(own)


async def smallest(
    api: Api, case: TestCase, shows: Callable[[TestCase], Awaitable[bool]]
) -> TestCase:
    """Remove traits from a test case while ``shows`` returns true for it."""
    tried = {case.description}
    while True:
        for smaller in case.smaller():
            if smaller.description in tried:
                continue
            if len(tried) > MAX_SHRINKING_REQUESTS or not api.retest_budget.take(1):
                return case
            tried.add(smaller.description)
            if await shows(smaller):
                case = smaller
                break
        else:
            return case


def shown_by(words: Message, case: TestCase) -> Message:
    """Return the expected behaviour, and the request that shows the failure."""
    return say(
        "{words}; smallest failing request: {request}", words=words, request=case.description
    )


def _with_case(failure: Failure, case: TestCase) -> Failure:
    """Return a failure whose message names the test case."""
    expected = shown_by(failure.expected, case)
    if isinstance(failure, Missing):
        return Missing(failure.feature, expected, failure.seen, effect=failure.effect)
    return Failure(expected, failure.seen, effect=failure.effect, place=failure.place)


def _refusal_with_case(refusal: Refusal, case: TestCase) -> Refusal:
    """Return a refusal whose message names the test case."""
    message = say(
        "{message}; smallest rejected request: {request}",
        message=refusal.message,
        request=case.description,
    )
    return Refusal(refusal.status, message, refusal.features, refusal.request)


def _results_in(api: Api, judgement: type[Judgement]) -> Callable[[TestCase], Awaitable[bool]]:
    async def results_in(case: TestCase) -> bool:
        return isinstance(await send_or_judgement(api, case), judgement)

    return results_in


def _observed(
    aspect: Aspect, case: TestCase, baselines: Baselines, response: Completion
) -> Observation:
    """Observe an aspect again; an empty observation if there is nothing to compare any more."""
    found = observe(aspect.observer, case, baselines, response)
    return found if isinstance(found, Observation) else Observation((), ())


def _part_of(results: Results, *, core: bool) -> set[TestCase]:
    """Return the test cases of the core, or those that come after them."""
    cases = [case for case, _ in results.outcomes]
    return set(cases[: results.core] if core else cases[results.core :])
