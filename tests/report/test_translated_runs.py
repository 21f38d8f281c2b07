"""Every message of a complete run can be translated into Chinese, except evidence."""

from __future__ import annotations

import asyncio

import pytest

from conformance.api import Transport
from conformance.contract import load_contract
from conformance.engine.runner import Options, run
from conformance.model import Finding, Target, Tier
from conformance.record.events import FindingMade
from reference_server.behaviour.builders import errors, rewrites
from reference_server.behaviour.messages import Body
from reference_server.behaviour.rewrite import Rewrite
from tests.fake_server import MODEL, FakeServer
from tests.locale.untold import untold

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


@pytest.mark.parametrize("contract", ["gpt-ge", "zhizengzeng"])
def test_reasons_of_a_run_have_translations(contract: str) -> None:
    assert untold(findings(contract, FakeServer("none", contract))) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_findings_of_a_run_have_translations(fault: str) -> None:
    found = findings("openai", FakeServer(FAULTS[fault]))
    assert any(finding.seen for finding in found), "the fault shows"
    assert untold(found) == []
