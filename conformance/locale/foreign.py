"""Phrases that libraries and the system write, and that messages have as arguments.

They are made messages by :func:`conformance.message.as_message` where they arise; one that is not
here is shown as it is.
"""

from __future__ import annotations

FOREIGN: tuple[str, ...] = ("Expecting value",)
