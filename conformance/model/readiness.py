"""Whether a named client works with an endpoint: what each of its needs came to in a run.

It is no part of the verdict. An endpoint that rejects ``echo`` can conform, and still be of no use
to a client that scores prompts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from conformance.message import NOTHING, Message


class NeedState(StrEnum):
    """What a run shows of one need of a client."""

    MET = "met"
    UNMET = "unmet"
    NOT_TESTED = "not tested"


class Readiness(StrEnum):
    """What a run shows of a client: ready if all of its needs are met."""

    READY = "ready"
    NOT_READY = "not ready"
    NOT_TESTED = "not tested"


@dataclass(frozen=True, slots=True)
class NeedResult:
    """What a run shows of one need.

    Attributes:
        id: the need's id within its profile.
        says: the need in one sentence; ``says_zh`` is the same in Chinese.
        without: what the client does where the need is unmet.
        state: the result.
        why: what shows it unmet, or why it was not tested; empty if it is met.
        exchanges: ids of the exchanges that show it.
        findings: ids of the findings that show it.
    """

    id: str
    says: str
    says_zh: str
    without: str
    without_zh: str
    state: NeedState
    why: Message = NOTHING
    exchanges: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClientReadiness:
    """What a run shows of one client, by the profile that describes it.

    Attributes:
        profile: the profile's name.
        title: the client's own name.
        needs: what came of each need, in the profile's order.
    """

    profile: str
    title: str
    needs: tuple[NeedResult, ...]

    @property
    def readiness(self) -> Readiness:
        """The worst of the needs: one that is unmet is enough."""
        states = {need.state for need in self.needs}
        if NeedState.UNMET in states:
            return Readiness.NOT_READY
        return Readiness.READY if states == {NeedState.MET} else Readiness.NOT_TESTED

    def in_state(self, state: NeedState) -> tuple[NeedResult, ...]:
        """Return the needs with one result."""
        return tuple(need for need in self.needs if need.state is state)
