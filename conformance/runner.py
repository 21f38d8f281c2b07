"""Judge one target: choose the checks, run them concurrently, tell what happens as it happens.

Those that ask nothing come last, and see every answer that the others were given.

    async for event in run(target, contract, Options()):
        writer.write(event)

The events make up the run file line by line, so a run that is interrupted keeps what it learned,
and lacks the footer that only a finished run has.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from conformance import __version__
from conformance.answered import Answered, WholeRun
from conformance.api import NOTHING_YET, Api, Patience, Transport
from conformance.checks import Check
from conformance.conclusions import conclude, count_verdicts
from conformance.contract import Contract, load_contract
from conformance.discovery import all_checks
from conformance.events import (
    CheckStarted,
    ExchangeMade,
    FindingMade,
    RunEvent,
    RunFinished,
    RunStarted,
)
from conformance.model import Conclusion, Exchange, Finding, Footer, Header, Stage, Target, Verdict
from conformance.preflight import preflight
from conformance.reference import Reference, compare, deciding, within
from conformance.selection import LIVE, Chosen, Options, choose
from conformance.verdicts import Ruling, as_information, rule
from conformance.wire.address import without_login
from conformance.wire.budget import Budget
from conformance.wire.record import FORMAT
from conformance.wire.redact import Redactor, is_placeholder
from conformance.wire.sharing import Sharing
from conformance.wire.way import Manner, way_to

__all__ = ["Options", "run"]

T = TypeVar("T")

CHECKS_PER_SLOT = 2
"""Checks in progress for each request in flight: one that waits for an answer which another check
asked for leaves no slot empty, and a run that is cut short still has finished most it began."""


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
    chosen = choose(all_checks() if checks is None else checks, contract, options)
    header = header_of(target, contract, options)
    if reference is not None:
        header = replace(header, reference=Redactor.of(target).text(reference.name))
    yield RunStarted(header, tuple(choice.check.id for choice in chosen))
    budget = Budget(options.ceiling)
    others_budget = Budget(within(options.limits))
    findings: list[Finding] = []
    # A task of its own does the work, so that events come out while several checks are under way.
    events: asyncio.Queue[RunEvent | None] = asyncio.Queue()
    work = asyncio.create_task(
        _work(
            target,
            contract,
            options,
            chosen=chosen,
            transport=transport,
            budget=budget,
            reference=reference,
            others_budget=others_budget,
            tell=events.put_nowait,
            clock=clock,
        )
    )
    work.add_done_callback(lambda _: events.put_nowait(None))
    try:
        while (event := await events.get()) is not None:
            if isinstance(event, FindingMade):
                findings.append(event.finding)
            yield event
        because = await work
    finally:
        work.cancel()
        await asyncio.wait([work])
    yield RunFinished(
        Footer(
            finished_at=_now(),
            elapsed=round(time.monotonic() - started, 3),
            conclusion=(
                Conclusion.UNDECIDED if because else conclude(findings, strict=options.strict)
            ),
            because=because,
            counts=count_verdicts(findings),
            cost=budget.cost,
            reference_cost=others_budget.cost if others_budget.cost.requests else None,
        )
    )


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


async def _work(
    target: Target,
    contract: Contract,
    options: Options,
    *,
    chosen: tuple[Chosen, ...],
    transport: Transport | None,
    budget: Budget,
    reference: Reference | None,
    others_budget: Budget,
    tell: Callable[[RunEvent], None],
    clock: Callable[[], float],
) -> str | None:
    """Judge what was chosen; return why judging was pointless, or None if it was not."""
    judgeable = [choice.check for choice in chosen if choice.skip is None]
    for choice in chosen:
        if choice.skip is not None and not choice.beyond:
            ruling = Ruling(Verdict.SKIPPED, choice.skip)
            tell(FindingMade(finding_of(choice.check, contract, ruling, ())))
    beyond = [choice for choice in chosen if choice.beyond]
    if not (judgeable or beyond):
        return None

    async with AsyncExitStack() as stack:
        # From the check to the wire: shared, then the way that everything takes.
        send = await stack.enter_async_context(
            way_to(
                target,
                budget,
                manner_of(options, contract),
                # A gateway in front of the reference can show the reference's key in an error.
                secrets=reference.secrets if reference else (),
                sender=transport.send if transport else None,
            )
        )
        answers: list[Answered] = []
        noted: set[str] = set()

        def note(exchange: Exchange) -> None:
            # A record that is judged again may give one answer to two who ask for a fresh one.
            if exchange.id in noted:
                return
            noted.add(exchange.id)
            answers.append(Answered(exchange, contract))
            tell(ExchangeMade(exchange))

        sharing = Sharing(send, note)
        stack.push_async_callback(sharing.close)

        # Where another secret opens the door as well, who lacks the key may rightly come in.
        has_key = not is_placeholder(target.api_key) and not target.secrets
        patience = Patience()

        def handed(whole_run: WholeRun = NOTHING_YET) -> Api:
            return Api(
                sharing,
                contract,
                target.model,
                has_key=has_key,
                patience=patience,
                whole_run=whole_run,
                clock=clock,
                seed=options.seed,
            )

        because = await preflight(handed(), target)
        if because is not None:
            return Redactor.of(target).text(because)
        findings: list[Finding] = []

        async def find(check: Check, api: Api) -> None:
            tell(CheckStarted(check.id))
            findings.append(await judge(check, api))
            tell(FindingMade(findings[-1]))

        def after(told: WholeRun) -> Callable[[Check], Awaitable[None]]:
            return lambda check: find(check, handed(told))

        at_once = options.concurrency * CHECKS_PER_SLOT
        asking = [check for check in judgeable if check.asks]
        for stage in Stage:
            # What is drawn comes last: it accuses only of what nobody has found who looked for it.
            of_stage = [check for check in asking if check.stage is stage]
            await _side_by_side(of_stage, after(WholeRun(findings=tuple(findings))), at_once)
        # In the order of sending, so that a finding does not depend on which answer came first.
        answers.sort(key=lambda answer: answer.exchange.id)
        for check in judgeable:
            if not check.asks:
                await find(check, handed(WholeRun(tuple(answers), tuple(findings))))
        # Last, so that what nobody promised takes no money from what somebody did.
        live = load_contract(LIVE)

        async def look(choice: Chosen) -> None:
            tell(CheckStarted(choice.check.id))
            api = Api(sharing, live, target.model, has_key=has_key, clock=clock, seed=options.seed)
            seen = as_information(await _ruling_of(choice.check, api), choice.skip or "")
            tell(FindingMade(finding_of(choice.check, live, seen, api.exchanges)))

        await _side_by_side(beyond, look, at_once)
    if reference is not None:
        await compare(
            reference,
            target,
            deciding(findings, (answer.exchange for answer in answers), target.model),
            manner=manner_of(options, contract),
            budget=others_budget,
            tell=tell,
        )
    return None


def manner_of(options: Options, contract: Contract) -> Manner:
    """Say how the target is asked, and the reference just as it was."""
    return Manner(
        concurrency=options.concurrency,
        timeout=options.timeout,
        rate=options.rate,
        seed=options.seed,
        default_tokens=contract.default_tokens,
    )


async def _side_by_side(
    jobs: Iterable[T], work: Callable[[T], Awaitable[None]], at_once: int
) -> None:
    """Do the jobs in their order, so many at a time."""
    todo = iter(jobs)

    async def work_off() -> None:
        for job in todo:
            await work(job)

    async with asyncio.TaskGroup() as workers:
        for _ in range(at_once):
            workers.create_task(work_off())


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
