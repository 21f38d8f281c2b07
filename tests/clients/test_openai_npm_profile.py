"""The profile says of a server what the openai package from npm makes of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.readiness import readiness_at
from tests.lanes import by_default
from tests.npm import installed
from tests.servers import RunningServer, running_server

HERE = Path(__file__).parent
SCRIPT = "openai_readiness.mjs"


def asked(server: RunningServer) -> dict[str, Any]:
    """What each call returns, or the error that it ends with."""
    # Node looks for packages beside the script, so the script goes where they are.
    script = Path(shutil.copy(HERE / SCRIPT, installed(HERE)))
    ended = subprocess.run(
        ["node", str(script)],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        env={**os.environ, "BASE_URL": server.base_url, "API_KEY": server.key},
    )
    assert ended.returncode == 0, ended.stderr
    report: dict[str, Any] = json.loads(ended.stdout)
    return report


def test_client_works_where_the_profile_says_so(server: RunningServer) -> None:
    seen = asked(server)
    assert seen["text"]["got"] == seen["stream"]["got"]
    assert seen["text"]["got"]
    for request, error in (
        ("refused", "BadRequestError"),
        ("refusedStream", "BadRequestError"),
        ("stranger", "AuthenticationError"),
        ("unknown", "NotFoundError"),
    ):
        assert seen[request]["error"] == error
    assert seen["sent"] == 1
    said = readiness_at(server, "openai-node")
    assert (said.word, said.exit_code) == ("ready", 0)


NOTHING = {"got": None, "error": None}

FAULTS = [
    ("stream-chat-delta", "streams", lambda seen: seen["stream"] == NOTHING),
    ("server-error-on-bad-input", "retries", lambda seen: seen["sent"] == 3),
    ("stream-ignored", "streams", lambda seen: seen["stream"] == NOTHING),
    ("chat-shaped-answer", "completions", lambda seen: seen["text"] == NOTHING),
    ("unknown-model-accepted", "exceptions", lambda seen: seen["unknown"]["error"] is None),
    (
        "unprocessable-for-bad-request",
        "exceptions",
        lambda seen: seen["refused"]["error"] == "UnprocessableEntityError",
    ),
    ("error-as-200", "messages", lambda seen: seen["refused"]["error"] is None),
    ("error-streamed", "messages", lambda seen: seen["refusedStream"]["error"] == "APIError"),
    (
        "refused-stream-as-events",
        "messages",
        lambda seen: seen["refusedStream"]["message"].startswith('400 data: {"error"'),
    ),
    ("text-error", "messages", lambda seen: seen["refused"]["message"] == "400 Bad Request\n"),
]
"""A fault, the need that it breaks, and what the client makes of it."""


def _label(value: object) -> str:
    """Name a case; the address of a function would differ between the workers."""
    return value if isinstance(value, str) else "seen"


@pytest.mark.parametrize(("fault", "need", "breaks"), by_default(FAULTS[:1], FAULTS, ids=_label))
def test_client_breaks_where_the_profile_says_so(
    fault: str, need: str, breaks: Callable[[dict[str, Any]], bool]
) -> None:
    with running_server("--fault", fault) as server:
        assert breaks(asked(server))
        said = readiness_at(server, "openai-node")
    assert said.unmet == {need}
    assert (said.word, said.exit_code) == ("not ready", 1)
