"""Run one check and make its finding; no exception of a check ends a run."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from conformance.api import Api
from conformance.checks import Check
from conformance.contract import Contract
from conformance.engine.decisive import evidence_of
from conformance.engine.verdicts import Ruling, rule
from conformance.judgement import Inconclusive
from conformance.message import bounded
from conformance.model import Exchange, Finding


async def judge(check: Check, api: Api) -> Finding:
    """Run one check and return its finding; no exception of the check is raised."""
    return finding_of(check, api.contract, await ruling_of(check, api), api.exchanges)


async def ruling_of(check: Check, api: Api) -> Ruling:
    """Run one check and return the verdict, with the exchanges that show it."""
    task = asyncio.current_task()
    outcome: BaseException | None = None
    try:
        await check.run(api)
    except BaseException as raised:
        # A check, or a library that it uses, may raise anything: even CancelledError, which would
        # end the worker, and SystemExit, which would end the process without a report.
        if _ends_the_run(raised, task):
            raise
        outcome = raised
    if task is not None and task.cancelling():
        raise asyncio.CancelledError  # the check swallowed it
    if api.ended is not None:
        # A check may go on without a response; whatever it then finds is not the endpoint's doing.
        outcome = Inconclusive(api.ended)
    requirement = api.contract.requirement(check.requirement)
    return replace(
        rule(outcome, requirement.level, api.contract),
        evidence=evidence_of(outcome, api.exchanges, requirement.subject),
    )


def _ends_the_run(raised: BaseException, task: asyncio.Task[Any] | None) -> bool:
    """Return whether an exception comes from outside the check, and so is not its finding."""
    match raised:
        case KeyboardInterrupt():
            return True
        case asyncio.CancelledError():
            return task is None or task.cancelling() > 0
        case GeneratorExit():
            # The coroutine is closed by another task than the one that ran it.
            return asyncio.current_task() is not task
    return False


def finding_of(
    check: Check, contract: Contract, ruling: Ruling, exchanges: Collection[Exchange]
) -> Finding:
    """Build a finding from a check, its ruling and its exchanges."""
    requirement = contract.requirement(check.requirement)
    evidence = ruling.evidence
    shown = evidence.exchanges if evidence else ()
    return Finding(
        id=check.id,
        title=check.title,
        requirement=requirement.id,
        level=requirement.level,
        subject=ruling.subject or check.subject or requirement.subject,
        tier=check.tier,
        verdict=ruling.verdict,
        message=ruling.message,
        expected=ruling.expected,
        seen=ruling.seen,
        effect=ruling.effect,
        exchanges=tuple(dict.fromkeys(exchange.id for exchange in (*exchanges, *shown))),
        title_zh=check.title_zh,
        sees_effect=check.sees_effect,
        roles=evidence.roles_in(exchanges) if evidence else {},
        needs_suite=ruling.needs_suite,
        needs_run=ruling.needs_run,
        place=ruling.place,
    )


def cut(finding: Finding) -> Finding:
    """Cut the long texts of a finding, which may quote a response."""
    return replace(
        finding,
        message=bounded(finding.message),
        expected=finding.expected and bounded(finding.expected),
        seen=finding.seen and bounded(finding.seen),
    )
