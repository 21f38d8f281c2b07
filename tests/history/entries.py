"""Rows of an index, made without records."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from conformance.history import Entry

FIRST = datetime.fromisoformat("2026-01-01T04:17:00+00:00")
CONCLUSIONS = {0: "conforming", 1: "not conforming", 3: "could not judge"}


def an_entry(
    day: int = 0,
    findings: dict[str, str] | None = None,
    passed: tuple[str, ...] = ("stop.string", "n.count"),
    **changes: Any,
) -> Entry:
    """Make the run of a day; checks without a finding passed, unless they were left out."""
    found = findings or {}
    started = FIRST + timedelta(days=day)
    verdicts = set(found.values())
    code = 1 if "fail" in verdicts else 3 if "inconclusive" in verdicts else 0
    known: dict[str, Any] = {
        "target": "zero",
        "region": None,
        "tier": "smoke",
        "contract": "0" * 64,
        "suite": "0.1.0",
        "label": started.date().isoformat(),
        "started_at": started.isoformat(),
        "finished_at": (started + timedelta(minutes=1)).isoformat(),
        "base_url": "http://127.0.0.1:8000/v1",
        "model": "tiny",
        "contract_name": "openai",
        "conclusion": CONCLUSIONS[code],
        "exit_code": code,
        "requests": 24,
        "tokens": 900,
        "elapsed": 60.0,
        "counts": {},
        "findings": found,
        "promises": None,
        "passed": frozenset(passed) - frozenset(found),
    }
    known |= changes
    known.setdefault("path", f"runs/{known['target']}/{known['label']}-{known['tier']}.ndjson.gz")
    return Entry(**known)
