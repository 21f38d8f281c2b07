"""LangChain's ``OpenAI`` language model against the reference server."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from langchain_openai import OpenAI
from tokenizers import Tokenizer

from tests.servers import RunningServer

CHECKPOINT = Path(__file__).parents[2] / "reference_server" / "weights"
MODEL = "gpt-3.5-turbo-instruct"
COUNTING = "1, 2, 3, 4,"


Model = Callable[..., OpenAI]


@pytest.fixture
def model(server: RunningServer) -> Iterator[Model]:
    """Make language models whose connections are closed when the test is over."""
    # Its own connections LangChain keeps for ever; these are of the same kind.
    web = openai.DefaultHttpxClient()

    def made(**settings: Any) -> OpenAI:
        defaults = {"api_key": server.key, "max_retries": 0, "temperature": 0, "max_tokens": 8}
        return OpenAI(
            model=MODEL,
            base_url=server.base_url,
            http_client=web,
            **{**defaults, **settings},
        )

    with web:
        yield made


def direct(server: RunningServer, prompt: object, **settings: Any) -> list[dict[str, Any]]:
    """The choices that the server itself gives for the same request."""
    request = {"model": MODEL, "prompt": prompt, "temperature": 0, "max_tokens": 8, **settings}
    url = f"{server.base_url}/completions"
    response = httpx.post(url, json=request, headers=server.headers, timeout=60)
    choices: list[dict[str, Any]] = response.json()["choices"]
    return choices


def test_prompt_is_completed(server: RunningServer, model: Model) -> None:
    (choice,) = direct(server, COUNTING)
    assert model().invoke(COUNTING) == choice["text"]


def test_stream_is_the_non_streaming_response(model: Model) -> None:
    fragments = list(model().stream(COUNTING))
    assert len(fragments) > 1
    assert "".join(fragments) == model().invoke(COUNTING)


def test_batched_prompts_are_one_request_in_order(server: RunningServer, model: Model) -> None:
    prompts = ["One,", "二，", "😀"]
    assert model().batch(prompts) == [c["text"] for c in direct(server, prompts)]


def test_large_batches_are_split_into_requests(server: RunningServer, model: Model) -> None:
    prompts = [f"{number}," for number in range(5)]
    assert model(batch_size=2).batch(prompts) == [c["text"] for c in direct(server, prompts)]


def test_text_ends_before_a_stop_sequence(model: Model) -> None:
    whole = model().invoke(COUNTING)
    assert model().invoke(COUNTING, stop=[" 6"]) == whole.partition(" 6")[0] != whole
    fragments = model().stream(COUNTING, stop=[" 6"])
    assert "".join(fragments) == whole.partition(" 6")[0]


def test_several_choices_have_usage(server: RunningServer, model: Model) -> None:
    settings: dict[str, Any] = {"temperature": 1, "seed": 7, "n": 2, "best_of": 3}
    prompts = ["One,", "二，"]
    result = model(**settings).generate(prompts)
    texts = [choice["text"] for choice in direct(server, prompts, **settings)]
    assert [[g.text for g in choices] for choices in result.generations] == [texts[:2], texts[2:]]
    assert result.llm_output is not None
    usage = result.llm_output["token_usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_banned_token_is_not_generated(server: RunningServer, model: Model) -> None:
    tokenizer = Tokenizer.from_file(str(CHECKPOINT / "tokenizer.json"))
    likeliest = model(max_tokens=1).invoke(COUNTING)
    (token,) = tokenizer.encode(likeliest).ids
    text = model(max_tokens=1, logit_bias={str(token): -100}).invoke(COUNTING)
    assert text != likeliest
    assert text == direct(server, COUNTING, max_tokens=1, logit_bias={token: -100})[0]["text"]


def test_logprobs_come_with_the_generation(server: RunningServer, model: Model) -> None:
    settings = {"logprobs": 2}
    (choice,) = direct(server, COUNTING, **settings)
    result = model(**settings).generate([COUNTING])
    info = result.generations[0][0].generation_info
    assert info is not None
    assert info["logprobs"] == choice["logprobs"]
    assert info["finish_reason"] == choice["finish_reason"]


def test_asynchronous_methods_work(server: RunningServer, model: Model) -> None:
    async def ask() -> tuple[str, list[str], str]:
        async with openai.DefaultAsyncHttpxClient() as web:
            request = model(http_async_client=web)
            streamed = "".join([fragment async for fragment in request.astream(COUNTING)])
            return await request.ainvoke(COUNTING), await request.abatch(["One,", "二，"]), streamed

    non_streaming, batch, streamed = asyncio.run(ask())
    assert non_streaming == streamed == model().invoke(COUNTING)
    assert batch == [c["text"] for c in direct(server, ["One,", "二，"])]


def test_refusal_raises_the_openai_exception(model: Model) -> None:
    with pytest.raises(openai.BadRequestError):
        model().invoke(COUNTING, stop=list("abcde"))
    with pytest.raises(openai.AuthenticationError):
        model(api_key="sk-wrong").invoke(COUNTING)
