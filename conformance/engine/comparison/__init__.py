"""Ask somebody else the same: what the reference answers to the requests that show deviations.

An answer beside the endpoint's own convinces more than a sentence about it. The reference is asked
when all checks have ended, so its answers are in no verdict, no budget and no bill of the endpoint;
it is started only where there is something to ask it.
"""

from conformance.engine.comparison.reference import (
    Reference,
    ReferenceMissingError,
    compare,
    secrets_of,
)
from conformance.engine.comparison.selection import deciding, within

__all__ = [
    "Reference",
    "ReferenceMissingError",
    "compare",
    "deciding",
    "secrets_of",
    "within",
]
