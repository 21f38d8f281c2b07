"""Every check: the project's own, found in its packages, and those of installed packages."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from conformance.checks.catalogue import REGISTERED, Check
from conformance.contract import DOCUMENTS, ContractError, load_contract
from conformance.plugins import Plugin, plugins

PACKAGES = ("conformance.checks",)
"""The packages whose modules, at any depth, register checks by being imported."""


@cache
def all_checks() -> tuple[Check, ...]:
    """Import all modules that register checks, and return the checks in the order of their ids.

    These are the modules of :data:`PACKAGES`, and those that other packages name by entry points.

    Raises:
        PluginError: another package's checks cannot be used.
    """
    for package in PACKAGES:
        path = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages(path, f"{package}."):
            importlib.import_module(module.name)
    known = set(REGISTERED)
    for plugin in plugins():
        plugin.load()
        for name in REGISTERED.keys() - known:
            _assert_sound(REGISTERED[name], plugin)
        known |= REGISTERED.keys()
    return tuple(sorted(REGISTERED.values(), key=lambda c: c.id))


def _assert_sound(made: Check, plugin: Plugin) -> None:
    """Check that a check of another package names an existing requirement and existing parameters.

    Raises:
        PluginError: it does not.
    """
    # Whatever the contract, it knows every requirement and every parameter, in force or not.
    contract = load_contract(DOCUMENTS[0])
    try:
        contract.requirement(made.requirement)
    except ContractError as error:
        raise plugin.broken(f"of its check {made.id}, {error}") from None
    known = {parameter.name for parameter in contract.parameters}
    strange = [name for name in made.needs if name not in known]
    if strange:
        raise plugin.broken(f"its check {made.id} needs `{strange[0]}`, which is no parameter")
