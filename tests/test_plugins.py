"""Checks of other packages; mistakes in a package are reported in a sentence."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from conformance.checks.catalogue import REGISTERED
from conformance.cli import main
from conformance.contract import load_contract
from conformance.contract.requirements import own_statements, statements_of
from conformance.engine import discovery
from conformance.engine.discovery import all_checks
from conformance.plugins import Plugin, PluginError

pytest_plugins = "pytester"

REQUIREMENT = """
requirements:
  - id: acme.short
    level: must
    subject: max_tokens
    scope: protocol
    statement: "Answers are short."
    statement_zh: "响应很短。"
    sources: [{document: acme, says: "short", says_zh: "短"}]
"""
CHECK = '''
from conformance.checks import check

@check("acme.short", requirement="stop.string")
async def answers_are_short(api):
    """Answers are short.

    响应很短。
    """
'''
ACME = Plugin("acme-checks", "acme_of_a_test")
LIVE = load_contract("openai")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty package of which nothing is left behind in this process."""
    folder = tmp_path / ACME.module
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    sys.modules.pop(ACME.module, None)


@pytest.fixture
def installed(package: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The package with an entry point; its checks are registered for one test."""
    all_checks()
    monkeypatch.setattr(discovery, "plugins", lambda: (ACME,))
    all_checks.cache_clear()
    with patch.dict(REGISTERED):
        yield package
    monkeypatch.undo()
    all_checks.cache_clear()


def requirements_of(plugin: Plugin) -> list[str]:
    parameters = frozenset(parameter.name for parameter in LIVE.parameters)
    statements = statements_of(
        plugin,
        taken={statement.requirement.id for statement in own_statements()},
        subjects=parameters | {"response"},
        parameters=parameters,
    )
    return [statement.requirement.id for statement in statements]


def test_package_may_bring_no_requirements(package: Path) -> None:
    assert requirements_of(ACME) == []


@pytest.mark.parametrize("module", [ACME.module, f"{ACME.module}.inner"])
def test_requirements_are_read_without_importing_the_module(package: Path, module: str) -> None:
    (package / "inner.py").write_text("raise RuntimeError('imported')")
    (package / "requirements.yaml").write_text(REQUIREMENT, "utf-8")
    assert requirements_of(Plugin("acme-checks", module)) == ["acme.short"]


def changed(before: str, after: str) -> str:
    assert before in REQUIREMENT
    return REQUIREMENT.replace(before, after)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("requirements: [", "is not valid YAML"),
        ("- nothing", "is not of type 'object'"),
        (changed("must", "shall"), "requirements[0].level: 'shall' is not one of"),
        (changed("    level: must\n", ""), "'level' is a required property"),
        (changed("acme.short", "Acme"), "requirements[0].id: 'Acme' does not match"),
        (changed("acme.short", "stop.string"), "the id stop.string is already in use"),
        (changed("max_tokens", "max_token"), "acme.short has the subject `max_token`"),
        (changed("protocol", "protocol\n    needs: [ech]"), "acme.short needs `ech`, which is not"),
        (REQUIREMENT + REQUIREMENT.split(":", 1)[1], "the id acme.short is already in use"),
    ],
)
def test_unusable_requirements_name_the_reason(package: Path, content: str, sentence: str) -> None:
    (package / "requirements.yaml").write_text(content, "utf-8")
    with pytest.raises(PluginError) as raised:
        requirements_of(ACME)
    result = str(raised.value)
    assert result.startswith("the checks of the installed package acme-checks cannot be used: ")
    assert sentence in result
    assert result.endswith("; fix or uninstall it")


def test_missing_module_is_named() -> None:
    with pytest.raises(
        PluginError, match="its entry point names the module nowhere_at_all, which does not"
    ):
        requirements_of(Plugin("acme-checks", "nowhere_at_all"))
    with pytest.raises(PluginError, match=r"nowhere_at_all\.inner cannot be imported"):
        requirements_of(Plugin("acme-checks", "nowhere_at_all.inner"))


def test_plugin_check_is_listed_with_all_checks(installed: Path) -> None:
    (installed / "__init__.py").write_text(CHECK, "utf-8")
    (found,) = [check for check in all_checks() if check.id == "acme.short"]
    assert found.title == "Answers are short."
    assert found.run.__module__ == ACME.module


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("import what_nobody_has", "acme_of_a_test cannot be imported (ModuleNotFoundError: "),
        ("raise ValueError('two\\nlines')", "cannot be imported (ValueError: two lines)"),
        (CHECK.replace("acme.short", "stop.string"), "check stop.string is registered twice"),
        (
            CHECK.replace("响应很短。", ""),
            "the docstring lacks the Chinese title, its second paragraph",
        ),
        (CHECK.replace('"stop.string"', '"acme.n"'), "unknown requirement `acme.n`"),
        (
            CHECK.replace('"stop.string")', '"stop.string", needs=("ech",))'),
            "its check acme.short needs the unknown parameter `ech`",
        ),
    ],
)
def test_unusable_checks_end_the_command(installed: Path, code: str, sentence: str) -> None:
    (installed / "__init__.py").write_text(dedent(code), "utf-8")
    ended = CliRunner().invoke(main, ["list"])
    assert ended.exit_code == 4
    (line,) = ended.stderr.splitlines()
    assert line.startswith("conformance: the checks of the installed package acme-checks cannot be")
    assert sentence in line


def test_unusable_checks_end_a_pytest_session(
    installed: Path, pytester: pytest.Pytester, tmp_path: Path
) -> None:
    (installed / "__init__.py").write_text("raise ValueError('broken')")
    named = ("--conformance-base-url", "http://127.0.0.1:9/v1", "--conformance-model", "tiny")
    ended = pytester.runpytest_inprocess(*named)
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    ended.stderr.fnmatch_lines(["ERROR: the checks of the installed package acme-checks cannot*"])
