"""Messages of checks in both languages."""

from __future__ import annotations

from conformance.language import Text
from conformance.locale import in_chinese
from conformance.message import Message
from conformance.model import Finding

_EXPLAINED = Text("explained by {check}", "由 {check} 所致")


def finding_text(message: str) -> Text:
    """Return a message in both languages; what has no translation, such as evidence, has none."""
    if isinstance(message, Message) and message.is_evidence:
        return Text(message, "")
    return Text(message, in_chinese(message) or "")


def reason_of(finding: Finding) -> Text:
    """Return why a finding has its verdict: the finding that explains it, or its own message."""
    if finding.explained_by is None:
        return finding_text(finding.message)
    return _EXPLAINED.format(check=finding.explained_by)
