"""Features that a request uses, read from any body, and parallel requests."""

from __future__ import annotations

import asyncio

import pytest

from conformance.api import Api, features_of, in_parallel
from conformance.contract import load_contract
from conformance.model import Request
from conformance.protocol.refusal import body_of
from conformance.testing import FakeEndpoint

DEEP = b'{"prompt":%s}' % (b"[" * 100_000 + b"]" * 100_000)
OPENAI = load_contract("openai")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", DEEP])
def test_unreadable_body_uses_no_features(body: bytes) -> None:
    assert features_of(body) == frozenset()
    assert body_of(Request("POST", "/completions", body)) == {}


def test_fake_endpoint_rejects_deep_nesting() -> None:
    api = Api(FakeEndpoint(OPENAI), OPENAI, "fake-model")
    assert asyncio.run(api.post(DEEP)).status == 400


def test_null_does_not_use_a_parameter() -> None:
    assert features_of(b'{"prompt":["1"],"stop":null}') == {"prompt", "prompt:batch"}


def test_stream_options_string_has_no_effect() -> None:
    contract = load_contract("zero")
    api = Api(FakeEndpoint(contract), contract, "fake-model")
    request = {"prompt": "1", "max_tokens": 1, "stream_options": "usage"}
    response = asyncio.run(api.stream(**request))
    assert response.status == 200


def test_one_stop_sequence_is_sent_as_documented() -> None:
    sent = {}
    for document in ("openai", "together"):
        contract = load_contract(document)
        api = Api(FakeEndpoint(contract), contract, "fake-model")
        asyncio.run(api.complete(prompt="1", max_tokens=1, stop="2"))
        sent[document] = body_of(api.exchanges[0].request)["stop"]
    assert sent == {"openai": "2", "together": ["2"]}


def test_parallel_requests_return_in_order() -> None:
    async def after(turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        return turns

    async def ask() -> list[int]:
        return await in_parallel(after(3), after(1), after(2))

    assert asyncio.run(ask()) == [3, 1, 2]


def test_parallel_requests_raise_the_first_error() -> None:
    finished: list[str] = []

    async def raises(name: str, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        finished.append(name)
        raise ValueError(name)

    async def ask() -> None:
        await in_parallel(raises("first", 2), raises("second", 1))

    with pytest.raises(ValueError, match="first"):
        asyncio.run(ask())
    assert finished == ["second", "first"]
