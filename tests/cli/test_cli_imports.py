"""Commands are imported when they are used; listing them imports none."""

from __future__ import annotations

import importlib
import subprocess
import sys

import click
import pytest
from click.shell_completion import ShellComplete

from conformance.cli import COMMANDS, main

IMPORTED = """
import sys
from conformance.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(*sys.modules, file=sys.stderr)
"""


def modules_after(*arguments: str) -> set[str]:
    """Run a command line in a separate process, and return the modules it imported."""
    command = [sys.executable, "-c", IMPORTED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_options_of_the_group_import_no_command(option: str) -> None:
    imported = modules_after(option)
    assert not imported & {command.module for command in COMMANDS.values()}
    assert not imported & {"httpx", "jinja2", "jsonschema", "rich", "yaml"}


def test_run_imports_no_page_before_it_writes_one() -> None:
    imported = modules_after("run", "--help")
    assert "conformance.cli.run" in imported
    assert not imported & {"jinja2", "hypothesis", "schemathesis", "conformance.cli.selftest"}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_where_the_list_says(name: str) -> None:
    lazy = COMMANDS[name]
    command = getattr(importlib.import_module(lazy.module), lazy.name)
    assert isinstance(command, click.Command)
    assert command.name == name
    assert main.get_command(click.Context(main), name) is command
    assert command.get_short_help_str(limit=100) == lazy.short_help


def test_shell_completion_offers_commands_with_their_help() -> None:
    completion = ShellComplete(main, {}, "conformance", "_CONFORMANCE_COMPLETE")
    offered = {item.value: item.help for item in completion.get_completions([], "re")}
    assert offered.keys() == {"report"}
    assert str(offered["report"]).startswith("Regenerate reports")


def test_unknown_command_is_rejected() -> None:
    assert main.get_command(click.Context(main), "juggle") is None
