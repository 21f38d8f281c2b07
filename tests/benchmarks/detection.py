"""Compare how many faults several tools find on the same servers, and at which cost.

    python -m tests.benchmarks.detection                     # a sample of thirty faults
    python -m tests.benchmarks.detection --fault 'stop-*'
    python -m tests.benchmarks.detection --all --json found.json

Five contestants meet each fault, which shows in every answer that it concerns: `schemathesis run`
with OpenAI's published description (official.yaml), `schemathesis run` with ours, and the suite
with its generated checks alone, at the standard tier and at the deep one. Requests and tokens are
those of the server's own log. What `schemathesis run` reports of the correct server as well finds
no fault; neither does a directed check that judges something else than what is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

from conformance.contract import spec_directory
from conformance.model import Stage, Tier
from conformance.selftest.catalogue import Fault, read_catalogue
from conformance.selftest.execution import outcome_of
from conformance.selftest.trials import NOTHING, Trial
from conformance.targets.bundled import MODEL, BundledServer, list_bundled
from tests.servers import RunningServer, running_server

SAMPLE = 30
SEED = 6
EXAMPLES = 20
"""Bodies that `schemathesis run` draws at random, beside those it derives from limits and types."""

LIMIT = 120.0
"""Seconds that one run of `schemathesis run` may take."""

OFFICIAL = Path(__file__).with_name("official.yaml")
SETTINGS = spec_directory() / "schemathesis.toml"


@dataclass(frozen=True)
class Met:
    """What came of one contestant's meeting one fault; ``tokens`` are those generated."""

    contestant: str
    fault: str
    found: bool
    requests: int
    tokens: int
    seconds: float


Meet = Callable[[Fault], bool]
"""Tests one contestant against a fault and returns whether it was found."""


def main() -> None:
    options = _options()
    faults = list(_faults(options))
    _say(f"{len(faults)} faults, seed {SEED}")
    met: list[Met] = []
    # An interruption still prints the results so far.
    with suppress(KeyboardInterrupt), running_server("--showcase") as server:
        contestants = _contestants(server)
        for fault in faults:
            for name, meet in contestants.items():
                met.append(_measured(name, fault, meet, server))
                _say(in_a_line(met[-1]))
    _say(table(met))
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in met], indent=1), "utf-8")


def _contestants(server: RunningServer) -> Mapping[str, Meet]:
    with tempfile.TemporaryDirectory() as folder:
        usual = {
            spec: schemathesis(server, spec, NOTHING, Path(folder))
            for spec in (OFFICIAL, spec_directory() / "openapi.yaml")
        }
    official, ours = (partial(_library_finds, server, *each) for each in usual.items())
    return {
        "`schemathesis run`, published description": official,
        "`schemathesis run`, our description": ours,
        "the suite, generated checks alone": partial(
            _suite_finds, server, Tier.DEEP, Stage.GENERATED
        ),
        "the suite, standard tier": partial(_suite_finds, server, Tier.STANDARD, None),
        "the suite, deep tier": partial(_suite_finds, server, Tier.DEEP, None),
    }


def _measured(name: str, fault: Fault, meet: Meet, server: RunningServer) -> Met:
    server.log.clear()
    started = time.perf_counter()
    found = meet(fault)
    seconds = time.perf_counter() - started
    lines = [line for line in map(json.loads, list(server.log)) if "method" in line]
    tokens = sum(int(line.get("completion_tokens") or 0) for line in lines)
    return Met(name, fault.name, found, len(lines), tokens, seconds)


# ── the library's own command ────────────────────────────────────────────────────────────────────


def _library_finds(server: RunningServer, spec: Path, usual: frozenset[str], fault: Fault) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        return bool(schemathesis(server, spec, fault.name, Path(folder)) - usual)


def schemathesis(server: RunningServer, spec: Path, behaviour: str, folder: Path) -> frozenset[str]:
    """Run the command against a behaviour, and return what it reports, one line for each kind."""
    origin = server.base_url.removesuffix("/v1")
    report = folder / "report.ndjson"
    request = [
        *("--config-file", SETTINGS, "run", spec),
        *("--url", f"{origin}/reference/{behaviour}/{spec.stem}/v1"),
        *("--header", f"Authorization: Bearer {server.key}"),
        *("--max-examples", str(EXAMPLES), "--seed", str(SEED)),
        *("--report", "ndjson", "--report-ndjson-path", report),
        *("--continue-on-failure", "--no-shrink", "--no-color"),
    ]
    # Generations without a limit take their time; what was reported by then counts.
    with suppress(subprocess.TimeoutExpired):
        subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", *map(str, request)],
            cwd=folder,
            env={**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(folder)},
            stdout=subprocess.DEVNULL,
            timeout=LIMIT,
            check=False,
        )
    *whole, last = report.read_text("utf-8").split("\n") if report.exists() else [""]
    with suppress(ValueError):  # a run that was ended may have left half a line
        json.loads(last)
        whole.append(last)
    return frozenset(kind for event in map(json.loads, whole) for kind in kinds(event))


def kinds(result: Any) -> Iterator[str]:
    """Name each failure in a report's event: its title, and its first line without the values."""
    if isinstance(result, dict):
        if {"code", "title", "message"} <= result.keys():
            first = str(result["message"]).strip().partition("\n")[0]
            yield f"{result['code']} {result['title']}: {_without_values(first)}"
        for part in result.values():
            yield from kinds(part)
    if isinstance(result, list):
        for part in result:
            yield from kinds(part)


def _without_values(line: str) -> str:
    """Leave out of a complaint what differs from one answer to the next: data, not names."""
    return re.sub(r"\{.*\}?|\[.*\]?|\d+(\.\d+)?", "…", line)[:120]


# ── the suite ────────────────────────────────────────────────────────────────────────────────────


def _suite_finds(server: RunningServer, tier: Tier, stage: Stage | None, fault: Fault) -> bool:
    process = server.process
    bundled = BundledServer(
        server.base_url, MODEL, server.key, process.pid, lambda: process.poll() is None
    )
    trial = Trial(fault, tier, fault.contract, fault.dialect, stage=stage)
    return asyncio.run(outcome_of(trial, bundled)).found


# ── what is printed ──────────────────────────────────────────────────────────────────────────────


def in_a_line(met: Met) -> str:
    """Write what came of one meeting, while others are still to come."""
    found = "found" if met.found else "not found"
    price = f"{met.requests} requests, {met.tokens} tokens, {met.seconds:.0f} s"
    return f"{met.fault}: {met.contestant}: {found}; {price}"


def table(met: Sequence[Met]) -> str:
    """Write a line for each contestant: how much it found, and what one fault took on average."""
    lines = [
        "| | found | requests | tokens generated | seconds |",
        "|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(one.contestant for one in met):
        own = [one for one in met if one.contestant == name]
        found = sum(one.found for one in own)
        requests, tokens, seconds = (
            sum(values) / len(own)
            for values in zip(*((o.requests, o.tokens, o.seconds) for o in own), strict=True)
        )
        lines.append(
            f"| {name} | {found} of {len(own)} ({found / len(own):.0%}) "
            f"| {requests:,.0f} | {tokens:,.0f} | {seconds:.1f} |"
        )
    return "\n".join(lines)


def _faults(options: argparse.Namespace) -> Iterator[Fault]:
    """Choose faults of the live API's contract: some of each area in turn, the same every time."""
    listed = read_catalogue(list_bundled("faults"), list_bundled("variants")).faults
    known = [fault for fault in listed if fault.dialect == "reference"]
    globs = options.fault or ["*"]
    chosen = [fault for fault in known if any(fnmatchcase(fault.name, glob) for glob in globs)]
    if options.all or options.fault:
        yield from chosen
        return
    rng = random.Random(SEED)
    areas: dict[str, list[Fault]] = {}
    for fault in chosen:
        areas.setdefault(fault.area, []).append(fault)
    left = [rng.sample(faults, len(faults)) for faults in areas.values()]
    rng.shuffle(left)
    in_turn = (
        faults[place] for place in range(len(chosen)) for faults in left if place < len(faults)
    )
    yield from (fault for _, fault in zip(range(options.sample), in_turn, strict=False))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=SAMPLE, help="how many faults")
    parser.add_argument("--fault", action="append", help="only faults of these names; globs")
    parser.add_argument("--all", action="store_true", help="every fault there is")
    parser.add_argument("--json", type=Path, help="keep every meeting in this file")
    return parser.parse_args()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
