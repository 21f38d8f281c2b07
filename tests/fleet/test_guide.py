"""Every block of docs/fleets.md does what it says."""

from __future__ import annotations

import os
import re
import shlex
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from conformance.cli import main
from conformance.record.ndjson import read_run
from tests.fake_server import KEY
from tests.fleet.server import KEY_VARIABLE, Fleet, fleet

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "fleets.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
NAMES = ("zero", "gpt-ge", "aocheng")
CHEAP = ("--reference", "none", "--select", "stop.five-refused")
PROGRAM = f"""#!/bin/sh
if [ "$1" = run ]; then shift; set -- run {" ".join(CHEAP)} "$@"; fi
exec {sys.executable} -m conformance "$@"
"""

Shell = Callable[..., None]


def blocks_of(section: str) -> list[str]:
    """Return the blocks below a heading."""
    parts = HEADING.split(GUIDE.read_text("utf-8"))
    text = dict(zip(parts[1::2], parts[2::2], strict=True))[section]
    return [block for _, block in BLOCK.findall(text)]


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """A fleet of which one target deviates, its targets file in the folder of the process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)
    with fleet(
        {name: "over-four-truncated" if name == "zero" else "none" for name in NAMES}
    ) as one:
        one.write_targets(tmp_path / "conformance.toml")
        yield one


@pytest.fixture
def shell(running: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Run a script as CI does, with ``conformance`` on the path; the exit code is checked."""
    del running
    programs = tmp_path / "programs"
    programs.mkdir()
    dask = f'#!/bin/sh\nexec {sys.executable} -m dask "$@"\n'
    for name, text in {"conformance": PROGRAM, "dask": dask, "pip": "#!/bin/sh\n"}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")

    def run(script: str, code: int = 0, **variables: str) -> None:
        ended = subprocess.run(
            ["sh", "-e", "-c", script],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, **variables},
        )
        assert ended.returncode == code, ended.stderr

    return run


def assert_merged(folder: Path) -> None:
    """All targets are in the folder, and the one that deviates is found."""
    runs = {record.parent.name: read_run(record) for record in folder.glob("*/run.ndjson")}
    assert set(runs) == set(NAMES)
    assert {name for name, run in runs.items() if run.conclusion == "not conforming"} == {"zero"}
    assert (folder / "index.html").exists()


def test_every_section_with_blocks_is_tested() -> None:
    parts = HEADING.split(GUIDE.read_text("utf-8"))
    with_blocks = [
        name for name, text in zip(parts[1::2], parts[2::2], strict=True) if BLOCK.search(text)
    ]
    runnable = ["Resume", "Shards", "Workers", "History", "Site", "Tables"]
    assert with_blocks == [*runnable, "GitHub", "GitLab", "Kubernetes", "cron"]


def test_commands_run(running: Fleet) -> None:
    for section in ("Resume", "Shards", "History", "Site", "Tables"):
        for block in blocks_of(section):
            for line in block.splitlines():
                _, *words = shlex.split(line.removeprefix("$ "), comments=True)
                cheap = CHEAP if words[0] == "run" else ()
                ended = CliRunner().invoke(main, [*words, *cheap])
                assert ended.exit_code in {0, 1}, f"{line}\n{ended.output}"
    assert_merged(Path("all"))
    assert Path("public/targets/zero.html").exists()
    (kept,) = Path("zero-runs").glob("*/run.ndjson")
    assert kept.read_bytes() == Path("today/zero/run.ndjson").read_bytes()
    assert max(running.sent.values()) < 20


def test_workers_of_this_machine_run(shell: Shell) -> None:
    command, _ = blocks_of("Workers")
    shell(command.removeprefix("$ "), code=1)
    assert_merged(Path("spread"))


@pytest.mark.exhaustive
def test_workers_of_other_machines_run(shell: Shell) -> None:
    _, commands = blocks_of("Workers")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    here = commands.replace("scheduler:8786", f"127.0.0.1:{port}").replace("8786", str(port))
    scheduler, worker, run = here.strip().splitlines()
    shell(
        f"{scheduler} --host 127.0.0.1 2>scheduler.log & first=$!; "
        f"{worker} 2>worker.log & second=$!; "
        'trap "kill $first $second; wait" EXIT; '
        "until grep -q Registered worker.log; do sleep 0.2; done; " + run,
        code=1,
    )
    assert_merged(Path("from-eu"))


def test_github_jobs_run(shell: Shell) -> None:
    (text,) = blocks_of("GitHub")
    jobs: dict[str, Any] = yaml.safe_load(text)["jobs"]
    part, last = jobs["part"], jobs["all"]
    for number in part["strategy"]["matrix"]["shard"]:
        for script in scripts_of(part["steps"]):
            shell(script.replace("${{ matrix.shard }}", str(number)))
        (kept,) = [step["with"] for step in part["steps"] if "upload" in step.get("uses", "")]
        Path("parts").mkdir(exist_ok=True)
        Path(kept["path"]).rename(Path("parts", f"part-{number}-1"))
    *others, merge = scripts_of(last["steps"])
    assert all(script.startswith("pip ") for script in others)
    shell(merge, code=1)
    assert_merged(Path("all"))


def scripts_of(steps: list[dict[str, Any]]) -> list[str]:
    return [step["run"] for step in steps if "run" in step]


@pytest.mark.exhaustive
def test_gitlab_jobs_run(shell: Shell) -> None:
    (text,) = blocks_of("GitLab")
    jobs: dict[str, Any] = yaml.safe_load(text)
    total = jobs["part"]["parallel"]
    for number in range(1, total + 1):
        node = {"CI_NODE_INDEX": str(number), "CI_NODE_TOTAL": str(total)}
        shell("\n".join(jobs["part"]["script"]), **node)
    shell("\n".join(jobs["all"]["script"]), code=1)
    assert_merged(Path("all"))


def test_kubernetes_job_runs(shell: Shell, running: Fleet, tmp_path: Path) -> None:
    job, merge = blocks_of("Kubernetes")
    spec: dict[str, Any] = yaml.safe_load(job)["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    assert container["command"] == ["sh", "-c"]
    assert spec["completionMode"] == "Indexed"
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts == {"/reports", "/targets"}
    (tmp_path / "reports").mkdir()

    def here(script: str) -> str:
        there = script.replace("/targets/", f"{tmp_path}/")
        return there.replace("/reports", f"{tmp_path}/reports")

    (script,) = container["args"]
    for index in range(spec["completions"]):
        shell(here(script), JOB_COMPLETION_INDEX=str(index))
    sent = running.sent.total()
    shell(here(script), JOB_COMPLETION_INDEX="0")  # its pod is replaced
    assert running.sent.total() == sent
    shell(here(merge), code=1)
    assert_merged(tmp_path / "reports" / "all")


def test_crontab_runs_again_and_again(shell: Shell, running: Fleet, tmp_path: Path) -> None:
    (text,) = blocks_of("cron")
    *times, command = text.strip().split(" ", 5)
    assert times == ["17", "4-8", "*", "*", "*"]
    # cron takes an unescaped % for the end of the command.
    assert re.search(r"(?<!\\)%", command) is None
    script = command.replace("\\%", "%").replace("/srv/conformance", str(tmp_path))
    shell(script, code=1)
    sent = running.sent.total()
    shell(script, code=1)
    assert running.sent.total() == sent
    (folder,) = Path("runs").iterdir()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", folder.name)
    assert_merged(folder)
