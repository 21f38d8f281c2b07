"""The contract under test: one document's overlay, and the requirements in force."""

from conformance.contract.common import common_to
from conformance.contract.contract import (
    CONTRACTS,
    DOCUMENTS,
    LIVING,
    Contract,
    ContractError,
    Field,
    Parameter,
    SchemaViolation,
    load_contract,
    spec_directory,
)

__all__ = [
    "CONTRACTS",
    "DOCUMENTS",
    "LIVING",
    "Contract",
    "ContractError",
    "Field",
    "Parameter",
    "SchemaViolation",
    "common_to",
    "load_contract",
    "spec_directory",
]
