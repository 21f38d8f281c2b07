"""Rules of the code that import-linter (``make lint``) cannot express."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SUITE, SERVER = "conformance", "reference_server"
EXITS = {"print", "exit", "quit", "sys.exit", "os._exit"}
MAY_EXIT = {f"{SUITE}/cli", f"{SUITE}/__main__.py"}
# Programs that run outside the suite, in an environment with a vendor's client.
MAY_PRINT = {f"{SUITE}/docs_audit/drivers"}
MAX_NAME_WORDS = 8
VENDORS = ("api000", "gpt.ge", "gpt-ge", "aocheng", "zhizengzeng", "eronmind", "零度")


def sources(*folders: str) -> Iterator[Path]:
    """Yield the Python files below some folders."""
    for folder in folders:
        found = sorted((ROOT / folder).rglob("*.py"))
        assert found, f"{folder} has no Python files"
        yield from found


def is_in(path: Path, places: set[str]) -> bool:
    """Return whether a file is one of the places or below one."""
    name = path.relative_to(ROOT).as_posix()
    return any(name == place or name.startswith(f"{place}/") for place in places)


def test_imports_are_absolute() -> None:
    relative = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources(SUITE, SERVER, "tests")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not relative


def test_only_the_command_line_prints_and_exits() -> None:
    ending = []
    for path in sources(SUITE):
        if is_in(path, MAY_EXIT | MAY_PRINT):
            continue
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        calls = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
        names = {node.id for node in nodes if isinstance(node, ast.Name)}
        if calls & EXITS or "SystemExit" in names:
            ending.append(str(path.relative_to(ROOT)))
    assert not ending


def test_oracle_does_not_import_the_server() -> None:
    strange = {}
    for path in sources("tests/oracle"):
        imported = {
            name
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            if name.partition(".")[0] in {SUITE, SERVER, "tests"}
        }
        allowed = ("tests.oracle", "tests.servers", "tests.lanes", "tests.cases")
        if found := {name for name in imported if not name.startswith(allowed)}:
            strange[path.name] = found
    assert not strange


@pytest.mark.parametrize(
    "folder", [f"{SUITE}/checks", f"{SUITE}/docs_audit/lint", f"{SUITE}/docs_audit/expectations"]
)
def test_judging_code_names_no_vendor(folder: str) -> None:
    naming = {
        path.relative_to(ROOT).as_posix(): found
        for path in sources(folder)
        if (found := [name for name in VENDORS if name in path.read_text("utf-8").lower()])
    }
    assert not naming


def test_names_of_tests_are_short() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.name}"
        for path in sources("tests")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and len(node.name.split("_")) - 1 > MAX_NAME_WORDS
    ]
    assert long == []
