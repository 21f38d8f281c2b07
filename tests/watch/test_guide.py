"""Every block of docs/watch.md does what it says."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from conformance.cli import main
from conformance.watch.settings import Watch, read_watch
from conformance.watch.store import MOST_WAITING

GUIDE = Path(__file__).parents[2] / "docs" / "watch.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLAN = ("--dry-run", "--config", "conformance.toml", "--history", "history")


def blocks_of(language: str) -> list[str]:
    return [text for name, text in BLOCK.findall(GUIDE.read_text("utf-8")) if name == language]


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    monkeypatch.chdir(tmp_path)
    text = next(block for block in blocks_of("toml") if "[watch]" in block)
    Path("conformance.toml").write_text(text, "utf-8")
    return read_watch(Path("conformance.toml"))


def assert_runs(words: list[str]) -> None:
    """The words are a command of the suite, tried without sending anything."""
    program, *rest = words
    assert program == "conformance"
    rest = [word for word in rest if word not in {"--once", "--dry-run"}]
    del rest[1:5]  # the same options with other folders
    result = CliRunner().invoke(main, [*rest, *PLAN])
    assert result.exit_code == 0, result.output
    assert "zero" in result.output


def test_file_and_commands_are_valid(watch: Watch) -> None:
    (zero,) = watch.targets
    assert zero.how.cadence.cron == "17 4,16 * * *"
    assert watch.channels[0].url_env == "SLACK_WEBHOOK_URL"
    for command in blocks_of("console")[0].splitlines():
        assert_runs(shlex.split(command.removeprefix("$ "), comments=True))
    assert f"At most {MOST_WAITING:,} wait" in GUIDE.read_text("utf-8")


@pytest.mark.usefixtures("watch")
def test_cron_job_and_crontab_run_the_command() -> None:
    (job,) = map(yaml.safe_load, blocks_of("yaml"))
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert {"--once", "/history", "/targets/conformance.toml"} <= set(container["command"])
    assert_runs(container["command"])
    (crontab,) = blocks_of("crontab")
    *times, command = crontab.strip().split(" ", 5)
    assert times == ["*/5", "*", "*", "*", "*"]
    assert_runs(shlex.split(command.partition(" && ")[2].partition(" >>")[0]))


def test_units_are_valid(tmp_path: Path) -> None:
    names = ("watch-always.service", "conformance-watch.service", "conformance-watch.timer")
    paths = [tmp_path / name for name in names]
    for path, text in zip(paths, blocks_of("ini"), strict=True):
        path.write_text(text, "utf-8")
        unit = ConfigParser(interpolation=None)
        unit.read_string(text)
        started = unit.get("Service", "ExecStart", fallback="/usr/bin/env conformance watch")
        assert shlex.split(started)[:3] == ["/usr/bin/env", "conformance", "watch"]
    if shutil.which("systemd-analyze"):
        words = ["systemd-analyze", "verify", "--man=no", *map(str, paths)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")
