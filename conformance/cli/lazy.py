"""A group whose commands are imported when they are used, and listed without being imported."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """The location of a command and its line in the list of commands.

    Attributes:
        module: the full name of the module that defines it.
        name: its name in the module.
        short_help: its line in the list of commands.
    """

    module: str
    name: str
    short_help: str

    def load(self) -> click.Command:
        """Import the command."""
        command: click.Command = getattr(importlib.import_module(self.module), self.name)
        command.short_help = self.short_help
        return command


class LazyGroup(click.Group):
    """A group of :class:`LazyCommand`; ``--help`` imports none of them."""

    def __init__(
        self, *args: Any, lazy: Mapping[str, LazyCommand] | None = None, **extra: Any
    ) -> None:
        super().__init__(*args, **extra)
        self._lazy = lazy or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands in alphabetical order."""
        return sorted([*super().list_commands(ctx), *self._lazy])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command by its name; None if there is none."""
        lazy = self._lazy.get(cmd_name)
        return lazy.load() if lazy else super().get_command(ctx, cmd_name)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - the library's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the list of commands."""
        rows = [
            *((name, command.short_help) for name, command in self._lazy.items()),
            *((name, command.get_short_help_str()) for name, command in self.commands.items()),
        ]
        with formatter.section("Commands"):
            formatter.write_dl(sorted(rows))
