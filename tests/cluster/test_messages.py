"""Events that travel make the same record as events that do not."""

from __future__ import annotations

import pickle
import zlib
from pathlib import Path

import pytest

from conformance.cluster.messages import Assignment, from_bytes, packed, to_bytes, unpacked
from conformance.contract import load_contract
from conformance.engine.resumption import NOTHING_EARLIER
from conformance.engine.selection import Options
from conformance.language import Text
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
from conformance.record.line import RunFileError
from conformance.record.ndjson import RunWriter
from conformance.targets import Entry
from tests.gallery.recording import FAULTY, kept


def events_of_a_run() -> list[RunEvent]:
    run = kept(FAULTY)
    assert run.footer is not None
    return [
        RunStarted(run.header, tuple(finding.id for finding in run.findings)),
        CheckStarted(run.findings[0].id),
        *map(ExchangeMade, run.exchanges),
        *map(FindingMade, run.findings),
        *map(ReferenceAnswered, run.comparisons),
        ReferenceMissing(Text("it is gone", "它已停止")),
        RunFinished(run.footer),
    ]


def recorded(events: list[RunEvent], path: Path) -> bytes:
    with RunWriter(path) as writer:
        for event in events:
            writer.write(event)
    return path.read_bytes()


def test_events_arrive_whole(tmp_path: Path) -> None:
    events = events_of_a_run()
    arrived = list(from_bytes(to_bytes(events), "a worker"))
    assert [type(event) for event in arrived] == [type(event) for event in events]
    assert arrived[0] == events[0]
    assert arrived[-2] == events[-2]
    assert recorded(arrived, tmp_path / "there") == recorded(events, tmp_path / "here")


def test_other_lines_are_refused() -> None:
    with pytest.raises(RunFileError, match="a worker: not JSON"):
        list(from_bytes(zlib.compress(b"{\n"), "a worker"))


def test_an_assignment_names_secrets_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANTED", "sk-planted-0123456789")
    entry = Entry(
        "one",
        "http://127.0.0.1:1/v1",
        "tiny",
        api_key_env="PLANTED",
        headers_env={"X-Other": "PLANTED"},
    )
    contract = load_contract("zero")
    contract.validate_request({})  # compiles the schemas, which no process can send
    data = packed(Assignment(entry, contract, Options(), None, None, NOTHING_EARLIER))
    back = unpacked(data)
    assert back.entry.target(contract, {"PLANTED": "sk-other"}).api_key == "sk-other"
    assert b"sk-planted" not in pickle.dumps(back)
    assert b"PLANTED" in pickle.dumps(back)
