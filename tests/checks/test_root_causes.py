"""A complete omission is one finding; a partial one is found where it occurs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from conformance.contract import load_contract
from conformance.engine.attribution import explanations_of
from conformance.engine.runner import Options, run
from conformance.model import Target, Tier, Verdict
from conformance.protocol.trace import RecordedExchange
from conformance.record.events import FindingMade, RunFinished
from reference_server.behaviour.builders import drops, status, streams, usage
from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    Rejected,
    ServerResponse,
)
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import is_batch
from tests.checks.catalogue import CHECKS
from tests.fake_server import MODEL, FakeServer, findings_of

SCHEMA = {"envelope.schema", "streaming.chunk-schema"}
"""A gap in the shape shows against the schema too."""

OPENAI = load_contract("openai")
FAILURES = {Verdict.FAIL, Verdict.WARN}


def reported(shown: str | Behaviour) -> set[str]:
    """The checks that call something a deviation which no other one explains."""
    server = FakeServer(shown)
    found = asyncio.run(findings_of(server, CHECKS.values()))
    trace = [RecordedExchange(exchange, OPENAI) for exchange in server.exchanges.values()]
    explained = explanations_of(found.values(), trace, OPENAI)
    return {key for key, f in found.items() if f.verdict in FAILURES} - explained.keys()


LEFT_OUT = {
    "logprobs-ignored": "logprobs.returned",
    "logprobs-chat-shape": "logprobs.returned",
    "echo-dropped": "echo.prompt-first",
    "n-ignored": "n.choices",
    "usage-missing": "usage.present stream-options.usage-chunk",
    "chat-shaped-answer": "text.present envelope.object envelope.object-with-logprobs",
    "choices-empty": "envelope.choices",
    "stream-ignored": "stream.true-streams",
    "include-usage-ignored": "stream-options.usage-chunk",
}
"""Faults that leave something out, and the checks of what each one breaks."""

LEFT_OUT_OF_STREAMS = {
    "logprobs": "logprobs.returned-in-stream",
    "n": "n.choices-streamed",
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("what", LEFT_OUT_OF_STREAMS)
def test_omission_from_streams_is_reported_once(what: str) -> None:
    found = reported(drops(what, when=lambda request: bool(request.get("stream"))))
    # A dropped parameter can no longer be rejected, which breaks another requirement.
    result = {key for key in found if not key.endswith("-refused") and "refused-streams" not in key}
    assert result == {LEFT_OUT_OF_STREAMS[what]}


def batches_go_on(request: ClientRequest, got: ServerResponse) -> ServerResponse:
    """Append text to the JSON of non-streaming responses to batches."""
    non_streaming = is_batch(request.body) and not request.body.get("stream")
    return got.with_raw(got.raw + b" 0") if non_streaming else got


def test_invalid_json_is_reported_once() -> None:
    async def reporting_checks() -> set[str]:
        target = Target("http://fake/v1", MODEL, "openai", "sk-in-memory")
        options = Options(Tier.STANDARD, ("prompt", "usage", "index", "envelope"))
        transport = FakeServer(Rewrite(raw=batches_go_on))
        stream = run(target, OPENAI, options, transport=transport)
        events = [event async for event in stream]
        footer = next(event.footer for event in events if isinstance(event, RunFinished))
        made = [event.finding for event in events if isinstance(event, FindingMade)]
        return {f.id for f in made if f.verdict in FAILURES} - footer.explained.keys()

    assert asyncio.run(reporting_checks()) == {"envelope.strict-json-everywhere"}


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", LEFT_OUT)
def test_complete_omission_is_reported_once(name: str) -> None:
    # A server that drops a parameter also serves its invalid values.
    found = {
        key
        for key in reported(name)
        if not (key.endswith("-refused") or CHECKS[key].requirement.endswith("-refused"))
    }
    assert found - SCHEMA == set(LEFT_OUT[name].split())


def test_missing_rejection_has_no_details_to_judge() -> None:
    found = {key for key in reported(status(500, 400)) if key.startswith("errors.")}
    bodies = {"errors.malformed-json", "errors.array-body", "errors.empty-body"}
    depth = {"errors.no-server-fault-of-depth"}
    assert found - bodies - depth == {"errors.no-server-fault-of-body"}


def test_rejected_documented_stream_is_reported_once() -> None:
    rejected = Rejected(400, "no streams here", param="stream").response
    no_streams = streams(lambda _, __: rejected)
    assert reported(no_streams) == {"stream.true-streams"}


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["broken-json", "events-merged", "ndjson-not-sse"])
def test_unreadable_streams_are_reported_once(name: str) -> None:
    requirements = {"stream.true-streams", "streaming.framing", "streaming.done-last"}
    # A line that is no event carries no chunk either.
    requirements |= {"streaming.chunk-shape"} if name == "ndjson-not-sse" else set()
    assert {CHECKS[key].requirement for key in reported(name)} <= requirements


def is_chinese(request: Body) -> bool:
    return "一" in str(request.get("prompt"))


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("name", "when", "finder"),
    [
        ("logprobs", is_chinese, "logprobs-arrays.join-chinese"),
        ("logprobs", lambda request: "echo" in request, "echo-logprobs.covers-prompt"),
        ("logprobs", lambda request: "stream" in request, "logprobs.returned-in-stream"),
        ("logprobs", lambda request: "n" in request, "logprobs.returned-for-each-choice"),
        ("echo", is_chinese, "echo.awkward-text-continued"),
        ("n", lambda request: isinstance(request["prompt"], list), "index.of-prompts-times-copies"),
    ],
)
def test_partial_omission_is_found(name: str, when: Callable[[Body], bool], finder: str) -> None:
    assert finder in reported(drops(name, when=when))


def test_stream_without_done_still_ends_with_usage() -> None:
    assert reported("missing-done") == {"streaming.done-last"}


def test_short_usage_is_no_wrong_finish_reason() -> None:
    short = usage(
        lambda _, stated_usage: {"completion_tokens": max(0, stated_usage["completion_tokens"] - 1)}
    )
    found = reported(short)
    assert "usage.completion-at-one" in found
    assert not {key for key in found if key.startswith("finish-reason.")}


def test_wrong_status_for_a_key_is_reported_once() -> None:
    assert reported(status(400, 401)) == {"auth.missing-key", "auth.wrong-key"}
