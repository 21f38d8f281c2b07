"""Phrases that libraries and the system write, and that messages have as arguments.

They are made messages by :func:`conformance.message.as_message` where they arise; one that is not
here is shown as it is.
"""

from __future__ import annotations

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
)
"""The ids of their messages."""
