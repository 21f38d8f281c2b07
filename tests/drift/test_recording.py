"""Recordings are read as they were written, and nothing else is read."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.drift import DriftFileError, read_recording
from conformance.drift.recording import line_of
from tests.drift.recordings import noisy

RECORDING = noisy(random.Random(1), 0.01)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "r.ndjson"
    path.write_text(text)
    return path


def test_recording_is_read_as_written(tmp_path: Path) -> None:
    text = RECORDING.head + "".join(map(line_of, RECORDING.answers))
    assert read_recording(written(tmp_path, text)) == RECORDING


def test_cut_off_line_is_asked_again(tmp_path: Path) -> None:
    lines = RECORDING.head + "".join(map(line_of, RECORDING.answers[:7]))
    there = read_recording(written(tmp_path, lines[:-9]))
    assert there.answers == RECORDING.answers[:6]
    assert there.missing[0] == (1, 1)
    assert len(there.missing) == 14


def test_other_endpoint_asks_something_else() -> None:
    assert RECORDING.asks_as(replace(RECORDING, answers=(), started_at="later"))
    assert not RECORDING.asks_as(replace(RECORDING, model="other"))


HEAD = json.loads(RECORDING.head)
LINE = json.loads(line_of(RECORDING.answers[0]))

BAD_HEADS = {
    "no head": "",
    "not JSON": "{",
    "deep": "[" * 100_000,
    "other kind": json.dumps({**HEAD, "kind": "run"}),
    "other format": json.dumps({**HEAD, "format": 2}),
    "no prompts": json.dumps({**HEAD, "prompts": []}),
    "many prompts": json.dumps({**HEAD, "prompts": ["x"] * 51}),
    "one round": json.dumps({**HEAD, "rounds": 1}),
    "true rounds": json.dumps({**HEAD, "rounds": True}),
    "list as method": json.dumps({**HEAD, "method": ["texts"]}),
    "infinite temperature": json.dumps({**HEAD, "temperature": 1e999}),
    "huge temperature": json.dumps({**HEAD, "temperature": 10**400}),
}
BAD_LINES = {
    "list": "[]",
    "other prompt": json.dumps({**LINE, "prompt": 9}),
    "other round": json.dumps({**LINE, "round": -1}),
    "no scores": json.dumps({**LINE, "scores": {}}),
    "many scores": json.dumps({**LINE, "scores": {str(i): -1 for i in range(21)}}),
    "long token": json.dumps({**LINE, "scores": {"x" * 201: -1}}),
    "NaN": json.dumps({**LINE, "scores": {"x": float("nan")}}),
    "huge": json.dumps({**LINE, "scores": {"x": -(10**400)}}),
}


@pytest.mark.parametrize("name", BAD_HEADS)
def test_other_head_is_one_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises(DriftFileError) as error:
        read_recording(written(tmp_path, BAD_HEADS[name] + "\n"))
    assert "r.ndjson" in str(error.value)


@pytest.mark.parametrize("name", BAD_LINES)
def test_other_line_is_one_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises(DriftFileError, match="line 2"):
        read_recording(written(tmp_path, RECORDING.head + BAD_LINES[name] + "\n"))
