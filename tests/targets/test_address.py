"""Where an endpoint is: a base URL, a path on its host, and what the contract documents."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.contract import CONTRACTS, Contract, load_contract
from conformance.targets import Entry
from conformance.targets.address import located, read_path
from conformance.targets.parsing import TypedError, read_base_url

VLLM = load_contract("vllm")
OPENAI = load_contract("openai")


def url_of(typed: str, path: str | None = None, contract: Contract = OPENAI) -> str:
    return located(read_base_url(typed), path, contract).url


@pytest.mark.parametrize(
    ("typed", "path", "url"),
    [
        ("https://h/v1", None, "https://h/v1"),
        ("https://h/v1/", None, "https://h/v1"),
        ("https://h/v1/completions", None, "https://h/v1"),
        ("https://h", None, "https://h"),
        ("https://h", "/beta/completions", "https://h/beta"),
        ("https://h/v1", "/v1/completions", "https://h/v1"),
        ("https://h/v1/completions", "/v1/completions/", "https://h/v1"),
        ("https://h:8/tenant/v1", "/beta/completions", "https://h:8/beta"),
        ("https://h/v1", "/completions", "https://h"),
    ],
)
def test_path_replaces_that_of_the_url(typed: str, path: str | None, url: str) -> None:
    assert url_of(typed, path and read_path(path)) == url


def test_bare_host_gets_the_documented_path() -> None:
    where = located(read_base_url("http://localhost:8000"), None, VLLM)
    assert where.url == "http://localhost:8000/v1"
    assert where.corrected is not None
    assert where.corrected.startswith("has no path; using http://localhost:8000/v1, as vllm")


def test_typed_place_is_kept_under_every_contract() -> None:
    for contract in map(load_contract, CONTRACTS):
        assert url_of("http://h/proxy/v1", None, contract) == "http://h/proxy/v1"
        assert url_of("http://h/completions", None, contract) == "http://h"
        assert url_of("http://h", "/completions", contract) == "http://h"


@pytest.mark.parametrize("contract", CONTRACTS)
def test_contract_states_its_path(contract: str) -> None:
    path = load_contract(contract).path
    assert read_path(path) == path


@pytest.mark.parametrize("servers", [None, [], [{}], [{"url": 7}], [{"url": "http://[/v1"}], {}])
def test_overlay_without_a_server_has_v1(servers: object) -> None:
    contract = replace(OPENAI, openapi={**OPENAI.openapi, "servers": servers})
    assert contract.path == "/v1/completions"


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("v1/completions", "begin with one /"),
        ("https://h/v1/completions", "begin with one /"),
        ("//h/completions", "begin with one /"),
        ("/v1", "must end in /completions"),
        ("/", "'/' must end in /completions"),
        ("/v1/completions?key=1", "query"),
        ("/v1 /completions", "blanks"),
        ("/v1\u202e/completions", "blanks"),
        ("/v1/chat/completions", "chat completions"),
        ("/" + "x" * 500 + "/completions", "at most 500"),
    ],
)
def test_wrong_path_is_explained(typed: str, reason: str) -> None:
    with pytest.raises(TypedError, match=reason):
        read_path(typed)


def test_path_of_a_target_overrides() -> None:
    entry = Entry("mine", "https://h/v1", "m", path="/beta/completions")
    assert entry.target(VLLM, {}).base_url == "https://h/beta"
