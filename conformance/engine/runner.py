"""Judge one target: choose the checks, run them concurrently, tell what happens as it happens.

Checks are started in their order, several for each request in flight, and of the requests that wait
those of the first checks are sent first.
Those that send nothing come last, and see every exchange of the others.

    async for event in run(target, contract, Options()):
        writer.write(event)

The events make up the run file line by line, so a run that is interrupted keeps what it learned,
and lacks the footer that only a finished run has.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from conformance import __version__
from conformance.api import NOTHING_YET, Api, RetestBudget, SharedResponses, Transport
from conformance.checks import Check
from conformance.contract import Contract, load_contract
from conformance.engine.comparison import Reference, compare, deciding, within
from conformance.engine.discovery import all_checks
from conformance.engine.preflight import preflight
from conformance.engine.selection import LIVE, Chosen, Options, choose
from conformance.engine.verdicts import Ruling, as_information, rule
from conformance.model import Conclusion, Exchange, Finding, Footer, Header, Stage, Target, Verdict
from conformance.protocol.trace import RecordedExchange, Trace
from conformance.record.conclusions import conclude, count_verdicts
from conformance.record.events import (
    CheckStarted,
    ExchangeMade,
    FindingMade,
    RunEvent,
    RunFinished,
    RunStarted,
)
from conformance.record.ndjson import FORMAT
from conformance.transport.address import without_login
from conformance.transport.budget import Budget
from conformance.transport.coalesce import RequestCoalescer
from conformance.transport.pipeline import open_pipeline
from conformance.transport.redact import Redactor, is_placeholder

__all__ = ["Options", "run"]


CHECKS_PER_SLOT = 4
"""Checks in progress for each request in flight: enough that those which wait for a shared response
leave no slot empty, and few enough that the requests of the first checks are not overtaken."""


async def run(
    target: Target,
    contract: Contract,
    options: Options,
    *,
    transport: Transport | None = None,
    checks: Iterable[Check] | None = None,
    reference: Reference | None = None,
    clock: Callable[[], float] = time.time,
) -> AsyncGenerator[RunEvent, None]:
    """Judge a target and yield what happens, the header first and the footer last.

    Who leaves before the end closes the generator (``contextlib.aclosing``), which gives up what is
    under way.

    Args:
        target: the endpoint, the model and the key.
        contract: what the endpoint is held to.
        options: how much to judge, and at what price and pace.
        transport: carries the requests instead of the network; limits and sharing still apply.
        checks: what to choose from; every check there is, unless given.
        reference: is asked what shows deviations, after everything else.
        clock: tells checks the time in Unix seconds.
    """
    started = time.monotonic()
    going = _RunInProgress(
        target,
        contract,
        options,
        choose(all_checks() if checks is None else checks, contract, options),
        transport=transport,
        reference=reference,
        clock=clock,
    )
    yield going.started()
    # A task of its own does the work, so that events come out while several checks are under way.
    work = asyncio.create_task(going.work())
    work.add_done_callback(lambda _: going.events.put_nowait(None))
    try:
        while (event := await going.events.get()) is not None:
            yield event
        await work
    finally:
        work.cancel()
        await asyncio.wait([work])
    yield going.finished(time.monotonic() - started)


def header_of(target: Target, contract: Contract, options: Options) -> Header:
    """Write down what is to be judged, by which contract."""
    return Header(
        format=FORMAT,
        suite_version=__version__,
        started_at=_now(),
        base_url=Redactor.of(target).text(without_login(target.base_url)),
        model=target.model,
        api_key_env=target.api_key_env if target.api_key else None,
        contract=contract.name,
        contract_title=contract.title,
        contract_title_zh=contract.title_zh,
        document=contract.document,
        tier=options.tier,
        select=options.select,
        strict=options.strict,
        seed=options.seed,
        limits=options.ceiling,
        subjects=contract.subjects,
        requirements=tuple(contract.requirements.values()),
        target=target.name,
        headers=target.shown_headers,
        stage=options.stage,
    )


class _RunInProgress:
    """One run from its first request to its last finding.

    Attributes:
        events: what has happened and was not yet yielded; None ends it.
        findings: what the checks have found so far, in order of time.
        trace: every exchange of the run so far, each once.
        because: why nothing could be judged, once that is known.
    """

    def __init__(
        self,
        target: Target,
        contract: Contract,
        options: Options,
        chosen: tuple[Chosen, ...],
        *,
        transport: Transport | None,
        reference: Reference | None,
        clock: Callable[[], float],
    ) -> None:
        self.events: asyncio.Queue[RunEvent | None] = asyncio.Queue()
        self.findings: list[Finding] = []
        self.trace: list[RecordedExchange] = []
        self.because: str | None = None
        self._target, self._contract, self._options = target, contract, options
        self._chosen = chosen
        # Those that come first are judged first where the budget does not last for all.
        self._ranks = {choice.check.id: rank for rank, choice in enumerate(chosen, start=1)}
        self._judgeable = [choice.check for choice in chosen if choice.skip is None]
        self._undocumented = [choice for choice in chosen if choice.undocumented]
        self._transport, self._reference, self._clock = transport, reference, clock
        self._budget = Budget(options.ceiling)
        self._reference_budget = Budget(within(options.limits))
        self._seen_ids: set[str] = set()
        self._retest_budget = RetestBudget()
        self._responses = SharedResponses()

    def started(self) -> RunStarted:
        """Say what is to be judged, and by which checks."""
        header = header_of(self._target, self._contract, self._options)
        if self._reference is not None:
            shown = Redactor.of(self._target).text(self._reference.name)
            header = replace(header, reference=shown)
        return RunStarted(header, tuple(choice.check.id for choice in self._chosen))

    def finished(self, seconds: float) -> RunFinished:
        """Sum up what was found and what it cost."""
        conclusion = conclude(self.findings, strict=self._options.strict)
        reference_cost = self._reference_budget.cost
        return RunFinished(
            Footer(
                finished_at=_now(),
                elapsed=round(seconds, 3),
                conclusion=Conclusion.UNDECIDED if self.because else conclusion,
                because=self.because,
                counts=count_verdicts(self.findings),
                cost=self._budget.cost,
                reference_cost=reference_cost if reference_cost.requests else None,
            )
        )

    async def work(self) -> None:
        """Judge what was chosen, then compare with the reference what deviates."""
        self._report_skipped()
        if not (self._judgeable or self._undocumented):
            return
        async with self._pipeline() as coalescer:
            self.because = await preflight(self._api(coalescer), self._target)
            if self.because is not None:
                self.because = Redactor.of(self._target).text(self.because)
                return
            # What is drawn comes last: it reports only what no directed check has found.
            for stage in Stage:
                await self._run_stage(stage, coalescer)
            await self._judge_trace(coalescer)
            # Last, so that what no contract states costs nothing that the contract's checks need.
            await self._inspect_undocumented(coalescer)
        await self._compare_with_reference()

    def _report_skipped(self) -> None:
        for choice in self._chosen:
            if choice.skip is not None and not choice.undocumented:
                ruling = Ruling(Verdict.SKIPPED, choice.skip)
                self._report(finding_of(choice.check, self._contract, ruling, ()))

    @asynccontextmanager
    async def _pipeline(self) -> AsyncIterator[RequestCoalescer]:
        """Open what carries the requests: shared, prioritised, paid for, sent."""
        async with open_pipeline(
            self._target,
            self._budget,
            self._options.transport,
            seed=self._options.seed,
            default_tokens=self._contract.default_tokens,
            # A gateway in front of the reference can show the reference's key in an error.
            secrets=self._reference.secrets if self._reference else (),
            sender=self._transport.send if self._transport else None,
        ) as send:
            coalescer = RequestCoalescer(send, self._record)
            try:
                yield coalescer
            finally:
                await coalescer.close()

    def _record(self, exchange: Exchange) -> None:
        # A record that is judged again may give one response to two that ask for a fresh one.
        if exchange.id in self._seen_ids:
            return
        self._seen_ids.add(exchange.id)
        read = self._responses.of(exchange)
        self.trace.append(RecordedExchange(exchange, self._contract, read))
        self.events.put_nowait(ExchangeMade(exchange))

    def _report(self, finding: Finding) -> None:
        self.findings.append(finding)
        self.events.put_nowait(FindingMade(finding))

    def _api(
        self, coalescer: RequestCoalescer, check: Check | None = None, trace: Trace = NOTHING_YET
    ) -> Api:
        """Make what a check asks the endpoint through, and learns of the run so far."""
        return Api(
            coalescer.ranked(self._ranks[check.id]) if check else coalescer,
            self._contract,
            self._target.model,
            has_key=self._has_key,
            retest_budget=self._retest_budget,
            trace=trace,
            clock=self._clock,
            seed=self._options.seed,
            responses=self._responses,
        )

    @property
    def _has_key(self) -> bool:
        # Where another secret opens the door as well, who lacks the key may rightly come in.
        return not is_placeholder(self._target.api_key) and not self._target.secrets

    async def _run_stage(self, stage: Stage, coalescer: RequestCoalescer) -> None:
        """Run all checks of a stage that send requests, at the same time."""
        earlier = Trace(findings=tuple(self.findings))
        checks = [check for check in self._judgeable if check.asks and check.stage is stage]
        async with self._preparing(checks, coalescer):
            await self._in_order(
                self._run_check(check, self._api(coalescer, check, earlier)) for check in checks
            )

    @asynccontextmanager
    async def _preparing(
        self, checks: Iterable[Check], coalescer: RequestCoalescer
    ) -> AsyncIterator[None]:
        """Prepare the later checks while a block runs the earlier ones."""
        functions = dict.fromkeys(check.prepare for check in checks if check.prepare is not None)
        tasks = [asyncio.ensure_future(prepare(self._api(coalescer))) for prepare in functions]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            # What keeps a check from being prepared is what the check itself will report.
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _in_order(self, jobs: Iterator[Coroutine[Any, Any, None]]) -> None:
        """Begin jobs in their order, so many at a time that no slot is ever empty."""

        async def work_off() -> None:
            for job in jobs:
                await job

        async with asyncio.TaskGroup() as workers:
            for _ in range(self._options.transport.concurrency * CHECKS_PER_SLOT):
                workers.create_task(work_off())

    async def _run_check(self, check: Check, api: Api) -> None:
        self.events.put_nowait(CheckStarted(check.id))
        self._report(await judge(check, api))

    async def _judge_trace(self, coalescer: RequestCoalescer) -> None:
        """Run the checks that look at all exchanges, one after the other."""
        # In the order of sending, so that a finding does not depend on which answer came first.
        self.trace.sort(key=lambda response: response.exchange.id)
        for check in self._judgeable:
            if not check.asks:
                whole = Trace(tuple(self.trace), tuple(self.findings))
                await self._run_check(check, self._api(coalescer, check, whole))

    async def _inspect_undocumented(self, coalescer: RequestCoalescer) -> None:
        """Look, for information, at parameters of the live API that the contract leaves out."""
        live = load_contract(LIVE)

        async def inspect(choice: Chosen) -> None:
            self.events.put_nowait(CheckStarted(choice.check.id))
            api = Api(
                coalescer.ranked(self._ranks[choice.check.id]),
                live,
                self._target.model,
                has_key=self._has_key,
                clock=self._clock,
                seed=self._options.seed,
            )
            seen = as_information(await _ruling_of(choice.check, api), choice.skip or "")
            self._report(finding_of(choice.check, live, seen, api.exchanges))

        await self._in_order(inspect(choice) for choice in self._undocumented)

    async def _compare_with_reference(self) -> None:
        """Ask the reference, if there is one, what shows deviations."""
        if self._reference is None:
            return
        exchanges = (response.exchange for response in self.trace)
        await compare(
            self._reference,
            self._target,
            deciding(self.findings, exchanges, self._target.model),
            options=self._options.transport,
            seed=self._options.seed,
            default_tokens=self._contract.default_tokens,
            budget=self._reference_budget,
            report=self.events.put_nowait,
        )


async def judge(check: Check, api: Api) -> Finding:
    """Run one check to its finding, whatever it throws."""
    return finding_of(check, api.contract, await _ruling_of(check, api), api.exchanges)


async def _ruling_of(check: Check, api: Api) -> Ruling:
    outcome: Exception | None = None
    try:
        await check.run(api)
    except Exception as raised:  # noqa: BLE001 - whatever a check throws becomes its finding
        outcome = raised
    level = api.contract.requirement(check.requirement).level
    return rule(outcome, level, api.contract)


def finding_of(
    check: Check, contract: Contract, ruling: Ruling, exchanges: Iterable[Exchange]
) -> Finding:
    """Put a ruling beside what it is about and the exchanges that show it."""
    requirement = contract.requirement(check.requirement)
    return Finding(
        id=check.id,
        title=check.title,
        requirement=requirement.id,
        level=requirement.level,
        subject=requirement.subject,
        tier=check.tier,
        verdict=ruling.verdict,
        message=ruling.message,
        expected=ruling.expected,
        seen=ruling.seen,
        effect=ruling.effect,
        exchanges=tuple(dict.fromkeys(exchange.id for exchange in exchanges)),
        title_zh=check.title_zh,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
