"""What several documents promise alike, so that endpoints of different vendors can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from conformance.contract.loading import load_contract
from conformance.model import Common


def common_to(documents: Sequence[str]) -> Common:
    """Return what the contracts of documents have in common; nothing if there are none.

    Limits and defaults stay those of each document: a requirement in force in two contracts can
    allow up to 4 in one and up to 16 in the other.

    Raises:
        ContractError: a document is unknown.
    """
    contracts = [load_contract(name) for name in documents]
    if not contracts:
        return Common()
    requirements = (frozenset(contract.requirements) for contract in contracts)
    subjects = (
        frozenset(subject.name for subject in contract.subjects if subject.documented)
        for contract in contracts
    )
    return Common(
        tuple(documents),
        reduce(frozenset.intersection, requirements),
        reduce(frozenset.intersection, subjects),
    )
