"""Messages of checks in both languages."""

from __future__ import annotations

from conformance.language import Text
from conformance.locale import in_chinese
from conformance.message import Message
from conformance.model import Finding

_EXPLAINED = Text("explained by {check}", "由 {check} 所致")
_EXPLAINED_BECAUSE = Text("explained by {check}: {why}", "由 {check} 所致：{why}")


def finding_text(message: str) -> Text:
    """Return a message in both languages; what has no translation, such as evidence, has none."""
    if isinstance(message, Message) and message.is_evidence:
        return Text(message, "")
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
