"""Mutated records: each is refused with one sentence, or every report shows it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from conformance.docs_audit.page_reader import PAGES
from conformance.input_files import MAX_SENTENCE_CHARS
from conformance.language import Language
from conformance.model import Run
from conformance.record.line import RunFileError
from conformance.record.ndjson import (
    lines_of,
    read_run,
)
from conformance.report import console, diff, formats
from conformance.report.diff import terminal as changes
from conformance.report.matrix import Recorded, files, matrix_of
from conformance.report.matrix import terminal as table
from tests.record.test_ndjson import RUN

LINES = tuple(lines_of(RUN))
KINDS = tuple(json.loads(line) for line in LINES)

ODD_TEXTS = st.sampled_from(
    [
        *("", "a", "\ud800", "\0\x1b[31m\u202e", "<script>", "]]>", "x" * 5000, "%", "{"),
        *("2026-99-99T99:99:99Z", "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00"),
        *("http://[::1", "javascript:a()", "../../etc/passwd", "x0001", "r0001"),
    ]
)
ODD_NUMBERS = st.sampled_from(
    [0, -1, 1, 1e308, 1e9, 2**63 - 1, -(2**63), 2**80, 0.1, float("inf"), float("nan")]
)
ODD_BODIES = st.sampled_from(
    [
        *({"text": "[" * 10_000}, {"text": '{"choices":' * 500}, {"base64": "////"}),
        *({"text": "data: {}\n\n" * 50}, {"text": "\ud800"}, {"text": "\0" * 5000}),
    ]
)
ODD = st.one_of(
    ODD_TEXTS,
    ODD_NUMBERS,
    ODD_BODIES,
    st.sampled_from([None, True, [], {}, [[]], [None], {"": ""}]),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all values below a value."""
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    return [
        place
        for step, item in steps
        for place in [(*path, step), *(places(item, (*path, step)) if is_holder(item) else [])]
    ]


def is_holder(value: object) -> bool:
    return isinstance(value, dict | list)


PLACES = tuple(tuple(places(kind)) for kind in KINDS)


def with_change(number: int, place: tuple[Any, ...], value: Any) -> bytes:
    changed = json.loads(LINES[number])
    holder = changed
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = value
    return json.dumps(changed).encode() + b"\n"


@st.composite
def records(draw: st.DrawFn) -> bytes:
    """Draw a record with a few changed values, then perhaps changed bytes or lines."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 2))):
        number = draw(st.integers(0, len(LINES) - 1))
        place = draw(st.sampled_from(PLACES[number]))
        lines[number] = with_change(number, place, draw(ODD))
    how = draw(st.sampled_from(["values"] * 6 + ["bytes", "lines"]))
    if how == "lines":
        lines = draw(st.lists(st.sampled_from(lines), max_size=8))
    raw = bytearray(b"".join(lines))
    if how == "bytes" and raw:
        for _ in range(3):
            raw[draw(st.integers(0, len(raw) - 1))] = draw(st.integers(0, 255))
    return bytes(raw)


def read_or_refused(path: Path, raw: bytes) -> Run | None:
    path.write_bytes(raw)
    try:
        return read_run(path)
    except RunFileError as error:
        sentence = str(error)
    assert sentence.isprintable()
    assert len(sentence) <= MAX_SENTENCE_CHARS
    return None


def show_everywhere(run: Run) -> None:
    for known in formats().values():
        known.render(run).encode("utf-8", "backslashreplace")
    screen = Console(file=io.StringIO(), width=100)
    for language in Language:
        console.show(run, screen, language)
    for old, new in ((RUN, run), (run, RUN)):
        found = diff.compare(old, new)
        changes.render(found, Language.ENGLISH, None)
        for file in diff.files(diff.Places(None, None), Language.ENGLISH).values():
            file.render(found)
    made = matrix_of([Recorded(run.header.target or "a", run, None)], PAGES)
    table.render(made, Language.ENGLISH)
    for page in files(Language.CHINESE).values():
        page.render(made)


SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@settings(SLOW, max_examples=50)
@given(raw=records())
def test_mutated_record_is_read_or_refused(
    raw: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    read_or_refused(tmp_path_factory.getbasetemp() / "mutated.ndjson", raw)


@settings(SLOW, max_examples=6)
@given(raw=records())
def test_every_report_shows_a_mutated_record(
    raw: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = read_or_refused(tmp_path_factory.getbasetemp() / "shown.ndjson", raw)
    if run is not None:
        show_everywhere(run)


@pytest.mark.exhaustive
@settings(SLOW, max_examples=2_000)
@given(raw=records())
def test_every_report_shows_two_thousand_records(
    raw: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = read_or_refused(tmp_path_factory.getbasetemp() / "many.ndjson", raw)
    if run is not None:
        show_everywhere(run)
