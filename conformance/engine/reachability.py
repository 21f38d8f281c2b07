"""Whether an endpoint answers, and what it says of itself: the preflight of a run, and no more."""

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

PASSIVE = "envelope.strict-json-everywhere"
"""A check that sends nothing and that every contract has: a run needs one."""

REJECTED = "errors.bad-type-is-400"
"""A check that sends one wrong request, whose answer has the shape of the endpoint's errors."""

MAX_REQUESTS = 6
"""The minimal request, its other forms, the list of models, and a wrong request with a retry."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What became of the minimal request.

    Attributes:
        reason: why the endpoint cannot be tested; None if it can.
        exchanges: all exchanges in order, the minimal request first; none if nothing was sent.
    """

    reason: Message | None
    exchanges: tuple[Exchange, ...]

    @property
    def exchange(self) -> Exchange | None:
        """The first exchange."""
        return next(iter(self.exchanges), None)


async def reach(
    target: Target,
    contract: Contract,
    transport: Transport | None = None,
    *,
    with_error: bool = False,
) -> Reached:
    """Send the minimal request, up to two more if it is rejected, and ask for the models.

    Args:
        target: the endpoint.
        contract: the contract that a run would use.
        transport: sends the requests instead of the network.
        with_error: whether to send a wrong request as well, to see what an error looks like.
    """
    reason: Message | None = None
    made: list[Exchange] = []
    wanted = {PASSIVE, REJECTED} if with_error else {PASSIVE}
    options = Options(tier=Tier.SMOKE, limits=Limits(requests=MAX_REQUESTS))
    checks = [check for check in all_checks() if check.id in wanted]
    async for event in runner.run(target, contract, options, transport=transport, checks=checks):
        match event:
            case ExchangeMade(exchange):
                made.append(exchange)
            case RunFinished(footer):
                reason = footer.because
    return Reached(reason, tuple(made))
