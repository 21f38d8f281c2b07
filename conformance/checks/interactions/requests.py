"""Sends the test cases. All checks of interactions share them, so each is paid for once.

A conforming server may reject some settings on their own. Test cases that it rejects for such a
setting are sent again without it; if they are still rejected, the combination is judged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from conformance.api import Api
from conformance.checks._shared.requests import collect_stream, non_streaming
from conformance.checks._shared.token_scores import alternatives
from conformance.checks.interactions.cases import ASCII, Prompt, TestCase
from conformance.checks.interactions.parameter_model import (
    SUFFIX,
    cases_of,
    covering_array,
    prompts_of,
)
from conformance.checks.interactions.predictions import Baseline, Baselines, Source, baseline_of
from conformance.generation.threads import in_daemon_thread
from conformance.judgement import (
    BudgetSpent,
    Inconclusive,
    Judgement,
    NotApplicable,
    Refusal,
    shown,
)
from conformance.protocol.completion import Completion

Outcome = Completion | Judgement
"""The result of a test case: a completion, or why there is none."""


@dataclass(frozen=True)
class Results:
    """The test cases of a run with their results.

    Attributes:
        baselines: the responses that the predictions are made from.
        outcomes: each test case with its outcome, in the order of the array.
        core: how many test cases, the first ones, are the core of the array.
    """

    baselines: Baselines
    outcomes: Sequence[tuple[TestCase, Outcome]]
    core: int

    def assert_answered(self, cases: Collection[TestCase]) -> None:
        """Assert that some test cases have a response that could be judged.

        Raises:
            Inconclusive: one has none.
            NotApplicable: one has none in the record that is judged.
        """
        for case, outcome in self.outcomes:
            if case in cases and isinstance(outcome, Inconclusive | NotApplicable):
                raise outcome


async def run_test_cases(api: Api, *, core: bool = False) -> Results:
    """Send every test case of the contract's array, or only those of its core.

    Raises:
        BudgetSpent: the budget is spent.
        Refusal, Failure, Inconclusive: there is no baseline for the simplest prompt.
    """
    array = await in_daemon_thread(covering_array, api.contract)
    if core:
        array = replace(array, combinations=array.combinations[: array.core])
    sources: dict[Source, None] = {(ASCII, None): None}
    for combination in array.combinations:
        suffix = SUFFIX if combination.get("suffix") == "on" else None
        sources |= dict.fromkeys((prompt, suffix) for prompt in prompts_of(combination))
    baselines = await baselines_of(api, sources)

    def text(prompt: Prompt, suffix: str | None, limit: int) -> str:
        baseline = baselines.get((prompt, suffix))
        return (baseline.within(limit) or baseline.text) if baseline else ""

    cases = cases_of(array, api.contract, text)
    outcomes = await asyncio.gather(*(send_or_judgement(api, case) for case in cases))
    rejected = await _rejected_alone(
        api, [case for case, one in zip(cases, outcomes, strict=True) if isinstance(one, Refusal)]
    )
    if rejected:
        cases = [
            case.without(*(trait for trait in case.traits if _key(case, trait) in rejected))
            if isinstance(one, Refusal)
            else case
            for case, one in zip(cases, outcomes, strict=True)
        ]
        outcomes = await asyncio.gather(*(send_or_judgement(api, case) for case in cases))
    return Results(baselines, list(zip(cases, outcomes, strict=True)), array.core)


async def send(api: Api, case: TestCase, *, fresh: bool = False) -> Completion:
    """Send a test case, and return the completion.

    Raises:
        Judgement: the response is no completion.
    """
    response = await api.post(case.encoded(api.model), fresh=fresh)
    return collect_stream(response) if case.request.stream else response.expect_ok()


async def send_or_judgement(api: Api, case: TestCase) -> Outcome:
    """Send a test case; return a judgement instead of raising it, unless the budget is spent."""
    try:
        return await send(api, case)
    except BudgetSpent:
        raise
    except Judgement as judgement:
        # The traceback would keep this frame and the response alive in a reference cycle.
        return judgement.with_traceback(None)


async def baselines_of(api: Api, sources: Iterable[Source], *, fresh: bool = False) -> Baselines:
    """Request the baseline of each prompt; prompts without one are left out.

    Raises:
        Judgement: the simplest prompt has none.
    """
    wanted = list(sources)
    found = await asyncio.gather(*(_baseline(api, source, fresh) for source in wanted))
    return {
        source: baseline
        for source, baseline in zip(wanted, found, strict=True)
        if baseline is not None
    }


async def _baseline(api: Api, source: Source, fresh: bool) -> Baseline | None:
    """Request a baseline, with its tokens if possible: they show where a shorter limit cuts."""
    prompt, suffix = source
    sent = list(prompt) if isinstance(prompt, tuple) else prompt
    more = {} if suffix is None else {"suffix": suffix}
    # As other checks request it, byte for byte.
    listed = alternatives(api) if source == (ASCII, None) else 1
    try:
        if api.contract.parameter("logprobs").documented:
            try:
                return baseline_of(
                    await non_streaming(api, sent, fresh=fresh, **more, logprobs=listed)
                )
            except Refusal:
                pass
        return baseline_of(await non_streaming(api, sent, fresh=fresh, **more))
    except BudgetSpent:
        raise
    except Judgement:
        if source == (ASCII, None):
            raise
        return None


async def _rejected_alone(api: Api, rejected: Sequence[TestCase]) -> set[tuple[str, str]]:
    """Return the traits of rejected test cases that are rejected without any other trait."""
    alone: Mapping[tuple[str, str], TestCase] = {
        _key(case, trait): case.alone(trait) for case in rejected for trait in case.traits
    }
    outcomes = await asyncio.gather(*(send_or_judgement(api, case) for case in alone.values()))
    return {key for key, one in zip(alone, outcomes, strict=True) if isinstance(one, Refusal)}


def _key(case: TestCase, trait: str) -> tuple[str, str]:
    """Return a trait with its value."""
    parts = {"batch": case.prompts, "prompt": case.prompts, "limit": case.max_tokens}
    return trait, shown(case.settings[trait] if trait in case.settings else parts.get(trait))
