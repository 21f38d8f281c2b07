"""The fake endpoint conforms to every contract."""

from __future__ import annotations

import asyncio
import math
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.api import Api
from conformance.contract import CONTRACTS, load_contract
from conformance.engine.discovery import all_checks
from conformance.engine.runner import Options, run
from conformance.model import Credentials, Exchange, Request, Target, Tier, Verdict
from conformance.protocol.completion import Completion
from conformance.record.events import FindingMade
from conformance.testing import FakeEndpoint
from conformance.testing import fake_model as language
from tests.lanes import by_default

OPENAI = load_contract("openai")
PROMPTS = ["1, 2, 3,", "red green red green", "一二三四一二三四", "🍎🍌🍎🍌🍎", "", "a\u0301\n\t "]


def ask(stream: bool = False, **body: Any) -> Completion:
    async def send() -> Completion:
        api = Api(FakeEndpoint(OPENAI), OPENAI, "fake-model")
        response = await (api.stream(**body) if stream else api.complete(**body))
        return response.expect_ok()

    return asyncio.run(send())


def refusal(**body: Any) -> tuple[int, object, object]:
    async def send() -> tuple[int, object, object]:
        api = Api(FakeEndpoint(OPENAI), OPENAI, "fake-model")
        result = (await api.complete(**{"prompt": "1", **body})).expect_error(400, 404)
        return result.status, result.param, result.code

    return asyncio.run(send())


# ── it keeps every promise ───────────────────────────────────────────────────────────────────────


RUNS = [(document, tier) for document in CONTRACTS for tier in (Tier.STANDARD, Tier.DEEP)]
RUNS_BY_DEFAULT = [run for run in RUNS if run[1] is Tier.STANDARD or run[0] == "zhizengzeng"]


@pytest.mark.parametrize(("document", "tier"), by_default(RUNS_BY_DEFAULT, RUNS))
def test_every_check_passes(document: str, tier: Tier) -> None:
    contract = load_contract(document)

    async def judge() -> dict[str, str]:
        target = Target("http://fake/v1", "fake-model", document)
        stream = run(target, contract, Options(tier), transport=FakeEndpoint(contract))
        return {
            event.finding.id: f"{event.finding.verdict}: {event.finding.message}"
            async for event in stream
            if isinstance(event, FindingMade)
            and event.finding.verdict not in {Verdict.PASS, Verdict.SKIPPED, Verdict.INFO}
        }

    assert asyncio.run(judge()) == {}
    assert all_checks()


# ── its language ─────────────────────────────────────────────────────────────────────────────────


@given(st.text())
def test_every_text_round_trips_through_tokens(text: str) -> None:
    tokens = language.encode(text)
    assert language.decode(tokens).decode() == text
    assert all(0 <= token < language.SIZE for token in tokens)


@given(st.lists(st.integers(0, language.SIZE - 1), max_size=20))
def test_probabilities_sum_to_one(context: list[int]) -> None:
    thought = language.predict(context)
    result = sum(math.exp(thought.logprob(token)) for token in thought.scores)
    rest = (language.SIZE - len(thought.scores)) * math.exp(thought.logprob(language.PREFIX))
    assert result + rest == pytest.approx(1.0)
    assert all(thought.logprob(token) <= 0 for token in thought.scores)


def test_fake_endpoint_counts_and_copies() -> None:
    assert ask(prompt="1, 2, 3,", temperature=0, max_tokens=6).text == " 4, 5, 6,"
    assert ask(prompt="一二三一二三一二", temperature=0, max_tokens=9).text == "三一二"


@given(seed=st.integers(), temperature=st.floats(0, 2), top_p=st.floats(0.01, 1))
@settings(max_examples=30)
def test_sampling_stays_within_top_p(seed: int, temperature: float, top_p: float) -> None:
    thought = language.predict(language.encode("1, 2,"))
    token = thought.sample(temperature, top_p, random.Random(seed))
    better = [t for t in thought.scores if thought.scores[t] > thought.scores.get(token, -99)]
    if temperature == 0:
        assert not better
    else:
        weights = {t: math.exp(s / temperature) for t, s in thought.scores.items()}
        assert sum(weights[t] for t in better) < top_p * sum(weights.values()) * 1.001


# ── its answers ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"echo": True},
        {"logprobs": 2},
        {"echo": True, "logprobs": 0},
        {"n": 3, "seed": 5},
        {"stop": ["4", "green", "二"]},
        {"suffix": "the end"},
        {"max_tokens": 7, "echo": True, "logprobs": 1},
    ],
)
def test_joined_stream_equals_the_non_streaming_response(prompt: str, body: dict[str, Any]) -> None:
    body = {"prompt": prompt, "seed": 1, **body}
    non_streaming, streamed = ask(**body), ask(stream=True, **body)
    assert streamed.texts == non_streaming.texts
    assert [c.finish_reason for c in streamed.choices] == [
        c.finish_reason for c in non_streaming.choices
    ]
    assert [c.raw["logprobs"] for c in streamed.choices] == [
        c.raw["logprobs"] for c in non_streaming.choices
    ]


@pytest.mark.parametrize("limit", range(1, 13))
def test_only_the_last_chunk_may_cut_a_character(limit: int) -> None:
    streamed = ask(stream=True, prompt="🍎🍌🍎🍌🍎", temperature=0, max_tokens=limit)
    texts = [chunk["choices"][0]["text"] for chunk in streamed.chunks]
    assert not any("\ufffd" in text for text in texts[:-1])


def test_batch_equals_its_single_prompts() -> None:
    together = ask(prompt=PROMPTS[:3], temperature=0, n=2)
    alone = [ask(prompt=prompt, temperature=0).text for prompt in PROMPTS[:3]]
    assert together.texts == tuple(text for text in alone for _ in range(2))
    assert [choice.index for choice in together.choices] == list(range(6))


def test_token_prompts_equal_text_prompts() -> None:
    tokens = language.encode("1, 2, 3,")
    assert ask(prompt=tokens, temperature=0).text == ask(prompt="1, 2, 3,", temperature=0).text
    assert ask(prompt=[tokens], temperature=0, echo=True, max_tokens=0).text == "1, 2, 3,"


def test_usage_counts_prompts_once_and_every_choice() -> None:
    usage = ask(prompt="1, 2, 3,", n=3, max_tokens=4, seed=0).usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (6, 12, 18)


def test_best_of_has_the_highest_mean_log_probability() -> None:
    body = {"prompt": "1, 2, 3,", "seed": 4, "max_tokens": 5, "logprobs": 0}

    def mean(completion: Completion) -> list[float]:
        result = [choice.logprobs.token_logprobs for choice in completion.choices]
        return [sum(one) / len(one) for one in result]

    assert mean(ask(**body, best_of=6)) == [max(mean(ask(**body, n=6)))]


def test_text_ends_before_the_limit() -> None:
    response = ask(prompt="1, 2, 3,", temperature=0, max_tokens=1000).only
    assert response.finish_reason == "stop"
    assert "endoftext" not in response.text


def test_events_arrive_in_order_and_reading_can_stop() -> None:
    request = Request(
        "POST",
        "/completions",
        b'{"model":"fake-model","prompt":"1","stream":true}',
        read_events=3,
    )
    exchange = asyncio.run(FakeEndpoint(OPENAI).send(request))
    assert exchange.body.count(b"data: ") == 3
    assert [arrival.at for arrival in exchange.arrivals] == [0.01, 0.02, 0.03]


# ── its refusals ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"model": None}, 400, "model"),
        ({"model": "another"}, 404, "model"),
        ({"stop": list("abcde")}, 400, "stop"),
        ({"max_tokens": -1}, 400, "max_tokens"),
        ({"max_tokens": "ten"}, 400, "max_tokens"),
        ({"max_tokens": 0}, 400, "max_tokens"),
        ({"max_tokens": 10**9}, 400, None),
        ({"temperature": 2.1}, 400, "temperature"),
        ({"n": 0}, 400, "n"),
        ({"n": 2, "best_of": 1}, 400, "best_of"),
        ({"best_of": 2, "stream": True}, 400, "best_of"),
        ({"stream_options": {"include_usage": True}}, 400, "stream_options"),
        ({"logit_bias": {"50257": 1}}, 400, "logit_bias"),
        ({"logit_bias": {"word": 1}}, 400, "logit_bias"),
        ({"logit_bias": {"1": 101}}, 400, "logit_bias"),
        ({"logprobs": 6}, 400, "logprobs"),
        ({"prompt": ["a", 1]}, 400, "prompt"),
        ({"prompt": [[]]}, 400, "prompt"),
        ({"prompt": [1, True]}, 400, "prompt"),
        ({"prompt": {"a": 1}}, 400, "prompt"),
        ({"prompt": [50257]}, 400, "prompt"),
        ({"prompt": "1, " * 5000}, 400, None),
        ({"messages": []}, 400, "messages"),
    ],
)
def test_invalid_requests_are_rejected(
    body: dict[str, Any], status: int, param: str | None
) -> None:
    assert refusal(**body)[:2] == (status, param)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (Request("POST", "/completions", b"{not JSON"), 400),
        (Request("POST", "/completions", b"[]"), 400),
        (Request("GET", "/completions"), 405),
        (Request("POST", "/elsewhere"), 404),
        (Request("GET", "/models"), 200),
        (Request("GET", "/models", credentials=Credentials.NONE), 401),
        (Request("GET", "/models", credentials=Credentials.WRONG), 401),
        (Request("GET", "/models", headers=(("Authorization", "Bearer x"),)), 401),
    ],
)
def test_other_paths_and_models_are_handled(request_: Request, status: int) -> None:
    exchange: Exchange = asyncio.run(FakeEndpoint(OPENAI).send(request_))
    assert exchange.status == status
