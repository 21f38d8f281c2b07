"""A value that is served without streaming and rejected in streams is found."""

from __future__ import annotations

import pytest

from conformance.checks.streaming.served import EDGES, values_at
from conformance.contract import CONTRACTS, load_contract
from conformance.model import Verdict
from reference_server.behaviour.builders import rejects
from reference_server.behaviour.messages import Behaviour
from tests.checks.catalogue import CHECKS, findings

OPENAI = load_contract("openai")
BROKEN = {Verdict.FAIL, Verdict.WARN}
STATED = [edge for edge in EDGES if values_at(OPENAI, edge) is not None]


def verdict(edge: str, shown: Behaviour | str, contract: str) -> Verdict:
    """Judge a server by the check of one edge; what a contract does not state is skipped."""
    check_id = f"served-streams.{edge}"
    found = findings(shown, [CHECKS[check_id]], contract)
    return found[check_id].verdict if found else Verdict.SKIPPED


def judged(edge: str, *, non_streaming: bool, contract: str = "openai") -> Verdict:
    """Judge an endpoint that rejects an edge in streams, and optionally without streaming."""
    values = (values_at(load_contract(contract), edge) or {}).items()
    declining = rejects(
        lambda body: (
            (non_streaming or bool(body.get("stream")))
            and all(name in body and body[name] == value for name, value in values)
        )
    )
    return verdict(edge, declining, contract)


@pytest.mark.parametrize("edge", STATED)
def test_stream_that_is_rejected_is_found(edge: str) -> None:
    assert judged(edge, non_streaming=False) in BROKEN
    assert judged(edge, non_streaming=True) is Verdict.PASS


def test_temperature_with_top_p_is_checked_if_documented() -> None:
    assert judged("temperature-and-top-p", non_streaming=False, contract="eronmind") in BROKEN


@pytest.mark.parametrize("contract", CONTRACTS)
def test_conforming_endpoint_is_not_reported(contract: str) -> None:
    verdicts = {verdict(edge, "none", contract) for edge in EDGES}
    assert verdicts <= {Verdict.PASS, Verdict.SKIPPED}
