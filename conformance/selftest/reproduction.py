"""Does a printed command show the deviation? Run it, and compare with a correct server's answers.

The command runs in a shell against the faulty server, and against the same server without the
fault. It shows the deviation if a person who has both answers side by side sees a difference:

- in a place that two answers of the correct server have in common: the status, a header, a field of
  the JSON or of an event, the framing;
- in the form of a place that differs between them, such as an id or a sampled text; or
- because the faulty server repeats there what the correct one varies.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from conformance.protocol.sse import parse_events
from conformance.record.line import RunFileError
from conformance.record.ndjson import read_run
from conformance.selftest.attribution import DEVIATING

COMMAND_SECONDS = 20.0
"""Timeout of one command."""

SUITE_SECONDS = 300.0
"""Timeout of one command of the suite, which may repeat a whole run."""

CLOCK_SECONDS = 60
"""Maximum difference between two values of ``created`` that count as the same time."""

UNTOLD_HEADERS = frozenset({"date", "content-length", "transfer-encoding", "connection"})
"""Headers that the transport sets."""

VARIED = frozenset({"header openai-processing-ms"})
"""Places that even a correct server varies, but may repeat by chance."""

LONG_TEXT_CHARS = 20
"""Minimum characters of a sampled text that nobody repeats by chance."""

ABSENT = object()
"""The value of a place that an answer does not have."""

Places = Mapping[str, object]
"""The values of an answer by their place, such as ``choices[0].text``."""

_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?')
_HEAD = re.compile(rb"HTTP/[\d.]+ (\d+)[^\r\n]*\r\n(.*?)\r\n\r\n", re.DOTALL)
_NAMED_BY_TOKENS = re.compile(r"top_logprobs")
"""Places whose names are tokens, which are sampled."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command printed.

    ``status`` is None without a response; ``whole`` is whether curl received all of it.
    """

    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes
    whole: bool


def run_command(command: str, key_env: str, key: str) -> Answer:
    """Run a command in a shell, with the key in the environment, and read what curl prints."""
    environment = {**os.environ, key_env: key, "NO_PROXY": "127.0.0.1,localhost"}
    shell = subprocess.Popen(  # noqa: S602 - the suite's own command, against its own server
        command,
        shell=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )
    try:
        printed, _ = shell.communicate(timeout=COMMAND_SECONDS)
    except subprocess.TimeoutExpired:
        # The shell's own children, too: otherwise curl keeps the pipe open.
        os.killpg(shell.pid, signal.SIGKILL)
        return read_answer(shell.communicate()[0], whole=False)
    return read_answer(printed, whole=shell.returncode == 0)


def finds_again(command: str, check: str, key_env: str, key: str) -> bool:
    """Run a command of the suite as it is printed, and return whether it reports the check again.

    It runs in a shell and in an empty folder, where it writes its reports.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {
            **os.environ,
            key_env: key,
            "NO_PROXY": "127.0.0.1,localhost",
            "PATH": os.pathsep.join((str(_installed(folder)), os.environ.get("PATH", os.defpath))),
        }
        suite = subprocess.Popen(  # noqa: S602 - the suite's own command, against its own server
            command,
            shell=True,
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            suite.wait(SUITE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(suite.pid, signal.SIGKILL)
            suite.wait()
        records = [*folder.glob("reports/*/run.ndjson")]
        try:
            found = [finding for path in records for finding in read_run(path).findings]
        except RunFileError:
            return False
    return any(finding.id == check and finding.verdict in DEVIATING for finding in found)


def _installed(folder: Path) -> Path:
    """Write the program ``conformance`` of this environment into a folder below, and return it."""
    programs = folder / "bin"
    programs.mkdir()
    program = programs / "conformance"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m conformance "$@"\n')
    program.chmod(0o755)
    return programs


def read_answer(printed: bytes, *, whole: bool) -> Answer:
    """Split the output of ``curl -i`` into status, headers and body."""
    head = _HEAD.match(printed)
    if head is None:
        return Answer(None, (), printed, whole)
    lines = head[2].decode("latin-1").split("\r\n")
    headers = tuple((name.lower(), value.strip()) for name, _, value in _split(lines))
    return Answer(int(head[1]), headers, printed[head.end() :], whole)


def _split(lines: list[str]) -> Iterator[tuple[str, str, str]]:
    return (line.partition(":") for line in lines)


def shows_deviation(faulty: Sequence[Answer], correct: Sequence[Answer]) -> bool:
    """Return whether one of the faulty server's answers deviates from the correct server's.

    Args:
        faulty: the answers to the command, in order.
        correct: at least two answers of the correct server to the same command. The more there are,
            the less likely is a sampled value that only seems to be steady.
    """
    right = [places(answer) for answer in correct]
    seen = [places(answer) for answer in faulty]
    return any(_deviates(found, right) for found in seen) or any(
        _repeats(first, second, right) for first, second in pairwise(seen)
    )


def differ_in_form(faulty: Sequence[Answer], correct: Sequence[Answer]) -> bool:
    """Return whether the answers differ in more than sampling explains.

    That is the status, a header, or which fields there are and of which types.
    """
    known = frozenset().union(*(_forms(answer) for answer in correct))
    always = frozenset.intersection(*(_forms(answer) for answer in correct))
    return any(not always <= _forms(answer) <= known for answer in faulty)


def _forms(answer: Answer) -> frozenset[tuple[str, object]]:
    found = places(answer)
    exact = {
        (place, value)
        for place, value in found.items()
        if place in {"status", "whole"} or place.startswith("header content-type")
    }
    return frozenset(exact) | {
        (re.sub(r"\d+", "#", place), type(value))
        for place, value in found.items()
        if place.startswith(("body", "event")) and not _NAMED_BY_TOKENS.search(place)
    }


def _deviates(found: Places, right: Sequence[Places]) -> bool:
    for place in found.keys() | set().union(*right):
        value = found.get(place, ABSENT)
        known = [of.get(place, ABSENT) for of in right]
        if any(_same(place, value, one) for one in known):
            continue
        steady = place not in VARIED and all(_same(place, known[0], one) for one in known)
        if steady or _form(place, value) not in {_form(place, one) for one in known}:
            return True
    return False


def _repeats(first: Places, second: Places, right: Sequence[Places]) -> bool:
    """Whether the faulty server repeats an id or a long text that the correct one varies."""
    return any(
        value == second.get(place, ABSENT)
        and isinstance(value, str)
        and (_is_id(place) or len(value) >= LONG_TEXT_CHARS)
        and all(place in a and place in b and a[place] != b[place] for a, b in pairwise(right))
        for place, value in first.items()
    )


def _same(place: str, one: object, other: object) -> bool:
    if place.endswith("created") and type(one) is type(other) is int:
        return _near(one, other)
    return type(one) is type(other) and one == other


def _near(one: object, other: object) -> bool:
    return isinstance(one, int) and isinstance(other, int) and abs(one - other) <= CLOCK_SECONDS


def _form(place: str, value: object) -> object:
    """Return what two different values of one place have in common."""
    if not isinstance(value, str):
        return type(value)
    if _is_id(place):
        # The prefix and the length.
        return re.split("[-_]", value)[0], len(value)
    if place in VARIED:
        return str, value.isdecimal()
    return str, not value


def _is_id(place: str) -> bool:
    return place.endswith((".id", "header x-request-id"))


def places(answer: Answer) -> Places:
    """Return the values of an answer by their place."""
    result: dict[str, object] = {"status": answer.status, "whole": answer.whole}
    for name, value in answer.headers:
        if name not in UNTOLD_HEADERS:
            result[f"header {name}"] = value
    text = answer.body.decode("utf-8", errors="replace")
    # Everything but strings and numbers: punctuation, line ends, fields of events, NaN.
    result["layout"] = _TOKENS.sub("", text)
    events = [event.data for event in parse_events(answer.body).events]
    if events and not text.lstrip().startswith("{"):
        result.update(_of_stream(events))
    else:
        result.update(_flat("body", _parsed(text)))
    return result


def _of_stream(events: list[str]) -> Iterator[tuple[str, object]]:
    parsed = [_parsed(data) for data in events]
    chunks = [chunk for chunk in parsed if isinstance(chunk, dict)]
    for name in ("id", "created", "model"):
        yield f"different {name}", len({repr(chunk.get(name)) for chunk in chunks})
    for place, event in enumerate(parsed):
        yield from _flat(f"event {place}", event)


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _flat(place: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield the leaves of a JSON value; an empty object or array is a leaf."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _flat(f"{place}.{name}", inner)
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _flat(f"{place}[{index}]", inner)
    else:
        yield place, repr(value) if isinstance(value, dict | list) else value
