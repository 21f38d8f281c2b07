"""The priority of queued requests; pure.

A run has more checks in progress than requests in flight. Requests of earlier checks are sent
first; otherwise a check that sends several requests one after the other would wait for all other
checks before each of them.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Priority:
    """The priority of a request; the lowest rank is sent first.

    All callers that wait for the same request share it, and the lowest rank among them counts.
    """

    rank: int = 0


current_priority: ContextVar[Priority | None] = ContextVar("current_priority", default=None)
"""The priority of the request that the current task sends; None is the highest."""
