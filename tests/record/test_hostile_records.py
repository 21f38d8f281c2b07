"""Records that anyone may have written: refused with one short sentence, or read."""

from __future__ import annotations

import dataclasses
import errno
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from conformance.input_files import MAX_SENTENCE_CHARS
from conformance.record import ndjson
from conformance.record.events import ExchangeMade, FindingMade, RunStarted
from conformance.record.line import (
    RunFileError,
    to_line,
)
from conformance.record.ndjson import (
    RecordError,
    RecordExistsError,
    RunTail,
    RunWriter,
    read_run,
)
from tests.cases import for_each_case
from tests.processes import python_with_file_limit
from tests.record.test_ndjson import EXCHANGE, FINDING, FOOTER, HEADER

START = to_line("header", HEADER)
END = to_line("footer", FOOTER)
DEEP = "[" * 100_000


def line(kind: str, record: Any, *path: str | int, raw: str) -> bytes:
    """Return a record's line in which the value at a path is replaced by JSON text."""
    data = json.loads(to_line(kind, record))
    holder: Any = data
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = "@@"
    return json.dumps(data).replace('"@@"', raw).encode() + b"\n"


def exchange(*path: str | int, raw: str) -> bytes:
    return START + line("exchange", EXCHANGE, *path, raw=raw)


def footer(*path: str | int, raw: str) -> bytes:
    return START + line("footer", FOOTER, *path, raw=raw)


REFUSED = [
    ("deep line", f"{DEEP}\n".encode(), "line 1: is nested too deeply"),
    ("deep member", exchange("more", raw=DEEP), "line 2: is nested too deeply"),
    ("deep name", exchange("id", raw="[" * 900 + "]" * 900), "line 2: invalid exchange"),
    ("NaN", exchange("elapsed", raw="NaN"), "line 2: not JSON (NaN is not a value)"),
    ("Infinity", exchange("elapsed", raw="Infinity"), "not JSON (Infinity is not a value)"),
    ("1e999", exchange("elapsed", raw="1e999"), "inf is not a number of seconds"),
    ("negative", exchange("elapsed", raw="-1"), "-1 is not a number of seconds"),
    ("1e308", exchange("elapsed", raw="1e308"), "1e+308 is not a number of seconds"),
    ("true", exchange("elapsed", raw="true"), "True is not a number of seconds"),
    ("text", exchange("elapsed", raw='"1"'), "'1' is not a number of seconds"),
    ("long integer", exchange("elapsed", raw="9" * 5000), "a number has too many digits"),
    ("wide integer", exchange("elapsed", raw="9" * 400), "a number with too many digits is not"),
    ("status", exchange("status", raw="1000"), "1000 is not an HTTP status"),
    ("wide status", exchange("status", raw="9" * 400), "a number with too many digits is not"),
    ("negative size", exchange("arrivals", 0, "size", raw="-1"), "arrivals contains a negative"),
    ("at", exchange("arrivals", 0, "at", raw="-0.5"), "-0.5 is not a number of seconds"),
    ("base64", exchange("body", raw='{"base64": "€"}'), "line 2: invalid exchange"),
    ("half a pair", exchange("body", raw='{"text": "\\ud800"}'), "line 2: invalid exchange"),
    ("id", exchange("id", raw='"\\u001b[31m"'), "'\\x1b[31m' is not an id"),
    ("no id", exchange("id", raw='""'), "'' is not an id"),
    ("long id", exchange("id", raw=f'"{"x" * 9999}"'), "is not an id"),
    ("many reasons", exchange("arrivals", raw=f"[{'[1],' * 5000}1]"), "more)"),
    ("counts", footer("counts", "pass", raw="-1"), "counts contains a negative number"),
    ("huge count", footer("counts", "pass", raw="9" * 400), "with too many digits"),
    ("cost", footer("cost", "requests", raw="-1"), "cost contains a negative number"),
    ("verdict", START + line("finding", FINDING, "verdict", raw='"x"'), "'x' is not a verdict"),
    ("tier", START + line("finding", FINDING, "tier", raw="[[]]"), "an array is not of type str"),
    ("two ids", START + 2 * to_line("exchange", EXCHANGE), "has two exchanges 'x0001'"),
    ("two findings", START + 2 * to_line("finding", FINDING), "has two findings 'stop.ends'"),
    ("early end", START + END + to_line("finding", FINDING), "has lines after its footer"),
    ("NUL", START + b"\0" * 100 + b"\n" + END, "line 2: not JSON"),
    ("not UTF-8", START + b'"\xff"\n', "line 2: not UTF-8 (byte 2)"),
    ("byte order mark", b"\xef\xbb\xbf" + START, "line 1: not JSON"),
    ("compressed twice", gzip.compress(gzip.compress(START)), "is compressed; decompress it"),
    ("long kind", b'{"kind": "' + b"k" * 10**6 + b'"}\n', "unknown kind of record 'kkk"),
    ("format", line("header", HEADER, "format", raw="9" * 400), "has format a number with too"),
]


@for_each_case("case, content, sentence", REFUSED)
def test_bad_record_is_refused_with_one_sentence(
    tmp_path: Path, case: str, content: bytes, sentence: str
) -> None:
    path = tmp_path / "run.ndjson"
    path.write_bytes(content)
    with pytest.raises(RunFileError) as caught:
        read_run(path)
    message = str(caught.value)
    assert sentence in message, f"{case}: {message}"
    assert str(path) in message
    assert message.isprintable()
    assert len(message) <= MAX_SENTENCE_CHARS


def pipe(path: Path) -> None:
    os.mkfifo(path)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(ndjson.MAX_FILE_BYTES + 1)


@for_each_case(
    "make, sentence",
    [
        (pipe, "it is a pipe, not a file"),
        (sparse, "has more than 512 MiB, too much to read"),
        (lambda path: path.symlink_to("/dev/zero"), "it is a device, not a file"),
        (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
        (lambda path: path.mkdir(), "it is a folder, not a file"),
    ],
)
def test_what_is_no_file_is_refused(tmp_path: Path, make: Any, sentence: str) -> None:
    path = tmp_path / str(len(list(tmp_path.iterdir())))
    make(path)
    with pytest.raises(RunFileError, match=sentence):
        read_run(path)


@for_each_case("name", ["a\0b", "\ud800", "a" * 100_000], ids=ascii)
def test_what_is_no_path_is_refused(name: str) -> None:
    with pytest.raises(RunFileError, match="cannot read") as caught:
        read_run(Path(name))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) <= MAX_SENTENCE_CHARS


def test_long_line_is_refused_before_it_is_parsed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(ndjson, "MAX_LINE_BYTES", len(START))
    path = tmp_path / "run.ndjson"
    path.write_bytes(START + b"{" * (len(START) + 1) + b"\n")
    with pytest.raises(RunFileError, match="line 2: has more than"):
        read_run(path)


def test_tail_refuses_the_same_lines(tmp_path: Path) -> None:
    path = tmp_path / "run.ndjson"
    path.write_bytes(footer("elapsed", raw="NaN").replace(b", ", b",").replace(b": ", b":"))
    with pytest.raises(RunFileError, match="NaN is not a value"):
        RunTail(path).read()


# ── writing ──────────────────────────────────────────────────────────────────────────────────────


def test_record_is_never_overwritten(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "run.ndjson") as writer:
        writer.write(RunStarted(HEADER, ()))
        with pytest.raises(RecordExistsError, match="another run has created"):
            RunWriter(tmp_path / "run.ndjson")
    assert read_run(tmp_path / "run.ndjson").header == HEADER


def test_record_without_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"cannot create .*: No such file or directory"):
        RunWriter(tmp_path / "no" / "run.ndjson")


@pytest.mark.parametrize("taken", [0, 40])
def test_full_disk_leaves_whole_lines(tmp_path: Path, taken: int, monkeypatch) -> None:
    path = tmp_path / "run.ndjson"

    def write_some(file: Any, data: bytes) -> None:
        file.write(data[:taken])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with RunWriter(path) as writer:
        writer.write(RunStarted(HEADER, ()))
        writer.write(ExchangeMade(EXCHANGE))
        monkeypatch.setattr(ndjson, "_write_all", write_some)
        with pytest.raises(RecordError) as caught:
            writer.write(FindingMade(FINDING))
    assert "No space left on device" in str(caught.value)
    assert "keeps 1 exchanges and 0 findings" in str(caught.value)
    assert path.read_bytes() == START + to_line("exchange", EXCHANGE)


WRITE_UNTIL_FULL = """
import sys
from pathlib import Path
from conformance.record.events import ExchangeMade, RunStarted
from conformance.record.ndjson import RecordError, RunWriter
from tests.record.test_ndjson import EXCHANGE, HEADER
with RunWriter(Path(sys.argv[1])) as writer:
    writer.write(RunStarted(HEADER, ()))
    try:
        while True:
            writer.write(ExchangeMade(EXCHANGE))
    except RecordError as error:
        print(error)
"""


def test_limit_of_file_size_is_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "run.ndjson"
    limit = len(START) + len(to_line("exchange", EXCHANGE)) * 3 // 2
    ended = python_with_file_limit(limit, "-c", WRITE_UNTIL_FULL, path)
    assert ended.returncode == 0, ended.stderr
    assert "File too large" in ended.stdout
    assert read_run(path).exchanges == (EXCHANGE,)


def test_reference_to_no_exchange_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run.ndjson"
    dangling = dataclasses.replace(FINDING, exchanges=("x9999",))
    path.write_bytes(START + to_line("finding", dangling) + END)
    assert read_run(path).findings == (dangling,)
