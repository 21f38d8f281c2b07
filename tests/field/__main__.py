"""Repeat the runs of the record: ``python -m tests.field SERVER [...]``.

Makes the server's environment under .cache, starts it on the loopback, asks what the record says
was asked, runs the suite under each recorded contract, and tells what is new and what has vanished.
Exits with 1 if anything has.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.field.record import Record, compare, read_record, reported_failures
from tests.field.reproduction import unlike
from tests.field.servers import SERVERS, Endpoint

ROOT = Path(__file__).parents[2]
KEY_VARIABLE = "FIELD_KEY"
ANSWER_SECONDS = "300"
"""Some of these servers do one thing after the other, on whatever processor there is."""


def main() -> None:
    """Repeat the runs of the servers that are named, or of all."""
    parser = argparse.ArgumentParser(prog="python -m tests.field", description="Repeat field runs.")
    parser.add_argument("servers", nargs="*", metavar="SERVER", help=", ".join(SERVERS))
    parser.add_argument("--out", type=Path, default=ROOT / ".cache" / "field", metavar="DIR")
    options = parser.parse_args()
    if unknown := set(options.servers) - set(SERVERS):
        parser.error(f"no such server: {', '.join(sorted(unknown))}")
    differing = [name for name in options.servers or SERVERS if repeat(name, options.out)]
    sys.exit(1 if differing else 0)


def repeat(name: str, out: Path) -> bool:
    """Repeat one server's runs; returns whether anything differs from its record."""
    record = read_record(name)
    say(f"{record.server}: {record.started}")
    with SERVERS[name]() as endpoint:
        lines = [*unlike(record, endpoint)]
        for contract in record.counts:
            lines += differences(
                record, contract, run_suite(endpoint, record, contract, out / name)
            )
    for line in lines or ["as recorded"]:
        say(f"  {line}")
    return bool(lines)


def run_suite(endpoint: Endpoint, record: Record, contract: str, out: Path) -> Path:
    """Run the suite as its users do, and return the run's folder, emptied before."""
    folder = next(f for i in range(10**6) if not (f := out / f"{contract}-{i}").exists())
    options = ["--base-url", endpoint.base_url, "--model", endpoint.model]
    options += ["--api-key-env", KEY_VARIABLE, "--contract", contract, "--tier", record.tier]
    options += ["--timeout", ANSWER_SECONDS]
    subprocess.run(
        [sys.executable, "-m", "conformance", "run", *options, "--out", folder],
        check=False,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        env={**os.environ, KEY_VARIABLE: endpoint.key},
    )
    return folder


def differences(record: Record, contract: str, folder: Path) -> Iterator[str]:
    """Describe how a run differs from the record."""
    results = json.loads((folder / "results.json").read_text("utf-8"))
    changes = compare(record, contract, reported_failures(results))
    for word, verdicts in (("new", changes.new), ("vanished", changes.vanished)):
        for check, verdict in verdicts.items():
            yield f"{contract}: {word}: {verdict} {check}"
    if changes:
        counts = {name: count for name, count in results["counts"].items() if count}
        yield f"{contract}: now {json.dumps(counts)}, see {folder}"


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
