"""The contract under test: one document's overlay, and the requirements in force."""

from conformance.contract.common import common_to
from conformance.contract.contract import CONTRACTS, DOCUMENTS, LIVING, Contract
from conformance.contract.files import ContractError, spec_directory
from conformance.contract.loading import load_contract
from conformance.contract.schemas import Field, Parameter
from conformance.contract.violations import SchemaViolation

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
