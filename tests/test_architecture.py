"""Who may import whom. The rooms are those of ARCHITECTURE.md; a new room is entered here first."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.cases import for_each_case

ROOT = Path(__file__).parent.parent
SUITE, SERVER = "conformance", "reference_server"

# The suite's rooms, each with the rooms it may see. `wire` sees `judgement` for one thing: a spent
# budget has to reach the runner as something that a check did not foresee.
SEES: dict[str, set[str]] = {
    "model": set(),
    "events": {"model", "language"},
    "conclusions": {"model"},
    "judgement": {"model"},
    "significance": set(),
    "language": set(),
    "overlay": set(),
    "promises": {"language"},
    "schemas": {"language", "promises"},
    "plugins": set(),
    "spec_files": set(),
    "requirements": {"model", "plugins", "spec_files"},
    "contract": {"model", "overlay", "schemas", "language", "requirements", "spec_files"},
    "wire": {"model", "events", "judgement"},
    "completion": {"model", "judgement"},
    "answers": {"model", "judgement", "completion", "wire"},
    "asked": {"model", "judgement"},
    "answered": {"model", "contract", "judgement", "completion", "answers", "asked"},
    "api": {"model", "contract", "answers", "asked", "answered"},
    "checks": {
        "model",
        "contract",
        "judgement",
        "significance",
        "completion",
        "answers",
        "asked",
        "answered",
        "api",
        "wire",
        "generation",
        "verdicts",
    },
    "discovery": {"contract", "plugins", "checks"},
    "generation": {"model", "contract", "judgement", "answers", "api"},
    "imagined": {"model", "contract"},
    "selection": {"model", "contract", "checks"},
    "verdicts": {"model", "contract", "judgement"},
    "preflight": {"model", "judgement", "answers", "api", "checks", "wire"},
    "runner": {
        "model",
        "events",
        "contract",
        "answered",
        "conclusions",
        "api",
        "checks",
        "discovery",
        "selection",
        "verdicts",
        "preflight",
        "reference",
        "wire",
    },
    "reference": {"model", "language", "events", "judgement", "asked", "wire"},
    "rejudging": {
        "model",
        "events",
        "contract",
        "judgement",
        "api",
        "checks",
        "discovery",
        "selection",
        "runner",
    },
    "planning": {
        "model",
        "events",
        "contract",
        "checks",
        "selection",
        "imagined",
        "runner",
        "wire",
    },
    "bundled": set(),
    "selftest": {
        "model",
        "events",
        "contract",
        "api",
        "checks",
        "discovery",
        "selection",
        "runner",
        "bundled",
    },
    "targets": {"model", "language", "contract", "selection"},
    "documents": {"model", "contract", "schemas", "judgement", "completion", "wire"},
    # Programs of their own, which nobody imports: what they use is no dependency of the suite.
    "documents.drivers": set(),
    "causes": {"model"},
    "reports": {"model", "events", "conclusions", "causes", "language"},
    "cli": {
        "model",
        "events",
        "language",
        "contract",
        "causes",
        "checks",
        "discovery",
        "selection",
        "runner",
        "planning",
        "bundled",
        "reference",
        "rejudging",
        "selftest",
        "documents",
        "plugins",
        "targets",
        "reports",
        "wire",
    },
    "pytest_plugin": {
        "model",
        "contract",
        "judgement",
        "answers",
        "api",
        "checks",
        "discovery",
        "plugins",
        "selection",
        "verdicts",
        "runner",
        "targets",
        "reports",
        "wire",
    },
    "__main__": {"cli"},
}

# Who may use which library; what is not named here, a room may not use.
USES: dict[str, set[str]] = {
    "overlay": {"jsonpath"},
    "schemas": {"jsonschema"},
    "spec_files": {"yaml"},
    "requirements": {"jsonschema"},
    "contract": {"jsonschema"},
    "causes": {"yaml"},
    "documents": {"jsonschema", "yaml"},
    "documents.drivers": {"httpx", "openai", "requests"},
    "wire": {"cattrs", "httpx"},
    "generation": {"covertable", "hypothesis", "requests", "schemathesis"},
    "selftest": {"cattrs"},
    "reports": {"jinja2", "markupsafe", "rich", "yaml"},
    "cli": {"click", "rich"},
    "pytest_plugin": {"pytest"},
}

# Of the wire, those who judge see the reading of streams and nothing that could send.
WIRE_FOR_JUDGES = {"conformance.protocol.sse"}


@cache
def modules(package: str) -> dict[str, ast.Module]:
    """Every module of a package by its dotted name."""
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text("utf-8"), str(path))
    return found


def imports_of(name: str, tree: ast.Module) -> Iterator[str]:
    """Every module that a module imports, wherever in it the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            assert node.module is not None
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules(node.module.partition(".")[0]) else node.module


def room_of(module: str) -> str:
    """The room of one of the suite's modules; the package itself is the hall that all share."""
    within = module.partition(".")[2]
    inner = (room for room in SEES if "." in room and f"{within}.".startswith(f"{room}."))
    return next(inner, within.partition(".")[0])


SUITE_MODULES = sorted(modules(SUITE))


@for_each_case("module", SUITE_MODULES)
def test_a_room_sees_only_the_rooms_it_may(module: str) -> None:
    room = room_of(module)
    seen = {
        room_of(other)
        for other in imports_of(module, modules(SUITE)[module])
        if other.partition(".")[0] == SUITE
    }
    assert not room or room in SEES, f"{module} is in a room that this test does not know"
    strange = seen - {room, ""} - SEES.get(room, set())
    assert not strange, f"{module} may not see {', '.join(sorted(strange))}"


@for_each_case("module", SUITE_MODULES)
def test_a_room_uses_only_its_own_libraries(module: str) -> None:
    tops = {other.partition(".")[0] for other in imports_of(module, modules(SUITE)[module])}
    libraries = tops - set(sys.stdlib_module_names) - {SUITE}
    strange = libraries - USES.get(room_of(module), set())
    assert not strange, f"{module} may not use {', '.join(sorted(strange))}"


@for_each_case("room", ["answers", "checks"])
def test_who_judges_cannot_send(room: str) -> None:
    for module in SUITE_MODULES:
        if room_of(module) != room:
            continue
        wire = {m for m in imports_of(module, modules(SUITE)[module]) if room_of(m) == "wire"}
        assert wire <= WIRE_FOR_JUDGES, f"{module} sees {wire - WIRE_FOR_JUDGES}"


def test_no_two_rooms_see_each_other() -> None:
    left = {room: set(seen) for room, seen in SEES.items()}
    while left:
        free = {room for room, seen in left.items() if not seen & set(left)}
        assert free, f"these rooms see each other: {sorted(left)}"
        left = {room: seen for room, seen in left.items() if room not in free}


@for_each_case(("package", "other"), [(SUITE, SERVER), (SERVER, SUITE)])
def test_the_suite_and_the_reference_server_do_not_know_each_other(
    package: str, other: str
) -> None:
    for module, tree in modules(package).items():
        met = [name for name in imports_of(module, tree) if name.partition(".")[0] == other]
        assert not met, f"{module} imports {met}"


def test_the_oracle_knows_nothing_of_what_it_judges() -> None:
    for path in sorted((ROOT / "tests" / "oracle").glob("*.py")):
        met = imports_of(path.name, ast.parse(path.read_text("utf-8"), str(path)))
        ours = {name for name in met if name.partition(".")[0] in {SUITE, SERVER, "tests"}}
        strange = {name for name in ours if not name.startswith(("tests.oracle", "tests.servers"))}
        assert not strange, f"{path.name} imports {', '.join(sorted(strange))}"


ENDINGS = {"print", "exit", "quit", "sys.exit", "os._exit"}


@for_each_case("module", SUITE_MODULES)
def test_only_the_command_line_prints_and_exits(module: str) -> None:
    if room_of(module) in {"cli", "__main__"}:
        return
    tree = modules(SUITE)[module]
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not calls & ENDINGS
    assert "SystemExit" not in names


@for_each_case("room", ["checks", "documents/lint", "documents/expectations"])
def test_who_judges_names_no_vendor(room: str) -> None:
    vendors = ("api000", "gpt.ge", "gpt-ge", "aocheng", "zhizengzeng", "eronmind", "零度")
    for path in (ROOT / SUITE / room).rglob("*.py"):
        text = path.read_text("utf-8").lower()
        assert not [vendor for vendor in vendors if vendor in text], path.name
