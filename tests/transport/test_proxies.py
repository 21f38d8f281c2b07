"""Which proxy a URL goes through, by the environment alone."""

from __future__ import annotations

import httpx
import pytest

from conformance.transport.proxies import proxy_for

PROXY = "http://proxy.example:3128"
URL = "https://api.vendor.example/v1"

CASES: list[tuple[dict[str, str], str, str | None]] = [
    ({}, URL, None),
    ({"https_proxy": PROXY}, URL, PROXY),
    ({"HTTPS_PROXY": PROXY}, URL, PROXY),
    ({"http_proxy": PROXY}, URL, None),
    ({"http_proxy": PROXY}, "http://api.vendor.example/v1", PROXY),
    ({"all_proxy": PROXY}, URL, PROXY),
    ({"ALL_PROXY": PROXY}, "http://api.vendor.example/v1", PROXY),
    ({"all_proxy": "http://other:1", "https_proxy": PROXY}, URL, PROXY),
    ({"HTTPS_PROXY": "http://other:1", "https_proxy": PROXY}, URL, PROXY),
    ({"https_proxy": "proxy.example:3128"}, URL, PROXY),
    ({"https_proxy": ""}, URL, None),
    ({"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, "http://api.vendor.example/v1", None),
    ({"https_proxy": PROXY, "no_proxy": "*"}, URL, None),
    ({"https_proxy": PROXY, "NO_PROXY": "a.example, vendor.example"}, URL, None),
    ({"https_proxy": PROXY, "no_proxy": ".vendor.example"}, URL, None),
    ({"https_proxy": PROXY, "no_proxy": ".api.vendor.example"}, URL, PROXY),
    ({"https_proxy": PROXY, "no_proxy": "api.vendor.example"}, URL, None),
    ({"https_proxy": PROXY, "no_proxy": "pi.vendor.example"}, URL, PROXY),
    ({"https_proxy": PROXY, "no_proxy": "https://api.vendor.example"}, URL, None),
    ({"https_proxy": PROXY, "no_proxy": "http://api.vendor.example"}, URL, PROXY),
    ({"https_proxy": PROXY, "no_proxy": "10.0.0.1"}, "https://10.0.0.1/v1", None),
    ({"https_proxy": PROXY, "no_proxy": "fd00::1"}, "https://[fd00::1]/v1", None),
    ({"https_proxy": PROXY, "no_proxy": "localhost"}, URL, PROXY),
]


@pytest.mark.parametrize(("environ", "url", "proxy"), CASES)
def test_proxy_is_the_one_that_httpx_takes(
    environ: dict[str, str], url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = proxy_for(url, environ)
    assert (found.url if found else None) == proxy
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_PROXY".upper(), raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with httpx.Client() as client:
        # Not public; what httpx does is what other programs of the user do.
        chosen = client._transport_for_url(httpx.URL(url))
        assert (chosen is client._transport) == (proxy is None)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]"])
def test_loopback_goes_through_no_proxy(host: str) -> None:
    assert proxy_for(f"https://{host}:8443/v1", {"https_proxy": PROXY, "all_proxy": PROXY}) is None


def test_proxy_is_shown_without_its_login() -> None:
    proxy = proxy_for(URL, {"HTTPS_PROXY": "http://user:secret@proxy.example:3128/"})
    assert proxy is not None
    assert proxy.shown == f"the proxy {PROXY} (from $HTTPS_PROXY)"
    assert "secret" not in repr(proxy)


def test_invalid_url_has_no_proxy() -> None:
    for url in ("", "https://", "https://[x", "https://a:99999999/"):
        assert proxy_for(url, {"https_proxy": PROXY}) is None
