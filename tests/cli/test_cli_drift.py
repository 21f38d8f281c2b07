"""``conformance drift``: record, look for border inputs, compare."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from conformance.drift import read_recording
from tests.cli.endpoints import COMPLETION, ScriptedResponse, serving
from tests.lanes import exhaustive
from tests.servers import running_server

TOP = {" 13": -0.5, " 14": -1.5, " x": -2.5}


def completion(text: str = " 13", top: Any = None) -> ScriptedResponse:
    body: dict[str, Any] = copy.deepcopy(COMPLETION)
    body["choices"][0]["text"] = text
    if top is not None:
        body["choices"][0]["logprobs"] = {
            "tokens": [text],
            "token_logprobs": [-0.5],
            "top_logprobs": [top],
            "text_offset": [0],
        }
    return ScriptedResponse(json.dumps(body).encode())


def recorded(command, name: str, response: Callable[[], ScriptedResponse], *more: str):
    with serving(response) as url:
        words = ("--base-url", url, "--model", "tiny", "--out", name, "--lang", "en")
        return command("drift", "record", *words, *more)


def test_recording_takes_twenty_requests_of_one_token(command) -> None:
    calls = count(1)

    def response() -> ScriptedResponse:
        next(calls)
        return completion(top=TOP)

    result = recorded(command, "a.ndjson", response)
    assert result.exit_code == 0, result.output
    recording = read_recording(Path("a.ndjson"))
    assert len(recording.answers) == next(calls) - 1 == 20
    assert recording.answers[0].scores == TOP


def test_changed_log_probabilities_differ(command) -> None:
    other = {" 13": -0.6, " 14": -1.4, " x": -2.5}
    recorded(command, "a.ndjson", lambda: completion(top=TOP))
    recorded(command, "b.ndjson", lambda: completion(top=TOP))
    recorded(command, "c.ndjson", lambda: completion(top=other))
    same = command("drift", "compare", "a.ndjson", "b.ndjson", "--lang", "en")
    assert (same.exit_code, same.output.splitlines()[0]) == (0, "No difference seen.")
    assert "nats would have been seen" in same.output
    changed = command("drift", "compare", "a.ndjson", "c.ndjson", "--lang", "en")
    assert (changed.exit_code, changed.output.splitlines()[0]) == (1, "The answers differ.")
    assert "this test does not tell which" in changed.output
    chinese = command("drift", "compare", "a.ndjson", "c.ndjson", "--lang", "zh")
    assert chinese.output.startswith("两次录制的回答不同。")
    told = json.loads(
        command("drift", "compare", "a.ndjson", "c.ndjson", "--format", "json").output
    )
    assert (told["outcome"], told["answers"]) == ("differs", [20, 20])
    assert told["distance"] == pytest.approx(0.2 / 3)


def test_interrupted_recording_is_continued(command) -> None:
    served = count(1)

    def failing_later() -> ScriptedResponse:
        return completion(top=TOP) if next(served) <= 8 else ScriptedResponse(b"{}", status=400)

    with serving(failing_later) as url:
        words = ("--base-url", url, "--model", "tiny", "--out", "a.ndjson", "--lang", "en")
        first = command("drift", "record", *words)
        assert first.exit_code == 3
        assert "12 answers missing" in first.output
        assert next(served) == 1 + 8 + 3  # three failures in a row end it
    assert len(read_recording(Path("a.ndjson")).answers) == 8


def test_continued_recording_asks_only_what_is_missing(command) -> None:
    calls = count(1)

    def response() -> ScriptedResponse:
        next(calls)
        return completion(top=TOP)

    with serving(response) as url:
        words = ("--base-url", url, "--model", "tiny", "--out", "a.ndjson", "--lang", "en")
        assert command("drift", "record", *words).exit_code == 0
        path = Path("a.ndjson")
        path.write_text("\n".join(path.read_text().splitlines()[:15])[:-5])
        assert command("drift", "record", *words).exit_code == 0
        assert next(calls) == 1 + 20 + 7
        again = command("drift", "record", *words)
        assert (again.exit_code, "is complete" in again.output) == (4, True)
        other = command("drift", "record", *words[:3], "other", *words[4:])
        assert (other.exit_code, "another endpoint" in other.output) == (4, True)


@pytest.mark.parametrize(
    ("response", "sentence"),
    [
        (completion, "lists no log probabilities"),
        (lambda: completion(top={" 13": -1, " 14": 5}), "lists no log probabilities"),
        (lambda: completion(top={" 13": float("-inf")}), "the body in JSON"),
        (lambda: completion(top=["x"]), "lists no log probabilities"),
        (lambda: ScriptedResponse(b'{"error":{"message":"no logprobs"}}', 400), "is rejected"),
        (lambda: ScriptedResponse(b"\x1b[31mno", 401), "requires an API key"),
        (lambda: ScriptedResponse(b"<html>", 200, "text/html"), "HTML page"),
        (lambda: ScriptedResponse(b"[" * 9_999), "JSON"),
    ],
)
def test_endpoint_without_answers_is_one_sentence(command, response, sentence: str) -> None:
    result = recorded(command, "a.ndjson", response)
    assert result.exit_code == 3
    assert sentence in result.output
    assert "\x1b" not in result.output
    assert "Traceback" not in result.output


def test_texts_are_compared_at_border_inputs(command) -> None:
    turns = count()

    def wavering() -> ScriptedResponse:
        return completion(f" {next(turns) % 2}")

    with serving(wavering) as url:
        named = ("--base-url", url, "--model", "tiny", "--lang", "en")
        found = command("drift", "borders", *named, "--out", "b.json")
        assert found.exit_code == 0, found.output
        assert len(json.loads(Path("b.json").read_text())["prompts"]) == 5
        assert next(turns) == 10
    recorded(command, "a.ndjson", wavering, "--borders", "b.json")
    recorded(command, "c.ndjson", lambda: completion(" other"), "--borders", "b.json")
    result = command("drift", "compare", "a.ndjson", "c.ndjson", "--lang", "en")
    assert result.exit_code == 1
    assert "Shares of texts differ by" in result.output


def test_steady_endpoint_has_no_border_inputs(command) -> None:
    with serving(completion) as url:
        named = ("--base-url", url, "--model", "tiny", "--lang", "en")
        result = command("drift", "borders", *named, "--out", "b.json", "--requests", "9")
    assert result.exit_code == 3
    assert "0 border inputs found: the requests are spent" in result.output
    assert not Path("b.json").exists()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("mine.json", "mine.json exists; name a new file"), ("no/b.json", "there is no folder no")],
)
def test_borders_pay_for_no_lost_file(command, name: str, sentence: str) -> None:
    Path("mine.json").write_text("mine")
    asked = count()
    with serving(lambda: completion(f" {next(asked)}")) as url:
        result = command("drift", "borders", "--base-url", url, "--model", "m", "--out", name)
    assert result.exit_code == 4
    assert sentence in result.output
    assert next(asked) == 0
    assert Path("mine.json").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("record", "--out", "a"), "name one endpoint"),
        (("compare", "no", "no"), "cannot read no"),
        (("record", "--target", "zero", "--out", "a"), "conformance.toml"),
        (("record", "--borders", "no", "--target", "zero", "--out", "a"), "--borders: cannot read"),
    ],
)
def test_wrong_words_are_usage_errors(command, words, sentence: str) -> None:
    result = command("drift", *words)
    assert result.exit_code == 4
    assert sentence in result.output


def test_key_is_in_no_recording(command, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sk-" + "Zq7" * 12
    monkeypatch.setenv("SECRET_KEY", key)
    top = {key: -0.5, " b": -1.0}
    result = recorded(
        command, "a.ndjson", lambda: completion(top=top), "--api-key-env", "SECRET_KEY"
    )
    assert result.exit_code == 0, result.output
    assert key not in Path("a.ndjson").read_text() + result.output


@exhaustive
def test_bundled_model_is_itself_on_other_software(process, tmp_path: Path) -> None:
    weights = Path(__file__).parents[2] / "reference_server" / "weights"
    for name, arguments in (("onnx", ()), ("torch", ("--model", str(weights)))):
        with running_server(*arguments, env={"OMP_NUM_THREADS": "1"}) as server:
            words = ("--base-url", server.base_url, "--model", "gpt-3.5-turbo-instruct")
            env = {**os.environ, "SECRET_KEY": server.key}
            done = process(
                "drift", "record", *words, "--api-key-env", "SECRET_KEY", "--out", name, env=env
            )
            assert done.returncode == 0, done.stderr
    done = process("drift", "compare", "onnx", "torch", "--lang", "en")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "No difference seen.")
