"""Validation of keys and URLs."""

import click
import pytest

from conformance.cli import inputs
from conformance.cli.exit_codes import UserError


@pytest.mark.parametrize(
    ("typed", "used"),
    [
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("https://api.example.com/v1/", "https://api.example.com/v1"),
        ("https://api.example.com", "https://api.example.com"),
        (" https://api.example.com/v1 ", "https://api.example.com/v1"),
        ("HTTPS://api.example.com/v1//", "https://api.example.com/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
    ],
)
def test_trailing_slash_of_a_base_url_is_optional(typed: str, used: str) -> None:
    made = inputs.base_url(typed)
    assert (made.url, made.corrected) == (used, None)


@pytest.mark.parametrize("end", ["/completions", "/completions/", "/chat/completions"])
def test_endpoint_path_is_removed_and_reported(end: str) -> None:
    made = inputs.base_url(f"https://api.example.com/v1{end}")
    assert made.url == "https://api.example.com/v1"
    assert made.corrected == "should end before /completions; using https://api.example.com/v1"


WHERE = inputs.base_url("https://api.example.com/v1")
OPENAI = inputs.base_url("https://api.openai.com/v1")


def test_trailing_newline_of_a_key_is_removed(monkeypatch) -> None:
    monkeypatch.setenv("KEY", "sk-1\n")
    assert inputs.api_key("KEY", WHERE) == inputs.Key("sk-1", "KEY")


def test_endpoint_may_need_no_key() -> None:
    assert inputs.api_key(None, WHERE).text is None


@pytest.mark.parametrize(
    "value",
    [
        "sk-1 sk-2",
        "sk-\u4e00",
        "sk-1\x07x",
        "sk-1\nsk-2",
        "sk-\udce4",
        "sk-" + "0123456789" * 10_000,
    ],
)
def test_invalid_key_is_rejected_and_never_echoed(monkeypatch, value: str) -> None:
    monkeypatch.setenv("KEY", value)
    with pytest.raises(UserError, match="the value of KEY is not a valid key") as refused:
        inputs.api_key("KEY", WHERE)
    assert value not in str(refused.value)
    assert len(str(refused.value)) < 100


def test_unnamed_key_is_sent_to_openai_only(monkeypatch, capsys) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789")
    assert inputs.api_key(None, OPENAI) == inputs.Key("sk-0123456789", "OPENAI_API_KEY")
    assert inputs.api_key("OPENAI_API_KEY", WHERE).text == "sk-0123456789"
    capsys.readouterr()
    assert inputs.api_key(None, WHERE).text is None
    assert capsys.readouterr().err == (
        "conformance: OPENAI_API_KEY is set but not sent: without --api-key-env it is sent only to "
        "https://api.openai.com; to send it here, use --api-key-env OPENAI_API_KEY\n"
    )


def test_unencrypted_key_is_warned_about(monkeypatch, capsys) -> None:
    monkeypatch.setenv("KEY", "sk-0123456789")
    inputs.api_key("KEY", inputs.base_url("http://far.example/v1"))
    warning = capsys.readouterr().err.splitlines()[-1]
    assert "the connection to far.example is not encrypted" in warning
    assert "can read $KEY" in warning


@pytest.mark.parametrize(
    ("variable", "where", "question", "name"),
    [
        ("KEY", WHERE, "api.example.com ($KEY is not set; press Enter for none)", "KEY"),
        (None, WHERE, "api.example.com (press Enter for none)", "API_KEY"),
        (
            None,
            OPENAI,
            "api.openai.com ($OPENAI_API_KEY is not set; press Enter for none)",
            "OPENAI_API_KEY",
        ),
    ],
)
def test_missing_key_is_prompted_for(monkeypatch, variable, where, question, name) -> None:
    request: list[str] = []

    def prompt(text: str, **settings: object) -> str:
        request.append(text)
        assert settings["hide_input"] is True
        return "sk-typed"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr(click, "prompt", prompt)
    assert inputs.api_key(variable, where) == inputs.Key("sk-typed", name)
    assert request == [f"API key for {question}"]


@pytest.mark.parametrize(
    "words",
    [
        ("--seed", "9" * 5_000),
        ("--seed", "9" * 4_000),
        ("--rate", "9" * 5_000),
        ("--format", "[" * 5_000),
        ("--select", "[" * 5_000),
        ("--select", "[" * 5_000 + "]"),
        ("--tier", "x\n" * 5_000),
        ("--contract", "y" * 5_000),
        ("--base-url", "http://" + "h" * 5_000, "--model", "m"),
        ("--base-url", "http://[" + "h" * 5_000, "--model", "m"),
        ("--model", "m" * 5_000),
        ("--" + "o" * 5_000,),
        ("z" * 5_000,),
    ],
)
def test_long_values_are_cut_in_errors(command, words: tuple[str, ...]) -> None:
    result = command("run", *words, "--reference", "none")
    assert_brief(result)


@pytest.mark.parametrize("name", ["explain", "report", "compare", "no-such-command"])
def test_long_arguments_are_cut_in_errors(command, name: str) -> None:
    assert_brief(command(name, "z" * 5_000, *(["y"] if name == "compare" else [])))


def assert_brief(result) -> None:
    (line,) = result.output.splitlines()
    assert result.exit_code in {4, 5}
    assert len(line) < 450
    assert line.startswith("conformance: ")
