"""The runs behind the sample reports: recorded once, kept compressed.

Samples, times and ports differ in every run. The records are kept so that the rendered pages change
only when the reports change.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from conformance.contract import CONTRACTS
from conformance.model import Run
from conformance.record.ndjson import read_run, write_run
from tests.servers import running_server

RECORDS = Path(__file__).parent / "records"
LIVE = "openai"
FAULTY = "faulty"
NAMES = (*CONTRACTS, FAULTY)
"""A conforming run for each contract's dialect of the bundled server, and one faulty server."""

FAULTS = (
    "best-of-dropped",
    "fake-streaming",
    "hidden-prompt-billed",
    "logit-bias-out-of-range-accepted",
    "over-four-truncated",
    "seed-ignored",
)
BASE_URL = "http://127.0.0.1:8080/v1"
"""The server's default address, which replaces the random port of the recorded run."""

KEY_VARIABLE = "REFERENCE_SERVER_API_KEY"
KEY = "sk-gallery-of-reports-000"
MODEL = "gpt-3.5-turbo-instruct"


def record(name: str) -> None:
    """Test one of the servers and keep the record."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        out = Path(folder, "run")
        if name == FAULTY:
            faults = [word for fault in FAULTS for word in ("--fault", fault)]
            server = stack.enter_context(running_server(*faults, key=KEY))
            _judge(
                ["--base-url", server.base_url, "--model", MODEL, "--reference", "bundled"],
                ["--api-key-env", KEY_VARIABLE],
                out,
            )
        else:
            dialect = ["--dialect", "reference" if name == LIVE else name]
            _judge(["--contract", name, *dialect], ["--reference", "none"], out)
        keep(name, read_run(out / "run.ndjson"))


def _judge(target: Sequence[str], more: Sequence[str], out: Path) -> None:
    words = ["run", *target, *more, "--out", str(out), "--format", "json"]
    ended = subprocess.run(
        [sys.executable, "-m", "conformance", *words],
        env={**os.environ, KEY_VARIABLE: KEY},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode not in {0, 1}:
        raise RuntimeError(f"conformance {' '.join(words)} ended so:\n{ended.stdout}{ended.stderr}")


def keep(name: str, run: Run) -> None:
    """Compress a run into its file, with the default address in place of the recorded one."""
    there = replace(run, header=replace(run.header, base_url=BASE_URL))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.ndjson")
        write_run(there, path)
        RECORDS.mkdir(exist_ok=True)
        # mtime=0: the same record gives the same file.
        _packed(name).write_bytes(gzip.compress(path.read_bytes(), mtime=0))


def kept(name: str) -> Run:
    """Read a kept run."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.ndjson")
        path.write_bytes(gzip.decompress(_packed(name).read_bytes()))
        return read_run(path)


def _packed(name: str) -> Path:
    return RECORDS / f"{name}.ndjson.gz"
