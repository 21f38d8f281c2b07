"""Checks of other packages, which a package offers by an entry point.

    [project.entry-points."completions_conformance.checks"]
    acme = "acme_checks"

The module that is named registers its checks by being imported, as those of the suite do. A file
``requirements.yaml`` in its package holds the sentences that they judge, in the form of
``spec/requirements.yaml``. Whoever installs such a package has its checks in every run and report.
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
    """Another package's checks cannot be used; one sentence names it, the fault and the way out."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One package that brings checks: its name on an index, and the module that registers them."""

    distribution: str
    module: str

    @property
    def requirements(self) -> Path | None:
        """The file of its requirements, found without running any of its code; None without one.

        Raises:
            PluginError: its module is not there.
        """
        try:
            spec = find_spec(self.module)
            package = find_spec(spec.parent) if spec is not None and spec.parent else None
        except Exception as error:
            raise self.broken(f"{self.module} cannot be imported ({_told(error)})") from error
        if spec is None:
            raise self.broken(f"there is no module {self.module}, which its entry point names")
        folders = package.submodule_search_locations if package is not None else None
        files = (Path(folder) / REQUIREMENTS for folder in folders or ())
        return next((file for file in files if file.is_file()), None)

    def load(self) -> None:
        """Import the module, which registers its checks.

        Raises:
            PluginError: that fails.
        """
        try:
            importlib.import_module(self.module)
        except Exception as error:
            raise self.broken(f"{self.module} cannot be imported ({_told(error)})") from error

    def broken(self, what: str) -> PluginError:
        """Say what is wrong with it, and what can be done."""
        return PluginError(
            f"the checks of the installed package {self.distribution} cannot be used: {what}; "
            "mend or uninstall it"
        )


@cache
def plugins() -> tuple[Plugin, ...]:
    """Find every installed package that brings checks, in the order of names.

    One that is reached over two paths, as a checkout and as its installation, counts once.
    """
    from importlib.metadata import entry_points  # noqa: PLC0415 - takes longer than all the rest here

    found = {_plugin_of(entry) for entry in entry_points(group=GROUP)}
    return tuple(sorted(found, key=lambda plugin: (plugin.distribution, plugin.module)))


def _plugin_of(entry: EntryPoint) -> Plugin:
    return Plugin(entry.dist.name if entry.dist else entry.name, entry.module)


def _told(error: Exception) -> str:
    """Name an error in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
