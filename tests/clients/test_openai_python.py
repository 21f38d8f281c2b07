"""The openai package from PyPI against the reference server: what its users would write."""

import asyncio
from collections.abc import Iterator

import openai
import pytest

from tests.servers import RunningServer

MODEL = "gpt-3.5-turbo-instruct"
PROMPT = "1, 2, 3, 4,"


@pytest.fixture
def client(server: RunningServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.base_url, api_key=server.key, max_retries=0) as client:
        yield client


def test_a_plain_answer(client: openai.OpenAI) -> None:
    answer = client.completions.create(model=MODEL, prompt=PROMPT, logit_bias={"0": -100})
    assert answer.object == "text_completion"
    assert answer.model == MODEL
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 16
    assert answer.usage.total_tokens == 16 + answer.usage.prompt_tokens


def test_a_stream_is_the_plain_answer(client: openai.OpenAI) -> None:
    plain = client.completions.create(model=MODEL, prompt=PROMPT, seed=1, n=2, logprobs=1)
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
    assert texts == [choice.text for choice in plain.choices]
    assert tokens == [choice.logprobs and choice.logprobs.tokens for choice in plain.choices]
    assert usage == plain.usage


def test_logprobs_and_echo(client: openai.OpenAI) -> None:
    answer = client.completions.create(
        model="davinci-002", prompt="春眠不觉晓", echo=True, logprobs=3, max_tokens=0
    )
    choice = answer.choices[0]
    assert choice.text == "春眠不觉晓"
    assert choice.logprobs is not None
    assert choice.logprobs.token_logprobs is not None
    assert choice.logprobs.text_offset is not None
    assert choice.logprobs.text_offset[0] == 0
    assert len(choice.logprobs.token_logprobs) == len(choice.logprobs.tokens or [])


def test_a_batch_with_several_choices_each(client: openai.OpenAI) -> None:
    prompts = ["One,", "二，", "😀"]
    answer = client.completions.create(model=MODEL, prompt=prompts, n=2, echo=True, max_tokens=3)
    assert [choice.index for choice in answer.choices] == list(range(6))
    for choice in answer.choices:
        assert choice.text.startswith(prompts[choice.index // 2])


def test_every_parameter_of_the_client_is_served(client: openai.OpenAI) -> None:
    answer = client.completions.create(
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
    assert len(answer.choices) == 2


def test_refusals_are_the_clients_own_exceptions(
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


def test_raw_headers_and_the_list_of_models(client: openai.OpenAI) -> None:
    raw = client.completions.with_raw_response.create(model=MODEL, prompt=PROMPT, max_tokens=1)
    assert raw.headers["x-request-id"].startswith("req_")
    assert raw.parse().usage is not None
    assert [model.id for model in client.models.list()] == [MODEL, "davinci-002"]
    assert client.models.retrieve(MODEL).object == "model"


def test_the_asynchronous_client(server: RunningServer) -> None:
    async def ask() -> tuple[list[str], str]:
        async with openai.AsyncOpenAI(
            base_url=server.base_url, api_key=server.key, max_retries=0
        ) as client:
            request = {"model": MODEL, "prompt": PROMPT, "temperature": 0}
            answers = await asyncio.gather(
                *(client.completions.create(**request) for _ in range(8))
            )
            stream = await client.completions.create(**request, stream=True)
            streamed = "".join([c.choices[0].text async for c in stream])
            return [answer.choices[0].text for answer in answers], streamed

    texts, streamed = asyncio.run(ask())
    assert set(texts) == {streamed}
