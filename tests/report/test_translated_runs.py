"""Every message of a complete run can be translated into Chinese, except evidence."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest

from conformance.api import Transport
from conformance.contract import load_contract
from conformance.engine.runner import Options, run
from conformance.locale import in_chinese
from conformance.message import Message
from conformance.model import Finding, Target, Tier
from conformance.record.events import FindingMade
from reference_server.behaviour.builders import errors, rewrites
from reference_server.behaviour.messages import Body
from reference_server.behaviour.rewrite import Rewrite
from tests.fake_server import MODEL, FakeServer

STANDARD = Options(Tier.STANDARD)


def without_usage(_: Body, response: Body) -> Body:
    return {name: value for name, value in response.items() if name != "usage"}


def shouting(_: Body, response: Body) -> Body:
    choices = [{**one, "text": str(one.get("text")).upper()} for one in response["choices"]]
    return {**response, "choices": choices, "created": str(response["created"])}


def half_the_choices(_: Body, response: Body) -> Body:
    choices = response["choices"]
    return {**response, "choices": [{**choices[0], "finish_reason": "eos", "logprobs": {}}]}


def alone(body: Body) -> Body:
    return {name: body[name] for name in ("model", "prompt", "stream") if name in body}


FAULTS = {
    "no bills": Rewrite(non_streaming=without_usage),
    "another text": Rewrite(non_streaming=shouting),
    "one choice": Rewrite(non_streaming=half_the_choices),
    "no parameters": rewrites(alone),
    "no shape": errors(lambda _, got: got.with_status(500).with_body({"detail": got.body})),
}


def findings(contract: str, transport: Transport) -> list[Finding]:
    async def collect() -> list[Finding]:
        target = Target("http://fake/v1", MODEL, contract, "sk-key")
        events = run(target, load_contract(contract), STANDARD, transport=transport)
        return [event.finding async for event in events if isinstance(event, FindingMade)]

    return asyncio.run(collect())


def untold(found: list[Finding]) -> list[str]:
    """Return the messages without a Chinese sentence, and phrases in them that stay English."""
    said = [m for f in found for m in (f.message, f.expected, f.seen) if m]
    assert all(isinstance(message, Message) for message in said)
    result = {message for message in said if in_chinese(message) is None}
    result |= {left for message in said for left in phrases_left_in(message)}
    return sorted(result)


def phrases_left_in(message: Message) -> Iterator[str]:
    """Yield values that have a translation or look like words, and are no messages."""
    for name, value in message.arguments.items():
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Message):
                yield from phrases_left_in(one)
            elif isinstance(one, str) and name not in QUOTED and _is_phrase(one):
                yield f"{message.template}: {name} = {one}"


def _is_phrase(text: str) -> bool:
    # A single word can be the name of a parameter.
    known = " " in text and in_chinese(text) is not None
    return known or re.match("[a-z]{2,} [a-z]+", text) is not None


QUOTED = {"body", "message", "error", "text"}
"""Arguments with words of the endpoint, which may be anything."""


@pytest.mark.parametrize("contract", ["gpt-ge", "zhizengzeng"])
def test_reasons_of_a_run_have_translations(contract: str) -> None:
    assert untold(findings(contract, FakeServer("none", contract))) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_findings_of_a_run_have_translations(fault: str) -> None:
    found = findings("openai", FakeServer(FAULTS[fault]))
    assert any(finding.seen for finding in found), "the fault shows"
    assert untold(found) == []
