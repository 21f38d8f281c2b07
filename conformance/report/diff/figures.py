"""Cost and latency of two runs; pure.

Latencies cover only requests that both runs sent; otherwise a run with longer responses would look
like a slower endpoint.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from conformance.model import Cost, Exchange, Money, Run, money_of


@dataclass(frozen=True, slots=True)
class Median:
    """The median of some durations in seconds, and their number."""

    seconds: float
    count: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Cost of one run, and latencies of the requests that both runs sent.

    ``cost`` and ``elapsed`` (seconds) are None for an incomplete run; a median is None if there is
    nothing to measure. ``money`` is None if a run states no prices.
    """

    cost: Cost | None
    money: Money | None
    elapsed: float | None
    plain: Median | None
    first_chunk: Median | None


def figures_of(old: Run, new: Run) -> tuple[Figures, Figures]:
    """Compute the figures of both runs."""
    requested_then, requested_now = (_served(run.exchanges) for run in (old, new))
    shared = requested_then.keys() & requested_now.keys()
    return (
        _figures(old, [x for key in sorted(shared) for x in requested_then[key]]),
        _figures(new, [x for key in sorted(shared) for x in requested_now[key]]),
    )


def _figures(run: Run, shared: Sequence[Exchange]) -> Figures:
    streamed = [exchange for exchange in shared if _is_stream(exchange)]
    plain = [exchange.elapsed for exchange in shared if not _is_stream(exchange)]
    firsts = [exchange.arrivals[0].at for exchange in streamed if exchange.arrivals]
    footer, prices = run.footer, run.header.prices
    return Figures(
        cost=footer.cost if footer else None,
        money=money_of(footer.cost, prices) if footer and prices else None,
        elapsed=footer.elapsed if footer else None,
        plain=_median(plain),
        first_chunk=_median(firsts),
    )


def _median(seconds: Sequence[float]) -> Median | None:
    return Median(median(seconds), len(seconds)) if seconds else None


def _served(exchanges: Iterable[Exchange]) -> dict[str, list[Exchange]]:
    """Group complete responses by request, ignoring the model name."""
    found: dict[str, list[Exchange]] = {}
    for exchange in exchanges:
        key = _requested(exchange)
        if key is not None and exchange.status == 200 and exchange.fault is None:
            found.setdefault(key, []).append(exchange)
    return found


def _requested(exchange: Exchange) -> str | None:
    """Return a key for a completion request, or None for other requests."""
    try:
        body = json.loads(exchange.request.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict) or "prompt" not in body:
        return None
    body.pop("model", None)
    return json.dumps(body, sort_keys=True)


def _is_stream(exchange: Exchange) -> bool:
    kind = exchange.header("content-type") or ""
    return kind.partition(";")[0].strip().lower() == "text/event-stream"
