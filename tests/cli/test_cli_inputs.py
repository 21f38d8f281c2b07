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


def test_trailing_newline_of_a_key_is_removed(monkeypatch) -> None:
    monkeypatch.setenv("KEY", "sk-1\n")
    assert inputs.api_key("KEY", "host") == "sk-1"


def test_endpoint_may_need_no_key() -> None:
    assert inputs.api_key(None, "host") is None


@pytest.mark.parametrize("value", ["sk-1 sk-2", "sk-\u4e00", "sk-1\x07x"])
def test_invalid_key_is_rejected_and_never_echoed(monkeypatch, value: str) -> None:
    monkeypatch.setenv("KEY", value)
    with pytest.raises(UserError, match="the value of KEY is not a valid key") as refused:
        inputs.api_key("KEY", "host")
    assert value not in str(refused.value)


def test_missing_key_is_prompted_for_at_a_terminal(monkeypatch) -> None:
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
