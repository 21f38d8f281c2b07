"""``conformance watch``: once, as a plan, and as a process that is ended and goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conformance.cli import watch as watching
from conformance.watch.settings import read_watch
from tests.fake_server import KEY
from tests.fleet.server import KEY_VARIABLE, fleet

SLACK = '[watch.notices.team]\nkind = "slack"\nurl-env = "SLACK_URL"\n'


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two targets at addresses where nothing answers."""
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    path = Path("conformance.toml")
    tables = "".join(
        f'[targets.{name}]\nbase-url = "http://127.0.0.1:9/v1"\nmodel = "m"\n'
        f'api-key-env = "{KEY_VARIABLE}"\n'
        for name in ("zero", "other")
    )
    path.write_text(f'[watch]\nevery = "6h"\ntier = "smoke"\n{tables}', "utf-8")
    return path


@pytest.mark.usefixtures("config")
def test_due_targets_run_once(command, fake) -> None:
    fake()
    first = command("watch", "--once", "--lang", "en")
    assert first.exit_code == 0, first.output
    assert first.stdout.count("Conforming, 2") == 2
    assert f"zero: sending ${KEY_VARIABLE} to http://127.0.0.1:9/v1" in first.stderr
    assert "what changes is only printed here" in first.stderr
    again = command("watch", "--once")
    assert (again.exit_code, again.stdout) == (0, "")
    assert command("history", "list").stdout.count("Conforming") == 2
    assert not list(Path("history/watch/running").iterdir())


@pytest.mark.usefixtures("config")
def test_metrics_of_the_last_runs_are_written(command, fake) -> None:
    fake()
    first = command("watch", "--once", "--metrics-file", "metrics.prom")
    assert first.exit_code == 0, first.output
    text = Path("metrics.prom").read_text("utf-8")
    for name in ("zero", "other"):
        assert f'conformance_run_requests{{target="{name}"' in text
        assert f'conformance_watch_next_due_timestamp_seconds{{target="{name}"}}' in text
    Path("metrics.prom").unlink()
    command("watch", "--once", "--metrics-file", "metrics.prom")  # nothing is due
    assert Path("metrics.prom").read_text("utf-8") == text


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize("words", [(), ("--target", "zero")])
def test_run_writes_metrics(command, fake, words: tuple[str, ...]) -> None:
    fake()
    cheap = ("--select", "stop.five-refused", "--reference", "none", "--format", "json")
    result = command("run", *words, *cheap, "--metrics-file", "metrics.prom")
    assert result.exit_code == 0, result.output
    assert 'conformance_run_conclusion{target="zero"' in Path("metrics.prom").read_text("utf-8")
    one = ("--base-url", "http://127.0.0.1:9/v1", "--model", "m", "--metrics-file", "one.prom")
    assert command("run", *one, *cheap).exit_code == 0
    assert 'target="http://127.0.0.1:9/v1 m"' in Path("one.prom").read_text("utf-8")


@pytest.mark.usefixtures("config")
def test_plan_shows_what_is_due(command, fake) -> None:
    fake()
    plan = command("watch", "--dry-run", "--lang", "en")
    assert plan.exit_code == 0, plan.output
    assert plan.stdout.count("now  ") == 2
    assert not Path("history").exists()
    command("watch", "--once")
    rows = command("watch", "--dry-run", "--lang", "zh").stdout.splitlines()
    assert all(row.startswith("20") and "按周期" in row for row in rows)


@pytest.mark.usefixtures("config")
def test_endpoint_that_is_down_ends_with_three(command) -> None:
    result = command("watch", "--once", "--lang", "en")
    assert result.exit_code == 3
    assert result.stdout.count("Inconclusive") == 2


@pytest.mark.usefixtures("config")
def test_missing_key_is_named(command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE)
    result = command("watch", "--once", "--lang", "en")
    assert result.exit_code == 3
    assert f"Environment variable {KEY_VARIABLE} is not set" in result.stdout


def test_missing_secret_of_a_channel_is_named(command, config: Path) -> None:
    config.write_text(SLACK + config.read_text("utf-8"), "utf-8")
    result = command("watch", "--once")
    assert result.exit_code == 4
    assert "SLACK_URL is not set" in result.stderr


def test_mistakes_and_missing_files_are_named(command, config: Path) -> None:
    assert command("watch", "--once", "--dry-run").exit_code == 4
    config.write_text(config.read_text("utf-8").replace("6h", "6x"), "utf-8")
    result = command("watch")
    assert (result.exit_code, "must be a duration" in result.stderr) == (4, True)
    config.unlink()
    assert command("watch").exit_code == 4


@pytest.mark.usefixtures("config")
def test_broken_history_is_named_before_requests(command) -> None:
    Path("history").mkdir()
    Path("history/index.sqlite3").write_text("no database")
    result = command("watch", "--once")
    assert result.exit_code == 4
    assert "history rebuild" in result.stderr
    assert "sending" not in result.stderr


@pytest.mark.usefixtures("config")
def test_second_process_is_refused(command, fake) -> None:
    fake()
    with watching.claimed(_made(Path("history/watch"))):
        result = command("watch", "--once")
    assert result.exit_code == 4
    assert "another process watches" in result.stderr


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def test_terminated_process_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    words = [sys.executable, "-m", "conformance", "watch", "--config", "targets.toml"]
    with fleet({"zero": "none"}) as running:
        running.write_targets(Path("targets.toml"), tier='"smoke"', concurrency="2")
        text = Path("targets.toml").read_text("utf-8")
        Path("targets.toml").write_text(f'[watch]\nevery = "6h"\n{text}', "utf-8")
        running.gate.close_after(12)
        process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        assert running.gate.wait_until_held(60)
        time.sleep(0.2)  # what was answered is on the disk
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert process.stdout is not None
        process.stdout.close()
        record = tmp_path / "history" / "watch" / "running" / "zero" / "run.ndjson"
        assert b'"kind":"exchange"' in record.read_bytes()
        running.gate.open()
        done = subprocess.run([*words, "--once"], cwd=tmp_path, check=False, timeout=120)
    assert done.returncode == 0
    assert not record.exists()
    listed = subprocess.run(
        [sys.executable, "-m", "conformance", "history", "list", "--format", "json"],
        cwd=tmp_path, check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    (row,) = json.loads(listed.stdout)
    assert row["conclusion"] == "conforming"
    # Twelve were answered before the end; of these only what was in flight is sent again. The list
    # of models is not counted.
    assert row["requests"] <= 26
    assert running.sent["zero"] <= row["requests"] + 6


def test_commented_watch_of_the_file_is_valid(command) -> None:
    command("init")
    text = Path("conformance.toml").read_text("utf-8")
    settings, _, below = text.partition("# [watch]\n")
    lines = ["[watch]", *below.splitlines()]
    Path("mine.toml").write_text(settings + "\n".join(map(uncommented, lines)), "utf-8")
    watch = read_watch(Path("mine.toml"))
    assert len(watch.targets) == 5
    assert [channel.url_env for channel in watch.channels] == ["SLACK_WEBHOOK_URL"]


def uncommented(line: str) -> str:
    return line.removeprefix("# ")
