"""The profile says of a server what LangChain and the openai package make of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import openai
import pytest
from langchain_openai import OpenAI

from tests.clients.readiness import readiness_at
from tests.lanes import by_default
from tests.servers import RunningServer, running_server

MODEL = "gpt-3.5-turbo-instruct"
COUNTING = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,"
LETTERS = "a, b, c, d, e, f,"


def langchain(server: RunningServer) -> dict[str, Any]:
    """What LangChain gets, or the error that it raises."""
    web = openai.DefaultHttpxClient()
    with web:
        model = OpenAI(
            model=MODEL,
            base_url=server.base_url,
            api_key=server.key,
            max_retries=0,
            temperature=0,
            max_tokens=4,
            http_client=web,
        )
        return {
            "alone": _tried(lambda: model.invoke(LETTERS)),
            "batch": _tried(lambda: model.batch([COUNTING, LETTERS])),
            "stream": _tried(lambda: "".join(model.stream(COUNTING))),
            "stopped": _tried(lambda: model.invoke(COUNTING, stop=["3"])),
        }


def of_openai(server: RunningServer) -> dict[str, Any]:
    """What the openai package gets, or the error that it raises."""
    with openai.OpenAI(base_url=server.base_url, api_key=server.key, max_retries=0) as client:
        ask = {"model": MODEL, "prompt": COUNTING, "max_tokens": 4}

        def streamed() -> str:
            chunks = client.completions.create(**ask, stream=True)
            return "".join(choice.text for chunk in chunks for choice in chunk.choices)

        return {
            "text": _tried(lambda: client.completions.create(**ask).choices[0].text),
            "stream": _tried(streamed),
            "refused": _tried(lambda: client.completions.create(**ask, temperature=9)),
        }


def _tried(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except (openai.OpenAIError, TypeError, ValueError) as error:
        return type(error)


def _label(value: object) -> str:
    """Name a case; the address of a function would differ between the workers."""
    return value if isinstance(value, str) else "seen"


def test_langchain_works_where_the_profile_says_so(server: RunningServer) -> None:
    seen = langchain(server)
    assert seen["batch"][1] == seen["alone"]
    assert seen["stream"] == seen["batch"][0]
    assert "3" not in seen["stopped"]
    assert readiness_at(server, "langchain").word == "ready"


LANGCHAIN = [
    ("batch-reversed", "batch", lambda seen: seen["batch"][1] != seen["alone"]),
    ("logprobs-null-refused", "invoke", lambda seen: seen["alone"] is openai.BadRequestError),
    ("stop-ignored", "stop", lambda seen: "3" in seen["stopped"]),
    ("stream-chat-delta", "stream", lambda seen: seen["stream"] != seen["batch"][0]),
]


@pytest.mark.parametrize(
    ("fault", "need", "breaks"), by_default(LANGCHAIN[:1], LANGCHAIN, ids=_label)
)
def test_langchain_breaks_where_the_profile_says_so(
    fault: str, need: str, breaks: Callable[[dict[str, Any]], bool]
) -> None:
    with running_server("--fault", fault) as server:
        assert breaks(langchain(server))
        assert need in readiness_at(server, "langchain").unmet


@pytest.mark.exhaustive
def test_langchain_works_whatever_indexes_say() -> None:
    with running_server("--fault", "index-reversed") as server:
        seen = langchain(server)
        assert seen["batch"][1] == seen["alone"]
        assert readiness_at(server, "langchain").word == "ready"


def test_openai_works_where_the_profile_says_so(server: RunningServer) -> None:
    seen = of_openai(server)
    assert isinstance(seen["text"], str)
    assert isinstance(seen["stream"], str)
    assert seen["refused"] is openai.BadRequestError
    assert readiness_at(server, "openai-python").word == "ready"


OPENAI = [
    ("stream-chat-delta", "streams", lambda seen: seen["stream"] is TypeError),
    ("chat-shaped-answer", "completions", lambda seen: seen["text"] is None),
    (
        "unprocessable-for-bad-request",
        "exceptions",
        lambda seen: seen["refused"] is openai.UnprocessableEntityError,
    ),
]


@pytest.mark.parametrize(("fault", "need", "breaks"), by_default(OPENAI[:1], OPENAI, ids=_label))
def test_openai_breaks_where_the_profile_says_so(
    fault: str, need: str, breaks: Callable[[dict[str, Any]], bool]
) -> None:
    with running_server("--fault", fault) as server:
        assert breaks(of_openai(server))
        assert need in readiness_at(server, "openai-python").unmet
