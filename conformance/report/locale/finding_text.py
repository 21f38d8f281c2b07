"""Messages of checks in both languages; a record holds only the English."""

from __future__ import annotations

from conformance.language import Text
from conformance.report.locale import in_chinese


def finding_text(message: str) -> Text:
    """Return a recorded message with its Chinese translation, which is empty if unknown."""
    return Text(message, in_chinese(message) or "")
