"""Make one run of a selftest, over the network, and keep of it what the matrix is made of."""

from __future__ import annotations

import time
from contextlib import aclosing
from urllib.parse import urlsplit

from conformance.api import features_of
from conformance.bundled import BundledServer
from conformance.contract import load_contract
from conformance.events import ExchangeMade, FindingMade, RunFinished
from conformance.model import Cost, Exchange, Finding, Footer, Target, Verdict
from conformance.runner import run
from conformance.selection import Options
from conformance.selftest.catalogue import Fault
from conformance.selftest.outcome import Outcome, Remark, tells
from conformance.selftest.trials import Trial

LONGEST = 400
"""Characters of a sentence that are kept: there are a hundred thousand of them."""


async def outcome_of(trial: Trial, server: BundledServer) -> Outcome:
    """Run the suite against what a showcase server shows."""
    target = Target(_base_url(server, trial), server.model, trial.contract, server.api_key)
    contract = load_contract(trial.contract)
    exchanges: dict[str, Exchange] = {}
    findings: list[Finding] = []
    footer: Footer | None = None
    options = Options(trial.tier, seed=trial.seed)
    started = time.monotonic()
    async with aclosing(run(target, contract, options)) as events:
        async for event in events:
            match event:
                case ExchangeMade():
                    exchanges[event.exchange.id] = event.exchange
                case FindingMade():
                    findings.append(event.finding)
                    if not trial.complete and _finds(trial, event.finding):
                        break
                case RunFinished():
                    footer = event.footer
    remarks = (_remark(finding, exchanges) for finding in findings)
    return Outcome(
        trial,
        tuple(sorted(remarks, key=lambda remark: remark.check)),
        footer.cost if footer else None,
        round(time.monotonic() - started, 3),
        footer.because if footer else None,
    )


def _finds(trial: Trial, finding: Finding) -> bool:
    fault = trial.shown
    named = isinstance(fault, Fault) and finding.requirement in fault.requirements
    return named and tells(trial, finding.verdict)


def failed(trial: Trial, error: Exception) -> Outcome:
    """Tell of a run that broke inside the suite."""
    because = f"the suite itself failed: {type(error).__name__}: {error}"
    return Outcome(trial, (), Cost(), 0.0, because[:LONGEST])


def _base_url(server: BundledServer, trial: Trial) -> str:
    parts = urlsplit(server.base_url)
    return f"{parts.scheme}://{parts.netloc}/{trial.path}/v1"


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
