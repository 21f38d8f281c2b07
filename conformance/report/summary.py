"""The summary of a run that all reports share: verdict, states, findings, gaps.

Names in sentences are in backticks; each report format renders these in its own way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property

from conformance.language import Text, join_texts, same
from conformance.model import (
    Conclusion,
    Cost,
    Exchange,
    ExitCode,
    Expected,
    Finding,
    Money,
    Requirement,
    Run,
    State,
    Subject,
    Verdict,
    money_of,
)
from conformance.record.conclusions import JUDGED, count_shown, state_of
from conformance.report.expected import counts_of, verdict_of
from conformance.report.headline import Claim, claims_of, cut_short_of, headline_of
from conformance.report.locale import messages as sentences
from conformance.report.locale.finding_text import finding_text, reason_of
from conformance.report.sentence import sentence_of
from conformance.report.summary_rows import CALM, STATES_WORST_FIRST, Area, CutShort, Gap, Row
from conformance.report.usage import usage_mismatches

WORST_FIRST: Sequence[Verdict] = (
    Verdict.FAIL,
    Verdict.ERROR,
    Verdict.INCONCLUSIVE,
    Verdict.WARN,
    Verdict.REFUSED,
    Verdict.EXPECTED,
    Verdict.EXPLAINED,
    Verdict.SKIPPED,
    Verdict.INFO,
    Verdict.PASS,
)
"""The order in which reports list findings."""


LEAST_SHARED = 4
"""Inconclusive findings with one message from which on it is not repeated beside each."""


class Summary:
    """A run with everything that reports derive from it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.conclusion = run.shown_conclusion
        self.exit_code: ExitCode = run.exit_code
        self.requirements: Mapping[str, Requirement] = {r.id: r for r in run.header.requirements}
        self.counts: Mapping[str, int] = count_shown(run.findings)

    @cached_property
    def headline(self) -> Text:
        """The verdict in a word or two."""
        return headline_of(self.conclusion, self._cut_short, self.judged, self._expected)

    @property
    def because(self) -> Text | None:
        """Why the run stopped early, such as a failed preflight; None otherwise."""
        given = self.run.footer.because if self.run.footer else None
        return finding_text(given) if given else None

    @property
    def notes(self) -> tuple[Text, ...]:
        """What a reader should know of the target besides; no note decides anything."""
        return tuple(map(finding_text, self.run.footer.notes)) if self.run.footer else ()

    @property
    def judged_again(self) -> Text | None:
        """A note for re-evaluated runs: the recording and the judging version; None otherwise."""
        header = self.run.header
        return sentences.judged_again(header.recorded_by, header.suite_version)

    @property
    def taken_up(self) -> Text | None:
        """A note for a run that was resumed; None otherwise."""
        return sentences.taken_up(self.run.header.resumed)

    @property
    def cost(self) -> Cost | None:
        """Requests and tokens spent; None for an incomplete run."""
        return self.run.footer.cost if self.run.footer else None

    @property
    def money(self) -> Money | None:
        """The cost in money; None if it is unknown, or no prices are."""
        prices = self.run.header.prices
        return money_of(self.cost, prices) if self.cost and prices else None

    @property
    def elapsed(self) -> float:
        """Duration in seconds; of an incomplete run, up to the last response."""
        return self.run.elapsed

    @property
    def cost_in_words(self) -> Text:
        """The cost in one line."""
        sent = sum(len(exchange.attempts) for exchange in self.run.exchanges)
        repeats = sent - len(self._distinct_requests)
        return sentences.the_cost(self.cost, sent, repeats, self.run.header.prices)

    @property
    def _distinct_requests(self) -> set[tuple[object, ...]]:
        requests = (exchange.request for exchange in self.run.exchanges)
        return {(one.path, one.body, one.credentials, one.read_events) for one in requests}

    @property
    def reference_cost_in_words(self) -> Text | None:
        """The reference server's cost, not part of :attr:`cost`; None if it was not used."""
        cost = self.run.footer.reference_cost if self.run.footer else None
        return sentences.the_cost(cost, 0) if cost else None

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, worst verdict first, then by id."""
        return tuple(sorted(self.run.findings, key=_by_severity))

    @property
    def ids(self) -> frozenset[str]:
        """Ids of all findings, used as link targets."""
        return frozenset(finding.id for finding in self.run.findings)

    @property
    def tally(self) -> tuple[tuple[Verdict, int], ...]:
        """Number of findings per verdict, worst first, without zeros."""
        counted = ((verdict, self.counts[verdict.value]) for verdict in WORST_FIRST)
        return tuple((verdict, count) for verdict, count in counted if count)

    def evidence(self, finding: Finding) -> tuple[Exchange, ...]:
        """Return the recorded exchanges that a finding refers to."""
        known = self._exchanges
        return tuple(known[key] for key in finding.exchanges if key in known)

    @cached_property
    def _exchanges(self) -> Mapping[str, Exchange]:
        return {exchange.id: exchange for exchange in self.run.exchanges}

    def sentence_of(self, finding: Finding) -> Text:
        """Say in one sentence what a finding found."""
        subject = self._subjects.get(finding.subject)
        return sentence_of(finding, self.evidence(finding), subject)

    @cached_property
    def _subjects(self) -> Mapping[str, Subject]:
        return {subject.name: subject for subject in self.run.header.subjects}

    @cached_property
    def troubles(self) -> tuple[Finding, ...]:
        """Findings that need attention: all except pass, explained, skipped and info."""
        return tuple(f for f in self.findings if f.verdict not in CALM)

    def explained_by(self, root: Finding) -> tuple[Finding, ...]:
        """Return the findings that a finding explains, by id."""
        return self._explained.get(root.id, ())

    @cached_property
    def _explained(self) -> Mapping[str, tuple[Finding, ...]]:
        found: dict[str, list[Finding]] = {}
        for finding in self.findings:
            if finding.explained_by is not None:
                found.setdefault(finding.explained_by, []).append(finding)
        return {root: tuple(findings) for root, findings in found.items()}

    def why_explained(self, finding: Finding) -> Text | None:
        """Return why another finding explains this one; None if none does, or if it is not known.

        A root is not named here; it is :attr:`Finding.explained_by`.
        """
        footer = self.run.footer
        explanation = footer.explained.get(finding.id) if footer else None
        return finding_text(explanation.why) if explanation and explanation.why else None

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Every parameter and response field of the contract, in its order."""
        return tuple(
            Row(subject, state_of(subject, self.findings), self._about(subject.name))
            for subject in self.run.header.subjects
        )

    def rows_of(self, kind: str) -> tuple[Row, ...]:
        """The rows of one kind: ``parameter`` or ``field``."""
        return tuple(row for row in self.rows if row.subject.kind == kind)

    def rows_worst_first(self, kind: str) -> tuple[Row, ...]:
        """The rows of one kind: what deviates first, the others in the contract's order."""
        return tuple(sorted(self.rows_of(kind), key=lambda row: row.rank))

    @property
    def states_met(self) -> Mapping[State, int]:
        """Number of parameters and fields by state, the worst state first, without zeros."""
        counts = Counter(row.state for row in self.rows)
        return {state: counts[state] for state in STATES_WORST_FIRST if counts[state]}

    @property
    def undocumented(self) -> tuple[Row, ...]:
        """Rows of undocumented parameters and fields that a deep run tested anyway."""
        return tuple(
            row for row in self.rows if any(f.verdict is Verdict.INFO for f in row.findings)
        )

    def _about(self, subject: str) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.subject == subject)

    @cached_property
    def areas(self) -> tuple[Area, ...]:
        """Findings by area: areas with failures first, then in the contract's order."""
        order = list(dict.fromkeys(r.area for r in self.run.header.requirements))
        found: dict[str, list[Finding]] = {}
        for finding in self.findings:
            found.setdefault(self.area_of(finding), []).append(finding)
        areas = [Area(name, tuple(inside)) for name, inside in found.items()]
        places = {name: place for place, name in enumerate(order)}
        areas.sort(key=lambda area: (area.rank, places.get(area.name, len(order)), area.name))
        return tuple(areas)

    def area_of(self, finding: Finding) -> str:
        """The area of a finding; for a requirement not in force, the first part of its id."""
        requirement = self.requirements.get(finding.requirement)
        return requirement.area if requirement else finding.requirement.partition(".")[0]

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """Checks and requirements that this run did not verify, with reasons."""
        touched = {finding.requirement for finding in self.run.findings}
        untouched = tuple(key for key in self.requirements if key not in touched)
        cut_short = self.conclusion is Conclusion.INCOMPLETE or self.because is not None
        gaps = [
            Gap(words, self._reasons(verdict)) for verdict, words in sentences.LEFT_OPEN.items()
        ]
        why = sentences.NOT_REACHED if cut_short else sentences.NOT_COVERED
        gaps.append(Gap(why, {same(""): untouched}))
        return tuple(gap for gap in gaps if gap.left_open)

    def _reasons(self, verdict: Verdict) -> Mapping[Text, tuple[str, ...]]:
        """Group the checks with one verdict by reason, the most common first."""
        grouped: dict[Text, list[str]] = {}
        for finding in self.findings:
            if finding.verdict is verdict:
                grouped.setdefault(reason_of(finding), []).append(finding.id)
        groups = sorted(grouped.items(), key=lambda group: -len(group[1]))
        return {reason: tuple(names) for reason, names in groups}

    @cached_property
    def shared_reasons(self) -> frozenset[str]:
        """Messages of at least :data:`LEAST_SHARED` inconclusive findings, as of a revoked key.

        :attr:`gaps` has each of them once.
        """
        inconclusive = (f for f in self.run.findings if f.verdict is Verdict.INCONCLUSIVE)
        counted = Counter(finding.message for finding in inconclusive)
        return frozenset(message for message, count in counted.items() if count >= LEAST_SHARED)

    @property
    def judged(self) -> int:
        """Number of checks that evaluated a response."""
        return sum(1 for finding in self.run.findings if finding.verdict in JUDGED)

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """The verdict in words: parameters, fields, usage and failed checks."""
        told = bool(self.judged)
        return tuple(
            claims_of(
                self.conclusion,
                self._verdict(),
                rows=self.rows if told else (),
                mismatches=tuple(usage_mismatches(self.run)) if told else (),
                cut_short=self._cut_short,
                worst=self.troubles[0].id if self.troubles else None,
                ended_early=self.because is not None,
                expected=self._expected,
            )
        )

    @property
    def expected_in_words(self) -> Text | None:
        """The known deviations and the news, counted; None if nothing was expected."""
        return counts_of(self.run.expected) if self.run.expected else None

    @property
    def _expected(self) -> Expected | None:
        """What the run makes of the expected deviations; None without any, or if it saw nothing."""
        return self.run.expected if self.judged else None

    def _verdict(self) -> Text:
        """Say how many checks failed, and which of these failures were expected."""
        is_stale_only = self._expected is not None and self.run.conclusion is Conclusion.CONFORMING
        found = sentences.the_verdict(
            self.run.conclusion if is_stale_only else self.conclusion,
            self.counts,
            judged=self.judged,
            total=len(self.run.findings),
            strict=self.run.header.strict,
        )
        known = verdict_of(self._expected, self.judged) if self._expected else None
        if known is None:
            return found
        is_open = self.counts["inconclusive"] + self.counts["error"]
        return join_texts((known, found), Text(" ", "")) if is_open else known

    @cached_property
    def _cut_short(self) -> CutShort | None:
        told = [(finding.verdict, finding.message) for finding in self.run.findings]
        return cut_short_of(self.run.header, told)

    @cached_property
    def sentence(self) -> Text:
        """The :attr:`claims` in one text."""
        return join_texts([claim.text for claim in self.claims], Text(" ", ""))


def _by_severity(finding: Finding) -> tuple[int, str]:
    return WORST_FIRST.index(finding.shown), finding.id
