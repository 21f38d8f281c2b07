"""All that speaks for one finding, for whoever has to be convinced by it.

The sentence that was broken and who states it; what was expected beside what was seen, with what
differs marked; the request to send again; and what usually lies behind such a deviation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from conformance.causes import Cause, likely_cause
from conformance.model import Finding, Requirement
from conformance.reports.curl import curl
from conformance.reports.difference import Pieces, side_by_side
from conformance.reports.summary import Origin, Summary, evidence, origin
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
    def sources(self) -> tuple[tuple[str, str], ...]:
        """Who states the sentence, and in which words."""
        return tuple(written(self.origin, self.finding.subject)) if self.origin else ()

    @property
    def cause(self) -> Cause | None:
        """What usually lies behind such a deviation, and what mends it."""
        return likely_cause(self.finding)

    @cached_property
    def compared(self) -> tuple[Pieces, Pieces]:
        """What was expected and what was seen, each in pieces that differ or do not."""
        texts = (self.finding.expected or "", self.finding.seen or "")
        return side_by_side(*(cut(text, LONGEST) for text in texts))

    @property
    def command(self) -> str | None:
        """A command line that sends the deciding request again: the last one the check made."""
        shown = evidence(self.summary.run, self.finding)
        if not shown:
            return None
        return curl(shown[-1].request, self.summary.run.header.base_url, self.key_env)


def case_of(summary: Summary, finding: Finding, key_env: str | None = None) -> Case:
    """Put a finding's case together.

    Args:
        summary: the run that the finding is part of.
        finding: the finding.
        key_env: the environment variable that the command line reads the key from; by default the
            one that the run read it from.
    """
    return Case(summary, finding, key_env or summary.run.header.api_key_env)


def written(said: Origin, subject: str) -> Iterator[tuple[str, str]]:
    """Tell who states a sentence, the contract's own document first, even where it is silent."""
    for words in said.own:
        yield said.document, words
    if not said.own:
        related = f"; of {subject} it says: {said.related}" if said.related else ""
        yield said.document, f"does not say this itself{related}"
    for source in said.others:
        yield source.document, source.says
