"""Exchanges for charts: streams with given times, usage, scores and samples."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from conformance.model import Arrival, Comparison, Exchange, Run
from conformance.report.charts.traffic import Recorded, recorded
from tests.report.builders import a_run, an_exchange


def non_streaming(key: str = "x1", *, elapsed: float = 0.25, **values: Any) -> Exchange:
    """A non-streaming response; ``usage`` and ``choices`` are its members, others the request's."""
    answered = {name: values.pop(name) for name in ("usage", "choices") if name in values}
    request = {"model": "m", "prompt": "1, 2,", **values}
    body = {"choices": [{"text": " 3", "index": 0}], **answered}
    sent, came = json.dumps(request).encode(), json.dumps(body).encode()
    return an_exchange(key, request=sent, body=came, elapsed=elapsed)


def stream(
    key: str,
    times: Sequence[float],
    *,
    texts: Sequence[Any] | None = None,
    choices: Sequence[Any] | None = None,
    **request: Any,
) -> Exchange:
    """A stream with one chunk of text, or one choice, at each time; it ends with the last."""
    chunks = [" a"] * len(times) if texts is None else texts
    sent = choices or [{"index": 0, "text": text} for text in chunks]
    events = [f"data: {json.dumps({'choices': [choice]})}\n\n".encode() for choice in sent]
    arrivals = [Arrival(at, len(event)) for at, event in zip(times, events, strict=True)]
    done = b"data: [DONE]\n\n"
    return an_exchange(
        key,
        request={"model": "m", "prompt": "1, 2,", "stream": True, **request},
        body=b"".join(events) + done,
        arrivals=(*arrivals, Arrival(times[-1] if times else 0.0, len(done))),
        elapsed=times[-1] if times else 0.0,
        content_type="text/event-stream",
    )


def record_of(*exchanges: Exchange, findings: Iterable[Any] = ()) -> Recorded:
    """Read exchanges as a run's."""
    return recorded(a_run(*findings, exchanges=exchanges))


def compared(run: Run, exchange: str, response: Exchange) -> Run:
    """Add what the reference answered to one exchange."""
    return replace(run, comparisons=(*run.comparisons, Comparison(exchange, response)))
