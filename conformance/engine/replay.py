"""Replay a record: apply today's checks to recorded responses, without a network.

A check gets the responses that it got then, in the same order. A check that sends other requests
today gets responses to equal requests of other checks. If the record has none, the check is
skipped, or inconclusive if it failed then; a missing response never turns a failure into a pass.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime

from conformance import __version__
from conformance.api import Api
from conformance.checks import Check
from conformance.contract import Contract
from conformance.engine.discovery import all_checks
from conformance.engine.runner import run as judging
from conformance.engine.selection import UNLIMITED, Options
from conformance.judgement import Inconclusive, Judgement, NotApplicable
from conformance.message import Message, say
from conformance.model import (
    ClientReadiness,
    Conclusion,
    Exchange,
    Finding,
    Footer,
    Header,
    Request,
    Run,
    Target,
    TransportOptions,
    Verdict,
)
from conformance.profiles import bundled_profiles
from conformance.record.events import FindingMade, RunFinished, RunStarted
from conformance.record.expected import with_expected
from conformance.record.explained import as_concluded
from conformance.tokenizer import Tokenizer
from conformance.transport.account_guard import AccountGuard

NO_RESPONSE = say("the record has no response to a request of this check")

NO_TOKENIZER = say("a record has no tokenizer; name it again with --tokenizer")
BY_TOKENIZER = "usage.prompt-by-tokenizer"

_STAND_IN = "sk-replaces-the-key-of-the-run"
"""Replaces the key of the run, which is not recorded. It is never sent."""


@dataclass(frozen=True)
class _CheckInProgress:
    """The state of a check in progress: its recorded finding and the responses it got so far."""

    recorded: Finding | None
    api: Api
    shared_ids: set[str] = field(default_factory=set)

    @property
    def given(self) -> frozenset[str]:
        """The ids of all responses that it got so far."""
        return frozenset(exchange.id for exchange in self.api.exchanges) | self.shared_ids


_current_check: ContextVar[_CheckInProgress | None] = ContextVar("current_check", default=None)
"""The check that sends a request; the tasks that it starts inherit the value."""


class UndatedError(ValueError):
    """The record has no valid start time, which some checks need."""


def rejudge(run: Run, contract: Contract, tokenizer: Tokenizer | None = None) -> Run:
    """Return the run with the findings of today's checks.

    Exchanges, cost and times do not change. An incomplete run stays incomplete, because its missing
    requests cannot be judged.

    Args:
        run: the record.
        contract: the contract to test against, usually the run's own.
        tokenizer: counts the tokens of prompts; a record only names the one of the run.

    Raises:
        UndatedError: the record has no valid start time.
    """
    return asyncio.run(_rejudged(run, contract, tokenizer))


async def _rejudged(run: Run, contract: Contract, tokenizer: Tokenizer | None) -> Run:
    responses = RecordedResponses(run)
    key = _STAND_IN if run.header.api_key_env else None
    target = Target(run.header.base_url, run.header.model, contract.name, api_key=key)
    options = Options(
        tier=run.header.tier,
        select=run.header.select,
        limits=UNLIMITED,
        transport=TransportOptions(concurrency=1),
        seed=run.header.seed,
        strict=run.header.strict,
        stage=run.header.stage,
        exclude=run.header.exclude,
        expected=run.header.expected,
        tokenizer=tokenizer,
        profiles=tuple(one for one in bundled_profiles() if one.name in run.header.profiles),
        objectives=run.header.objectives,
    )
    recorded = {finding.id: finding for finding in run.findings}
    checks = [_known(check, recorded.get(check.id)) for check in all_checks()]
    header, footer = run.header, run.footer
    findings: list[Finding] = []
    async for event in judging(
        target,
        contract,
        options,
        transport=responses,
        checks=checks,
        clock=responses.now,
        is_live=False,
    ):
        match event:
            case RunStarted():
                header = _judged_by(event.header, header)
            case FindingMade():
                findings.append(event.finding)
            case RunFinished():
                findings = list(as_concluded(findings, event.footer))
                footer = footer and _concluding(footer, event.footer, findings)
    return with_expected(replace(run, header=header, findings=tuple(findings), footer=footer))


def _judged_by(today: Header, recorded: Header) -> Header:
    """Update a header with today's suite version and contract."""
    return replace(
        recorded,
        suite_version=__version__,
        recorded_by=recorded.recorded_by or recorded.suite_version,
        contract=today.contract,
        contract_title=today.contract_title,
        contract_title_zh=today.contract_title_zh,
        document=today.document,
        subjects=today.subjects,
        requirements=today.requirements,
        expected=today.expected,
        tokenizer=today.tokenizer or recorded.tokenizer,
        contract_digest=today.contract_digest,
    )


def _concluding(recorded: Footer, today: Footer, findings: Iterable[Finding]) -> Footer:
    """Update a footer with today's conclusion; its cost stays.

    A run that ended early is not completed by judging it again: what ended it is the reason of its
    open checks then and now.
    """
    because, conclusion = today.because, today.conclusion
    if because is None and any(finding.message == recorded.because for finding in findings):
        because = recorded.because
        if conclusion is not Conclusion.NOT_CONFORMING:
            conclusion = Conclusion.UNDECIDED
    return replace(
        recorded,
        conclusion=conclusion,
        because=because,
        counts=today.counts,
        explained=today.explained,
        readiness=_readiness(recorded, today),
        objectives=today.objectives,
    )


def _readiness(recorded: Footer, today: Footer) -> tuple[ClientReadiness, ...]:
    """Return what today's profiles make of the record; of others, which it names, what they made.

    A reader of the record may not have the user's own profiles.
    """
    known = {client.profile for client in today.readiness}
    return (*(c for c in recorded.readiness if c.profile not in known), *today.readiness)


def _known(check: Check, recorded: Finding | None) -> Check:
    """Wrap a check so that its requests, including concurrent ones, are attributed to it.

    One that the record has a finding of keeps the tier that it had then, so that it judges the
    record again even if runs of that tier leave it out today.
    """

    async def run(api: Api) -> None:
        _current_check.set(_CheckInProgress(recorded, api))
        if check.requirement == BY_TOKENIZER and api.tokenizer is None and recorded is not None:
            raise _without_answer(recorded, NO_TOKENIZER)
        await check.run(api)

    return replace(check, run=run, tier=recorded.tier if recorded else check.tier)


class RecordedResponses:
    """A transport that returns recorded responses and sends nothing."""

    def __init__(self, run: Run) -> None:
        self._responses: dict[Request, list[Exchange]] = defaultdict(list)
        # No check saw what ended the run early.
        withheld = {AccountGuard.first_withheld(finding.message) for finding in run.findings}
        for exchange in sorted(run.exchanges, key=lambda exchange: exchange.id):
            if exchange.id not in withheld:
                self._responses[exchange.request].append(exchange)
        self._started = _started(run.header)
        self._now = self._started

    def now(self) -> float:
        """Return the time of recording of the last returned response, in Unix seconds."""
        return self._now

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:  # noqa: ARG002 - what is shared is shared before
        """Return the next recorded response to an equal request, none twice to the same check.

        Raises:
            Inconclusive: there is none, and the check failed or was inconclusive then.
            NotApplicable: there is none, and the check passed or was skipped then.
        """
        current = _current_check.get()
        given = current.given if current else frozenset()
        left = [
            response for response in self._in_turn(request, current) if response.id not in given
        ]
        if not left:
            raise _without_answer(current.recorded if current else None)
        if current:
            current.shared_ids.add(left[0].id)
        ended = max((one.started + one.elapsed for one in left[0].attempts), default=0.0)
        self._now = self._started + ended
        return left[0]

    def _in_turn(self, request: Request, current: _CheckInProgress | None) -> Iterator[Exchange]:
        """Yield the responses to a request, those of the check itself first."""
        recorded = current.recorded if current else None
        own = frozenset(recorded.exchanges) if recorded else frozenset()
        responses = self._responses.get(request, [])
        yield from (exchange for exchange in responses if exchange.id in own)
        yield from (exchange for exchange in responses if exchange.id not in own)


def _started(header: Header) -> float:
    try:
        return datetime.fromisoformat(header.started_at).timestamp()
    except (ValueError, OverflowError):
        raise UndatedError(f"{header.started_at!r} is not a valid start time of a run") from None


def _without_answer(recorded: Finding | None, why: Message = NO_RESPONSE) -> Judgement:
    """Return the judgement for what is missing now, by the verdict that the check had then."""
    match recorded.verdict if recorded else None:
        case Verdict.FAIL | Verdict.WARN | Verdict.EXPLAINED | Verdict.ERROR:
            return Inconclusive(why)
        case Verdict.INCONCLUSIVE if recorded:
            return Inconclusive(recorded.message)
        case Verdict.SKIPPED if recorded:
            return NotApplicable(recorded.message)
    return NotApplicable(why)
