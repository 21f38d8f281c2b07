"""How much the suite adds to a pytest session that only collects, in the same minute.

    python -m tests.benchmarks.collect
    python -m tests.benchmarks.collect --executable ../other/.venv/bin/pytest --rounds 20

It prints the CPU time (user and system) of the best of some rounds for a session without items and
for one with every check of the deep tier; then what the suite adds, and how often a bare
interpreter would start in that time. Bytecode is kept, as in an installation.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.start import environment_with_bytecode, timed

PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""The other installed plugins take seconds to load."""

EMPTY = ("-q", "--collect-only", "-p", "conformance.pytest_plugin")
SUITE = (
    *EMPTY,
    *("--conformance-base-url", "http://127.0.0.1:9/v1", "--conformance-model", "m"),
    *("--conformance-tier", "deep"),
)
NO_ITEMS = 5
"""The exit status of pytest for a session without items."""


def main() -> None:
    """Measure both sessions and the interpreter in turns, and print a line for each."""
    options = _options()
    interpreter = [str(Path(options.executable).with_name("python")), "-c", "pass"]
    commands = [interpreter, *([options.executable, *words] for words in (EMPTY, SUITE))]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # a folder without tests
        environment = {**environment_with_bytecode(Path(folder) / "cache"), **PLUGINS}
        for command in commands:
            timed(command, environment, succeeds=(0, NO_ITEMS))  # compiles what is imported
        rounds = [
            [timed(command, environment, succeeds=(0, NO_ITEMS))[1] for command in commands]
            for _ in range(options.rounds)
        ]
    bare, empty, suite = (min(times) for times in zip(*rounds, strict=True))
    added = suite - empty
    print(f"without items {empty:6.3f} CPU s")  # noqa: T201
    print(f"deep tier     {suite:6.3f} CPU s")  # noqa: T201
    print(f"the suite adds {added:.3f} CPU s, {added / bare:.0f} starts of python")  # noqa: T201


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument(
        "--executable",
        default=str(Path(sys.executable).with_name("pytest")),
        help="the pytest to measure",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
