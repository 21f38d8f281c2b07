"""Whether an endpoint answers: the preflight of a run, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.api import Transport
from conformance.contract import Contract
from conformance.engine import runner
from conformance.engine.discovery import all_checks
from conformance.engine.selection import Options
from conformance.message import Message
from conformance.model import Exchange, Limits, Target, Tier
from conformance.record.events import ExchangeMade, RunFinished

PASSIVE = "envelope.object-everywhere"
"""A check that sends nothing and that every contract has: a run needs one."""

MAX_REQUESTS = 4
"""The minimal request, its other forms, and the list of models."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What became of the minimal request.

    Attributes:
        reason: why the endpoint cannot be tested; None if it can.
        exchange: the first exchange; None if nothing was sent.
    """

    reason: Message | None
    exchange: Exchange | None


async def reach(target: Target, contract: Contract, transport: Transport | None = None) -> Reached:
    """Send the minimal request, and up to three more if it is rejected.

    Args:
        target: the endpoint.
        contract: the contract that a run would use.
        transport: sends the requests instead of the network.
    """
    reason, first = None, None
    options = Options(tier=Tier.SMOKE, limits=Limits(requests=MAX_REQUESTS))
    checks = [check for check in all_checks() if check.id == PASSIVE]
    async for event in runner.run(target, contract, options, transport=transport, checks=checks):
        match event:
            case ExchangeMade(exchange):
                first = first or exchange
            case RunFinished(footer):
                reason = footer.because
    return Reached(reason, first)
