"""One run from its first request to its last finding: the work behind the events of a run."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncIterator,
    Callable,
    Mapping,
)
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from conformance.api import NOTHING_YET, Api, RetestBudget, SharedResponses, Transport
from conformance.checks import Check
from conformance.checks._shared import greedy
from conformance.contract import Contract, load_contract
from conformance.engine.attribution import explanations_of
from conformance.engine.balance import Account, Reconciliation
from conformance.engine.clients import Clients
from conformance.engine.comparison import Reference, compare, comparison_limits, deciding
from conformance.engine.decisive import resting_on
from conformance.engine.header import header_of, now
from conformance.engine.judging import cut, finding_of, judge, ruling_of
from conformance.engine.notes import LIST, ask_for_models, notes_of
from conformance.engine.preflight import preflight
from conformance.engine.resumption import Earlier, RecordedFirst
from conformance.engine.scheduling import CHECKS_PER_SLOT, in_order, prepared
from conformance.engine.selection import LIVE, PRICES, Chosen, Options
from conformance.engine.verdicts import Ruling, as_information
from conformance.message import NOTHING, Message, bounded, say
from conformance.model import (
    Exchange,
    Explanation,
    Finding,
    Footer,
    Limits,
    Run,
    Stage,
    Target,
    Verdict,
)
from conformance.objectives import results_of
from conformance.protocol.account import is_own_refusal
from conformance.protocol.trace import RecordedExchange, Trace
from conformance.record.conclusions import conclude, conclude_early, count_verdicts
from conformance.record.events import (
    CheckStarted,
    ExchangeMade,
    FindingMade,
    RunEvent,
    RunFinished,
    RunStarted,
)
from conformance.record.expected import decides, with_expected
from conformance.record.explained import apply_explanations
from conformance.transport import gate
from conformance.transport.account_guard import AccountGuard
from conformance.transport.budget import Budget
from conformance.transport.coalesce import RequestCoalescer
from conformance.transport.pipeline import open_pipeline
from conformance.transport.rate_limit import Slots
from conformance.transport.redact import Redactor, is_placeholder


class RunInProgress:
    """One run from its first request to its last finding.

    Attributes:
        events: events that have not been yielded; None is the end.
        findings: the findings so far, in order of time.
        trace: the exchanges so far, each once.
        explained: the findings that another one explains; empty until all checks are done.
        failed_preflight: why the run ended before any check, or None.
        guard: ends the run early if every request is refused; None if nothing is sent.
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
        is_live: bool,
        earlier: Earlier,
    ) -> None:
        self.events: asyncio.Queue[RunEvent | None] = asyncio.Queue()
        self.findings: list[Finding] = []
        self.trace: list[RecordedExchange] = []
        self.explained: Mapping[str, Explanation] = {}
        self.failed_preflight: Message | None = None
        self._account_notes: tuple[Message, ...] = ()
        self._judged = 0  # the exchanges that checks made
        # What ended the run is recorded as evidence, and judged by no check.
        self.guard = AccountGuard(target.model, self._show) if is_live else None
        self._target, self._contract, self._options = target, contract, options
        self._chosen = chosen
        # Checks that come first are also judged if the budget does not suffice for all.
        self._ranks = {choice.check.id: rank for rank, choice in enumerate(chosen, start=1)}
        self._judgeable = [choice.check for choice in chosen if choice.skip is None]
        self._undocumented = [choice for choice in chosen if choice.undocumented]
        self._transport, self._reference, self._clock = transport, reference, clock
        self._earlier, self._recorded = earlier, RecordedFirst(earlier)
        self._budget = Budget(options.ceiling, earlier.spent)
        self._reference_budget = Budget(comparison_limits(options.limits))
        self._is_enough = self._is_stopped = False  # the second once a check was left out
        self._seen_ids: set[str] = set()
        self._lists: list[Exchange] = []
        self._retest_budget = RetestBudget()
        # What earlier stages leave would not suffice where requests change each other's responses.
        self._burst_retest_budget = RetestBudget()
        secrets = reference.secrets if reference else ()
        self._redactor = Redactor.of(target, (*secrets, *gate.known()))
        self._clients = Clients(options, target.model, self._redactor)
        self._responses = SharedResponses(has_flat_errors=contract.has_flat_errors)
        self._header = earlier.continued(header_of(target, contract, options))
        self._slots = Slots(options.transport.concurrency)
        self._workers = options.transport.concurrency * CHECKS_PER_SLOT

    def started(self) -> RunStarted:
        """Return the first event."""
        header = self._header
        if self._reference is not None:
            header = replace(header, reference=self._redactor.text(self._reference.name))
        return RunStarted(header, tuple(choice.check.id for choice in self._chosen))

    def finished(self, seconds: float) -> RunFinished:
        """Return the last event, with the conclusion and the cost."""
        findings = apply_explanations(self.findings, self.explained)
        ended = self.guard.ended if self.guard else None
        because = self.failed_preflight or (self._redactor.message(ended) if ended else None)
        is_stopped = because is None and self._is_stopped
        if is_stopped:
            because = say("the run was to end at {n} failures", n=self._options.max_failures or 0)
        # Whatever was found to conform, a run that ended early has not been completed.
        concluded = conclude_early if because else conclude
        reference_cost = self._reference_budget.cost
        exchanges = [*self._lists, *(response.exchange for response in self.trace)]
        today = datetime.fromisoformat(self._header.started_at).date()
        notes = (
            *notes_of(self._target, self._contract, exchanges, today),
            *self._account_notes,
        )
        return RunFinished(
            Footer(
                finished_at=now(),
                elapsed=round(self._earlier.elapsed + seconds, 3),
                conclusion=concluded(findings, strict=self._options.strict),
                because=because and bounded(because),
                counts=count_verdicts(findings),
                cost=self._budget.cost,
                reference_cost=reference_cost if reference_cost.requests else None,
                explained=self.explained,
                is_stopped=is_stopped,
                notes=tuple(bounded(self._redactor.message(note)) for note in notes),
                readiness=self._clients.readiness(self.trace[: self._judged], findings),
                objectives=results_of(self._options.objectives, self.trace[: self._judged]),
            )
        )

    @property
    def _ended(self) -> str | None:
        """Why the run ended before a check was judged; None if all checks were."""
        ended = self.guard.ended if self.guard else None
        # A request about an undocumented parameter decides nothing.
        return ended if any(finding.message == ended for finding in self.findings) else None

    async def work(self) -> None:
        """Run the selected checks, then compare deviating responses with the comparison server."""
        self._report_skipped()
        if not (self._judgeable or self._undocumented or self._options.profiles):
            return
        async with self._pipeline() as coalescer:
            first = self._api(coalescer)
            reason = await preflight(first, self._target)
            if reason is not None:
                self.failed_preflight = self._redactor.message(reason)
                return
            account = self._reconciliation()
            if account is not None:
                await account.begin(self._budget.cost)
            # A refusal later in the run is news only if the first request was served.
            was_served = bool(first.exchanges) and not is_own_refusal(first.exchanges[-1])
            if self.guard is not None and was_served:
                self.guard.arm(first.exchanges[-1].request)
            # Generated checks come late, so that a limit cuts them off before directed ones, and
            # bursts, which a weak endpoint may not survive, come last.
            for stage in Stage:
                await self._run_stage(stage, coalescer)
            await self._judge_trace(coalescer)
            if self.guard is not None:
                await ask_for_models(self._api(coalescer))
            # Last, so that undocumented parameters take no budget from the contract's checks.
            await self._inspect_undocumented(coalescer)
            # What clients send comes behind the checks, and is judged by their needs alone.
            self._judged = len(self.trace)
            if not self._is_enough:
                await self._clients.send(lambda: self._api(coalescer))
            if account is not None:
                await account.end(self._api(coalescer), self.trace, lambda: self._budget.cost)
                self._account_notes = tuple(account.notes)
        judged = self.trace[: self._judged]
        self.explained = explanations_of(self.findings, judged, self._contract)
        await self._compare_with_reference()

    def _reconciliation(self) -> Reconciliation | None:
        """Return what reads the balance around the run, if there is one and the run is live.

        Of a run that is taken up, some responses come from its record, and cost nothing now.
        """
        source, target = self._target.balance, self._target
        is_whole = self.guard is not None and self._earlier.last_number == 0
        if source is None or self._transport is not None or not is_whole:
            return None
        account = Account(target, source, timeout=self._options.transport.timeout)
        return Reconciliation(account, target.prices)

    def _report_skipped(self) -> None:
        for choice in self._chosen:
            if choice.skip is not None and not choice.undocumented:
                ruling = Ruling(Verdict.SKIPPED, choice.skip)
                self._report(finding_of(choice.check, self._contract, ruling, ()))

    @asynccontextmanager
    async def _pipeline(self) -> AsyncIterator[RequestCoalescer]:
        """Open the pipeline, which shares identical requests."""
        async with open_pipeline(
            self._target,
            self._budget,
            self._options.transport,
            seed=self._options.seed,
            default_tokens=self._contract.default_tokens,
            # A gateway shared with the comparison server can show that server's key in an error.
            secrets=self._reference.secrets if self._reference else (),
            sender=self._transport.send if self._transport else None,
            guard=self.guard,
            slots=self._slots,
            last_number=self._earlier.last_number,
            began=self._earlier.began,
        ) as send:
            coalescer = RequestCoalescer(self._recorded.around(send), self._keep)
            try:
                yield coalescer
            finally:
                await coalescer.close()

    def _keep(self, exchange: Exchange) -> None:
        # In a replay, two requests for a fresh response may get the same exchange.
        if exchange.id in self._seen_ids:
            return
        self._seen_ids.add(exchange.id)
        if exchange.request == LIST:
            # Evidence for notes, which no check judges.
            self._lists.append(exchange)
            self._show(exchange)
            return
        self.trace.append(RecordedExchange(exchange, self._contract, self._responses.of))
        self._show(exchange)

    def _show(self, exchange: Exchange) -> None:
        self.events.put_nowait(ExchangeMade(self._redactor.exchange(exchange)))

    def _report(self, finding: Finding) -> None:
        # A message can join texts that were apart in the responses. It is redacted before it is
        # cut, because a redactor does not find the beginning of a key.
        finding = cut(self._redactor.record(finding))
        self.findings.append(finding)
        self.events.put_nowait(FindingMade(finding))
        self._is_enough = self._is_enough or self._has_failed_enough()

    def _has_failed_enough(self) -> bool:
        """Return whether as many findings make the run not conforming as are to end it."""
        most = self._options.max_failures
        failed = sum(decides(finding, self._header) for finding in self.findings)
        if most is None or failed < most:
            return False
        # Only now, because it takes long: which of them follow from others, or are expected.
        explained = explanations_of(self.findings, self.trace, self._contract)
        findings = apply_explanations(self.findings, explained)
        run = with_expected(Run(self._header, (), findings, None))
        return sum(decides(f, run.header) and f.expectation is None for f in run.findings) >= most

    def _api(
        self, coalescer: RequestCoalescer, check: Check | None = None, trace: Trace = NOTHING_YET
    ) -> Api:
        """Return the API object for a check, or for preflight."""
        # A check of another package gets responses of its own: it may change what it reads.
        shares = check is None or check.is_built_in
        in_bursts = check is not None and check.stage is Stage.TOGETHER
        api = Api(
            coalescer.ranked(self._ranks[check.id]) if check else coalescer,
            self._contract,
            self._target.model,
            has_key=not is_placeholder(self._target.api_key),
            secret_headers=self._target.secret_headers,
            retest_budget=self._burst_retest_budget if in_bursts else self._retest_budget,
            trace=trace,
            seed=self._options.seed,
            responses=self._responses if shares else None,
            pace=self._options.transport,
            tier=self._options.tier,
            tokenizer=self._options.tokenizer,
        )
        api.clock = self._recorded.clock_of(api.exchanges, self._clock)
        return api

    async def _run_stage(self, stage: Stage, coalescer: RequestCoalescer) -> None:
        """Run all checks of a stage that send requests: concurrently, unless they send bursts."""
        earlier = Trace(findings=tuple(self.findings))
        checks = [check for check in self._judgeable if check.asks and check.stage is stage]
        jobs = (self._run_check(check, self._api(coalescer, check, earlier)) for check in checks)
        async with prepared(checks, lambda: self._api(coalescer)):
            if stage is not Stage.TOGETHER:
                await in_order(jobs, self._workers)
                return
            # Whatever else is in flight would be a part of the burst.
            self._slots.count = self._options.transport.burst
            for check, job in zip(checks, jobs, strict=True):
                self._recorded.begin_burst(check.id)
                await job
            self._slots.count = self._options.transport.concurrency

    async def _run_check(self, check: Check, api: Api) -> None:
        if self._is_enough:
            self._is_stopped = True
            return
        self.events.put_nowait(CheckStarted(check.id))
        finding = await judge(check, api)
        if not check.asks and finding.roles:
            made = (*(response.exchange for response in self.trace), *api.exchanges)
            requests = {exchange.id: exchange.request for exchange in made}
            finding = resting_on(finding, self.findings, requests)
        self._report(finding)

    async def _judge_trace(self, coalescer: RequestCoalescer) -> None:
        """Run the passive checks, which judge all exchanges, one after the other."""
        # In order of sending, so that findings do not depend on which response arrived first.
        self.trace.sort(key=lambda response: response.exchange.id)
        for check in self._judgeable:
            if not check.asks:
                whole = Trace(tuple(self.trace), tuple(self.findings))
                await self._run_check(check, self._api(coalescer, check, whole))
                # These checks wait for nothing; only here can the run be interrupted.
                await asyncio.sleep(0)
        greedy.forget()

    async def _inspect_undocumented(self, coalescer: RequestCoalescer) -> None:
        """Test parameters of the live API that the document does not mention, for information.

        What a live run sends for them keeps its price; what deviations cost is not added to it.
        """
        live = load_contract(LIVE)
        if self.guard is not None:
            self._budget.lower(Limits(*PRICES[self._options.tier]))

        async def inspect(choice: Chosen) -> None:
            if self._is_enough:
                return
            self.events.put_nowait(CheckStarted(choice.check.id))
            api = Api(
                coalescer.ranked(self._ranks[choice.check.id]),
                live,
                self._target.model,
                has_key=not is_placeholder(self._target.api_key),
                secret_headers=self._target.secret_headers,
                clock=self._clock,
                seed=self._options.seed,
            )
            seen = as_information(await ruling_of(choice.check, api), choice.skip or NOTHING)
            self._report(finding_of(choice.check, live, seen, api.exchanges))

        await in_order((inspect(choice) for choice in self._undocumented), self._workers)

    async def _compare_with_reference(self) -> None:
        """Send requests that show deviations to the comparison server, if there is one."""
        if self._reference is None:
            return
        findings = apply_explanations(self.findings, self.explained)
        exchanges = (response.exchange for response in self.trace)
        await compare(
            self._reference,
            self._target,
            deciding(findings, exchanges, self._target.model),
            options=self._options.transport,
            seed=self._options.seed,
            default_tokens=self._contract.default_tokens,
            budget=self._reference_budget,
            report=self.events.put_nowait,
        )
