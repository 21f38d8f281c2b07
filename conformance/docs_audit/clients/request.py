"""The request for a client and the client's environment variables; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.transport.address import is_loopback
from conformance.transport.redact import Redactor

KEY_VARIABLE = "OPENAI_API_KEY"
"""The variable from which both ``openai`` packages and all drivers read the key."""

_SETTINGS = "OPENAI_"
"""Prefix of variables that change what the clients send and where."""


class NotInstalledError(Exception):
    """A client is not installed; the message says how to install it."""


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """One request for a client: base URL, JSON body, key, and timeout in seconds."""

    base_url: str
    request: Mapping[str, Any]
    api_key: str | None = field(default=None, repr=False)
    seconds: float = 60.0

    @property
    def streamed(self) -> bool:
        """Whether it requests a stream."""
        return self.request.get("stream") is True

    def redacted(self, output: bytes) -> str:
        """Decode a client's output and redact the key."""
        return Redactor(self.api_key).body(output).decode("utf-8", errors="replace")


def environment_for(request: ClientRequest, own: Mapping[str, str]) -> dict[str, str]:
    """Return a client's environment variables, based on our ``own``."""
    variables = {name: value for name, value in own.items() if not name.startswith(_SETTINGS)}
    if request.api_key:
        variables[KEY_VARIABLE] = request.api_key
    if is_loopback(request.base_url):
        # Proxies are for remote hosts.
        variables |= {"NO_PROXY": "*", "no_proxy": "*"}
    return variables
