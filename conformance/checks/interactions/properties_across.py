"""Failures across test cases: different scores of a prompt, equal ids of two responses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.token_scores import (
    Scored,
    alike,
    expect_scored_alike,
    prompt_length,
    scores_of,
    tokens_of,
)
from conformance.checks.interactions.cases import TestCase
from conformance.checks.interactions.properties import CORE, GENERATED
from conformance.checks.interactions.requests import Outcome, run_test_cases, send
from conformance.judgement import Failure, Judgement, NotApplicable, shown
from conformance.message import say
from conformance.protocol.completion import Choice, Completion


@dataclass(frozen=True)
class ScoredPrompt:
    """The log probabilities of a prompt in one choice of the response to a test case.

    Attributes:
        case: the test case.
        choice: the position of the choice in the response.
        scored: the tokens of the prompt with their log probabilities.
    """

    case: TestCase
    choice: int
    scored: Scored


@check(
    "interactions.prompt-scores",
    requirement="echo.scored-equals-generated",
    needs=("echo", "logprobs"),
    **CORE,
)
async def a_prompt_is_scored_alike_in_every_row(api: Api) -> None:
    """A prompt's scores do not depend on other parameters, nor on the tokens generated after it.

    同一 prompt 的得分与其他参数及其后生成的 token 无关。
    """
    results = await run_test_cases(api, core=True)
    prompts = scored_prompts(results.outcomes)
    if not any(len(scored) > 1 for scored in prompts.values()):
        results.assert_answered([case for case, _ in results.outcomes])
        raise NotApplicable(say("no prompt was scored twice"))
    for scored in prompts.values():
        usual = max(scored, key=lambda one: sum(_alike(one, other) for other in scored))
        for outlier in scored:
            if not _alike(usual, outlier):
                await assert_scored_alike(api, usual, outlier)


@check("interactions.asked-again", requirement="envelope.id-unique", **GENERATED)
async def a_repeated_request_gets_a_new_id(api: Api) -> None:
    """A repeated request with many settings has a response with a new id.

    含多项设置的请求再次发送时，响应的 id 不同。
    """
    outcomes = (await run_test_cases(api)).outcomes
    for case in cases_to_repeat([case for case, one in outcomes if isinstance(one, Completion)]):
        ids = [(await send(api, case, fresh=fresh)).raw.get("id") for fresh in (False, True)]
        if ids[0] == ids[1]:
            raise Failure(
                say("a new id for a repeated request"),
                say("{id} twice: {request}", id=shown(ids[0]), request=case.description),
            )


def scored_prompts(
    outcomes: Sequence[tuple[TestCase, Outcome]],
) -> Mapping[str, Sequence[ScoredPrompt]]:
    """Group the log probabilities of echoed prompts by the prompt."""
    found: dict[str, list[ScoredPrompt]] = defaultdict(list)
    for case, outcome in outcomes:
        request = case.request
        if not (request.echo and request.has("logprobs") and isinstance(outcome, Completion)):
            continue
        if len(outcome.choices) != request.choices:
            continue
        for number, choice in enumerate(outcome.choices):
            prompt = case.prompts[number // request.n]
            scored = prompt_scores(choice, prompt) if isinstance(prompt, str) else None
            if isinstance(prompt, str) and scored:
                found[prompt].append(ScoredPrompt(case, number, scored))
    return found


def prompt_scores(choice: Choice, prompt: str) -> Scored | None:
    """Return the tokens of an echoed prompt with their log probabilities; None if unknown."""
    try:
        tokens, scores = tokens_of(choice), scores_of(choice)
    except Judgement:
        return None
    length = prompt_length(tokens, prompt)
    return None if length is None else list(zip(tokens, scores, strict=False))[:length]


async def assert_scored_alike(api: Api, usual: ScoredPrompt, outlier: ScoredPrompt) -> None:
    """Assert that two test cases have the same log probabilities of a prompt.

    Raises:
        Failure: they differ, and each of them is reproduced.
        Inconclusive: one of them is not reproduced.
    """

    async def scored(one: ScoredPrompt, fresh: bool) -> Scored:
        choices = (await send(api, one.case, fresh=fresh)).choices
        prompt = one.case.prompts[one.choice // one.case.request.n]
        return prompt_scores(choices[one.choice], str(prompt)) or []

    await expect_scored_alike(
        partial(scored, usual),
        partial(scored, outlier),
        say(
            "the same scores of a prompt in two requests: {one}, and {other}",
            one=usual.case.description,
            other=outlier.case.description,
        ),
    )


def cases_to_repeat(cases: Sequence[TestCase]) -> list[TestCase]:
    """Choose the richest test case without ``stream``, or the richest of all if each has it.

    The checks of ids repeat a stream.
    """
    whole = [case for case in cases if not case.request.stream]
    return [max(whole or cases, key=_richness)] if cases else []


def _richness(case: TestCase) -> tuple[bool, int]:
    echoed_batch = case.request.echo and len(case.prompts) > 1 and not _is_ascii(case)
    return echoed_batch, case.request.choices


def _is_ascii(case: TestCase) -> bool:
    return all(isinstance(prompt, str) and prompt.isascii() for prompt in case.prompts)


def _alike(one: ScoredPrompt, other: ScoredPrompt) -> bool:
    return alike([score for _, score in one.scored], [score for _, score in other.scored])
