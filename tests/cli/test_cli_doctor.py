"""``conformance doctor`` and ``conformance badge``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.cli import doctor
from conformance.record.ndjson import write_run
from conformance.targets import bundled
from tests.cli.endpoints import ScriptedResponse, serving
from tests.report.builders import a_failure, a_run

LINES = 6 + len(doctor.EXTRAS)


def told_of(output: str) -> dict[str, tuple[str, str]]:
    """Return mark and text of each line by its name."""
    lines = [line for line in output.splitlines() if line[:1] in "·✓✗"]
    return {line.split()[1]: (line[0], " ".join(line.split()[2:])) for line in lines}


def test_each_line_says_what_is_installed(command) -> None:
    result = command("doctor", "--lang", "en")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) == LINES
    told = told_of(result.output)
    assert told["server"][1].startswith("installed: the reference server")
    assert told["targets"][1] == "no conformance.toml here: `conformance init` writes one"
    assert told["endpoint"][1].startswith("not tried: name one with --base-url")


def test_missing_extra_says_what_it_gives(command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "is_installed", lambda extra: extra != "clients")
    mark, told = told_of(command("doctor", "--lang", "en").output)["clients"]
    assert mark == "·"
    assert told.startswith("not installed: real clients in `conformance documents`")


def test_extras_are_those_of_the_package() -> None:
    assert all(bundled.is_installed(extra) for extra, _ in doctor.EXTRAS)


def test_extra_of_an_older_python_is_not_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for marker, is_there in (("python_version < '3.4'", True), ("python_version >= '3.4'", False)):
        line = f"no-such-package>=1; {marker} and extra == 'zstd'"
        monkeypatch.setattr(bundled.metadata, "requires", lambda _, line=line: [line])
        assert bundled.is_installed("zstd") is is_there


def test_endpoint_that_answers_is_well(command) -> None:
    with serving(ScriptedResponse) as url:
        result = command("doctor", "--base-url", url, "--model", "tiny", "--lang", "en")
    assert result.exit_code == 0, result.output
    mark, told = told_of(result.output)["endpoint"]
    assert mark == "✓"
    assert told.startswith(f"{url} answers with 200 in ")


def test_endpoint_that_fails_gives_three(command) -> None:
    def failing() -> ScriptedResponse:
        return ScriptedResponse(b"\x1b[31m::error::later", status=503, content_type="text/plain")

    with serving(failing) as url:
        result = command("doctor", "--base-url", url, "--model", "tiny", "--lang", "en")
    assert result.exit_code == 3
    mark, told = told_of(result.output)["endpoint"]
    assert (mark, "fails on a minimal request (status 503)" in told) == ("✗", True)
    assert "\x1b" not in result.output


def test_target_of_the_file_is_tried(command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-4b7dd2c1f09a8e63")
    with serving(ScriptedResponse) as url:
        Path("conformance.toml").write_text(
            f'[targets.mine]\nbase-url = "{url}"\nmodel = "tiny"\napi-key-env = "MY_KEY"\n'
        )
        result = command("doctor", "--target", "mine", "--lang", "en")
        assert command("doctor", "--target", "other").exit_code == 4
    told = told_of(result.output)
    assert told["endpoint"][0] == "✓"
    assert told["targets"] == ("✓", "conformance.toml: 1 (mine)")
    assert told["keys"] == ("✓", "set: MY_KEY; not set: OPENAI_API_KEY")
    assert "sk-4b7d" not in result.output


def test_broken_file_is_told(command) -> None:
    Path("conformance.toml").write_text("[targets.mine]\n")
    mark, told = told_of(command("doctor").output)["targets"]
    assert (mark, "base-url is required" in told) == ("✗", True)


def test_url_needs_a_model(command) -> None:
    result = command("doctor", "--base-url", "http://x.example/v1")
    assert result.exit_code == 4
    assert "--model is required with --base-url" in result.output


def test_badge_is_written_beside_the_record(command) -> None:
    Path("run").mkdir()
    write_run(a_run(a_failure()), Path("run/run.ndjson"))
    result = command("badge", "run", "--label", "completions", "--lang", "en")
    assert result.output.splitlines() == ["run/badge.json", "run/badge.svg"]
    assert json.loads(Path("run/badge.json").read_text())["message"] == "1 deviation (standard)"
    assert "completions: 1 deviation" in Path("run/badge.svg").read_text()


def test_badge_goes_to_a_named_folder(command) -> None:
    Path("run").mkdir()
    write_run(a_run(a_failure()), Path("run/run.ndjson"))
    assert command("badge", "run/run.ndjson", "--out", "public").exit_code == 0
    assert Path("public/badge.svg").exists()
