"""Faults of the bill."""

from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.pieces import usage
from reference_server.behaviour.registry import Evidence, fault


@fault("total-mismatch", breaks="usage.total-is-sum", evidence=Evidence.REPORTED)
def total_mismatch() -> Behaviour:
    """``total_tokens`` is three more than its parts."""
    return usage(lambda _, bill: {"total_tokens": bill["total_tokens"] + 3})
