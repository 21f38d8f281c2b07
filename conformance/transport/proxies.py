"""Which proxy the environment names for a URL; pure, given the environment.

The rules are those of httpx (and so of ``urllib.request.getproxies`` and curl), except that a
loopback address never goes through a proxy.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import getproxies

from conformance.message import Message, say
from conformance.transport.address import is_loopback, without_login


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy.

    Attributes:
        url: with its login, if it has one; never show it.
        variable: the environment variable that names it; empty if the system's settings do.
    """

    url: str
    variable: str

    def __repr__(self) -> str:
        return f"Proxy({self.shown!r})"

    @property
    def shown(self) -> Message:
        """The proxy in a sentence: without its login, and with its variable."""
        url = without_login(self.url).rstrip("/")
        if not self.variable:
            return say("the proxy {url}", url=url)
        return say("the proxy {url} (from ${variable})", url=url, variable=self.variable)


def proxy_for(url: str, environ: Mapping[str, str] | None = None) -> Proxy | None:
    """Return the proxy that requests to a URL go through; None if they go directly.

    Args:
        url: the URL; an invalid one has no proxy.
        environ: environment variables; by default the process's, or else the system's settings.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return None
    if not host or is_loopback(url):
        return None
    settings = _settings(os.environ if environ is None else environ)
    if not settings and environ is None:
        settings = {scheme: ("", value) for scheme, value in getproxies().items()}
    if any(
        _is_excepted(entry.strip(), parts.scheme, host, port)
        for entry in settings.get("no", ("", ""))[1].split(",")
    ):
        return None
    for scheme in (parts.scheme, "all"):
        variable, value = settings.get(scheme, ("", ""))
        if value:
            return Proxy(value if "://" in value else f"http://{value}", variable)
    return None


def _settings(environ: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return variable and value by scheme; lower case wins, and an empty one unsets upper case."""
    found: dict[str, tuple[str, str]] = {}
    named = [name for name in environ if name.lower().endswith("_proxy")]
    for name in sorted(named, key=lambda name: name == name.lower()):
        scheme = name[: -len("_proxy")].lower()
        if scheme == "http" and name != name.lower() and "REQUEST_METHOD" in environ:
            continue  # in a CGI script, $HTTP_PROXY is the client's header Proxy
        found[scheme] = (name, environ[name].strip())
    return {scheme: setting for scheme, setting in found.items() if setting[1]}


def _is_excepted(entry: str, scheme: str, host: str, port: int | None) -> bool:
    """Return whether an entry of ``no_proxy`` means this URL.

    An entry is ``*``, a host and its subdomains, an address, ``.domain`` (its subdomains alone),
    and any of them with a scheme before it or a port behind it.
    """
    if entry == "*":
        return True
    before, mark, rest = entry.lower().rpartition("://")
    if not rest or (mark and before not in {"all", scheme}):
        return False
    if re.fullmatch(r"[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*", rest):
        return rest == host  # an IPv6 address without brackets
    try:
        named = urlsplit(f"//{rest}")
        wanted, wanted_port = named.hostname or "", named.port
    except ValueError:
        return False
    if wanted_port is not None and wanted_port != (port or {"http": 80, "https": 443}.get(scheme)):
        return False
    return host == wanted or host.endswith(f".{wanted.lstrip('*.')}")
