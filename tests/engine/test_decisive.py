"""Which exchanges show what a check says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from conformance.api import Api
from conformance.checks import Check
from conformance.checks._shared.prompts import COUNTING
from conformance.checks._shared.requests import greedy
from conformance.contract import load_contract
from conformance.engine.decisive import resting_on
from conformance.engine.judging import judge
from conformance.judgement import Failure, expect
from conformance.model import Request, Role, Tier
from conformance.protocol.completion import Choice, Completion
from conformance.protocol.error_response import ErrorResponse
from tests.checks.catalogue import CHECKS
from tests.fake_server import MODEL, FakeServer, findings_of
from tests.report.builders import a_failure

OPENAI = load_contract("openai")
SHORT, LONG = greedy(COUNTING, max_tokens=1), greedy(COUNTING, max_tokens=2)


def roles(function: Callable[[Api], Any], requirement: str = "max-tokens.limits-answer") -> str:
    """Run a check, and return the role of each of its exchanges by its first letter."""
    check = Check("a.check", requirement, Tier.SMOKE, "It holds.", "成立。", (), function)
    finding = asyncio.run(judge(check, Api(FakeServer(), OPENAI, MODEL)))
    return "".join(finding.roles.get(key, "-")[0] for key in finding.exchanges)


async def ask(api: Api, **body: Any) -> Completion:
    return (await api.complete(**body)).expect_ok()


def assert_empty(choice: Choice) -> None:
    expect(choice.text, "text").is_empty()


def test_response_in_the_innermost_function_decides() -> None:
    async def check(api: Api) -> None:
        first, _last = await ask(api, **SHORT), await ask(api, **LONG)
        assert_empty(first.only)

    assert roles(check) == "p-"


def test_accessor_knows_its_response() -> None:
    async def check(api: Api) -> None:
        choice = (await ask(api, **SHORT)).only
        await ask(api, **LONG)
        _ = choice.logprobs

    assert roles(check) == "p-"


def test_rejection_knows_its_response() -> None:
    def assert_served(error: ErrorResponse) -> None:
        expect(error.status, "status").equals(200)

    async def check(api: Api) -> None:
        error = (await api.complete(**SHORT, n=0)).expect_error(400)
        await api.complete(**SHORT, n=-1)
        assert_served(error)

    assert roles(check, "n.zero-refused") == "p-"


def test_compared_responses_are_probe_and_control() -> None:
    async def check(api: Api) -> None:
        several = await ask(api, **SHORT, n=2)
        alone = await ask(api, **SHORT)
        expect(several.texts, "texts").equals(alone.texts)

    assert roles(check, "n.count") == "pc"


def test_request_with_the_parameter_is_the_probe() -> None:
    async def check(api: Api) -> None:
        texts = [(await ask(api, prompt="1, 2,", **more)).text for more in ({"max_tokens": 1}, {})]
        raise Failure("nothing", texts[0])

    assert roles(check) == "pc"


def test_most_similar_request_is_the_control() -> None:
    async def check(api: Api) -> None:
        bodies = ({}, {"n": 2}, {"n": 2, "seed": 1}, {"n": 2, "seed": 1, "stop": "x", "top_p": 1})
        texts = [len((await ask(api, prompt="1, 2,", **more)).texts) for more in bodies]
        raise Failure("nothing", str(texts))

    assert roles(check, "seed.repeats") == "--cp"


def test_parameter_sent_as_null_is_the_probe() -> None:
    async def check(api: Api) -> None:
        texts = [(await ask(api, prompt="1, 2,", **more)).text for more in ({"seed": None}, {})]
        raise Failure("nothing", texts[0])

    assert roles(check, "seed.repeats") == "pc"


def test_passing_check_has_no_roles() -> None:
    async def check(api: Api) -> None:
        await ask(api, **SHORT)

    assert roles(check) == "-"


def test_passive_check_rests_on_makers() -> None:
    requests = {key: Request("POST", "/completions", key.encode()) for key in ("x1", "x2")}
    passive = a_failure("a.passive", exchanges=("x1", "x2"), roles={"x1": Role.PROBE})
    makers = (a_failure("b.other", exchanges=("x2",)), a_failure("c.maker", exchanges=("x1",)))
    assert resting_on(passive, makers, requests).rests_on == ("c.maker",)
    assert resting_on(passive, (), requests).rests_on == ()


def test_repeat_rests_on_the_first_sender() -> None:
    requests = dict.fromkeys(("x1", "x9"), Request("POST", "/completions", b"{}"))
    again = a_failure("a.again", exchanges=("x9",), roles={"x9": Role.PROBE})
    maker = a_failure("c.maker", exchanges=("x1",))
    assert resting_on(again, (maker,), requests).rests_on == ("c.maker",)


def test_equal_requests_rest_on_both_senders() -> None:
    requests = dict.fromkeys(("x1", "x2", "x3"), Request("POST", "/completions", b"{}"))
    roles = {"x1": Role.PROBE, "x3": Role.REPEAT}
    twice = a_failure("a.twice", exchanges=("x1", "x3"), roles=roles)
    makers = [a_failure(f"{key}.maker", exchanges=(key,)) for key in requests]
    assert resting_on(twice, makers, requests).rests_on == ("x1.maker", "x3.maker")


def test_shrunk_request_rests_on_its_origin() -> None:
    requests = {key: Request("POST", "/completions", key.encode()) for key in ("x1", "x2", "x9")}
    roles = {"x9": Role.PROBE, "x2": Role.CONTROL}
    shrunk = a_failure("a.shrunk", exchanges=("x9", "x2", "x1"), roles=roles)
    others = (a_failure("b.other", exchanges=("x2",)), a_failure("c.maker", exchanges=("x1",)))
    assert resting_on(shrunk, others, requests).rests_on == ("b.other", "c.maker")


@pytest.mark.parametrize(
    ("fault", "check", "has", "lacks"),
    [
        ("n-ignored", "n.choices", "n", "echo"),
        ("stop-one-character-early", "stop.string", "stop", "stream"),
        ("default-not-16", "max-tokens.default", "stream", "max_tokens"),
        ("logprobs-dropped-with-echo", "echo-logprobs.offset-zero-chinese", "echo", "stream"),
        ("logit-bias-last-only", "logit-bias.forces", "logit_bias", "echo"),
        ("prompt-times-n", "usage.prompt-once-for-copies", "n", "stop"),
    ],
)
def test_request_of_a_fault_is_the_probe(fault: str, check: str, has: str, lacks: str) -> None:
    server = FakeServer(fault)
    finding = asyncio.run(findings_of(server, [CHECKS[check]]))[check]
    probe = next(key for key, role in finding.roles.items() if role is Role.PROBE)
    body = json.loads(server.exchanges[probe].request.body)
    assert (has in body, lacks in body) == (True, False)
