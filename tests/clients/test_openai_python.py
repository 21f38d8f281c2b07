"""The openai package from PyPI against the reference server, as its users call it."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.servers import RunningServer

MODEL = "gpt-3.5-turbo-instruct"
PROMPT = "1, 2, 3, 4,"
ENDLESS: dict[str, Any] = {"model": MODEL, "prompt": PROMPT, "n": 16, "max_tokens": 1900}
"""Far more than is generated while a test looks elsewhere."""


@pytest.fixture
def client(server: RunningServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.base_url, api_key=server.key, max_retries=0) as client:
        yield client


def test_non_streaming_response_is_returned(client: openai.OpenAI) -> None:
    response = client.completions.create(model=MODEL, prompt=PROMPT, logit_bias={"0": -100})
    assert response.object == "text_completion"
    assert response.model == MODEL
    assert response.choices[0].finish_reason == "length"
    assert response.usage is not None
    assert response.usage.completion_tokens == 16
    assert response.usage.total_tokens == 16 + response.usage.prompt_tokens


def test_stream_is_the_non_streaming_response(client: openai.OpenAI) -> None:
    non_streaming = client.completions.create(model=MODEL, prompt=PROMPT, seed=1, n=2, logprobs=1)
    texts, tokens, usage = ["", ""], [[], []], None
    for chunk in client.completions.create(
        model=MODEL,
        prompt=PROMPT,
        seed=1,
        n=2,
        logprobs=1,
        stream=True,
        stream_options={"include_usage": True},
    ):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            texts[choice.index] += choice.text
            assert choice.logprobs is not None
            tokens[choice.index] += choice.logprobs.tokens or []
    assert texts == [choice.text for choice in non_streaming.choices]
    assert tokens == [
        choice.logprobs and choice.logprobs.tokens for choice in non_streaming.choices
    ]
    assert usage == non_streaming.usage


def test_logprobs_and_echo_are_returned(client: openai.OpenAI) -> None:
    response = client.completions.create(
        model="davinci-002", prompt="春眠不觉晓", echo=True, logprobs=3, max_tokens=0
    )
    choice = response.choices[0]
    assert choice.text == "春眠不觉晓"
    assert choice.logprobs is not None
    assert choice.logprobs.token_logprobs is not None
    assert choice.logprobs.text_offset is not None
    assert choice.logprobs.text_offset[0] == 0
    assert len(choice.logprobs.token_logprobs) == len(choice.logprobs.tokens or [])


def test_batch_returns_several_choices_each(client: openai.OpenAI) -> None:
    prompts = ["One,", "二，", "😀"]
    response = client.completions.create(model=MODEL, prompt=prompts, n=2, echo=True, max_tokens=3)
    assert [choice.index for choice in response.choices] == list(range(6))
    for choice in response.choices:
        assert choice.text.startswith(prompts[choice.index // 2])


def test_every_parameter_of_the_client_is_served(client: openai.OpenAI) -> None:
    response = client.completions.create(
        model=MODEL,
        prompt=[5, 6, 7],
        best_of=3,
        n=2,
        suffix=" end",
        frequency_penalty=0.5,
        presence_penalty=-0.5,
        logit_bias={"100": 1},
        logprobs=2,
        max_tokens=5,
        seed=3,
        stop=["\n\n", "§"],
        temperature=0.7,
        top_p=0.9,
        user="someone",
    )
    assert len(response.choices) == 2


def test_refusals_raise_the_clients_exceptions(
    client: openai.OpenAI, server: RunningServer
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.completions.create(model=MODEL, prompt=PROMPT, stop=list("abcde"))
    assert (refused.value.param, refused.value.code) == ("stop", "array_above_max_length")
    with pytest.raises(openai.NotFoundError) as unknown:
        client.completions.create(model="gpt-9", prompt=PROMPT)
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError):
        client.completions.create(model=MODEL, prompt=PROMPT, temperature=3, stream=True)
    with (
        openai.OpenAI(base_url=server.base_url, api_key="sk-wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError) as denied,
    ):
        stranger.completions.create(model=MODEL, prompt=PROMPT)
    assert denied.value.code == "invalid_api_key"


def test_raw_headers_and_models_are_available(client: openai.OpenAI) -> None:
    raw = client.completions.with_raw_response.create(model=MODEL, prompt=PROMPT, max_tokens=1)
    assert raw.headers["x-request-id"].startswith("req_")
    assert raw.parse().usage is not None
    assert [model.id for model in client.models.list()] == [MODEL, "davinci-002"]
    assert client.models.retrieve(MODEL).object == "model"


def test_streamed_response_body_is_the_non_streaming_response(client: openai.OpenAI) -> None:
    request = {"model": MODEL, "prompt": PROMPT, "temperature": 0}
    non_streaming = client.completions.with_raw_response.create(**request)
    with client.completions.with_streaming_response.create(**request) as response:
        assert response.headers["content-type"] == "application/json"
        assert (
            json.loads(response.read())["choices"] == non_streaming.http_response.json()["choices"]
        )
    with client.completions.with_streaming_response.create(**request, stream=True) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = list(filter(None, response.iter_lines()))
    assert lines[-1] == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    assert "".join(c["choices"][0]["text"] for c in chunks) == non_streaming.parse().choices[0].text


def test_stream_closed_early_leaves_the_server_unchanged(client: openai.OpenAI) -> None:
    request = {"model": MODEL, "prompt": PROMPT, "temperature": 0, "max_tokens": 8}
    before = client.completions.create(**request).choices
    with client.completions.create(**{**request, "max_tokens": 1000}, stream=True) as stream:
        next(iter(stream))
    assert client.completions.create(**request).choices == before


def test_asynchronous_client_works(server: RunningServer) -> None:
    async def ask() -> tuple[list[str], str]:
        async with openai.AsyncOpenAI(
            base_url=server.base_url, api_key=server.key, max_retries=0
        ) as client:
            request = {"model": MODEL, "prompt": PROMPT, "temperature": 0}
            responses = await asyncio.gather(
                *(client.completions.create(**request) for _ in range(8))
            )
            stream = await client.completions.create(**request, stream=True)
            streamed = "".join([c.choices[0].text async for c in stream])
            return [response.choices[0].text for response in responses], streamed

    texts, streamed = asyncio.run(ask())
    assert set(texts) == {streamed}


def test_concurrent_asynchronous_streams_do_not_mix(
    client: openai.OpenAI, server: RunningServer
) -> None:
    prompts = [["One,", "二，"], ["1, 2, 3,", "😀"], ["a", "b"]]
    request = {"model": MODEL, "seed": 5, "n": 2, "logprobs": 1, "max_tokens": 12}

    async def read(several: openai.AsyncOpenAI, prompt: list[str]) -> dict[int, str]:
        texts: dict[int, str] = {}
        stream = await several.completions.create(**request, prompt=prompt, stream=True)
        async for chunk in stream:
            for choice in chunk.choices:
                texts[choice.index] = texts.get(choice.index, "") + choice.text
        return texts

    async def ask() -> list[dict[int, str]]:
        async with openai.AsyncOpenAI(
            base_url=server.base_url, api_key=server.key, max_retries=0
        ) as several:
            return await asyncio.gather(*(read(several, prompt) for prompt in prompts))

    for prompt, texts in zip(prompts, asyncio.run(ask()), strict=True):
        non_streaming = client.completions.create(**request, prompt=prompt)
        assert texts == {choice.index: choice.text for choice in non_streaming.choices}


def test_rate_limited_client_retries_and_is_served(busy: RunningServer) -> None:
    keys = {"base_url": busy.base_url, "api_key": busy.key}
    with openai.OpenAI(**keys, max_retries=0) as first:
        running = first.completions.create(**ENDLESS, stream=True)
        next(iter(running))
        with pytest.raises(openai.RateLimitError) as refused:
            first.completions.create(model=MODEL, prompt=PROMPT)
        assert int(refused.value.response.headers["retry-after"]) >= 1
        assert refused.value.code == "rate_limit_exceeded"

        statuses: list[int] = []

        def make_room(response: Any) -> None:
            statuses.append(response.status_code)
            running.close()

        hooks = {"response": [make_room]}
        with openai.OpenAI(
            **keys, max_retries=8, http_client=openai.DefaultHttpxClient(event_hooks=hooks)
        ) as patient:
            result = patient.completions.create(model=MODEL, prompt=PROMPT, max_tokens=3)
    assert result.choices[0].text
    assert set(statuses[:-1]) == {429}
    assert statuses[-1] == 200
