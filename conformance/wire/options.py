"""How fast and how patiently an endpoint is asked: pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """How requests are sent, whatever they are for.

    Attributes:
        concurrency: requests in flight at a time.
        rate: requests a second at most; None is no limit.
        timeout: seconds that one attempt at a request may take.
    """

    concurrency: int = 8
    rate: float | None = None
    timeout: float = 60.0
