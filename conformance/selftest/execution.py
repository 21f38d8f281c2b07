"""Make one trial of a selftest, over the network, and keep of it what the matrix is made of."""

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
from conformance.selftest.catalogue import Fault
from conformance.selftest.outcome import Outcome, Remark
from conformance.selftest.trials import Trial
from conformance.targets.bundled import BundledServer

COUNTING = "every-third"
"""The modifier that counts the requests of a run."""

GENERATED = frozenset(check.id for check in all_checks() if check.stage is Stage.GENERATED)

MAX_SENTENCE_CHARS = 400
"""Characters of a sentence that are kept: there are a hundred thousand of them."""


async def outcome_of(trial: Trial, server: BundledServer) -> Outcome:
    """Run the suite against what a showcase server shows.

    Unless the whole run is wanted, the checks of the broken requirements are asked first: each asks
    the same in a run of all, so what they find needs no such run. What they do not find may still
    be met by one, whose last checks look at every answer; but where a fault hides that this tier
    need not find, that would be most of a selftest's time. Such a run goes through the tiers, the
    cheapest first, since a deeper one asks all that a cheaper one asks, and each ends with the
    first finding. A fault that counts the requests it meets shows elsewhere in a deeper run, and
    is looked for in that one alone.
    """
    fault = trial.shown
    if not isinstance(fault, Fault) or trial.complete:
        return await _run(trial, server, "whole")
    if trial.stage is not Stage.GENERATED:
        alone = await _run(trial, server, "alone", trial.broken, until_found=True)
        if alone.found or (trial.modifier is not None and not alone.due):
            return replace(alone, cost=None)
    for tier in Tier:
        cheaper = tier is not trial.tier
        if not trial.tier.holds(tier) or (cheaper and trial.modifier == COUNTING):
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
    remarks: list[Remark] = []
    footer: Footer | None = None
    options = Options(trial.tier, select=select, seed=trial.seed, stage=trial.stage)
    started = time.monotonic()

    async with aclosing(run(target, contract, options)) as events:
        async for event in events:
            match event:
                case ExchangeMade():
                    exchanges[event.exchange.id] = event.exchange
                case FindingMade():
                    remarks.append(_remark(event.finding, exchanges))
                    if until_found and Outcome(trial, (remarks[-1],), None, 0.0).found:
                        break
                case RunFinished():
                    footer = event.footer
    return Outcome(
        trial,
        tuple(sorted(remarks, key=lambda remark: remark.check)),
        footer.cost if footer else None,
        round(time.monotonic() - started, 3),
        footer.because if footer else None,
    )


def failed(trial: Trial, error: Exception) -> Outcome:
    """Tell of a run that broke inside the suite."""
    reason = f"internal error of the suite: {type(error).__name__}: {error}"
    return Outcome(trial, (), Cost(), 0.0, reason[:MAX_SENTENCE_CHARS])


def _base_url(server: BundledServer, trial: Trial, what: str) -> str:
    """Each run meets a server that has answered nobody before."""
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
