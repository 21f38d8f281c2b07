"""Messages of a record: what they are made from is kept, and may come from anyone."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from conformance.locale import in_chinese
from conformance.message import Message, as_message, say, verbatim
from conformance.model import Attempt
from conformance.record.line import (
    SCHEMA,
    RunFileError,
)
from conformance.record.messages import message_from_json, message_to_json
from conformance.record.ndjson import (
    read_run,
    write_run,
)
from tests.report.builders import a_failure, a_finding, a_run, an_exchange

FAULT = say("incomplete response from {address}: {why}", address="http://h", why="closed")
EXPECTED = say("{count} choices", count=3)
SEEN = say(
    "{seen} ({among})",
    seen="1",
    among=say(
        "{count} of {total} responses: those with {traits}",
        count=2,
        total=9,
        traits=("`stop`", say("several prompts")),
    ),
)


def written(message: Message, folder: Path) -> Message:
    write_run(a_run(a_finding(message=message)), folder / "run.ndjson")
    return read_run(folder / "run.ndjson").findings[0].message


@pytest.mark.parametrize(
    "message",
    [EXPECTED, SEEN, FAULT, verbatim('{"a": 1}'), as_message("{braces}"), say("x {a}", a=0.1)],
)
def test_message_is_read_as_it_was_written(message: Message, tmp_path: Path) -> None:
    again = written(message, tmp_path)
    assert (again, again.template, again.arguments) == (
        message,
        message.template,
        message.arguments,
    )


def test_record_has_text_id_and_values(tmp_path: Path) -> None:
    failure = replace(a_failure(), expected=EXPECTED, seen=SEEN)
    write_run(a_run(failure), tmp_path / "run.ndjson")
    lines = [json.loads(line) for line in (tmp_path / "run.ndjson").read_text().splitlines()]
    finding = next(line for line in lines if line["kind"] == "finding")
    assert finding["expected"] == {
        "text": "3 choices",
        "id": "{count} choices",
        "args": {"count": 3},
    }
    among = finding["seen"]["args"]["among"]
    assert among["args"]["traits"] == ["`stop`", "several prompts"] or among["args"]["traits"] == [
        "`stop`",
        {"id": "several prompts", "args": {}},
    ]


def test_lines_fit_the_schema(tmp_path: Path) -> None:
    attempt = Attempt(0.0, 0.1, None, FAULT)
    exchange = replace(an_exchange(), attempts=(attempt,), fault=FAULT)
    run = replace(
        a_run(replace(a_failure(), expected=EXPECTED, seen=SEEN, message=SEEN)),
        exchanges=(exchange,),
    )
    write_run(run, tmp_path / "run.ndjson")
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    for line in (tmp_path / "run.ndjson").read_text().splitlines():
        validator.validate(json.loads(line))
    assert read_run(tmp_path / "run.ndjson").exchanges[0].fault == FAULT


def test_string_of_an_older_record_stays_english() -> None:
    told = message_from_json("budget spent: 5 requests were allowed", Message)
    assert told == "budget spent: 5 requests were allowed"
    assert in_chinese(told) is None


def test_older_sentence_without_data_is_translated() -> None:
    assert in_chinese(message_from_json("no rate limit was hit", Message)) == "未遇到限流"


def test_text_wins_over_other_data() -> None:
    data = {"text": "all is well", "id": "{count} choices", "args": {"count": 3}}
    told = message_from_json(data, Message)
    assert told == "all is well"
    assert in_chinese(told) is None


def deep(levels: int) -> dict[str, Any]:
    inner: Any = "x"
    for _ in range(levels):
        inner = {"id": "a {b}", "args": {"b": inner}}
    return {"text": "a " * levels + "x", **inner}


@pytest.mark.parametrize(
    "data",
    [
        None,
        1,
        [],
        {"text": "a"},
        {"text": "a", "id": "a", "args": {}, "more": 1},
        {"text": "a", "id": "a", "args": []},
        {"text": 1, "id": "a", "args": {}},
        {"text": "a", "id": "{b.c}", "args": {"b.c": "x"}},
        {"text": "a", "id": "{b}", "args": {}},
        {"text": "a", "id": "{b}", "args": {"c": 1}},
        {"text": "a", "id": "{b", "args": {"b": 1}},
        {"text": "a", "id": "{b}{b}", "args": {"b": 1}},
        {"text": "a", "id": "{b}", "args": {"b": {"text": "a"}}},
        {"text": "a", "id": "{b}", "args": {"b": [[1]]}},
        {"text": "a", "id": "{b}", "args": {"b": True}},
        {"text": "a", "id": "{b}", "args": {"b": 2**70}},
        {"text": "a", "id": "{b}", "args": {"b": None}},
        {"text": "a", "id": "".join(f"{{b{i}}}" for i in range(200)), "args": dict.fromkeys(
            (f"b{i}" for i in range(200)), 1
        )},
        deep(100),
    ],
)  # fmt: skip
def test_invalid_message_is_refused(data: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.ndjson"
    write_run(a_run(a_finding()), path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if line["kind"] == "finding":
            line["message"] = data
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    with pytest.raises(RunFileError, match="invalid finding"):
        read_run(path)


def test_many_values_are_read_in_little_time() -> None:
    data = {"text": "x", "id": "{a}", "args": {"a": ["y" * 100] * 100_000}}
    started = time.process_time()
    assert message_from_json(data, Message) == "x"
    assert time.process_time() - started < 2


def test_message_without_data_is_a_string() -> None:
    assert message_to_json(say("no rate limit was hit")) == "no rate limit was hit"
