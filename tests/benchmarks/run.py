"""What a run takes in time and CPU, against an endpoint that responds after a fixed delay.

    python -m tests.benchmarks.run
    python -m tests.benchmarks.run --tier standard --delay 0.3 --executable ../other/conformance

For each tier and delay it starts an endpoint on this machine (delaying_endpoint.py) and
`conformance run` as a process of its own, eight requests at a time, and prints:

- ratio: the time from the first request to the last finding, over requests x delay / 8;
- whole: the same for the whole process, from its start to its last report;
- chain: the requests that must follow one another, whatever the concurrency: the length of a run
  with unlimited concurrency in units of the delay, counted in virtual time (virtual_time.py);
- CPU: milliseconds an exchange, user and system, imports and reports included.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from conformance.contract import load_contract
from conformance.model import Run, Tier
from conformance.record.ndjson import read_run
from tests.benchmarks.delaying_endpoint import KEY, MODEL, delaying_endpoint
from tests.benchmarks.start import environment_with_bytecode, timed
from tests.benchmarks.virtual_time import simulated_run

CONCURRENCY = 8
DELAYS = (0.3, 1.0)
KEY_VARIABLE = "DELAYING_ENDPOINT_KEY"


@dataclass(frozen=True)
class Measured:
    """One run: the record it left, its process' wall time and CPU seconds."""

    run: Run
    wall: float
    cpu: float

    @property
    def requests(self) -> int:
        """Exchanges with the endpoint."""
        return len(self.run.exchanges)

    def ratio(self, seconds: float, delay: float) -> float:
        """How many times the least possible time ``seconds`` are."""
        return seconds / (self.requests * delay / CONCURRENCY)


def main() -> None:
    """Measure each tier with each delay, and print a line for each."""
    options = _options()
    with tempfile.TemporaryDirectory() as cache:
        environment = {**environment_with_bytecode(Path(cache)), KEY_VARIABLE: KEY}
        for tier in options.tier or list(Tier):
            measure(options, tier, 0, environment)  # compiles what is imported
        _measure_all(options, environment)


def _measure_all(options: argparse.Namespace, environment: Mapping[str, str]) -> None:
    print("tier      delay  requests  ratio  whole  chain  CPU ms/exchange", flush=True)  # noqa: T201
    for tier in options.tier or list(Tier):
        chain = simulated_run(load_contract(options.contract), tier, concurrency=None).seconds
        for delay in options.delay or DELAYS:
            best = min(
                (measure(options, tier, delay, environment) for _ in range(options.rounds)),
                key=lambda measured: measured.cpu,
            )
            elapsed = best.run.footer.elapsed if best.run.footer else float("nan")
            print(  # noqa: T201
                f"{tier.value:8} {delay:5.1f}s {best.requests:9}"
                f" {best.ratio(elapsed, delay):6.2f} {best.ratio(best.wall, delay):6.2f}"
                f" {chain:6.0f} {1000 * best.cpu / best.requests:10.1f}",
                flush=True,
            )


def measure(
    options: argparse.Namespace, tier: Tier, delay: float, environment: Mapping[str, str]
) -> Measured:
    """Run ``conformance run`` once against a separate endpoint."""
    contract = load_contract(options.contract)
    with delaying_endpoint(contract, delay) as url, tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        arguments = ["run", "--base-url", url, "--model", MODEL, "--api-key-env", KEY_VARIABLE]
        arguments += ["--contract", options.contract, "--tier", tier.value, "--reference", "none"]
        command = [*options.executable, *arguments, "--out", str(out)]
        wall, cpu = timed(command, environment)
        return Measured(read_run(out / "run.ndjson"), wall, cpu)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tier", type=Tier, action="append", help="default: all three")
    parser.add_argument("--delay", type=float, action="append", help="seconds; default: 0.3 and 1")
    parser.add_argument("--contract", default="openai")
    parser.add_argument("--rounds", type=int, default=1, help="the least CPU time counts")
    parser.add_argument(
        "--executable",
        nargs="+",
        default=[str(Path(sys.executable).with_name("conformance"))],
        help="the command to measure, of another checkout for instance",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
