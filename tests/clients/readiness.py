"""What a run for a client says of a server, as a user gets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers import RunningServer

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Readiness:
    """The client's part of ``results.json``, and the exit code."""

    client: dict[str, Any]
    exit_code: int

    @property
    def word(self) -> str:
        """``ready``, ``not ready`` or ``not tested``."""
        return str(self.client["readiness"])

    @property
    def unmet(self) -> set[str]:
        """The ids of the needs that are unmet."""
        return {need["id"] for need in self.client["needs"] if need["state"] == "unmet"}

    def without(self, need: str) -> str:
        """What the profile says that the client does without a need."""
        return next(one["without"] for one in self.client["needs"] if one["id"] == need)


def readiness_at(
    server: RunningServer, profile: str, model: str = "gpt-3.5-turbo-instruct"
) -> Readiness:
    """Run the suite for a client against a server."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "report"
        ended = subprocess.run(
            [
                *(sys.executable, "-m", "conformance", "run", "--quiet", "--format", "json"),
                *("--base-url", server.base_url, "--model", model, "--api-key-env", "SERVER_KEY"),
                *("--profile", profile, "--out", str(out)),
            ],
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "SERVER_KEY": server.key},
        )
        assert ended.returncode in {0, 1, 3}, ended.stderr
        (client,) = json.loads((out / "results.json").read_text("utf-8"))["clients"]
        return Readiness(client, ended.returncode)
