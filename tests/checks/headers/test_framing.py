"""A server that glues something to its responses fails for that, and for nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.model import Verdict
from conformance.record.ndjson import read_run
from tests.servers import running_server

FAULTS = ("second-response", "bytes-behind-response")


@pytest.mark.parametrize(
    ("fault", "tier"),
    [
        ("second-response", "smoke"),
        *(pytest.param(fault, "standard", marks=pytest.mark.exhaustive) for fault in FAULTS),
    ],
)
def test_only_the_framing_fails(fault: str, tier: str, tmp_path: Path) -> None:
    with running_server("--fault", fault) as server:
        to = ("--base-url", server.base_url, "--model", "davinci-002", "--api-key-env", "KEY")
        subprocess.run(
            [sys.executable, "-m", "conformance", "run", *to, "--tier", tier, "--out", tmp_path],
            env={**os.environ, "KEY": server.key},
            stdout=subprocess.DEVNULL,
            check=False,
        )
    findings = read_run(tmp_path / "run.ndjson").findings
    deviating = [f.id for f in findings if f.verdict not in (Verdict.PASS, Verdict.SKIPPED)]
    assert deviating == ["headers.framing-everywhere"]
