"""A printed command shows a deviation if its answer differs from a correct server's."""

from __future__ import annotations

import json
import shutil

import pytest

from conformance.selftest.reproduction import (
    Answer,
    differ_in_form,
    finds_again,
    read_answer,
    run_command,
    shows_deviation,
)

ID = "cmpl-{}aaaaaaaaaaaa"


def answer(number: int = 0, /, *, status: int = 200, **changes: object) -> Answer:
    """Return a correct answer whose id, time and text depend on a number."""
    body: dict[str, object] = {
        "id": ID.format(number),
        "object": "text_completion",
        "created": 1_700_000_000 + number,
        "choices": [{"text": f" sample {number}", "finish_reason": "length"}],
        "usage": {"total_tokens": 4},
    }
    changed = {name: value for name, value in {**body, **changes}.items() if value is not ...}
    return raw(json.dumps(changed).encode(), status=status)


def raw(body: bytes, *, status: int | None = 200, kind: str = "application/json") -> Answer:
    return Answer(status, (("content-type", kind),), body, whole=True)


def stream(*events: object) -> Answer:
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
    return raw(body.encode(), kind="text/event-stream")


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        pytest.param({}, False, id="another id, time and sample"),
        pytest.param({"usage": {"total_tokens": 5}}, True, id="a value"),
        pytest.param({"usage": ...}, True, id="a missing field"),
        pytest.param({"service": "x"}, True, id="another field"),
        pytest.param({"status": 500}, True, id="the status"),
        pytest.param({"id": 7}, True, id="the type of an id"),
        pytest.param({"id": "chatcmpl-bbbbbbbbbbbbb"}, True, id="the prefix of an id"),
        pytest.param({"created": 1_600_000_000}, True, id="another time"),
        pytest.param({"created": 1_700_000_000.5}, True, id="the type of a time"),
        pytest.param(
            {"choices": [{"text": "", "finish_reason": "length"}]}, True, id="no text at all"
        ),
    ],
)
def test_difference_in_any_place_is_shown(changes, shown) -> None:
    faulty = tuple(answer(number, **changes) for number in (3, 4))
    if "id" in changes or "created" in changes:
        faulty = faulty[:1]
    assert shows_deviation(faulty, (answer(1), answer(2))) is shown


def test_repetition_is_shown() -> None:
    assert shows_deviation((answer(3), answer(3)), (answer(1), answer(2)))


@pytest.mark.parametrize(("value", "shown"), [("7", False), ("12 ms", True)])
def test_measured_time_is_compared_by_its_form(value, shown) -> None:
    def timed(milliseconds: str) -> Answer:
        return Answer(200, (("openai-processing-ms", milliseconds),), b"", whole=True)

    assert shows_deviation((timed(value),), (timed("0"), timed("0"))) is shown


def test_sampled_answers_differ_in_form_only() -> None:
    right = (answer(1), answer(2))
    assert not differ_in_form((answer(3, usage={"total_tokens": 9}),), right)
    assert differ_in_form((answer(3, usage=...),), right)
    assert differ_in_form((answer(3, status=500),), right)
    assert differ_in_form((answer(3, usage={"total_tokens": "9"}),), right)


def test_one_deviating_answer_suffices() -> None:
    wrong = answer(5, usage=...)
    assert shows_deviation((answer(3), wrong, answer(4)), (answer(1), answer(2)))


@pytest.mark.parametrize(
    ("faulty", "shown"),
    [
        (stream({"text": "a"}, {"text": "b"}), False),
        (stream({"text": "a"}), True),
        (stream({"text": "a"}, {"text": "c"}), True),
        (raw(b'data: {"text": "a"}\n\ndata: {"text": "b"}\n\n', kind="text/event-stream"), True),
        (raw(b'{"text": "ab"}'), True),
        (Answer(None, (), b"", whole=False), True),
    ],
)
def test_streams_are_compared_by_event(faulty, shown) -> None:
    correct = stream({"text": "a"}, {"text": "b"})
    assert shows_deviation((faulty,), (correct, correct)) is shown


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"a": 1}', b'{"a": NaN}'),
        (b'{"a": 1}', b'{"a": 1, "a": 1}'),
        (b'{"a": "\xe4\xb8\x80"}', b'{"a": "\xe4\xb8"}'),
        (b"not JSON", b"no JSON"),
    ],
)
def test_bytes_that_json_hides_are_shown(one, other) -> None:
    assert shows_deviation((raw(other),), (raw(one), raw(one)))


def test_output_of_curl_is_read() -> None:
    printed = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nX: a: b\r\n\r\nno\r\n\r\n"
    read = read_answer(printed, whole=True)
    assert read == Answer(400, (("content-type", "text/plain"), ("x", "a: b")), b"no\r\n\r\n", True)
    assert read_answer(b"", whole=False).status is None


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a POSIX shell")
def test_command_gets_the_key() -> None:
    command = r"""printf "HTTP/1.1 200 OK\r\nA: $KEY\r\n\r\nbody" """
    assert run_command(command, "KEY", "sk-1").headers == (("a", "sk-1"),)
    assert not run_command("exit 7", "KEY", "sk-1").whole


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a POSIX shell")
def test_endless_run_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.selftest.reproduction.SUITE_SECONDS", 0.2)
    assert not finds_again("sleep 60 | cat", "stop.string", "KEY", "sk-1")


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a POSIX shell")
def test_endless_command_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.selftest.reproduction.COMMAND_SECONDS", 0.2)
    result = run_command(
        "printf 'HTTP/1.1 200 OK\\r\\nA: b\\r\\n\\r\\nx'; sleep 60 | cat", "K", "k"
    )
    assert (result.status, result.body, result.whole) == (200, b"x", False)
