"""What a client is told to send, and the environment it finds itself in. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.transport.address import is_loopback
from conformance.transport.redact import Redactor

KEY_VARIABLE = "OPENAI_API_KEY"
"""Where both ``openai`` packages look for the key, and so do all drivers."""

_SETTINGS = "OPENAI_"
"""Variables that begin so would change where the clients send to, and what."""


class NotInstalledError(Exception):
    """A client is missing on this machine; one sentence says so and how to get it."""


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """One request, where it goes, and the seconds that the client may take over it."""

    base_url: str
    request: Mapping[str, Any]
    api_key: str | None = field(default=None, repr=False)
    seconds: float = 60.0

    @property
    def streamed(self) -> bool:
        """Tell whether a stream is asked for."""
        return self.request.get("stream") is True

    def redacted(self, output: bytes) -> str:
        """Take the key out of what a client wrote, and make it text."""
        return Redactor(self.api_key).body(output).decode("utf-8", errors="replace")


def environment_for(ask: ClientRequest, own: Mapping[str, str]) -> dict[str, str]:
    """Say which environment variables a client gets, from our ``own``."""
    variables = {name: value for name, value in own.items() if not name.startswith(_SETTINGS)}
    if ask.api_key:
        variables[KEY_VARIABLE] = ask.api_key
    if is_loopback(ask.base_url):
        # A proxy is for other hosts than this machine.
        variables |= {"NO_PROXY": "*", "no_proxy": "*"}
    return variables
