"""No endpoint takes a run above 300 MB of memory or its record above 64 MB.

Whole runs in processes of their own, because memory is measured, against responses that are as
large or as intricate as the transport lets through.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from conformance.model import Verdict
from tests.hostile import BEHAVIOURS, HostileServer, hostile_server, values

MOST_MEMORY = 300
MOST_RECORD = 64
MOST_PAGE = 3
"""In MB."""

MEASURED = """
import atexit, sys
from pathlib import Path

where = Path(sys.argv.pop(1))

@atexit.register
def write_peak():
    # Not from the parent's `wait4`: that counts what the parent had before this process began.
    lines = Path("/proc/self/status").read_text().splitlines()
    where.write_text(next(line for line in lines if line.startswith("VmHWM")).split()[1])

from conformance.cli import main
main()
"""

VALUES = [name for name, one in BEHAVIOURS.items() if one.__module__ == values.__name__]
LARGE = ("gzip-once", "million-choices", "bombs-later", "large-later")

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="memory is read from Linux' /proc"
)


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    with hostile_server() as running:
        yield running


@dataclass(frozen=True)
class Result:
    code: int
    output: str
    peak: int
    folder: Path

    @property
    def findings(self) -> list[bytes]:
        lines = (self.folder / "run.ndjson").read_bytes().splitlines()
        return [line for line in lines if line.startswith(b'{"kind":"finding"')]


def run(server: HostileServer, name: str, tier: str, folder: Path) -> Result:
    peak = folder / "peak"
    out = folder / "out"
    options = ["--base-url", server.base_url(name), "--model", "m", "--tier", tier]
    formats = "html,junit,json,markdown"
    words = ["run", *options, "--out", str(out), "--format", formats]
    ended = subprocess.run(
        [sys.executable, "-c", MEASURED, str(peak), *words],
        capture_output=True,
        env={name: value for name, value in os.environ.items() if name != "OPENAI_API_KEY"},
        timeout=600,
        check=False,
    )
    output = (ended.stdout + ended.stderr).decode(errors="replace")
    return Result(ended.returncode, output, int(peak.read_text()) // 1024, out)


def assert_harmless(result: Result) -> None:
    sizes = {path.name: path.stat().st_size / 2**20 for path in result.folder.iterdir()}
    verdicts = Counter(json.loads(line)["verdict"] for line in result.findings)
    assert result.code in {1, 3}, result.output[-2_000:]
    assert "should not have" not in result.output
    assert "Traceback" not in result.output
    assert verdicts[Verdict.ERROR] == 0
    assert result.peak < MOST_MEMORY
    assert sizes.pop("run.ndjson") < MOST_RECORD
    assert max(sizes.values()) < MOST_PAGE, sizes
    assert max(map(len, result.findings), default=0) < 20_000


@pytest.mark.parametrize("name", ["small-objects", "large-later"])
def test_smoke_run_is_bounded(server: HostileServer, name: str, tmp_path: Path) -> None:
    assert_harmless(run(server, name, "smoke", tmp_path))


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", [*VALUES, *LARGE])
def test_standard_run_is_bounded(server: HostileServer, name: str, tmp_path: Path) -> None:
    assert_harmless(run(server, name, "standard", tmp_path))
