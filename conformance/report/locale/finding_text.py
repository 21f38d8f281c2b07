"""Messages of checks in both languages; a record holds only the English."""

from __future__ import annotations

from conformance.language import Text
from conformance.model import Finding
from conformance.report.locale import in_chinese

_EXPLAINED = Text("explained by {check}", "由 {check} 所致")


def finding_text(message: str) -> Text:
    """Return a recorded message with its Chinese translation, which is empty if unknown."""
    return Text(message, in_chinese(message) or "")


def reason_of(finding: Finding) -> Text:
    """Return why a finding has its verdict: the finding that explains it, or its own message."""
    if finding.explained_by is None:
        return finding_text(finding.message)
    return _EXPLAINED.format(check=finding.explained_by)
