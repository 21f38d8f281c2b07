"""Who can read a key on its way."""

import pytest

from conformance.model import Target
from conformance.transport.exposure import exposure, exposure_of

URL = "http://far.example/v1"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    "url",
    ["https://far.example/v1", "http://127.0.0.1/v1", "http://[::1]:8000", "http://localhost:1/v1"],
)
def test_encrypted_and_local_connections_expose_nothing(url: str) -> None:
    assert exposure(url, ["KEY"]) is None


def test_requests_without_secrets_expose_nothing() -> None:
    assert exposure_of(Target(URL, "m", "openai")) is None


def test_host_and_variables_are_named() -> None:
    target = Target(
        URL,
        "m",
        "openai",
        "sk-0123456789",
        "KEY",
        secrets=("tenant-secret",),
        shown_headers={"X-Tenant": "$TENANT", "X-Plain": "acme"},
    )
    warning = exposure_of(target) or ""
    assert "to far.example is not encrypted: everyone on the way can read $KEY and $TENANT" in (
        warning
    )
    assert "sk-0123456789" not in warning


@pytest.mark.parametrize("variable", ["http_proxy", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_proxy_is_named_without_its_login(monkeypatch, variable: str, scheme: str) -> None:
    monkeypatch.setenv(variable, f"{scheme}user:secret@proxy.example:3128")
    warning = exposure(URL, ["KEY"]) or ""
    assert f"the proxy http://proxy.example:3128 (from ${variable}) and everyone" in warning


def test_no_proxy_is_honoured(monkeypatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "far.example")
    assert "proxy" not in (exposure(URL, ["KEY"]) or "")
    assert "the proxy http://proxy.example:3128" in (exposure("http://other.example", ["K"]) or "")


def test_warning_has_the_proxy_of_requests(monkeypatch) -> None:
    """A suffix of a host's name is no domain above it, and an empty variable is unset."""
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "r.example")
    assert "the proxy" in (exposure(URL, ["KEY"]) or "")
    monkeypatch.setenv("no_proxy", "http://far.example")
    assert "the proxy" not in (exposure(URL, ["KEY"]) or "")
