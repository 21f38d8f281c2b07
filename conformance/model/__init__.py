"""The shared data model: frozen records without I/O, from the standard library only.

Times are in seconds: ``at`` since the request was sent, ``started`` since the start of the run.
Bodies are the bytes on the wire, with the API key redacted.
"""

from __future__ import annotations

from conformance.model.balance import BalanceSource
from conformance.model.contract import (
    Common,
    Requirement,
    Source,
    Subject,
)
from conformance.model.cost import Cost, Limits, Money, Prices, money_of, most_money_of
from conformance.model.enums import (
    EXIT_CODES,
    Conclusion,
    Credentials,
    Effect,
    ExitCode,
    Level,
    Place,
    Role,
    Stage,
    State,
    Tier,
    Verdict,
)
from conformance.model.exchange import (
    DEFAULT_KEY_ENV,
    WRONG_KEY,
    Arrival,
    Attempt,
    Comparison,
    Exchange,
    Request,
    Target,
    TransportOptions,
)
from conformance.model.expectation import EntryKind, Expectation, Expected, ExpectedFile
from conformance.model.objectives import (
    CONFIDENCE,
    MAX_EVIDENCE,
    RATES,
    TIMES,
    Measure,
    Objective,
    ObjectiveResult,
    Standing,
)
from conformance.model.readiness import ClientReadiness, NeedResult, NeedState, Readiness
from conformance.model.run import (
    Explanation,
    Finding,
    Footer,
    Header,
    Resumption,
    Run,
)

__all__ = [
    "CONFIDENCE",
    "DEFAULT_KEY_ENV",
    "EXIT_CODES",
    "MAX_EVIDENCE",
    "RATES",
    "TIMES",
    "WRONG_KEY",
    "Arrival",
    "Attempt",
    "BalanceSource",
    "ClientReadiness",
    "Common",
    "Comparison",
    "Conclusion",
    "Cost",
    "Credentials",
    "Effect",
    "EntryKind",
    "Exchange",
    "ExitCode",
    "Expectation",
    "Expected",
    "ExpectedFile",
    "Explanation",
    "Finding",
    "Footer",
    "Header",
    "Level",
    "Limits",
    "Measure",
    "Money",
    "NeedResult",
    "NeedState",
    "Objective",
    "ObjectiveResult",
    "Place",
    "Prices",
    "Readiness",
    "Request",
    "Requirement",
    "Resumption",
    "Role",
    "Run",
    "Source",
    "Stage",
    "Standing",
    "State",
    "Subject",
    "Target",
    "Tier",
    "TransportOptions",
    "Verdict",
    "money_of",
    "most_money_of",
]
