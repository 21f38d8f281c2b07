"""The contract under test: one document's overlay, and the requirements in force."""

from conformance.contract.common import Common, common_to
from conformance.contract.contract import (
    DOCUMENTS,
    Contract,
    ContractError,
    Field,
    Parameter,
    SchemaViolation,
    load_contract,
    spec_directory,
)

__all__ = [
    "DOCUMENTS",
    "Common",
    "Contract",
    "ContractError",
    "Field",
    "Parameter",
    "SchemaViolation",
    "common_to",
    "load_contract",
    "spec_directory",
]
