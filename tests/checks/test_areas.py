"""The folders of checks: content, imports, and the template of a new area."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
import yaml

from conformance.checks import Check
from conformance.checks.catalogue import REGISTERED
from conformance.contract import load_contract
from conformance.contract.requirements import own_statements, statements_of
from conformance.engine.discovery import all_checks
from conformance.plugins import Plugin
from conformance.report.diagnosis import Cause
from reference_server.behaviour import registry as behaviours

ROOT = Path(__file__).parents[2]
CHECKS = ROOT / "conformance" / "checks"
TEMPLATE = ROOT / "docs" / "templates" / "area"
AREAS = sorted(p.parent.name for p in CHECKS.glob("[a-z]*/__init__.py"))
FOLDER_OF = {
    "logprobs-arrays": "logprobs",
    "text-offset": "logprobs",
    "echo-logprobs": "echo",
    "stream": "streaming",
    "served-streams": "streaming",
    "presence-penalty": "penalties",
    "repeat-penalty": "repetition_penalty",
    "matched-stop": "stop_reason",
    "frequency-penalty": "penalties",
    **dict.fromkeys(
        ("response-format", "json-schema", "regex", "ebnf", "grammar"), "structured_outputs"
    ),
}
"""Areas of ids that share a folder with another one."""

OWN = [check for check in all_checks() if check.run.__module__.startswith("conformance.checks.")]
OPENAI = load_contract("openai")


def folder_of(area: str) -> str:
    return FOLDER_OF.get(area, area.replace("-", "_"))


def area_of(check: Check) -> str:
    return check.run.__module__.split(".")[2]


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_checks_are_in_the_folder_of_their_area() -> None:
    def places(check: Check) -> set[str]:
        area, _, name = check.id.partition(".")
        return {folder_of(area), folder_of(check.requirement.partition(".")[0]), name.split("-")[0]}

    assert [check.id for check in OWN if area_of(check) not in places(check)] == []


def test_areas_import_only_themselves_and_shared_helpers() -> None:
    strange = {
        f"{path.relative_to(CHECKS)}: {module}"
        for path in CHECKS.rglob("*.py")
        for module in imports_of(path)
        if module.startswith("conformance.checks.")
        and (area := module.split(".")[2]) in AREAS
        and area != path.relative_to(CHECKS).parts[0]
    }
    assert strange == set()


def test_every_area_has_a_requirement_and_a_docstring() -> None:
    required = {folder_of(name.partition(".")[0]) for name in OPENAI.requirements}
    for area in AREAS:
        assert (CHECKS / area / "__init__.py").read_text("utf-8").startswith('"""Checks of ')
        assert area in required or any(area_of(check) == area for check in OWN), area


def test_readme_names_only_files_that_exist() -> None:
    page = (CHECKS / "README.md").read_text("utf-8")
    named = set(re.findall(r"`(\w+/\w+\.py)`", page))
    assert len(named) > 10
    assert {name for name in named if not (CHECKS / name).is_file()} == set()


@pytest.mark.parametrize(
    ("check_id", "row", "code"),
    [
        ("top-p.above-refused", "sends={'top_p': Above(", "def is_rejected(row: Limit)"),
        ("suffix.null", "sends={'suffix': None}", "def is_same_as_omitted(row: Limit)"),
        ("served-streams.stop-null", "{'stop': None}", "async def assert_streamed("),
        ("frequency-penalty.effect", "`{name}`", "async def the_penalty_changes_the_text("),
    ],
)
def test_row_is_shown_with_its_checks_code(check_id: str, row: str, code: str) -> None:
    source = REGISTERED[check_id].source
    assert row in source
    assert code in source


def test_equal_ids_of_both_penalties_judge_equal_requirements() -> None:
    def clauses(area: str) -> set[tuple[str, str]]:
        own = (check for check in OWN if check.id.startswith(f"{area}."))
        return {(c.id.partition(".")[2], c.requirement.replace(area, "penalty")) for c in own}

    assert clauses("presence-penalty") == clauses("frequency-penalty") != set()


def load(name: str, place: str) -> None:
    """Import a file of the template as the module that it becomes."""
    spec = importlib.util.spec_from_file_location(place, TEMPLATE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


def test_template_registers_its_checks() -> None:
    with patch.dict(REGISTERED):
        before = set(REGISTERED)
        load("directed", "conformance.checks.fingerprint.directed")
        load("invariants", "conformance.checks.fingerprint.invariants")
        new = REGISTERED.keys() - before
    assert new == {"fingerprint.constant", "fingerprint.constant-everywhere"}


def test_template_registers_its_fault_and_variant() -> None:
    faults, variants = behaviours.all_faults(), behaviours.all_variants()
    assert "fingerprint-per-chunk" not in faults
    assert "fingerprint-in-first-chunk" not in variants
    with patch.dict(behaviours._faults), patch.dict(behaviours._variants):
        load("fault", "reference_server.faults.fingerprint")
        load("variant", "reference_server.variants.fingerprint")
        fault = behaviours._faults["fingerprint-per-chunk"]
        assert fault.breaks == ("fingerprint.constant-in-stream",)
        assert "fingerprint-in-first-chunk" in behaviours._variants


def test_requirements_of_the_template_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(TEMPLATE.parent)
    known = statements_of(
        Plugin("template", TEMPLATE.name),
        taken={statement.requirement.id for statement in own_statements()},
        subjects={statement.requirement.subject for statement in own_statements()},
        parameters={parameter.name for parameter in OPENAI.parameters},
    )
    assert [each.requirement.id for each in known] == ["fingerprint.constant-in-stream"]
    sys.modules.pop(TEMPLATE.name, None)


def test_diagnosis_of_the_template_is_valid() -> None:
    (row,) = yaml.safe_load((TEMPLATE / "diagnosis.yaml").read_text("utf-8"))
    assert row.pop("for") == ["fingerprint"]
    assert Cause(**row).remedy


def test_template_names_every_file_it_has() -> None:
    page = (TEMPLATE / "README.md").read_text("utf-8")
    files = {path.name for path in TEMPLATE.iterdir() if path.is_file()} - {"README.md"}
    assert {name for name in files if f"`{name}`" not in page} == set()
    table = (CHECKS / "README.md").read_text("utf-8")
    kinds = set(re.findall(r"^\| `(\w+\.(?:py|yaml))`", table, re.MULTILINE))
    assert len(kinds) > 5
    assert {kind for kind in kinds if f"`{kind}`" not in page} == set()
    compile((TEMPLATE / "test_area.py").read_text("utf-8"), "test_area.py", "exec")
