"""All evidence for one finding.

The requirement and its sources, the expected and actual values with differences marked, the request
to reproduce it, and the likely cause and fix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from conformance.language import Language, Text
from conformance.model import Finding, Requirement, Verdict
from conformance.report.diagnosis import Cause, likely_cause
from conformance.report.expected import reason_of as reason_expected
from conformance.report.locale.finding_text import finding_text, reason_of
from conformance.report.reproduce import (
    Decisive,
    commands,
    decisive,
    depends_on_others,
    suite_command,
    with_comments,
)
from conformance.report.sanitize import cut
from conformance.report.sent import sent_in
from conformance.report.summary import Summary
from conformance.report.summary_rows import Origin, Statement, origin
from conformance.report.text_diff import Segments, side_by_side
from conformance.report.wording import joined

MAX_VALUE_CHARS = 600
"""Maximum characters of an expected or actual value."""


@dataclass(frozen=True)
class Case:
    """One finding with its evidence.

    ``requirement`` and ``origin`` are None if the record lacks the requirement; ``cause`` is None
    if nothing failed.
    """

    summary: Summary
    finding: Finding
    key_env: str | None

    @property
    def title(self) -> Text:
        """The title of the check."""
        return Text(self.finding.title, self.finding.title_zh)

    @property
    def requirement(self) -> Requirement | None:
        """The requirement that was judged."""
        return self.summary.requirements.get(self.finding.requirement)

    @property
    def origin(self) -> Origin | None:
        """The sources of the requirement, seen from the run's document."""
        header = self.summary.run.header
        sentence = self.requirement
        return origin(sentence, header.document, header.subjects) if sentence else None

    @property
    def sources(self) -> tuple[Statement, ...]:
        """The documents that state the requirement, with their words."""
        return tuple(written(self.origin, self.finding.subject)) if self.origin else ()

    @property
    def cause(self) -> Cause | None:
        """The likely cause of the failure and its fix."""
        return likely_cause(self.finding)

    @property
    def likely(self) -> Text | None:
        """The likely cause as text."""
        return Text(self.cause.cause, self.cause.cause_zh) if self.cause else None

    @property
    def remedy(self) -> Text | None:
        """The fix as text."""
        return Text(self.cause.remedy, self.cause.remedy_zh) if self.cause else None

    @property
    def message(self) -> Text:
        """The check's message."""
        return finding_text(self.finding.message)

    @property
    def reason(self) -> Text:
        """Why the finding has its verdict; for an explained one, what explains it, and why."""
        return reason_of(self.finding, self.why)

    @property
    def why(self) -> Text | None:
        """Why another finding explains this one; None if none does, or if it is not known."""
        return self.summary.why_explained(self.finding)

    @property
    def known(self) -> Text | None:
        """Why a file expects the finding, and until when; None if it does not."""
        entry = self.finding.expectation
        return reason_expected(entry) if entry else None

    @property
    def sentence(self) -> Text | None:
        """What was found in one sentence, the same in all reports; None if nothing deviates.

        A check that was skipped says why in its :attr:`message`.
        """
        if self.finding.verdict in {Verdict.PASS, Verdict.INFO, Verdict.SKIPPED}:
            return None
        return self.summary.sentence_of(self.finding)

    @property
    def sent(self) -> Text | None:
        """The settings that the expected value is about: ``n: 129``; None if they are unknown."""
        named = sent_in(self.finding, self.summary.evidence(self.finding))
        return joined(named) if named else None

    @property
    def seen(self) -> Text:
        """The actual value."""
        return finding_text(self.finding.seen or "")

    @cached_property
    def compared(self) -> tuple[Segments, Segments]:
        """The expected and the actual value in English, split into equal and different pieces."""
        return self.compared_in(Language.ENGLISH)

    def compared_in(self, language: Language) -> tuple[Segments, Segments]:
        """Return the expected and the actual value in one language, split into pieces."""
        texts = (finding_text(self.finding.expected or ""), finding_text(self.finding.seen or ""))
        expected, seen = (cut(text.of(language), MAX_VALUE_CHARS) for text in texts)
        return side_by_side(expected, seen)

    @cached_property
    def decisive(self) -> Decisive | None:
        """The exchanges that show the finding; None if it has none."""
        shown = decisive(self.finding, self.summary.evidence(self.finding))
        if shown is None or shown.needs_suite:
            return shown
        others = depends_on_others(self.finding, self.summary.run.findings)
        return replace(shown, needs_run=shown.needs_run or others)

    @cached_property
    def commands(self) -> tuple[str, ...]:
        """The curl commands of the probe, and of its control; empty if none."""
        if self.decisive is None:
            return ()
        return commands(self.decisive, self.summary.run.header, self.key_env)

    @property
    def command(self) -> str | None:
        """The commands that reproduce the finding, with English comments; None if none."""
        return self.command_in(Language.ENGLISH)

    def command_in(self, language: Language) -> str | None:
        """Return the commands that reproduce the finding, with comments; None if none."""
        if self.decisive is None or not self.commands:
            return None
        return with_comments(self.commands, self.decisive, language)

    @property
    def caution(self) -> Text | None:
        """What is said if the commands do not suffice; None if they do."""
        return self.decisive.caution if self.decisive else None

    @property
    def suite_command(self) -> str:
        """The command that makes the suite find it again."""
        whole = self.decisive is not None and self.decisive.needs_whole_run
        return suite_command(self.finding, self.summary.run.header, self.key_env, whole=whole)


def case_of(summary: Summary, finding: Finding, key_env: str | None = None) -> Case:
    """Build the case for a finding.

    Args:
        summary: the run that the finding is part of.
        finding: the finding.
        key_env: the environment variable that the command reads the key from; by default the one
            that the run used.
    """
    return Case(summary, finding, key_env or summary.run.header.api_key_env)


def written(said: Origin, subject: str) -> Iterator[Statement]:
    """Yield the statements of a requirement, the contract's own document first."""
    for words in said.own:
        yield Statement(said.document, words)
    if not said.own:
        yield Statement(said.document, _silent(said, subject))
    yield from said.others


def _silent(said: Origin, subject: str) -> Text:
    if said.related is None:
        return Text("not stated in this document", "本文档未提及")
    return Text(
        "not stated in this document; about {subject} it says: {related}",
        "本文档未提及；关于 {subject} 的说明：{related}",
    ).format(subject=subject, related=said.related)
