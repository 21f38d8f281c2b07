"""The comparison server: send it the requests that show deviations (differential testing).

A report shows its responses next to the endpoint's. They are requested after all checks, so they
affect no verdict and no budget of the endpoint. The server is started only if there is a deviation.
"""

from conformance.engine.comparison.reference import (
    Reference,
    ReferenceMissingError,
    compare,
    secrets_of,
)
from conformance.engine.comparison.selection import comparison_limits, deciding

__all__ = [
    "Reference",
    "ReferenceMissingError",
    "compare",
    "comparison_limits",
    "deciding",
    "secrets_of",
]
