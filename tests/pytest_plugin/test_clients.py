"""A session for clients fails if one of them does not work, whatever the checks say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fake_server import KEY, MODEL
from tests.fleet.server import KEY_VARIABLE, fleet
from tests.profiles.test_profile_data import OWN

pytest_plugins = "pytester"


@pytest.mark.parametrize(
    ("reads", "code", "said"),
    [("text", 0, "My client: ready"), ("top-scores", 1, "My client: not ready")],
)
def test_sessions_answer_for_their_client(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, reads: str, code: int, said: str
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    need: dict[str, Any] = {**OWN["needs"][0], "shown_by": [{"request": "ask", "reads": [reads]}]}
    Path("mine.yaml").write_text(yaml.safe_dump({**OWN, "needs": [need]}), "utf-8")
    with fleet({"one": "none"}) as running:
        result = pytester.runpytest_inprocess(
            *("--conformance-base-url", f"http://127.0.0.1:{running.port}/one/v1"),
            *("--conformance-model", MODEL, "--conformance-api-key-env", KEY_VARIABLE),
            *("--conformance-profile", "mine.yaml", "-p", "no:randomly"),
        )
    assert result.ret == code
    assert said in result.stdout.str()
    assert result.parseoutcomes()["passed"] >= 1
    assert "failed" not in result.parseoutcomes()
