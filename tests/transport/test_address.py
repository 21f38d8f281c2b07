"""Base URLs: validation and display."""

import pytest

from conformance.transport.address import is_loopback, join, trouble_with, without_login


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://h/v1", "http://h/v1/completions"),
        ("http://h/v1/", "http://h/v1/completions"),
        ("http://h", "http://h/completions"),
        ("http://h/d?api-version=1", "http://h/d/completions?api-version=1"),
    ],
)
def test_path_is_appended_to_the_base_url(base_url: str, url: str) -> None:
    assert join(base_url, "/completions") == url


@pytest.mark.parametrize("url", ["http://h/v1", "https://h:8443", "http://[::1]:8000/v1"])
def test_valid_base_urls_are_accepted(url: str) -> None:
    assert trouble_with(url) is None


@pytest.mark.parametrize(
    "url", ["", "h/v1", "file:///v1", "http://", "http://h:x/", "http://[::1/v1", "http://a:b@h/"]
)
def test_invalid_base_urls_are_rejected(url: str) -> None:
    assert trouble_with(url)


def test_login_is_never_shown() -> None:
    assert without_login("https://me:secret@h:1/v1?a=b") == "https://h:1/v1?a=b"
    assert "secret" not in str(trouble_with("https://me:secret@h:port/v1"))


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://127.9.9.9/v1", True),
        ("http://localhost/v1", True),
        ("http://[::1]/v1", True),
        ("http://10.0.0.1/v1", False),
        ("http://localhost.example.org/v1", False),
        ("not a url", False),
    ],
)
def test_local_addresses_are_recognised(url: str, here: bool) -> None:
    assert is_loopback(url) is here
