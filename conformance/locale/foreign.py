"""Phrases that libraries and the system write, and that messages have as arguments.

:func:`known` makes messages of them where they arise. Any other text of a library may quote what an
endpoint sent, so it stays evidence.
"""

from __future__ import annotations

from conformance.message import as_message

FOREIGN: tuple[str, ...] = (
    # json.JSONDecodeError
    "Expecting value",
    "Expecting property name enclosed in double quotes",
    "Expecting ',' delimiter",
    "Expecting ':' delimiter",
    "Extra data",
    "Illegal trailing comma before end of object",
    "Illegal trailing comma before end of array",
    "Invalid \\escape",
    "Invalid \\uXXXX escape",
    "Invalid control character at",
    "Unexpected UTF-8 BOM (decode using utf-8-sig)",
    "Unterminated string starting at",
    # ssl.SSLCertVerificationError
    "certificate has expired",
    "self-signed certificate",
    "self-signed certificate in certificate chain",
    "unable to get local issuer certificate",
    # our own words in errors of the HTTP library
    "it does not begin with HTTP/",
    "it was closed while it was idle",
)
"""The phrases, which are the ids of their messages."""

_KNOWN = frozenset(FOREIGN)


def known(text: str) -> str:
    """Return a phrase as a message, and any other text as it is."""
    return as_message(text) if text in _KNOWN else text
