"""Which of the requests that wait is sent first: pure.

A run has more checks in progress than requests in flight. The requests of the first
checks go first, whichever of their requests it is: a check that needs several responses, one after
the other, is then not overtaken by all the others between any two of them.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Priority:
    """How urgent a request is; the lowest rank is sent first.

    All that wait for the same request share it, and the most urgent of them sets the rank.
    """

    rank: int = 0


current_priority: ContextVar[Priority | None] = ContextVar("current_priority", default=None)
"""The priority of the request that the current task sends; None is the most urgent there is."""
