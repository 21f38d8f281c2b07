"""How long the command line takes to start, compared with a bare interpreter in the same minute.

    python -m tests.benchmarks.start
    python -m tests.benchmarks.start --executable ../other/.venv/bin/conformance --rounds 20

For each command it prints the wall time and the CPU time (user and system) of the best of some
rounds, and the ratio of its CPU time to that of `python -c pass`. Compiled bytecode is kept, as in
an installation.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Container, Mapping, Sequence
from pathlib import Path

COMMANDS = (["--version"], ["--help"], ["run", "--help"])


def main() -> None:
    """Measure the commands in turns with the interpreter, and print a line for each."""
    options = _options()
    interpreter = [str(Path(options.executable).with_name("python")), "-c", "pass"]
    commands = [interpreter, *([options.executable, *command] for command in COMMANDS)]
    with tempfile.TemporaryDirectory() as cache:
        environment = environment_with_bytecode(Path(cache))
        for command in commands:
            timed(command, environment)  # compiles what is imported
        rounds = [
            [timed(command, environment) for command in commands] for _ in range(options.rounds)
        ]
    best = [min(times, key=lambda time: time[1]) for times in zip(*rounds, strict=True)]
    print("command                  wall s   CPU s   ratio")  # noqa: T201
    for command, (wall, cpu) in zip(commands, best, strict=True):
        name = " ".join([Path(command[0]).name, *command[1:]])
        print(f"{name:24} {wall:6.3f}  {cpu:6.3f}  {cpu / best[0][1]:6.1f}")  # noqa: T201


def environment_with_bytecode(cache: Path) -> Mapping[str, str]:
    """Return an environment in which compiled modules are kept in a folder."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(cache)}


def timed(
    command: Sequence[str], environment: Mapping[str, str], succeeds: Container[int] = (0,)
) -> tuple[float, float]:
    """Return the wall time and the CPU time of a command, in seconds.

    Raises:
        SystemExit: its exit status is none of ``succeeds``.
    """
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in succeeds:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, spent


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument(
        "--executable",
        default=str(Path(sys.executable).with_name("conformance")),
        help="the command to measure, of another checkout for instance",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
