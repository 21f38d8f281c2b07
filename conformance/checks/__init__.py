"""The checks: a folder for every area, and what several areas use in ``_shared``.

A check sees the contract and the endpoint through the ``api`` object that it is given, and nothing
else: no HTTP library, no command line, no vendor's name. Those who write checks, here or in a
package of their own, import the decorators from here. :mod:`conformance.engine.discovery` finds
them.
"""

from conformance.checks.catalogue import Check
from conformance.checks.registry import check, check_afterwards, invariant, invariant_across

__all__ = ["Check", "check", "check_afterwards", "invariant", "invariant_across"]
