"""All that speaks for one finding, for whoever has to be convinced by it.

The sentence that was broken and who states it; what was expected beside what was seen, with what
differs marked; the request to send again; and what usually lies behind such a deviation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from conformance.causes import Cause, likely_cause
from conformance.language import Language, Text
from conformance.model import Finding, Requirement
from conformance.reports.curl import curl
from conformance.reports.difference import Pieces, side_by_side
from conformance.reports.rows import Origin, Statement, origin
from conformance.reports.spoken import spoken
from conformance.reports.summary import Summary, evidence
from conformance.reports.visible import cut

LONGEST = 600
"""Characters of an expected or seen value: checks keep them short, a broken record may not."""


@dataclass(frozen=True)
class Case:
    """One finding with everything that a reader may ask about it.

    ``requirement``, ``origin`` and ``cause`` are None where the record does not hold the sentence,
    or where nothing deviates.
    """

    summary: Summary
    finding: Finding
    key_env: str | None

    @property
    def title(self) -> Text:
        """The sentence that the check holds the endpoint to."""
        return Text(self.finding.title, self.finding.title_zh)

    @property
    def requirement(self) -> Requirement | None:
        """The sentence that was judged."""
        return self.summary.requirements.get(self.finding.requirement)

    @property
    def origin(self) -> Origin | None:
        """Where the sentence comes from, seen from the run's document."""
        header = self.summary.run.header
        sentence = self.requirement
        return origin(sentence, header.document, header.subjects) if sentence else None

    @property
    def sources(self) -> tuple[Statement, ...]:
        """Who states the sentence, and in which words."""
        return tuple(written(self.origin, self.finding.subject)) if self.origin else ()

    @property
    def cause(self) -> Cause | None:
        """What usually lies behind such a deviation, and what mends it."""
        return likely_cause(self.finding)

    @property
    def likely(self) -> Text | None:
        """The likely cause in words."""
        return Text(self.cause.cause, self.cause.cause_zh) if self.cause else None

    @property
    def remedy(self) -> Text | None:
        """What mends it in words."""
        return Text(self.cause.remedy, self.cause.remedy_zh) if self.cause else None

    @property
    def message(self) -> Text:
        """What the check said of its verdict."""
        return spoken(self.finding.message)

    @property
    def seen(self) -> Text:
        """What was seen, in words."""
        return spoken(self.finding.seen or "")

    @cached_property
    def compared(self) -> tuple[Pieces, Pieces]:
        """What was expected and what was seen, each in pieces that differ or do not."""
        return self.compared_in(Language.ENGLISH)

    def compared_in(self, language: Language) -> tuple[Pieces, Pieces]:
        """Compare what was expected with what was seen in the words of one language."""
        texts = (spoken(self.finding.expected or ""), spoken(self.finding.seen or ""))
        expected, seen = (cut(text.of(language), LONGEST) for text in texts)
        return side_by_side(expected, seen)

    @property
    def command(self) -> str | None:
        """A command line that sends the deciding request again: the last one the check made."""
        shown = evidence(self.summary.run, self.finding)
        if not shown:
            return None
        header = self.summary.run.header
        return curl(shown[-1].request, header.base_url, self.key_env, header.headers)


def case_of(summary: Summary, finding: Finding, key_env: str | None = None) -> Case:
    """Put a finding's case together.

    Args:
        summary: the run that the finding is part of.
        finding: the finding.
        key_env: the environment variable that the command line reads the key from; by default the
            one that the run read it from.
    """
    return Case(summary, finding, key_env or summary.run.header.api_key_env)


def written(said: Origin, subject: str) -> Iterator[Statement]:
    """Tell who states a sentence, the contract's own document first, even where it is silent."""
    for words in said.own:
        yield Statement(said.document, words)
    if not said.own:
        yield Statement(said.document, _silent(said, subject))
    yield from said.others


def _silent(said: Origin, subject: str) -> Text:
    if said.related is None:
        return Text("does not say this itself", "自身没有这样说")
    return Text(
        "does not say this itself; of {subject} it says: {related}",
        "自身没有这样说；关于 {subject} 的说法是：{related}",
    ).format(subject=subject, related=said.related)
