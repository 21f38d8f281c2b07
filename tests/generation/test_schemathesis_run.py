"""``schemathesis run`` with the contract finds faults, and has no false positives.

The library's command line runs against the reference server.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from conformance.contract import spec_directory
from tests.servers import running_server

EXAMPLES = 8
SEED = 20


def run_schemathesis(folder: Path, *server: str, phases: str) -> subprocess.CompletedProcess[str]:
    with running_server(*server) as endpoint:
        return subprocess.run(
            [
                sys.executable,
                *("-m", "schemathesis.cli"),
                *("--config-file", spec_directory() / "schemathesis.toml"),
                *("run", spec_directory() / "openapi.yaml"),
                *("--url", endpoint.base_url),
                *("--header", f"Authorization: Bearer {endpoint.key}"),
                *("--max-examples", str(EXAMPLES)),
                *("--seed", str(SEED)),
                *("--phases", phases),
                "--continue-on-failure",
                "--no-color",
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env={
                "PATH": "",
                "PYTHONUTF8": "1",
                "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "stored"),
            },
            timeout=300,
            check=False,
        )


def test_conforming_server_has_no_findings(tmp_path: Path) -> None:
    done = run_schemathesis(tmp_path, phases="examples,coverage,fuzzing")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout
    cases = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert cases is not None
    assert int(cases[1]) > 100
    # The library leaves no other folder behind.
    assert {path.name for path in tmp_path.iterdir()} <= {"stored"}


def test_faults_are_found(tmp_path: Path) -> None:
    faults = ("chunk-object-foreign", "bare-error-envelope", "wrong-types-ignored")
    request = [part for fault in faults for part in ("--fault", fault)]
    done = run_schemathesis(tmp_path, *request, phases="coverage")
    assert done.returncode == 1, done.stdout + done.stderr
    for title in ("SSE event", "Response violates schema", "Schema-violating request accepted"):
        assert title in done.stdout


def test_shown_request_can_be_reproduced(tmp_path: Path) -> None:
    done = run_schemathesis(tmp_path, "--fault", "id-missing", phases="examples")
    assert done.returncode == 1, done.stdout + done.stderr
    assert '"max_tokens": 7' in done.stdout
    assert "sk-reference" not in done.stdout
