"""What a release needs: metadata, entry points, and a workflow without tokens."""

from __future__ import annotations

import tomllib
from importlib.metadata import entry_points

import yaml
from trove_classifiers import classifiers

from tests.ci.workflow import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_classifiers_are_known() -> None:
    assert set(PROJECT["classifiers"]) <= classifiers
    assert PROJECT["classifiers"] == sorted(PROJECT["classifiers"])


def test_package_has_a_command_of_its_name() -> None:
    assert PROJECT["scripts"]["completions-conformance"] == PROJECT["scripts"]["conformance"]
    plugins = {entry.name for entry in entry_points(group="pytest11")}
    assert "conformance" in plugins


def test_release_is_published_without_a_token() -> None:
    text = (ROOT / ".github" / "workflows" / "publish.yml").read_text("utf-8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    assert publish["permissions"] == {"id-token": "write"}
    assert publish["needs"] == "build"
    assert "secrets." not in text
    assert not any("${{" in step.get("run", "") for step in build["steps"])
