"""What a check said, in both languages: a run records its English alone."""

from __future__ import annotations

from conformance.language import Text
from conformance.reports.phrases import in_chinese


def spoken(message: str) -> Text:
    """Return a recorded message with its Chinese, or without where nobody has written one."""
    return Text(message, in_chinese(message) or "")
