"""Run the shell of a composite action's steps as GitHub's runner does.

Expressions are evaluated as far as ours go: names with dots, ``==``, ``!=``, ``&&``, ``||``. Steps
that use other actions are not run but listed with their inputs.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"(?<!['\w.-])[a-z_]+(?:\.[a-z0-9_-]+)+", re.IGNORECASE)
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


@dataclass
class Job:
    """What happened to the steps.

    Attributes:
        code: the exit code of the first step that failed; 0 if none did.
        log: what all steps printed.
        used: the actions that ran, with their inputs.
        summary: the job's summary, in Markdown.
        outputs: the outputs of the action.
    """

    code: int = 0
    log: str = ""
    used: dict[str, Mapping[str, str]] = field(default_factory=dict)
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)


def run_action(
    path: Path,
    given: Mapping[str, str],
    *,
    workspace: Path,
    temp: Path,
    skip: tuple[str, ...] = (),
    environment: Mapping[str, str] | None = None,
) -> Job:
    """Run a composite action in a checkout.

    Args:
        path: the ``action.yml``.
        given: its inputs.
        workspace: the checkout of the caller.
        temp: the runner's folder for temporary files.
        skip: names of steps that are left out.
        environment: variables of the job, with secrets that its targets need.
    """
    action = yaml.safe_load(path.read_text("utf-8"))
    unknown = given.keys() - action["inputs"].keys()
    assert not unknown, f"unknown inputs: {unknown}"
    names = {
        **{f"inputs.{key}": str(one.get("default", "")) for key, one in action["inputs"].items()},
        **{f"inputs.{key}": value for key, value in given.items()},
        "github.action_path": str(path.parent),
        "runner.temp": str(temp),
    }
    job = Job()
    for number, step in enumerate(action["runs"]["steps"]):
        if step.get("name") in skip or job.code or not _is_true(step.get("if", "true"), names):
            continue
        if "uses" in step:
            inputs = {key: _filled(str(one), names) for key, one in step.get("with", {}).items()}
            job.used[step["uses"].partition("@")[0]] = inputs
            continue
        files = {name: temp / f"{name}-{number}" for name in ("GITHUB_OUTPUT", "GITHUB_PATH")}
        files["GITHUB_STEP_SUMMARY"] = temp / f"summary-{number}"
        for file in files.values():
            file.touch()
        script = temp / f"step-{number}.sh"
        script.write_text(step["run"], "utf-8")
        ended = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            cwd=workspace,
            env={
                **os.environ,
                **(environment or {}),
                "GITHUB_ACTIONS": "true",
                "CI": "true",
                "GITHUB_WORKSPACE": str(workspace),
                "RUNNER_TEMP": str(temp),
                **{name: str(file) for name, file in files.items()},
                **{key: _filled(str(one), names) for key, one in step.get("env", {}).items()},
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
        job.code = ended.returncode
        job.log += ended.stdout
        job.summary += files["GITHUB_STEP_SUMMARY"].read_text("utf-8")
        for line in files["GITHUB_OUTPUT"].read_text("utf-8").splitlines():
            key, _, value = line.partition("=")
            names[f"steps.{step['id']}.outputs.{key}"] = value
    job.outputs = {
        key: _filled(one["value"], names) for key, one in action.get("outputs", {}).items()
    }
    return job


def _filled(text: str, names: Mapping[str, str]) -> str:
    return EXPRESSION.sub(lambda found: names.get(found[1], ""), text)


def _is_true(condition: str, names: Mapping[str, str]) -> bool:
    inner = EXPRESSION.fullmatch(condition.strip())
    text = inner[1] if inner else condition
    text = NAME.sub(lambda found: repr(names.get(found[0], "")), text)
    text = text.replace("&&", " and ").replace("||", " or ").replace("true", "True")
    return bool(eval(text.replace("'True'", "'true'"), {"__builtins__": {}}))


ACTION = ROOT / "action.yml"
