"""What the sentence about a finding is made of: what was sent, seen and promised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from conformance.language import Text
from conformance.message import Message
from conformance.model import Exchange, Finding, Subject
from conformance.report import templates
from conformance.report.sanitize import cut, line
from conformance.report.sent import probe_of, sent_in
from conformance.report.templates import made_from
from conformance.report.wording import Observed, joined, observed, phrase, uncapitalised

_ALONG = Text("{first} with {others}", "{first}（同时设置 {others}）")


@dataclass(frozen=True)
class Facts:
    """What a sentence is made of.

    Attributes:
        finding: the finding.
        exchanges: its exchanges, in the order in which it lists them.
        subject: the parameter or field that it is about; None if the contract has none of the name.
    """

    finding: Finding
    exchanges: Sequence[Exchange]
    subject: Subject | None

    @property
    def expected(self) -> str:
        """The expected value; empty if there is none."""
        return self.finding.expected or ""

    @cached_property
    def observed(self) -> Observed:
        """The actual value, taken apart."""
        return observed(self.finding.seen or "")

    @property
    def seen(self) -> Message:
        """The actual value without the remarks around it."""
        return self.observed.value

    @property
    def title(self) -> Text:
        """The title of the check, a promise in a sentence, as a part of another sentence."""
        given = Text(self.finding.title, self.finding.title_zh or self.finding.title)
        return given.mapped(lambda words: cut(uncapitalised(line(words).rstrip(".。")), 150))

    @cached_property
    def probe(self) -> Exchange | None:
        """The exchange that shows the deviation."""
        return probe_of(self.finding, self.exchanges)

    @cached_property
    def sent(self) -> tuple[Text, ...]:
        """The settings of the request that shows the deviation; empty if they are not known."""
        return sent_in(self.finding, self.exchanges)

    def the_request(self, otherwise: Text) -> Text:
        """Name the request by its settings, as the subject of a sentence."""
        if not self.sent:
            return otherwise
        first, *others = self.sent
        return _ALONG.format(first=first, others=joined(others)) if others else first

    @property
    def promise(self) -> Text:
        """What was expected, or what the check states if that has JSON in it."""
        that = made_from(self.expected, templates.THAT)
        assertion = that["expected"] if that else self.expected
        return (phrase(assertion) if isinstance(assertion, str) else None) or self.title
