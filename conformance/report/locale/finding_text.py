"""Messages of checks in both languages; a record holds only the English."""

from __future__ import annotations

from conformance.language import Text
from conformance.model import Finding
from conformance.report.locale import in_chinese

_EXPLAINED = Text("explained by {check}", "由 {check} 所致")
_EXPLAINED_BECAUSE = Text("explained by {check}: {why}", "由 {check} 所致：{why}")


def finding_text(message: str) -> Text:
    """Return a recorded message with its Chinese translation, which is empty if unknown."""
    return Text(message, in_chinese(message) or "")


def reason_of(finding: Finding, why: Text | None = None) -> Text:
    """Return why a finding has its verdict.

    Args:
        finding: the finding.
        why: for a finding that another one explains, the reason of that, if it is known.
    """
    if finding.explained_by is None:
        return finding_text(finding.message)
    if why is None:
        return _EXPLAINED.format(check=finding.explained_by)
    return _EXPLAINED_BECAUSE.format(check=finding.explained_by, why=why)
