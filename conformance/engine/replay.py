"""Judge a recorded run again: today's checks, the answers on record, no network.

A check is handed the answers that it was given then, in the order in which they were asked for. One
that makes other requests today is fed from whatever the run asked for any reason, and skipped where
that is not enough. Nothing turns green for want of an answer: what could not be judged then stays
what it was, and what was accused then is inconclusive.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
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
from conformance.model import (
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
from conformance.record.events import FindingMade, RunFinished, RunStarted

NO_RESPONSE = "the record has no response to a request of this check"

_STAND_IN = "sk-known-to-whoever-made-the-record"
"""For the key of the run, which no record holds; it is never sent."""


@dataclass(frozen=True)
class _Tracing:
    """A check at work: what it was given then, and what it has been given again."""

    recorded: Finding | None
    api: Api
    shared_ids: set[str] = field(default_factory=set)

    @property
    def given(self) -> frozenset[str]:
        """The ids of all answers that it has, also those that another check had asked for."""
        return frozenset(exchange.id for exchange in self.api.exchanges) | self.shared_ids


_asking: ContextVar[_Tracing | None] = ContextVar("asking", default=None)
"""Who makes a request: the tasks that a check starts inherit it."""


class UndatedError(ValueError):
    """A record that does not say when it was made, which some checks have to know."""


def rejudge(run: Run, contract: Contract) -> Run:
    """Return the run as today's checks judge it.

    Exchanges, cost and times stay what they were. A run that broke off has broken off still: what
    it did not come to ask, nobody can judge now.

    Args:
        run: the record.
        contract: what its endpoint is held to, as a rule that of the run as it reads today.

    Raises:
        UndatedError: the record's date cannot be read.
    """
    return asyncio.run(_rejudged(run, contract))


async def _rejudged(run: Run, contract: Contract) -> Run:
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
    )
    recorded = {finding.id: finding for finding in run.findings}
    checks = [_known(check, recorded.get(check.id)) for check in all_checks()]
    header, footer = run.header, run.footer
    findings: list[Finding] = []
    async for event in judging(
        target, contract, options, transport=responses, checks=checks, clock=responses.now
    ):
        match event:
            case RunStarted():
                header = _judged_by(event.header, header)
            case FindingMade():
                findings.append(event.finding)
            case RunFinished():
                footer = footer and _concluding(footer, event.footer)
    return replace(run, header=header, findings=tuple(findings), footer=footer)


def _judged_by(today: Header, recorded: Header) -> Header:
    """Say who judges, by which sentences, and who had made the record."""
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
    )


def _concluding(recorded: Footer, today: Footer) -> Footer:
    """Conclude anew what was paid for then."""
    return replace(
        recorded, conclusion=today.conclusion, because=today.because, counts=today.counts
    )


def _known(check: Check, recorded: Finding | None) -> Check:
    """Let a check's requests be known as its own, also those that it makes side by side."""

    async def run(api: Api) -> None:
        _asking.set(_Tracing(recorded, api))
        await check.run(api)

    return replace(check, run=run)


class RecordedResponses:
    """A transport that answers from a run's record and sends nothing."""

    def __init__(self, run: Run) -> None:
        self._responses: dict[Request, list[Exchange]] = defaultdict(list)
        for exchange in sorted(run.exchanges, key=lambda exchange: exchange.id):
            self._responses[exchange.request].append(exchange)
        self._started = _started(run.header)
        self._now = self._started

    def now(self) -> float:
        """The time at which the answer that was handed out last had come, in Unix seconds."""
        return self._now

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:  # noqa: ARG002 - what is shared is shared before
        """Return the next answer on record to an equal request, none twice to the same check.

        Raises:
            Judgement: there is none, and what the check has to conclude from that.
        """
        asking = _asking.get()
        given = asking.given if asking else frozenset()
        left = [response for response in self._in_turn(request, asking) if response.id not in given]
        if not left:
            raise _without_answer(asking.recorded if asking else None)
        if asking:
            asking.shared_ids.add(left[0].id)
        ended = max((one.started + one.elapsed for one in left[0].attempts), default=0.0)
        self._now = self._started + ended
        return left[0]

    def _in_turn(self, request: Request, asking: _Tracing | None) -> Iterator[Exchange]:
        """The answers to a request, those first that the check itself was given then."""
        recorded = asking.recorded if asking else None
        own = frozenset(recorded.exchanges) if recorded else frozenset()
        responses = self._responses.get(request, [])
        yield from (exchange for exchange in responses if exchange.id in own)
        yield from (exchange for exchange in responses if exchange.id not in own)


def _started(header: Header) -> float:
    try:
        return datetime.fromisoformat(header.started_at).timestamp()
    except (ValueError, OverflowError):
        raise UndatedError(f"{header.started_at!r} is not a valid start time of a run") from None


def _without_answer(recorded: Finding | None) -> Judgement:
    """Conclude as little from a missing answer as can be."""
    match recorded.verdict if recorded else None:
        case Verdict.FAIL | Verdict.WARN | Verdict.ERROR:
            return Inconclusive(NO_RESPONSE)
        case Verdict.INCONCLUSIVE if recorded:
            return Inconclusive(recorded.message)
        case Verdict.SKIPPED if recorded:
            return NotApplicable(recorded.message)
    return NotApplicable(NO_RESPONSE)
