"""Make one trial of a selftest, over the network, and keep of it what the matrix is made of."""

from __future__ import annotations

import time
from contextlib import aclosing
from dataclasses import replace
from urllib.parse import urlsplit

from conformance.api import features_of
from conformance.bundled import BundledServer
from conformance.contract import load_contract
from conformance.events import ExchangeMade, FindingMade, RunFinished
from conformance.model import Cost, Exchange, Finding, Footer, Target, Verdict
from conformance.runner import run
from conformance.selection import Options
from conformance.selftest.catalogue import Fault
from conformance.selftest.outcome import Outcome, Remark
from conformance.selftest.trials import Trial

LONGEST = 400
"""Characters of a sentence that are kept: there are a hundred thousand of them."""


async def outcome_of(trial: Trial, server: BundledServer) -> Outcome:
    """Run the suite against what a showcase server shows.

    Unless the whole run is wanted, the checks of the broken requirements are asked first: each asks
    the same in a run of all, so what they find needs no such run. What they do not find may still
    be met by one, whose last checks look at every answer; but where a fault hides that this tier
    need not find, that would be most of a selftest's time.
    """
    fault = trial.shown
    if isinstance(fault, Fault) and not trial.complete:
        alone = await _run(trial, server, "alone", fault.requirements)
        if alone.found or (trial.modifier is not None and not alone.due):
            return replace(alone, cost=None)
    return await _run(trial, server, "whole")


async def _run(
    trial: Trial, server: BundledServer, what: str, select: tuple[str, ...] = ()
) -> Outcome:
    target = Target(_base_url(server, trial, what), server.model, trial.contract, server.api_key)
    contract = load_contract(trial.contract)
    exchanges: dict[str, Exchange] = {}
    findings: list[Finding] = []
    footer: Footer | None = None
    options = Options(trial.tier, select=select, seed=trial.seed)
    started = time.monotonic()
    async with aclosing(run(target, contract, options)) as events:
        async for event in events:
            match event:
                case ExchangeMade():
                    exchanges[event.exchange.id] = event.exchange
                case FindingMade():
                    findings.append(event.finding)
                case RunFinished():
                    footer = event.footer
    assert footer is not None  # noqa: S101 - a run that is not cut short ends with its footer
    remarks = (_remark(finding, exchanges) for finding in findings)
    return Outcome(
        trial,
        tuple(sorted(remarks, key=lambda remark: remark.check)),
        footer.cost,
        round(time.monotonic() - started, 3),
        footer.because,
    )


def failed(trial: Trial, error: Exception) -> Outcome:
    """Tell of a run that broke inside the suite."""
    because = f"the suite itself failed: {type(error).__name__}: {error}"
    return Outcome(trial, (), Cost(), 0.0, because[:LONGEST])


def _base_url(server: BundledServer, trial: Trial, what: str) -> str:
    """Each run meets a server that has answered nobody before."""
    parts = urlsplit(server.base_url)
    return f"{parts.scheme}://{parts.netloc}/{trial.path}-{what}/v1"


def _remark(finding: Finding, exchanges: dict[str, Exchange]) -> Remark:
    declined: frozenset[str] = frozenset()
    if finding.verdict is Verdict.REFUSED:
        answers = (exchanges[key] for key in finding.exchanges)
        declined = frozenset().union(
            *(features_of(a.request.body) for a in answers if a.status and a.status >= 400)
        )
    return Remark(
        finding.id,
        finding.requirement,
        finding.level,
        finding.verdict,
        finding.message[:LONGEST],
        declined,
    )
