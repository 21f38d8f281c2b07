"""A complete run over a real network against the bundled server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from conformance.contract import load_contract
from conformance.engine.estimate import plan
from conformance.engine.runner import Options, run
from conformance.model import Conclusion, Run, Target, Tier
from conformance.record.line import SCHEMA
from conformance.record.ndjson import (
    RunWriter,
    read_run,
)
from conformance.targets.bundled import bundled_server

OPENAI = load_contract("openai")
SMOKE = Options(Tier.SMOKE)


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with bundled_server() as server:
        yield Target(server.base_url, server.model, "openai", server.api_key)


def recorded(target: Target, folder: Path, options: Options = SMOKE) -> Run:
    path = folder / "run.ndjson"

    async def record() -> None:
        with RunWriter(path) as writer:
            async for event in run(target, OPENAI, options):
                writer.write(event)

    asyncio.run(record())
    return read_run(path)


def test_bundled_server_conforms_at_the_planned_price(target: Target, tmp_path: Path) -> None:
    result = recorded(target, tmp_path)
    assert [f"{f.id}: {f.message}" for f in result.findings if f.verdict == "fail"] == []
    assert result.conclusion is Conclusion.CONFORMING
    assert result.footer is not None
    planned = plan(OPENAI, SMOKE)
    assert result.footer.cost.requests == planned.requests
    assert result.footer.cost.tokens <= planned.tokens


def test_record_follows_its_schema_without_the_key(target: Target, tmp_path: Path) -> None:
    recorded(target, tmp_path)
    validator = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    raw = (tmp_path / "run.ndjson").read_bytes()
    for line in raw.splitlines():
        validator.validate(json.loads(line))
    assert target.api_key is not None
    assert target.api_key.encode() not in raw


def test_limits_hold_over_the_network(target: Target, tmp_path: Path) -> None:
    options = Options(Tier.STANDARD)
    poor = replace(options, limits=replace(options.limits, requests=9, tokens=500))
    result = recorded(target, tmp_path, poor)
    assert result.footer is not None
    assert sum(len(exchange.attempts) for exchange in result.exchanges) <= 9
    assert result.footer.cost.tokens <= 500
    assert any(finding.message.startswith("budget spent") for finding in result.findings)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"api_key": "sk-somebody-elses-key"}, "the API key was rejected with 401"),
        ({"api_key": None}, "requires an API key (status 401)"),
        ({"model": "gpt-unknown"}, "does not serve the model 'gpt-unknown' (404"),
    ],
)
def test_wrong_target_ends_the_run_with_a_sentence(
    target: Target, tmp_path: Path, change: dict[str, str | None], sentence: str
) -> None:
    result = recorded(replace(target, **change), tmp_path)
    assert result.conclusion is Conclusion.UNDECIDED
    assert result.footer is not None
    assert sentence in str(result.footer.because)
    assert len(result.exchanges) >= 1
    assert result.findings == ()


def test_base_url_without_v1_is_recognised(target: Target, tmp_path: Path) -> None:
    astray = replace(target, base_url=target.base_url.removesuffix("/v1"))
    result = recorded(astray, tmp_path)
    assert result.footer is not None
    assert str(result.footer.because).endswith("the base URL may be missing /v1")
