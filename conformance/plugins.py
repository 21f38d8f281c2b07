"""Checks from other packages, registered with an entry point.

    [project.entry-points."completions_conformance.checks"]
    acme = "acme_checks"

Importing the module registers its checks. A file ``requirements.yaml`` in the package holds their
requirements, in the format of ``spec/requirements.yaml``. All installed plugins take part in every
run and report.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "completions_conformance.checks"

REQUIREMENTS = "requirements.yaml"


class PluginError(Exception):
    """A plugin cannot be used; the message names the package, the problem and the fix."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """A package with checks: its distribution name and the module that registers them."""

    distribution: str
    module: str

    @property
    def requirements(self) -> Path | None:
        """The path of its requirements file, found without importing the module; None without one.

        Raises:
            PluginError: the module does not exist.
        """
        try:
            spec = find_spec(self.module)
            package = find_spec(spec.parent) if spec is not None and spec.parent else None
        except Exception as error:
            raise self.broken(f"{self.module} cannot be imported ({_error_text(error)})") from error
        if spec is None:
            raise self.broken(
                f"its entry point names the module {self.module}, which does not exist"
            )
        folders = package.submodule_search_locations if package is not None else None
        files = (Path(folder) / REQUIREMENTS for folder in folders or ())
        return next((file for file in files if file.is_file()), None)

    def load(self) -> None:
        """Import the module, which registers its checks.

        Raises:
            PluginError: the import fails.
        """
        try:
            importlib.import_module(self.module)
        except Exception as error:
            raise self.broken(f"{self.module} cannot be imported ({_error_text(error)})") from error

    def broken(self, what: str) -> PluginError:
        """Make an error that names the problem and the fix."""
        return PluginError(
            f"the checks of the installed package {self.distribution} cannot be used: {what}; "
            "fix or uninstall it"
        )


@cache
def plugins() -> tuple[Plugin, ...]:
    """Find all installed plugins, sorted by name.

    A plugin that is found twice, as a checkout and as an installed package, counts once.
    """
    from importlib.metadata import entry_points  # noqa: PLC0415 - takes longer than all the rest here

    found = {_plugin_of(entry) for entry in entry_points(group=GROUP)}
    return tuple(sorted(found, key=lambda plugin: (plugin.distribution, plugin.module)))


def _plugin_of(entry: EntryPoint) -> Plugin:
    return Plugin(entry.dist.name if entry.dist else entry.name, entry.module)


def _error_text(error: Exception) -> str:
    """Format an error as one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
