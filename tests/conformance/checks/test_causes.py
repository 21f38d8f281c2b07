"""What is left out altogether is one finding; what is left out here or there is found there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from conformance.contract import load_contract
from conformance.discovery import all_checks
from conformance.events import FindingMade
from conformance.imagined import ImaginedEndpoint
from conformance.imagined.endpoint import MODEL
from conformance.model import Exchange, Request, Target, Tier, Verdict
from conformance.runner import Options, run
from tests.conformance.checks import rewrites as f
from tests.conformance.checks.answer_faults import ANSWERS
from tests.conformance.checks.error_faults import ERRORS
from tests.conformance.checks.logprob_faults import LOGPROBS
from tests.conformance.checks.rewriting import (
    Body,
    Change,
    findings,
    read,
    with_body,
    with_header,
)
from tests.conformance.checks.stream_faults import STREAMS

SCHEMA = {"envelope.schema", "streaming.chunk-schema"}
"""A gap in the shape shows against the schema too."""


def accused(change: Change) -> set[str]:
    """The checks that call something a deviation."""
    found = asyncio.run(findings(change, all_checks()))
    return {key for key, f in found.items() if f.verdict in {Verdict.FAIL, Verdict.WARN}}


LEFT_OUT = {
    "logprobs": (LOGPROBS["logprobs-dropped"], "logprobs.returned"),
    "arrays of logprobs": (LOGPROBS["logprobs-chat-shape"], "logprobs.returned"),
    "echo": (f.drop("echo"), "echo.prompt-first"),
    "n": (ANSWERS["n-ignored"], "n.choices"),
    "usage": (ANSWERS["usage-missing"], "usage.present"),
    "text": (ANSWERS["text-in-message"], "text.present"),
    "choices": (ANSWERS["choices-empty"], "envelope.choices"),
    "streams": (STREAMS["stream-ignored"], "stream.true-streams"),
    "usage in streams": (STREAMS["include-usage-ignored"], "stream-options.usage-chunk"),
}


LEFT_OUT_OF_STREAMS = {
    "logprobs": "logprobs.returned-in-stream",
    "n": "n.choices-streamed",
}


@pytest.mark.parametrize("what", LEFT_OUT_OF_STREAMS)
def test_what_is_left_out_of_streams_alone_is_told_once(what: str) -> None:
    found = accused(f.drop(what, when=lambda body: bool(body.get("stream"))))
    # What is lost can be declined no longer, which is a promise of its own.
    told = {key for key in found if not key.endswith("-refused") and "refused-streams" not in key}
    assert told == {LEFT_OUT_OF_STREAMS[what]}


class Broken:
    """An ideal endpoint whose plain answers to batches go on behind their JSON."""

    def __init__(self) -> None:
        self._inner = ImaginedEndpoint(load_contract("openai"))

    async def send(self, request: Request) -> Exchange:
        exchange = await self._inner.send(request)
        batch = b'"prompt":["' in request.body and b'"stream":true' not in request.body
        return with_body(exchange, exchange.body + b" 0") if batch else exchange


def test_a_body_that_is_no_json_here_or_there_is_told_once_by_whoever_sees_them_all() -> None:
    async def accusers() -> set[str]:
        target = Target("http://imagined/v1", MODEL, "openai", "sk-imagined")
        options = Options(Tier.STANDARD, ("prompt", "usage", "index", "envelope"))
        stream = run(target, load_contract("openai"), options, transport=Broken())
        made = [event.finding async for event in stream if isinstance(event, FindingMade)]
        return {f.id for f in made if f.verdict in {Verdict.FAIL, Verdict.WARN}}

    assert asyncio.run(accusers()) == {"envelope.strict-json-everywhere"}


@pytest.mark.parametrize("what", LEFT_OUT)
def test_what_is_left_out_altogether_is_told_once(what: str) -> None:
    change, finder = LEFT_OUT[what]
    # What must be declined for the value of a parameter is served where that parameter is dropped.
    found = {key for key in accused(change) if not key.endswith("-refused")}
    assert found - SCHEMA == {finder}


def test_a_refusal_that_never_came_has_no_details_to_judge() -> None:
    found = {key for key in accused(ERRORS["server-error"]) if key.startswith("errors.")}
    bodies = {"errors.malformed-json", "errors.array-body", "errors.empty-body"}
    assert found - bodies == {"errors.no-server-fault", "errors.no-server-fault-of-body"}


def without_streams(exchange: Exchange) -> Exchange:
    """Decline every request for a stream."""
    if not (read(exchange.request.body) or {}).get("stream") or exchange.status != 200:
        return exchange
    error = {"message": "no streams here", "type": "t", "param": "stream", "code": None}
    told = with_body(exchange, json.dumps({"error": error}))
    return replace(with_header(told, "content-type", "application/json"), status=400)


def test_a_promised_stream_that_is_declined_is_told_once() -> None:
    assert accused(Change(raw=without_streams)) == {"stream.true-streams"}


@pytest.mark.parametrize("name", ["broken-json", "events-merged", "ndjson"])
def test_streams_that_nobody_can_read_are_told_once(name: str) -> None:
    requirements = {"stream.true-streams", "streaming.framing", "streaming.done-last"}
    asking = {check.id: check.requirement for check in all_checks()}
    assert {asking[key] for key in accused(STREAMS[name])} <= requirements


def is_chinese(body: Body) -> bool:
    return "一" in str(body.get("prompt"))


@pytest.mark.parametrize(
    ("name", "when", "finder"),
    [
        ("logprobs", is_chinese, "logprobs-arrays.join-chinese"),
        ("logprobs", lambda body: "echo" in body, "echo-logprobs.covers-prompt"),
        ("logprobs", lambda body: "stream" in body, "logprobs.returned-in-stream"),
        ("logprobs", lambda body: "n" in body, "logprobs.returned-for-each-choice"),
        ("echo", is_chinese, "echo.awkward-text-continued"),
        ("n", lambda body: isinstance(body["prompt"], list), "index.of-prompts-times-copies"),
    ],
)
def test_what_is_left_out_here_or_there_is_found_there(
    name: str, when: Callable[[Body], bool], finder: str
) -> None:
    assert finder in accused(f.drop(name, when=when))


def test_a_stream_without_an_end_has_its_bill_last_all_the_same() -> None:
    found = accused(STREAMS["missing-done"])
    assert found == {"streaming.done-last", "streaming.done-last-batch"}


def test_a_bill_that_is_always_short_is_no_wrong_finish_reason() -> None:
    short = f.usage(lambda _, bill: {"completion_tokens": max(0, bill["completion_tokens"] - 1)})
    found = accused(short)
    assert "usage.completion-at-limit" in found
    assert not {key for key in found if key.startswith("finish-reason.")}


def test_a_key_declined_with_another_status_is_told_once() -> None:
    assert accused(f.status(400, 401)) == {
        "auth.missing-key",
        "auth.missing-key-in-stream",
        "auth.wrong-key",
    }
