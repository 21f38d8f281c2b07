"""The profile says of a server what Continue's adapter for fill-in-the-middle makes of it."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients.readiness import Readiness, readiness_at
from tests.npm import installed
from tests.servers import running_server

pytestmark = pytest.mark.heavy_client("97 MB from npm")

HERE = Path(__file__).parent / "continue"
SCRIPT = "fim.mjs"
MANY_STOPS = "--dialect aocheng"
"""Its page states no limit for stop sequences, of which Continue sends five."""


def completed(options: str) -> tuple[dict[str, Any], Readiness]:
    """What the adapter reports of a server, and what the profile says of it."""
    # Node looks for packages beside the script, so the script goes where they are.
    script = Path(shutil.copy(HERE / SCRIPT, installed(HERE)))
    with running_server(*options.split()) as server:
        ended = subprocess.run(
            ["node", str(script)],
            check=False,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            env={**os.environ, "BASE_URL": server.base_url, "API_KEY": server.key},
        )
        said = readiness_at(server, "continue-fim")
    assert ended.returncode == 0, ended.stderr
    report: dict[str, Any] = json.loads(ended.stdout)
    return report, said


def test_adapter_works_where_the_profile_says_so() -> None:
    seen, said = completed(MANY_STOPS)
    assert (said.word, said.exit_code) == ("ready", 0)
    assert not any(seen[name]["error"] for name in ("fill", "cut", "left", "after"))
    assert seen["piece"] in seen["fill"]["text"]
    assert seen["cut"]["text"] == seen["fill"]["text"].partition(seen["piece"])[0]
    assert seen["left"]["chunks"] == 1
    assert seen["after"]["text"]


def test_five_stops_are_too_many_for_openai() -> None:
    """The rejection conforms, and the adapter shows no completion."""
    seen, said = completed("")
    assert "array too long" in seen["fill"]["error"]
    assert seen["fill"]["text"] == ""
    assert said.unmet == {"suffix"}
    assert (said.word, said.exit_code) == ("not ready", 1)


def test_ignored_stop_stays_in_the_insertion() -> None:
    seen, said = completed(f"{MANY_STOPS} --fault stop-ignored")
    assert seen["piece"] in seen["cut"]["text"]
    assert said.unmet == {"stop"}


def test_chunks_of_chat_are_inserted_as_undefined() -> None:
    seen, said = completed(f"{MANY_STOPS} --fault stream-chat-delta")
    assert "undefined" in seen["fill"]["text"]
    assert "suffix" in said.unmet
    assert "inserted as `undefined`" in said.without("suffix")


def test_document_instead_of_a_stream_completes_nothing() -> None:
    seen, said = completed(f"{MANY_STOPS} --fault stream-ignored")
    assert seen["fill"] == {"text": "", "chunks": 0, "error": None}
    assert "suffix" in said.unmet


def test_suffix_behind_the_text_is_inserted_twice() -> None:
    seen, said = completed(f"{MANY_STOPS} --fault suffix-appended")
    assert seen["fill"]["text"].endswith("\nend\n")
    assert said.unmet == {"insertion"}
