"""Key checks run only if the run has a real key."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from conformance.contract import load_contract
from conformance.engine.runner import Options, run
from conformance.model import Target, Verdict
from conformance.record.events import FindingMade
from conformance.transport.redact import is_placeholder
from tests.fake_server import MODEL, FakeServer

OPENAI = load_contract("openai")
REAL = "sk-Zk3hT9wQ1vB7nM5xL2cD8f"


async def verdicts(key: str | None) -> set[Verdict]:
    target = Target("http://fake/v1", MODEL, "openai", key)
    options = Options(select=("auth.missing-key", "auth.wrong-key"))
    transport = FakeServer("everybody-served")
    async with aclosing(run(target, OPENAI, options, transport=transport)) as events:
        return {e.finding.verdict async for e in events if isinstance(e, FindingMade)}


def test_serving_any_key_is_a_failure() -> None:
    assert Verdict.FAIL in asyncio.run(verdicts(REAL))


@pytest.mark.parametrize("key", [None, "EMPTY", "sk-no-key-required", "not-needed", "lm-studio"])
def test_placeholder_key_is_not_checked(key: str | None) -> None:
    assert is_placeholder(key)
    assert asyncio.run(verdicts(key)) == {Verdict.SKIPPED}


def test_issued_key_is_no_placeholder() -> None:
    assert not is_placeholder(REAL)
