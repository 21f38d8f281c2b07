"""Keys and URLs, made sure of."""

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
def test_a_base_url_is_used_with_or_without_its_last_slash(typed: str, used: str) -> None:
    made = inputs.base_url(typed)
    assert (made.url, made.corrected) == (used, None)


@pytest.mark.parametrize("end", ["/completions", "/completions/", "/chat/completions"])
def test_the_path_of_the_endpoint_is_taken_off_and_said_so(end: str) -> None:
    made = inputs.base_url(f"https://api.example.com/v1{end}")
    assert made.url == "https://api.example.com/v1"
    assert made.corrected == "should end before /completions; using https://api.example.com/v1"


def test_a_key_is_read_without_the_newline_that_files_end_with(monkeypatch) -> None:
    monkeypatch.setenv("KEY", "sk-1\n")
    assert inputs.api_key("KEY", "host") == "sk-1"


def test_an_endpoint_may_want_no_key() -> None:
    assert inputs.api_key(None, "host") is None


@pytest.mark.parametrize("value", ["sk-1 sk-2", "sk-\u4e00", "sk-1\x07x"])
def test_what_cannot_be_a_key_is_refused_and_never_echoed(monkeypatch, value: str) -> None:
    monkeypatch.setenv("KEY", value)
    with pytest.raises(UserError, match="the value of KEY is not a valid key") as refused:
        inputs.api_key("KEY", "host")
    assert value not in str(refused.value)


def test_somebody_at_a_terminal_is_requested(monkeypatch) -> None:
    request: list[str] = []

    def prompt(text: str, **settings: object) -> str:
        request.append(text)
        assert settings["hide_input"] is True
        return "sk-typed"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr(click, "prompt", prompt)
    assert inputs.api_key("KEY", "api.example.com") == "sk-typed"
    assert request == ["API key for api.example.com ($KEY is not set; press Enter for none)"]
