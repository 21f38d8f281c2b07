"""The run file round-trips, and errors name the line."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from conformance.language import same
from conformance.model import (
    Arrival,
    Attempt,
    Comparison,
    Conclusion,
    Cost,
    Credentials,
    Effect,
    EntryKind,
    Exchange,
    Expectation,
    ExpectedFile,
    Explanation,
    Finding,
    Footer,
    Header,
    Level,
    Limits,
    Place,
    Request,
    Requirement,
    Run,
    Source,
    Subject,
    Tier,
    Verdict,
)
from conformance.record.conclusions import count_verdicts
from conformance.record.events import (
    CheckStarted,
    ExchangeMade,
    FindingMade,
    ReferenceAnswered,
    ReferenceMissing,
    RunEvent,
    RunFinished,
    RunStarted,
)
from conformance.record.line import (
    SCHEMA,
    RunFileError,
    to_line,
)
from conformance.record.ndjson import (
    RunTail,
    RunWriter,
    read_run,
    write_run,
)

HEADER = Header(
    format=2,
    suite_version="0.1.0",
    started_at="2026-01-01T00:00:00+00:00",
    base_url="http://127.0.0.1/v1",
    model="m",
    api_key_env="VENDOR_KEY",
    contract="openai",
    contract_title="The live API",
    document="openai",
    tier=Tier.SMOKE,
    select=("stop.*",),
    strict=False,
    seed=-3,
    limits=Limits(requests=5),
    subjects=(Subject("stop", "parameter", True, "string", {"openai": "up to four"}),),
    requirements=(
        Requirement(
            "stop.string",
            "A stop ends the answer.",
            "停止序列会结束响应。",
            Level.MUST,
            "stop",
            "stop",
            "protocol",
            (Source("openai", "ends"),),
        ),
    ),
)
EXCHANGE = Exchange(
    id="x0001",
    request=Request("POST", "/completions", '{"prompt":"四"}'.encode(), (("a", "b"),)),
    attempts=(Attempt(0.0, 0.1, 429, None, "7", b"later"), Attempt(0.5, 0.2, 200, None)),
    status=200,
    headers=(("content-type", "application/json"),),
    body=b'{"text": "\xff"}',
    arrivals=(Arrival(0.1, 13),),
    elapsed=0.2,
)
FINDING = Finding(
    id="stop.ends",
    title="It ends.",
    requirement="stop.string",
    level=Level.MUST,
    subject="stop",
    tier=Tier.SMOKE,
    verdict=Verdict.FAIL,
    message="half a pair: \ud800",
    expected="a",
    seen="b\u2028c",
    effect=Effect.IGNORED,
    exchanges=("x0001",),
)
COMPARISON = Comparison("x0001", dataclasses.replace(EXCHANGE, id="r0001", body=b"{}"))
FOOTER = Footer(
    finished_at="2026-01-01T00:00:01+00:00",
    elapsed=1.0,
    conclusion=Conclusion.NOT_CONFORMING,
    because=None,
    counts=count_verdicts([FINDING]),
    cost=Cost(1, 2, 3, 4),
    reference_cost=Cost(1, 1, 1, 0),
)
# Members that files of earlier versions lack.
LATER = {
    "header": {
        "objectives",
        "prices",
        "tokenizer",
        "headers",
        "target",
        "reference",
        "contract_title_zh",
        "stage",
        "recorded_by",
        "contract_file",
        "exclude",
        "expected",
        "contract_digest",
        "region",
        "label",
        "resumed",
        "promises",
        "profiles",
    },
    "exchange": {"surplus"},
    "finding": {
        "title_zh",
        "sees_effect",
        "roles",
        "rests_on",
        "needs_suite",
        "needs_run",
        "place",
        "explained_by",
    },
    "footer": {"objectives", "reference_cost", "explained", "is_stopped", "notes", "readiness"},
}
EXPECTED = ExpectedFile(
    "vendor.expected.yaml",
    (
        Expectation(
            EntryKind.CHECK,
            FINDING.id,
            "no batches",
            1,
            url="https://example.com/1",
            expires="2026-12-31",
            checks=(FINDING.id,),
        ),
    ),
)
KINDS = (("header", HEADER), ("exchange", EXCHANGE), ("finding", FINDING), ("footer", FOOTER))
RUN = Run(HEADER, (EXCHANGE,), (FINDING,), FOOTER, (COMPARISON,))
EVENTS: tuple[RunEvent, ...] = (
    RunStarted(HEADER, ("stop.ends",)),
    CheckStarted("stop.ends"),
    ExchangeMade(EXCHANGE),
    FindingMade(FINDING),
    ReferenceMissing(same("nothing that the record holds")),
    ReferenceAnswered(COMPARISON),
    RunFinished(FOOTER),
)


def written(path: Path, *events: RunEvent) -> Path:
    with RunWriter(path) as writer:
        for event in events:
            writer.write(event)
    return path


def test_run_round_trips(tmp_path: Path) -> None:
    run = read_run(written(tmp_path / "run.ndjson", *EVENTS))
    assert run == RUN
    assert repr(run) == repr(RUN)  # a vocabulary's word equals its text, so compare what they are


def test_recorded_run_equals_its_written_events(tmp_path: Path) -> None:
    write_run(RUN, tmp_path / "whole")
    assert (tmp_path / "whole").read_bytes() == written(tmp_path / "run", *EVENTS).read_bytes()


def test_each_line_is_written_immediately(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "run.ndjson") as writer:
        writer.write(EVENTS[0])
        writer.write(EVENTS[2])
        run = read_run(tmp_path / "run.ndjson")
    assert run == Run(HEADER, (EXCHANGE,), (), None)


def test_run_without_a_footer_is_incomplete(tmp_path: Path) -> None:
    run = read_run(written(tmp_path / "run.ndjson", *EVENTS[:-1]))
    assert run.footer is None
    assert run.conclusion is Conclusion.INCOMPLETE


@given(lost=st.integers(min_value=1))
def test_truncated_file_is_an_incomplete_run(
    tmp_path_factory: pytest.TempPathFactory, lost: int
) -> None:
    path = written(tmp_path_factory.mktemp("run") / "run.ndjson", *EVENTS)
    raw = path.read_bytes()
    header = len(to_line("header", HEADER))
    # The end of the last line alone is no loss: the footer is whole without it.
    path.write_bytes(raw[: -2 - lost % (len(raw) - header - 1)])
    run = read_run(path)
    assert run.header == HEADER
    assert run.footer is None


def replaced(record: dict[str, Any], **change: Any) -> bytes:
    return json.dumps({**record, **change}).encode() + b"\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is not a run record: the first line is not a header"),
        (to_line("footer", FOOTER), "is not a run record: the first line is not a header"),
        (b"not JSON\n", "line 1: not JSON"),
        (b"<html>", "line 1: not JSON"),
        (b"[]\n", "line 1: unknown kind of record"),
        (b'{"kind": "surprise"}\n', "line 1: unknown kind of record 'surprise'"),
        (b'{"kind": ["header"]}\n', "line 1: unknown kind of record"),
        (
            b'{"kind": "header", "format": 3}\n',
            "has format 3; this version reads format 1 and 2",
        ),
        (b'{"kind": "header", "format": 1}\n', "line 1: invalid header"),
        (to_line("header", HEADER) * 2, "has two headers"),
        (to_line("header", HEADER) + b"{\n" + to_line("footer", FOOTER), "line 2: not JSON"),
        (to_line("header", HEADER) + to_line("footer", FOOTER) * 2, "has lines after its footer"),
    ],
)
def test_invalid_file_is_rejected_with_the_place(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "run.ndjson"
    path.write_bytes(content)
    with pytest.raises(RunFileError) as caught:
        read_run(path)
    assert sentence in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change", [{"status": "200"}, {"body": {"hex": "00"}}, {"body": {"base64": "?"}}, {"id": None}]
)
def test_broken_record_is_rejected_with_the_reason(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "run.ndjson"
    exchange = json.loads(to_line("exchange", EXCHANGE))
    path.write_bytes(to_line("header", HEADER) + replaced(exchange, **change))
    with pytest.raises(RunFileError, match="line 2: invalid exchange"):
        read_run(path)


def test_missing_file_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(RunFileError, match=r"cannot read .*missing: No such file"):
        read_run(tmp_path / "missing")


@given(body=st.binary(max_size=30))
def test_every_body_round_trips(body: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    exchange = dataclasses.replace(EXCHANGE, body=body)
    path = tmp_path_factory.mktemp("run") / "run.ndjson"
    write_run(Run(HEADER, (exchange,), (), None), path)
    assert read_run(path).exchanges == (exchange,)


def test_file_without_comparisons_is_read(tmp_path: Path) -> None:
    lines = (json.loads(to_line(kind, record)) for kind, record in KINDS)
    older = [
        {name: value for name, value in line.items() if name not in LATER.get(line["kind"], set())}
        for line in lines
    ]
    path = tmp_path / "run.ndjson"
    path.write_text("".join(json.dumps(line) + "\n" for line in older), "utf-8")
    run = read_run(path)
    assert (run.header.reference, run.comparisons) == (None, ())
    assert run.footer is not None
    assert run.footer.reference_cost is None
    for line in older:
        VALIDATOR.validate(line)


def test_explained_findings_are_read_as_explained(tmp_path: Path) -> None:
    explained = {FINDING.id: Explanation("text.present", "its text is changed")}
    footer = dataclasses.replace(FOOTER, explained=explained)
    path = written(tmp_path / "run.ndjson", *EVENTS[:-1], RunFinished(footer))
    tail = RunTail(path)
    tail.read()
    for finding in (*read_run(path).findings, *tail.findings.values()):
        assert (finding.verdict, finding.explained_by) == (Verdict.EXPLAINED, "text.present")


def test_expected_deviations_are_applied_when_read(tmp_path: Path) -> None:
    header = dataclasses.replace(HEADER, exclude=("usage.*",), expected=EXPECTED)
    path = written(tmp_path / "run.ndjson", RunStarted(header, ()), *EVENTS[1:])
    run = read_run(path)
    assert run.header == header
    assert [finding.shown for finding in run.findings] == [Verdict.EXPECTED]
    lines = path.read_bytes().splitlines()
    assert not any(b"expectation" in line for line in lines)
    for line in lines:
        VALIDATOR.validate(json.loads(line))


def test_record_cannot_call_a_finding_expected(tmp_path: Path) -> None:
    line = to_line("finding", FINDING).replace(b'"verdict":"fail"', b'"verdict":"expected"')
    path = tmp_path / "run.ndjson"
    path.write_bytes(to_line("header", HEADER) + line)
    with pytest.raises(RunFileError, match="is not the verdict of a check"):
        read_run(path)


# ── the published schema ─────────────────────────────────────────────────────────────────────────

VALIDATOR = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))


def test_every_line_follows_the_published_schema(tmp_path: Path) -> None:
    Draft202012Validator.check_schema(VALIDATOR.schema)
    for line in written(tmp_path / "run.ndjson", *EVENTS).read_bytes().splitlines():
        VALIDATOR.validate(json.loads(line))


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        ("header", HEADER),
        ("exchange", EXCHANGE),
        ("finding", FINDING),
        ("comparison", COMPARISON),
        ("footer", FOOTER),
    ],
)
def test_schema_has_exactly_the_members_of_the_model(kind: str, record: Any) -> None:
    line = json.loads(to_line(kind, record))
    for member in set(line) - LATER.get(kind, set()):
        lacking = {name: value for name, value in line.items() if name != member}
        assert not VALIDATOR.is_valid(lacking), f"a {kind} without {member}"
    assert not VALIDATOR.is_valid({**line, "surprise": 1})


def test_schema_has_every_enumerated_value() -> None:
    finding = json.loads(to_line("finding", FINDING))
    request = json.loads(to_line("exchange", EXCHANGE))
    for verdict in set(Verdict) - {Verdict.EXPECTED}:
        VALIDATOR.validate({**finding, "verdict": verdict})
    for level in Level:
        VALIDATOR.validate({**finding, "level": level})
    for tier in Tier:
        VALIDATOR.validate({**finding, "tier": tier})
    for effect in (*Effect, None):
        VALIDATOR.validate({**finding, "effect": effect})
    for place in (*Place, None):
        VALIDATOR.validate({**finding, "place": place})
    for credentials in Credentials:
        body = {**request["request"], "credentials": credentials}
        VALIDATOR.validate({**request, "request": body})
    footer = json.loads(to_line("footer", FOOTER))
    for conclusion in set(Conclusion) - {Conclusion.INCOMPLETE, Conclusion.AS_EXPECTED}:
        VALIDATOR.validate({**footer, "conclusion": conclusion})
