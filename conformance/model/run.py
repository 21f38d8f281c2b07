"""Findings, costs, and the records of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.message import NOTHING, Message
from conformance.model.contract import Requirement, Subject
from conformance.model.cost import Cost, Limits, Prices
from conformance.model.enums import (
    EXIT_CODES,
    Conclusion,
    Effect,
    ExitCode,
    Level,
    Place,
    Role,
    Stage,
    Tier,
    Verdict,
)
from conformance.model.exchange import Comparison, Exchange
from conformance.model.expectation import Expectation, Expected, ExpectedFile
from conformance.model.objectives import Objective, ObjectiveResult, Standing
from conformance.model.readiness import ClientReadiness, Readiness


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Here and elsewhere, attributes that end in ``_zh`` are the same in Chinese; they are empty in
    records of older versions.

    Attributes:
        id: the id of the check.
        title: the headline of the check.
        requirement: the id of the requirement that the check tests.
        level, subject: of the requirement.
        tier: the tier of the check.
        verdict: the result.
        message: the deviation or the reason; empty for a pass.
        expected, seen: the expected and the actual value of a failure.
        effect: how a deviation shows.
        sees_effect: whether the check fails if the endpoint accepts the parameter and ignores it;
            false in records of older versions.
        exchanges: ids of the exchanges that the check made or refers to.
        roles: what those exchanges are to the finding whose role is known, by id; empty in records
            of older versions.
        rests_on: ids of the checks that send the requests of a finding whose check reads the run.
        needs_suite: whether sending the requests again does not show it, because it is about time,
            or about what several requests at once provoke.
        needs_run: whether it may depend on the requests before, so that only a whole run is sure to
            show it.
        place: the part of the answer that the check could not read, so that it judged nothing
            behind it; None if it judged what it is about.
        explained_by: the id of the finding that is the cause of this one, whose verdict then is
            explained; None otherwise.
        expectation: the entry of a file that expects it; None if none does. It is in no record but
            derived from the header's entries.
    """

    id: str
    title: str
    requirement: str
    level: Level
    subject: str
    tier: Tier
    verdict: Verdict
    message: Message = NOTHING
    expected: Message | None = None
    seen: Message | None = None
    effect: Effect | None = None
    exchanges: tuple[str, ...] = ()
    title_zh: str = ""
    sees_effect: bool = False
    roles: Mapping[str, Role] = field(default_factory=dict, hash=False)
    rests_on: tuple[str, ...] = ()
    needs_suite: bool = False
    needs_run: bool = False
    place: Place | None = None
    explained_by: str | None = None
    expectation: Expectation | None = None

    @property
    def shown(self) -> Verdict:
        """The verdict that reports show: *expected* if an entry expects it."""
        return self.verdict if self.expectation is None else Verdict.EXPECTED


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a finding counts nowhere: the id of the finding that is its cause, and the reason."""

    by: str
    why: Message


@dataclass(frozen=True, slots=True)
class Resumption:
    """One time at which an interrupted run was continued.

    Attributes:
        at: when, as ISO 8601 in UTC.
        began: the same in seconds since the start of the run.
        exchanges: how many recorded exchanges were taken over, which were not sent again.
        elapsed: the seconds that the run had taken until it was interrupted.
        unrecorded: what had been spent on exchanges that were not taken over, such as timeouts.
    """

    at: str
    began: float
    exchanges: int
    elapsed: float
    unrecorded: Cost = field(default_factory=Cost)


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a run record: the target, the contract and the options.

    Attributes:
        format: the version of the record's format.
        suite_version: the version of the suite that judged the record.
        api_key_env: the environment variable that held the key; None if no key was sent.
        contract: the name of the contract.
        document: the document that the contract describes; a custom overlay can name one.
        select: globs that selected checks; empty selects all.
        limits: the limits in force, including the tier's own.
        target: the target's name in ``conformance.toml``, or None.
        reference: the comparison server: ``bundled``, a base URL, or None.
        headers: headers of every request; a secret value is its environment variable, ``$NAME``.
        stage: the only stage whose checks sent requests; None is all.
        contract_file: the path of a custom contract, as it was given; None for a bundled one.
        recorded_by: the version of the suite that sent the requests; None if it is
            ``suite_version``.
        exclude: globs that left out checks; empty leaves out none.
        expected: the expected deviations in force; None if no file was given.
        contract_digest: the SHA-256 of the contract, see
            :func:`conformance.contract.digest.digest_of`; None in records of older versions.
        region: where the requests were sent from, in the user's word; None if it was not said.
        label: the user's word for the run instead of its day; None if there is none.
        resumed: when the run was taken up again, in order; empty if it was made in one go.
        promises: the SHA-256 of the subjects and requirements if they are in a file of their own,
            as in a history; None in a run that was read whole.
        profiles: names of the client profiles that the run was for; empty for a run that is about
            conformance.
        prices: what the target's tokens cost, as the user states it; None if nothing was stated.
        tokenizer: the name of the tokenizer that counted prompts; None if none was named.
        objectives: what the user wants of the endpoint in numbers.
    """

    format: int
    suite_version: str
    started_at: str  # ISO 8601, UTC
    base_url: str
    model: str
    api_key_env: str | None
    contract: str
    contract_title: str
    document: str
    tier: Tier
    select: tuple[str, ...]
    strict: bool
    seed: int
    limits: Limits
    subjects: tuple[Subject, ...]
    requirements: tuple[Requirement, ...]
    target: str | None = None
    reference: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    contract_title_zh: str = ""
    stage: Stage | None = None
    recorded_by: str | None = None
    contract_file: str | None = None
    exclude: tuple[str, ...] = ()
    expected: ExpectedFile | None = None
    contract_digest: str | None = None
    region: str | None = None
    label: str | None = None
    resumed: tuple[Resumption, ...] = ()
    promises: str | None = None
    profiles: tuple[str, ...] = ()
    prices: Prices | None = None
    tokenizer: str | None = None
    objectives: tuple[Objective, ...] = ()


@dataclass(frozen=True, slots=True)
class Footer:
    """The last line of a run record; a record without one is incomplete.

    Attributes:
        elapsed: the duration in seconds, without the time between two parts of a resumed run.
        conclusion: the result.
        because: why the run ended early, such as a failed preflight or a key revoked in mid-run;
            None otherwise.
        counts: the number of findings by verdict.
        cost: what the endpoint's responses cost.
        reference_cost: what the comparison server's responses cost, which is not part of ``cost``;
            None if it got no requests.
        explained: the findings that are explained, by id of the check.
        is_stopped: whether the run ended at the number of failures that it was to end at.
        notes: what a reader should know of the target besides, such as that its model is retired;
            no note decides anything.
        readiness: what the run shows of each client, which is no part of the conclusion; empty in
            records of older versions.
        objectives: what the run says of each objective, which is no part of the conclusion either.
    """

    finished_at: str  # ISO 8601, UTC
    elapsed: float
    conclusion: Conclusion
    because: Message | None
    counts: Mapping[str, int]
    cost: Cost
    reference_cost: Cost | None = None
    explained: Mapping[str, Explanation] = field(default_factory=dict)
    is_stopped: bool = False
    notes: tuple[Message, ...] = ()
    readiness: tuple[ClientReadiness, ...] = ()
    objectives: tuple[ObjectiveResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """A run, as its record describes it; ``footer`` is None if it is incomplete.

    ``expected`` is what the run makes of the header's expected deviations, and None without any.
    Only :func:`conformance.record.expected.with_expected` sets it.
    """

    header: Header
    exchanges: tuple[Exchange, ...]
    findings: tuple[Finding, ...]
    footer: Footer | None
    comparisons: tuple[Comparison, ...] = ()
    expected: Expected | None = None

    @property
    def elapsed(self) -> float:
        """The duration in seconds; of an incomplete run, up to the last response.

        The time between two parts of a resumed run does not count.
        """
        if self.footer is not None:
            return self.footer.elapsed
        ends = [a.started + a.elapsed for x in self.exchanges for a in x.attempts]
        last = max(ends, default=0.0)
        if not self.header.resumed:
            return last
        part = self.header.resumed[-1]
        return part.elapsed + max(0.0, last - part.began)

    @property
    def conclusion(self) -> Conclusion:
        """The footer's conclusion; without a footer the run is incomplete, whatever it found.

        It does not depend on what is expected; :attr:`shown_conclusion` does.
        """
        return self.footer.conclusion if self.footer else Conclusion.INCOMPLETE

    @property
    def shown_conclusion(self) -> Conclusion:
        """The conclusion that reports show.

        With expected deviations, only news make a run not conforming: a deviation that no entry
        expects, and an entry that is stale or has expired.
        """
        judged = {Conclusion.CONFORMING, Conclusion.NOT_CONFORMING, Conclusion.UNDECIDED}
        if self.expected is None or self.conclusion not in judged:
            return self.conclusion
        if self.expected.is_news:
            return Conclusion.NOT_CONFORMING
        is_early = self.footer is not None and self.footer.because is not None
        open_verdicts = {Verdict.INCONCLUSIVE, Verdict.ERROR}
        if is_early or any(finding.shown in open_verdicts for finding in self.findings):
            return Conclusion.UNDECIDED
        return Conclusion.AS_EXPECTED if self.expected.known else Conclusion.CONFORMING

    @property
    def exit_code(self) -> ExitCode:
        """That of the shown conclusion, or of the clients that the run was for.

        A run that something ended early has to be repeated, unless it was to end there. A missed
        objective turns 0 into 1; one that is inconclusive changes nothing.
        """
        if self.footer is not None and self.footer.because and not self.footer.is_stopped:
            return ExitCode.UNDECIDED
        if self.footer is not None and self.header.profiles:
            return self._exit_code_of_clients(self.footer)
        code = EXIT_CODES[self.shown_conclusion]
        is_missed = code is ExitCode.CONFORMING and self._misses_an_objective
        return ExitCode.NOT_CONFORMING if is_missed else code

    @property
    def _misses_an_objective(self) -> bool:
        results = self.footer.objectives if self.footer else ()
        return any(result.standing is Standing.MISSED for result in results)

    def _exit_code_of_clients(self, footer: Footer) -> ExitCode:
        """Return 0 if all clients that were asked for are ready, 1 if one is not, otherwise 3."""
        states = {client.profile: client.readiness for client in footer.readiness}
        asked = {states.get(name, Readiness.NOT_TESTED) for name in self.header.profiles}
        if Readiness.NOT_READY in asked:
            return ExitCode.NOT_CONFORMING
        return ExitCode.CONFORMING if asked == {Readiness.READY} else ExitCode.UNDECIDED
