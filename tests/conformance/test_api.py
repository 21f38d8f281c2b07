"""What is known of a request from its body alone, whatever that body is."""

from __future__ import annotations

import asyncio

import pytest

from conformance.api import Api, features_of
from conformance.contract import load_contract
from conformance.imagined import ImaginedEndpoint
from conformance.model import Request
from conformance.verdicts import body_of

DEEP = b'{"prompt":%s}' % (b"[" * 100_000 + b"]" * 100_000)
OPENAI = load_contract("openai")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", DEEP])
def test_a_body_that_cannot_be_read_uses_no_features(body: bytes) -> None:
    assert features_of(body) == frozenset()
    assert body_of(Request("POST", "/completions", body)) == {}


def test_the_imagined_endpoint_declines_what_is_nested_too_deeply() -> None:
    api = Api(ImaginedEndpoint(OPENAI), OPENAI, "imagined")
    assert asyncio.run(api.post(DEEP)).status == 400


def test_a_null_is_no_use_of_a_parameter() -> None:
    assert features_of(b'{"prompt":["1"],"stop":null}') == {"prompt", "prompt:batch"}


def test_stream_options_that_are_a_word_ask_for_nothing() -> None:
    contract = load_contract("zero")
    api = Api(ImaginedEndpoint(contract), contract, "imagined")
    asked = {"prompt": "1", "max_tokens": 1, "stream_options": "usage"}
    reply = asyncio.run(api.stream(**asked))
    assert reply.status == 200
