"""What every report says of a run, worked out once: the verdict in words, the states, the gaps.

Sentences carry names in backticks, which each format turns into its own kind of emphasis.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from conformance.model import (
    EXIT_CODES,
    JUDGED,
    Conclusion,
    Cost,
    Exchange,
    ExitCode,
    Finding,
    Requirement,
    Run,
    Source,
    State,
    Subject,
    Verdict,
    count_verdicts,
    state_of,
)

HEADLINES: Mapping[Conclusion, str] = {
    Conclusion.CONFORMING: "Conforming",
    Conclusion.NOT_CONFORMING: "Not conforming",
    Conclusion.UNDECIDED: "Could not judge",
    Conclusion.NOTHING_RAN: "Nothing ran",
    Conclusion.BROKEN_OFF: "Broken off",
}

WORST_FIRST: Sequence[Verdict] = (
    Verdict.FAIL,
    Verdict.ERROR,
    Verdict.INCONCLUSIVE,
    Verdict.WARN,
    Verdict.REFUSED,
    Verdict.SKIPPED,
    Verdict.INFO,
    Verdict.PASS,
)
"""The order in which a reader wants to meet findings."""


CALM = frozenset({Verdict.PASS, Verdict.SKIPPED, Verdict.INFO})
"""The verdicts of findings that ask nothing of a reader."""


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter or response field: the promise, the state, and the findings behind it."""

    subject: Subject
    state: State
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Tell whether anything about it passed: a refusal is then one of some uses only."""
        return any(finding.verdict is Verdict.PASS for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that was not verified: why, and what that left open.

    ``reasons`` maps a finer reason, where there is one, to the ids of checks or sentences.
    """

    why: str
    reasons: Mapping[str, tuple[str, ...]]

    @property
    def left_open(self) -> tuple[str, ...]:
        """All ids together."""
        return tuple(name for names in self.reasons.values() for name in names)


@dataclass(frozen=True, slots=True)
class Area:
    """The findings about one part of the contract, the worst first."""

    name: str
    findings: tuple[Finding, ...]

    @property
    def troubled(self) -> bool:
        """Tell whether anything in the area wants reading."""
        return any(f.verdict not in CALM for f in self.findings)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a requirement comes from, seen from one contract.

    ``own`` is what the contract's document says of it. Where it says nothing, the requirement is
    the protocol's: ``related`` is what the document says of the subject, if anything, and
    ``others`` are who states the requirement.
    """

    document: str
    own: tuple[str, ...]
    related: str | None
    others: tuple[Source, ...]


def origin(requirement: Requirement, document: str, subjects: Iterable[Subject]) -> Origin:
    """Sort a requirement's sources: the contract's own document first, the others after it."""
    own = tuple(s.says for s in requirement.sources if s.document == document)
    about = next((s for s in subjects if s.name == requirement.subject), None)
    related = about.says.get(document) if about and not own else None
    others = tuple(s for s in requirement.sources if s.document != document)
    return Origin(document, own, related, others)


class Summary:
    """A run as a reader wants to meet it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.conclusion = run.conclusion
        self.headline = HEADLINES[run.conclusion]
        self.exit_code: ExitCode = EXIT_CODES[run.conclusion]
        self.requirements: Mapping[str, Requirement] = {r.id: r for r in run.header.requirements}
        self.counts: Mapping[str, int] = count_verdicts(run.findings)

    @property
    def because(self) -> str | None:
        """The runner's own reason for the conclusion, where it gave one."""
        return self.run.footer.because if self.run.footer else None

    @property
    def cost(self) -> Cost | None:
        """What the run spent; unknown where it broke off before it could be added up."""
        return self.run.footer.cost if self.run.footer else None

    @property
    def elapsed(self) -> float:
        """How long the run took; up to the last answer, where it broke off."""
        if self.run.footer:
            return self.run.footer.elapsed
        ends = [a.started + a.elapsed for x in self.run.exchanges for a in x.attempts]
        return max(ends, default=0.0)

    @property
    def cost_in_words(self) -> str:
        """The bill in a line."""
        if self.cost is None:
            sent = sum(len(exchange.attempts) for exchange in self.run.exchanges)
            return f"{plural(sent, 'request')} on record, tokens not added up"
        guessed = self.cost.estimated_tokens
        parts = [
            f"{self.cost.prompt_tokens:,} prompt",
            f"{self.cost.completion_tokens:,} generated",
        ]
        if guessed:
            parts.append(f"up to {guessed:,} where no usage was stated")
        if guessed == self.cost.tokens:
            parts = ["no usage was stated"] if guessed else []
        told = f" ({', '.join(parts)})" if parts else ""
        at_most = "at most " if guessed else ""
        requests = plural(self.cost.requests, "request")
        return f"{requests}, {at_most}{plural(self.cost.tokens, 'token')}{told}"

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, the worst first, each kind in the order of its ids."""
        return tuple(sorted(self.run.findings, key=_by_severity))

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all findings: what a name can link to."""
        return frozenset(finding.id for finding in self.run.findings)

    @property
    def tally(self) -> tuple[tuple[str, int], ...]:
        """How many findings of each verdict, the worst first, leaving out what did not occur."""
        counted = ((verdict.value, self.counts[verdict.value]) for verdict in WORST_FIRST)
        return tuple((verdict, count) for verdict, count in counted if count)

    @cached_property
    def troubles(self) -> tuple[Finding, ...]:
        """The findings that want reading: what broke, was declined or could not be judged."""
        return tuple(f for f in self.findings if f.verdict not in CALM)

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Every parameter and response field of the contract, in its order."""
        return tuple(
            Row(subject, state_of(subject.name, self.findings), self._about(subject.name))
            for subject in self.run.header.subjects
        )

    def rows_of(self, kind: str) -> tuple[Row, ...]:
        """The rows of one kind: ``parameter`` or ``field``."""
        return tuple(row for row in self.rows if row.subject.kind == kind)

    @property
    def beyond(self) -> tuple[Row, ...]:
        """The rows of what the document does not mention, and a deep run looked at all the same."""
        return tuple(
            row for row in self.rows if any(f.verdict is Verdict.INFO for f in row.findings)
        )

    def _about(self, subject: str) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.subject == subject)

    @cached_property
    def areas(self) -> tuple[Area, ...]:
        """The findings by area: troubled areas first, otherwise in the contract's order."""
        order = list(dict.fromkeys(r.area for r in self.run.header.requirements))
        found: dict[str, list[Finding]] = {}
        for finding in self.findings:
            found.setdefault(self.area_of(finding), []).append(finding)
        areas = [Area(name, tuple(inside)) for name, inside in found.items()]
        places = {name: place for place, name in enumerate(order)}
        areas.sort(
            key=lambda area: (not area.troubled, places.get(area.name, len(order)), area.name)
        )
        return tuple(areas)

    def area_of(self, finding: Finding) -> str:
        """The area a finding belongs to; of a requirement not in force, its id's first word."""
        requirement = self.requirements.get(finding.requirement)
        return requirement.area if requirement else finding.requirement.partition(".")[0]

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """What this run says nothing about, so that silence is not taken for praise."""
        touched = {finding.requirement for finding in self.run.findings}
        untouched = tuple(key for key in self.requirements if key not in touched)
        cut_short = self.conclusion is Conclusion.BROKEN_OFF or self.because is not None
        gaps = [Gap(words, self._reasons(verdict)) for verdict, words in _LEFT_OPEN.items()]
        gaps.append(Gap(_NOT_REACHED if cut_short else _NOT_CHOSEN, {"": untouched}))
        return tuple(gap for gap in gaps if gap.left_open)

    def _reasons(self, verdict: Verdict) -> Mapping[str, tuple[str, ...]]:
        """Group the checks of one verdict by the reason they gave, the commonest first."""
        grouped: dict[str, list[str]] = {}
        for finding in self.findings:
            if finding.verdict is verdict:
                grouped.setdefault(finding.message, []).append(finding.id)
        groups = sorted(grouped.items(), key=lambda group: -len(group[1]))
        return {reason: tuple(names) for reason, names in groups}

    @property
    def judged(self) -> int:
        """How many checks rest on an answer of the endpoint."""
        return sum(1 for finding in self.run.findings if finding.verdict in JUDGED)

    @property
    def sentence(self) -> str:
        """The verdict in plain words."""
        parts = [self._verdict(self.judged)]
        if self.judged:
            parts += [self._parameters(), self._fields()]
        return " ".join(filter(None, parts))

    def _verdict(self, judged: int) -> str:
        broken = self.counts["fail"] + (self.counts["warn"] if self.run.header.strict else 0)
        unsure = self.counts["inconclusive"] + self.counts["error"]
        total = len(self.run.findings)
        match self.conclusion:
            case Conclusion.CONFORMING:
                kept = f"No broken promise in {plural(judged, 'check')}."
                lesser = self.counts["warn"]
                return f"{kept} {plural(lesser, 'lesser deviation')}." if lesser else kept
            case Conclusion.NOT_CONFORMING:
                doubt = f"; {unsure} could not judge" if unsure else ""
                return f"{broken} of {plural(judged, 'check')} found a broken promise{doubt}."
            case Conclusion.UNDECIDED if unsure:
                return f"{unsure} of {plural(total, 'check')} could not judge; that is no pass."
            case Conclusion.UNDECIDED:
                return "No check could begin, so nothing is known of this endpoint."
            case Conclusion.NOTHING_RAN:
                return "No check judged anything, so nothing is known of this endpoint."
            case Conclusion.BROKEN_OFF:
                return (
                    f"The run ended early, after {plural(total, 'check')}. "
                    "What it had learned is below; it says nothing of the rest."
                )

    def _parameters(self) -> str:
        promised = [row for row in self.rows_of("parameter") if row.subject.documented]
        if not promised:
            return ""
        served = sum(row.state is State.HONOURED for row in promised)
        told = [f"Serves {served} of {plural(len(promised), 'documented parameter')} as promised"]
        for state, words in _TOLD.items():
            whole = [row for row in promised if row.state is state]
            partly = [row for row in whole if state is State.REFUSED and row.passed]
            for rows, said in (
                ([row for row in whole if row not in partly], words),
                (partly, f"{words} some uses of"),
            ):
                if rows:
                    named = [f"`{row.subject.name}`" for row in rows]
                    told.append(f"{said} {listed(named, MOST_PARAMETERS)}")
        untested = [f"`{row.subject.name}`" for row in promised if row.state is State.UNTESTED]
        if untested:
            few = len(untested) <= MOST_UNTESTED
            told.append(f"{listed(untested) if few else len(untested)} not tested")
        return "; ".join(told) + "."

    def _fields(self) -> str:
        broken = [
            f"`{row.subject.name}`"
            for row in self.rows_of("field")
            if row.state in {State.ALTERED, State.IGNORED}
        ]
        return f"Wrong in its answers: {listed(broken, MOST_FIELDS)}." if broken else ""


MOST_PARAMETERS, MOST_FIELDS, MOST_UNTESTED = 6, 4, 4
"""Names that the verdict's sentence holds at most; the tables below it hold all."""

_TOLD: Mapping[State, str] = {
    State.IGNORED: "ignores",
    State.ALTERED: "alters",
    State.REFUSED: "refuses",
}

_LEFT_OPEN: Mapping[Verdict, str] = {
    Verdict.ERROR: "failed by the suite's own fault",
    Verdict.INCONCLUSIVE: "without an answer that could be judged",
    Verdict.SKIPPED: "skipped",
}
_NOT_CHOSEN = "of the contract's sentences: no check of this tier and selection judges them"
_NOT_REACHED = "of the contract's sentences: the run did not come to them, or has no check for them"


def _by_severity(finding: Finding) -> tuple[int, str]:
    return WORST_FIRST.index(finding.verdict), finding.id


def evidence(run: Run, finding: Finding) -> tuple[Exchange, ...]:
    """Look up the exchanges that a finding points at; one that is not on record is left out."""
    known = {exchange.id: exchange for exchange in run.exchanges}
    return tuple(known[key] for key in finding.exchanges if key in known)


def plural(count: int, noun: str) -> str:
    """Count something: ``1 check``, ``1,200 checks``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def listed(names: Sequence[str], most: int | None = None) -> str:
    """Join names as a sentence does: ``a, b and c``, or ``a, b and 3 more``."""
    if most is not None and len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} more"]
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def duration(seconds: float) -> str:
    """Say how long something took, as precisely as a reader cares."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def size(count: int) -> str:
    """Say how large a body is."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
