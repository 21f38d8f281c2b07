"""Which check finds which fault of the reference server, computed with the fake endpoint.

Nothing of it is written down a second time: a fault names the requirements that it breaks, a check
the one that it judges, and where they meet the check has to find the fault.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from conformance.api import features_of
from conformance.checks import Check
from conformance.contract import load_contract
from conformance.engine.discovery import all_checks
from conformance.engine.selection import reason_to_skip
from conformance.model import Exchange, Finding, Level, Request, Stage, Verdict
from conformance.protocol.trace import Trace
from conformance.transport.retry import TRIES
from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.registry import Fault, Shows, Variant, all_faults
from reference_server.behaviour.triggers import Trigger
from tests.checks.combinations import ONLY_HERE, SETTINGS_MEET
from tests.checks.traffic import answers_of, look
from tests.fake_server import FakeServer, findings_of

CHECKS = {check.id: check for check in all_checks()}

ENDING = "terse-model"
"""A model that ends its answers by itself, which the fake endpoint's model hardly does."""

TWO_AT_ONCE = ("batch@second-choice", "stream@batch")
"""Where the checks look that draw their requests, and no trigger alone does."""

HANDLERS = frozenset({Trigger.STREAM, Trigger.NON_STREAMING})
"""Triggers that no fault minds, whether a run has the money to find it there or not."""

TRANSIENT = frozenset({502, 503, 504})
"""Statuses that no check asks for, so that a retry hides nothing that it judges."""

TELLING = frozenset({Verdict.FAIL, Verdict.WARN})


@dataclass(frozen=True)
class Shown:
    """What a server shows, by its name, and the fault that it is."""

    spec: str
    fault: Fault

    def is_found_by(self, check: Check) -> bool:
        """Whether a check finds it, read as a selftest reads a verdict."""
        refused = self.fault.shows is Shows.REFUSED
        telling = TELLING | {Verdict.REFUSED} if refused else TELLING
        return _verdict(self.spec, check.id, self.fault.contract) in telling


def checks_of(fault: Fault) -> list[Check]:
    """The checks that judge a requirement which a fault breaks, the cheapest kind first."""
    judging = [check for check in CHECKS.values() if check.requirement in fault.breaks]
    return sorted(judging, key=lambda check: (not check.asks, check.stage is Stage.GENERATED))


def finder_of(fault: Fault, trigger: Trigger | None = None) -> str | None:
    """The check that finds a fault, if one does."""
    name = fault.name if trigger is None else f"{fault.name}@{trigger}"
    specs = [Shown(name + model, fault) for model in ("", f"+{ENDING}")]
    pairs = ((shown, check) for check in checks_of(fault) for shown in specs)
    return next((check.id for shown, check in pairs if shown.is_found_by(check)), None)


def shown_to(check: Check) -> Iterator[Shown]:
    """What breaks the requirement of a check, the plainest first."""
    broken = [fault for fault in all_faults().values() if check.requirement in fault.breaks]
    yield from (Shown(fault.name, fault) for fault in broken)
    for trigger in Trigger:
        for fault in broken:
            if trigger in fault.triggers | HANDLERS:
                yield Shown(f"{fault.name}@{trigger}", fault)
    for where in ("", f"@{Trigger.STREAM}"):
        yield from (Shown(f"{fault.name}{where}+{ENDING}", fault) for fault in broken)
    if check.stage is Stage.GENERATED:
        for where in TWO_AT_ONCE:
            yield from (
                Shown(f"{fault.name}@{where}", fault)
                for fault in broken
                if fault.triggers.issuperset(map(Trigger, where.split("@")))
            )


def fault_for(check: Check) -> str | None:
    """What shows a check that its requirement is broken; None if nothing does."""
    if check.id in ONLY_HERE:
        found = findings(ONLY_HERE[check.id](), [check])[check.id]
        return "only here" if found.verdict in TELLING else None
    if check.id in SETTINGS_MEET:
        found = findings(SETTINGS_MEET[check.id], [check])[check.id]
        return found.verdict if found.verdict in TELLING | {Verdict.REFUSED} else None
    return next((shown.spec for shown in shown_to(check) if shown.is_found_by(check)), None)


def findings_at(server: FakeServer, checks: Iterable[Check]) -> dict[str, Finding]:
    """Judge one server by some checks, which share its answers as in a run."""
    chosen = list(checks)
    return asyncio.run(findings_of(server, chosen)) | asyncio.run(_looked_at(server, chosen))


async def _looked_at(server: FakeServer, checks: Iterable[Check]) -> dict[str, Finding]:
    looking = tuple(check for check in checks if not check.asks)
    run = Trace(await answers_of(server, server.contract)) if looking else Trace()
    return await look(server, run, looking, server.contract)


class PatientServer(FakeServer):
    """A fake server behind a client that retries, as a run's client does after a 502."""

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        exchange = await super().send(request, fresh=fresh)
        attempts = exchange.attempts
        while exchange.status in TRANSIENT and len(attempts) < TRIES:
            exchange = await super().send(request, fresh=fresh)
            attempts = (*attempts, *exchange.attempts)
        self.exchanges[exchange.id] = replace(exchange, attempts=attempts)
        return self.exchanges[exchange.id]


def complaints(variant: Variant, checks: Iterable[Check]) -> dict[str, str]:
    """What checks say of a correct server that none should, read as a selftest reads it."""
    server = PatientServer(variant.name, variant.contract)
    found = findings_at(server, checks)
    wrong = (finding for finding in found.values() if _is_wrong(finding, variant, server))
    return {finding.id: f"{finding.verdict}: {finding.message}" for finding in wrong}


def _is_wrong(finding: Finding, variant: Variant, server: FakeServer) -> bool:
    match finding.verdict:
        case Verdict.WARN:
            return finding.level is not Level.MAY
        case Verdict.REFUSED:
            exchanges = (server.exchanges[number] for number in finding.exchanges)
            rejected = (features_of(e.request.body) for e in exchanges if (e.status or 0) >= 400)
            return not frozenset().union(*rejected) & set(variant.refuses)
        case Verdict.INCONCLUSIVE:
            return not variant.may_be_inconclusive
    return finding.verdict in {Verdict.FAIL, Verdict.ERROR}


def findings(
    shown: str | Behaviour, checks: Iterable[Check], contract: str = "openai"
) -> dict[str, Finding]:
    """Judge a server by some checks, each as if it were the only one."""
    held_to = load_contract(contract)
    chosen = [check for check in checks if reason_to_skip(check, held_to) is None]
    found: dict[str, Finding] = {}
    for check in chosen:
        if check.asks:
            found |= asyncio.run(findings_of(FakeServer(shown, contract), [check]))
    looking = tuple(check for check in chosen if not check.asks)
    if looking:
        server, run = _traffic(shown, contract)
        found |= asyncio.run(look(server, run, looking, contract))
    return found


@cache
def _verdict(spec: str, check_id: str, contract: str) -> Verdict | None:
    """What one check says of a server; None where the contract leaves it nothing to judge."""
    finding = findings(spec, [CHECKS[check_id]], contract).get(check_id)
    return finding and finding.verdict


@lru_cache(maxsize=256)
def _traffic(shown: str | Behaviour, contract: str) -> tuple[FakeServer, Trace]:
    """A server, and what it answered to requests of all kinds."""
    server = FakeServer(shown, contract)
    return server, Trace(asyncio.run(answers_of(server, contract)))
