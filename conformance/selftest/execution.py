"""Execute one trial of a self-test against the bundled server."""

from __future__ import annotations

import time
from contextlib import aclosing
from dataclasses import replace
from urllib.parse import urlsplit

from conformance.api import features_of
from conformance.contract import load_contract
from conformance.engine.discovery import all_checks
from conformance.engine.runner import run
from conformance.engine.selection import Options
from conformance.model import Cost, Exchange, Finding, Footer, Stage, Target, Tier, Verdict
from conformance.record.events import ExchangeMade, FindingMade, RunFinished
from conformance.record.explained import as_concluded
from conformance.selftest.catalogue import Fault
from conformance.selftest.outcome import Outcome, Remark
from conformance.selftest.trials import Trial
from conformance.targets.bundled import BundledServer

COUNTING = "every-third"
"""The trigger that depends on the number of requests so far."""

GENERATED = frozenset(check.id for check in all_checks() if check.stage is Stage.GENERATED)

DRAWN = tuple(
    check.id
    for check in all_checks()
    if check.stage is Stage.GENERATED and check.tier is not Tier.DEEP
)
"""The generated checks of the cheaper tiers."""

MAX_SENTENCE_CHARS = 400
"""Maximum characters of a message; a self-test keeps a hundred thousand messages."""


async def outcome_of(trial: Trial, server: BundledServer) -> Outcome:
    """Run the suite against one behaviour of a showcase server.

    Unless the trial requires a complete run, the checks of the broken requirements run first. They
    send the same requests as in a complete run, so if they detect the fault, no complete run is
    needed. Otherwise passive checks of a complete run may still detect it. If the fault is not due
    at this tier, only the generated checks of the cheaper tiers run with them, because complete
    runs would take most of a self-test's time.

    The complete run starts with the cheapest tier, whose requests all deeper tiers send as well,
    and stops at the first detection. With the trigger :data:`COUNTING` a fault strikes different
    requests at each tier, so only the trial's own tier is run.
    """
    fault = trial.shown
    if not isinstance(fault, Fault) or trial.complete:
        return await _run(trial, server, "whole")
    if trial.stage is not Stage.GENERATED:
        alone = await _run(trial, server, "alone", trial.broken, until_found=True)
        if alone.found:
            return replace(alone, cost=None)
        if trial.trigger is not None and not alone.due:
            select = (*trial.broken, *DRAWN)
            drawn = await _run(trial, server, "drawn", select, until_found=True)
            return replace(drawn, cost=None)
    for tier in Tier:
        cheaper = tier is not trial.tier
        if not trial.tier.holds(tier) or (cheaper and trial.trigger == COUNTING):
            continue
        whole = await _run(replace(trial, tier=tier), server, "whole", until_found=True)
        if whole.found:
            return replace(whole, trial=trial, cost=None)
    return whole


async def _run(
    trial: Trial,
    server: BundledServer,
    what: str,
    select: tuple[str, ...] = (),
    *,
    until_found: bool = False,
) -> Outcome:
    target = Target(_base_url(server, trial, what), server.model, trial.contract, server.api_key)
    contract = load_contract(trial.contract)
    exchanges: dict[str, Exchange] = {}
    findings: list[Finding] = []
    footer: Footer | None = None
    options = Options(trial.tier, select=select, seed=trial.seed, stage=trial.stage)
    started = time.monotonic()

    async with aclosing(run(target, contract, options)) as events:
        async for event in events:
            match event:
                case ExchangeMade():
                    exchanges[event.exchange.id] = event.exchange
                case FindingMade():
                    findings.append(event.finding)
                    remark = _remark(event.finding, exchanges)
                    if until_found and Outcome(trial, (remark,), None, 0.0).found:
                        break
                case RunFinished():
                    footer = event.footer
    concluded = sorted(as_concluded(findings, footer), key=lambda finding: finding.id)
    return Outcome(
        trial,
        tuple(_remark(finding, exchanges) for finding in concluded),
        footer.cost if footer else None,
        round(time.monotonic() - started, 3),
        footer.because if footer else None,
    )


def failed(trial: Trial, error: Exception) -> Outcome:
    """Return the outcome of a run that ended with an internal error of the suite."""
    reason = f"internal error of the suite: {type(error).__name__}: {error}"
    return Outcome(trial, (), Cost(), 0.0, reason[:MAX_SENTENCE_CHARS])


def _base_url(server: BundledServer, trial: Trial, what: str) -> str:
    """Return a base URL under which the server has a fresh state for this run."""
    parts = urlsplit(server.base_url)
    return f"{parts.scheme}://{parts.netloc}/{trial.path}-{what}/v1"


def _remark(finding: Finding, exchanges: dict[str, Exchange]) -> Remark:
    rejected: frozenset[str] = frozenset()
    if finding.verdict is Verdict.REFUSED:
        responses = (exchanges[key] for key in finding.exchanges)
        rejected = frozenset().union(
            *(features_of(a.request.body) for a in responses if a.status and a.status >= 400)
        )
    return Remark(
        finding.id,
        finding.requirement,
        finding.level,
        finding.verdict,
        finding.message[:MAX_SENTENCE_CHARS],
        rejected,
        finding.id in GENERATED,
    )
