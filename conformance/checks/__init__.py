"""The checks: one file per parameter or area, found by being here.

A check sees the contract and the endpoint through the ``api`` object it is handed, and nothing
else: no HTTP library, no command line, no vendor's name.
"""

from conformance.checks.registry import (
    Check,
    all_checks,
    check,
    check_afterwards,
    invariant,
    invariant_across,
)

__all__ = [
    "Check",
    "all_checks",
    "check",
    "check_afterwards",
    "invariant",
    "invariant_across",
]
