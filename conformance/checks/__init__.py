"""The checks: a folder for every area, and shared helpers in ``_shared``.

A check sees the contract and the endpoint only through its ``api`` object: no HTTP library, no
command line, no vendor's name. Modules of checks, here or in a plugin, import the decorators from
here. :mod:`conformance.engine.discovery` finds them.
"""

from conformance.checks.catalogue import Check
from conformance.checks.registry import check, check_afterwards, invariant, invariant_across

__all__ = ["Check", "check", "check_afterwards", "invariant", "invariant_across"]
