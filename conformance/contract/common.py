"""What several documents promise alike, so that endpoints of different vendors can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from conformance.contract.contract import load_contract


@dataclass(frozen=True, slots=True)
class Common:
    """The promises that all of several documents make.

    Attributes:
        documents: their names.
        requirements: ids of the requirements in force in each of their contracts.
        subjects: names of the parameters and response fields that each of them documents.
    """

    documents: tuple[str, ...] = ()
    requirements: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()


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
