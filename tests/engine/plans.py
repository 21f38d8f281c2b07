"""Plans, computed once per process because a deep one takes seconds."""

from functools import cache

from conformance.contract import load_contract
from conformance.engine.estimate import Plan, plan
from conformance.engine.selection import Options
from conformance.model import Tier


@cache
def plan_of(document: str, tier: Tier) -> Plan:
    """The plan of a whole run with the default options."""
    return plan(load_contract(document), Options(tier))
