"""Differences that do not repeat: a near-tie is not reported, an error is found."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from conformance.api import Api, RetestBudget
from conformance.checks._shared.ab_compare import Unsettled, expect_agreement
from conformance.checks._shared.nondeterminism import (
    NEAR_TIE_NATS,
    Parting,
    lead_before,
    parting_of,
    settle,
    usual_and_outlier,
)
from conformance.contract import load_contract
from conformance.judgement import Failure, Inconclusive, Judgement
from conformance.model import Effect, Exchange, Request
from conformance.testing import FakeEndpoint
from conformance.testing.fake_endpoint import MODEL
from conformance.transport.coalesce import RequestCoalescer
from tests.near_ties import scored_closely

OPENAI = load_contract("openai")
GREEDY: dict[str, Any] = {"prompt": "1, 2, 3, 4, 5,", "max_tokens": 8, "temperature": 0}


class Erring:
    """Sometimes writes another last character, and optionally reports near-ties."""

    def __init__(self, every: int, *, near_ties: bool = False, logprobs: bool = True) -> None:
        self._inner = FakeEndpoint(OPENAI)
        self._every, self._near_ties, self._logprobs = every, near_ties, logprobs
        self.sent = 0

    async def send(self, request: Request) -> Exchange:
        body = json.loads(request.body)
        exchange = await self._inner.send(request)
        response = json.loads(exchange.body)
        if body.get("logprobs") is not None:
            if not self._logprobs:
                return replace(exchange, status=400, body=b'{"error": {"message": "no logprobs"}}')
            result = scored_closely(response) if self._near_ties else response
            return replace(exchange, body=json.dumps(result).encode())
        self.sent += 1
        if self.sent % self._every == 0:
            choice = response["choices"][0]
            response["choices"][0] = {**choice, "text": f"{choice['text'][:-1]}~"}
        return replace(exchange, body=json.dumps(response).encode())


async def judged(
    endpoint: Erring,
    retest_budget: RetestBudget | None = None,
    prompts: Sequence[str] = (GREEDY["prompt"],),
) -> Judgement | None:
    """What comes of holding two equal ways of asking against each other, a request a prompt."""
    api = Api(RequestCoalescer(endpoint.send), OPENAI, MODEL, retest_budget=retest_budget)

    async def text(fresh: bool, **more: Any) -> tuple[str, ...]:
        request = [{**GREEDY, "prompt": prompt, **more} for prompt in prompts]
        return tuple([(await api.complete(fresh=fresh, **one)).expect_ok().text for one in request])

    try:
        await expect_agreement(text, lambda fresh: text(fresh, user="u"), "the same text")
    except Unsettled as doubt:
        return await settle(doubt, api)
    except Judgement as judgement:
        return judgement
    return None


def test_agreeing_responses_are_not_requested_again() -> None:
    endpoint = Erring(every=99)
    assert asyncio.run(judged(endpoint)) is None
    assert endpoint.sent == 2


def test_intermittent_error_at_a_clear_token_is_found() -> None:
    judgement = asyncio.run(judged(Erring(every=2)))
    assert isinstance(judgement, Failure)
    judgement = asyncio.run(judged(Erring(every=3)))
    assert judgement is None  # the first two answers agree, and nothing was suspected


def test_near_tie_that_flips_is_not_reported() -> None:
    endpoint = Erring(every=5, near_ties=True)
    endpoint.sent = 3  # so that the second answer is another
    judgement = asyncio.run(judged(endpoint))
    assert isinstance(judgement, Inconclusive)
    assert f"below {NEAR_TIE_NATS}" in str(judgement)


def test_rare_error_is_found_with_its_measurement() -> None:
    endpoint = Erring(every=5)
    endpoint.sent = 3
    judgement = asyncio.run(judged(endpoint))
    assert isinstance(judgement, Failure)
    assert "2 times in" in judgement.seen
    assert "nats" in judgement.seen


def test_scores_of_a_closed_stream_are_limited() -> None:
    """Without ``max_tokens`` a stream is closed; its scores are no reason to generate on."""
    inner, sent = FakeEndpoint(OPENAI), list[dict[str, Any]]()

    async def send(request: Request) -> Exchange:
        sent.append(json.loads(request.body))
        return await inner.send(request)

    api = Api(RequestCoalescer(send), OPENAI, MODEL)

    async def side(fresh: bool) -> None:
        await api.stream(fresh=fresh, read_events=24, prompt="1, 2, 3,", temperature=0)

    asyncio.run(lead_before(Parting(None), [side], api, "doubt"))
    closed, scored = sent
    assert "max_tokens" not in closed
    assert scored["max_tokens"] == 24
    assert "logprobs" in scored


@pytest.mark.parametrize("near_ties", [False, True])
def test_one_clear_response_suffices_among_several_prompts(near_ties: bool) -> None:
    """The answer to the other prompt begins otherwise, and says nothing of where these part."""
    endpoint = Erring(every=5, near_ties=near_ties)
    endpoint.sent = 2  # so that the third of the first four answers is another
    judgement = asyncio.run(judged(endpoint, prompts=(GREEDY["prompt"], "red, green,")))
    assert isinstance(judgement, Inconclusive if near_ties else Failure)
    assert near_ties == (f"below {NEAR_TIE_NATS}" in str(judgement))


def test_missing_log_probabilities_make_it_inconclusive() -> None:
    endpoint = Erring(every=5, logprobs=False)
    endpoint.sent = 3
    judgement = asyncio.run(judged(endpoint))
    assert isinstance(judgement, Inconclusive)
    assert "is unknown" in str(judgement)


def test_difference_that_does_not_recur_is_inconclusive() -> None:
    endpoint = Erring(every=50)
    endpoint.sent = 48
    judgement = asyncio.run(judged(endpoint))
    assert isinstance(judgement, Inconclusive)
    assert "0 times in 18 repeats" in str(judgement)


def test_retest_budget_runs_out() -> None:
    endpoint = Erring(every=5)
    endpoint.sent = 3
    judgement = asyncio.run(judged(endpoint, RetestBudget(0)))
    assert isinstance(judgement, Inconclusive)
    retest_budget = RetestBudget(3)
    assert retest_budget.take(2)
    assert not retest_budget.take(2)
    assert retest_budget.take(1)


@pytest.mark.parametrize(
    ("usual", "outlier", "before"),
    [
        ("abc", "abd", ("ab", "ab")),
        (("abc", "xyz"), ("abc", "xyq"), ("xy", "abcxy")),
        (["a", "b"], ["a", "c"], ("", "a")),
        (("abc", "length"), ("abc", None), None),
        (("abc",), ("abc", "d"), None),
    ],
)
def test_responses_diverge_at_the_first_difference(
    usual: object, outlier: object, before: tuple[str, ...] | None
) -> None:
    assert parting_of(usual, outlier) == Parting(before)


def test_usual_response_is_the_most_frequent() -> None:
    assert usual_and_outlier((["a", "b"], ["b"])) == ("b", "a")
    doubt = Unsettled((ask_nothing, ask_nothing), (["a", "b"], ["b"]), "x", Effect.ALTERED)
    assert "is not deterministic" in str(doubt)


async def ask_nothing(fresh: bool) -> str:
    return ""
