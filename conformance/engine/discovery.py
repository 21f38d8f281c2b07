"""Discover all checks: the project's own and those of installed plugins."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from conformance.checks.catalogue import REGISTERED, Check
from conformance.contract import DOCUMENTS, ContractError, load_contract
from conformance.plugins import Plugin, plugins

PACKAGES = ("conformance.checks",)
"""The packages whose modules, at any depth, register checks when they are imported."""


@cache
def all_checks() -> tuple[Check, ...]:
    """Import all modules that register checks, and return the checks sorted by id.

    These are the modules of :data:`PACKAGES` and of plugins.

    Raises:
        PluginError: a plugin's checks cannot be used.
    """
    for package in PACKAGES:
        path = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages(path, f"{package}."):
            importlib.import_module(module.name)
    known = set(REGISTERED)
    for plugin in plugins():
        plugin.load()
        for name in REGISTERED.keys() - known:
            _assert_valid(REGISTERED[name], plugin)
        known |= REGISTERED.keys()
    return tuple(sorted(REGISTERED.values(), key=lambda c: c.id))


def _assert_valid(made: Check, plugin: Plugin) -> None:
    """Check that a plugin's check names an existing requirement and existing parameters.

    Raises:
        PluginError: it does not.
    """
    # Every contract contains all requirements and parameters, in force or not.
    contract = load_contract(DOCUMENTS[0])
    try:
        contract.requirement(made.requirement)
    except ContractError as error:
        raise plugin.broken(f"its check {made.id} has an {error}") from None
    known = {parameter.name for parameter in contract.parameters}
    unknown = [name for name in made.needs if name not in known]
    if unknown:
        raise plugin.broken(f"its check {made.id} needs the unknown parameter `{unknown[0]}`")
