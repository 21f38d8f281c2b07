"""The catalogue is complete, and names map to behaviours."""

from __future__ import annotations

import ast
import fnmatch
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from reference_server.behaviour.registry import (
    Evidence,
    UnknownBehaviourError,
    all_faults,
    all_variants,
    behaviour,
    fault,
)
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import Trigger
from reference_server.completions.dialects import DIALECTS
from tests.reference_server.behaviour.toy_server import responses, texts_of

ROOT = Path(__file__).parent.parent.parent.parent
BODY = {"prompt": "a", "n": 2}


def listed(what: str) -> list[dict[str, object]]:
    command = [sys.executable, "-m", "reference_server", what, "--format", "json"]
    result = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    entries: list[dict[str, object]] = json.loads(result)
    return entries


def test_every_fault_names_existing_requirements() -> None:
    text = (ROOT / "spec" / "requirements.yaml").read_text("utf-8")
    known = {requirement["id"] for requirement in yaml.safe_load(text)["requirements"]}
    strange = {f.name: set(f.breaks) - known for f in all_faults().values()}
    assert not {name: ids for name, ids in strange.items() if ids}
    assert all(f.breaks for f in all_faults().values())


def test_what_is_also_broken_is_known() -> None:
    text = (ROOT / "spec" / "requirements.yaml").read_text("utf-8")
    known = [requirement["id"] for requirement in yaml.safe_load(text)["requirements"]]
    for one in all_faults().values():
        for glob in one.also_breaks:
            assert fnmatch.filter(known, glob), f"{one.name}: no requirement matches {glob}"
            assert glob not in one.breaks, f"{one.name}: {glob} is declared twice"


def test_contracts_and_dialects_are_known() -> None:
    for known in (*all_faults().values(), *all_variants().values()):
        assert known.dialect in DIALECTS, known.name
        assert known.contract in DIALECTS.keys() - {"reference"}, known.name


def test_order_does_not_depend_on_imports() -> None:
    program = (
        "import reference_server.faults.usage.sums\n"
        "from reference_server.behaviour.registry import all_faults\n"
        "print(*all_faults(), sep='\\n')"
    )
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert result.split() == [entry["name"] for entry in listed("--list-faults")]


def test_lists_are_machine_readable() -> None:
    faults, variants = listed("--list-faults"), listed("--list-variants")
    assert [entry["name"] for entry in faults] == list(all_faults())
    assert [entry["name"] for entry in variants] == list(all_variants())
    for entry in faults:
        assert entry["summary"]
        assert entry["evidence"] in set(Evidence)
        triggers = entry["modifiers"]
        assert isinstance(triggers, Sequence)
        assert set(triggers) <= set(Trigger)


def test_none_changes_nothing() -> None:
    (response,) = responses(behaviour("none"), BODY)
    assert texts_of(response) == [(0, "a"), (1, "a")]


def test_behaviours_and_triggers_combine() -> None:
    (response,) = responses(behaviour("total-mismatch+timings@plain"), BODY)
    assert response.body["usage"] == {"total_tokens": 5}
    assert "timings" in response.body
    (kept,) = responses(behaviour("total-mismatch@batch@stream"), BODY)
    assert kept.body["usage"] == {"total_tokens": 2}


@pytest.mark.parametrize("spec", ["no-such-fault", "total-mismatch@sundays", ""])
def test_unknown_name_is_rejected(spec: str) -> None:
    with pytest.raises(UnknownBehaviourError, match=r"unknown fault or variant|unknown trigger"):
        behaviour(spec)


def test_names_are_unique_and_have_summaries() -> None:
    with pytest.raises(ValueError, match="two behaviours"):
        fault("total-mismatch", breaks="usage.total-is-sum")(described)
    with pytest.raises(ValueError, match="docstring is missing"):
        fault("without-a-word", breaks="usage.total-is-sum")(undescribed)


def undescribed() -> Rewrite:
    return Rewrite()


def described() -> Rewrite:
    """Do nothing."""
    return Rewrite()


def test_catalogue_imports_no_server_packages() -> None:
    allowed = set(sys.stdlib_module_names) | {"reference_server"}
    for folder in ("faults", "variants"):
        for path in (ROOT / "reference_server" / folder).rglob("*.py"):
            tree = ast.parse(path.read_text("utf-8"))
            nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
            names = [n.name for m in ast.walk(tree) if isinstance(m, ast.Import) for n in m.names]
            modules = {node.module or "" for node in nodes} | set(names)
            assert {module.partition(".")[0] for module in modules} <= allowed, path.name
            ours = {module for module in modules if module.startswith("reference_server")}
            rooms = ("reference_server.behaviour", f"reference_server.{folder}")
            assert all(module.startswith(rooms) for module in ours), path.name
