"""A value that is served plainly and declined in streams is found, and one never served is not."""

from __future__ import annotations

import asyncio

import pytest

from conformance.checks.streaming.served import EDGES, values_at
from conformance.contract import DOCUMENTS, load_contract
from conformance.model import Verdict
from tests.conformance.checks.faulty import Fault, found
from tests.conformance.checks.parameter_faults import declines

OPENAI = load_contract("openai")
BROKEN = {Verdict.FAIL, Verdict.WARN}
STATED = [edge for edge in EDGES if values_at(OPENAI, edge) is not None]


def judged(edge: str, *, plain: bool, contract: str = "openai") -> Verdict:
    """Judge an endpoint that declines an edge in streams, and as a plain request, too, or not."""
    values = (values_at(load_contract(contract), edge) or {}).items()
    declining = declines(
        lambda body: (
            (plain or bool(body.get("stream")))
            and all(name in body and body[name] == value for name, value in values)
        )
    )
    return asyncio.run(found(f"served-streams.{edge}", declining, contract)).verdict


@pytest.mark.parametrize("edge", STATED)
def test_a_stream_that_is_declined_is_found(edge: str) -> None:
    assert judged(edge, plain=False) in BROKEN
    assert judged(edge, plain=True) is Verdict.PASS


def test_a_temperature_beside_top_p_is_held_where_a_page_sends_both() -> None:
    assert judged("temperature-and-top-p", plain=False, contract="eronmind") in BROKEN


@pytest.mark.parametrize("contract", DOCUMENTS)
@pytest.mark.parametrize("edge", EDGES)
def test_a_right_endpoint_is_left_alone(edge: str, contract: str) -> None:
    verdict = asyncio.run(found(f"served-streams.{edge}", Fault(), contract)).verdict
    assert verdict in {Verdict.PASS, Verdict.SKIPPED}
