"""An empty completion is only asked for with an echo, which a server may reject."""

from __future__ import annotations

import asyncio

import pytest

from conformance.contract import CONTRACTS
from conformance.model import Verdict
from tests.checks.catalogue import CHECKS
from tests.fake_server import FakeServer, findings_of

ZERO = [CHECKS["all-at-once.zero"], CHECKS["all-at-once.zero-streamed"]]


@pytest.mark.parametrize("contract", CONTRACTS)
def test_rejected_echo_is_not_dropped(contract: str) -> None:
    server = FakeServer("no-echo-nor-zero-tokens", contract)
    found = asyncio.run(findings_of(server, ZERO))
    assert all(body["echo"] is True for body in server.bodies)
    assert {one.verdict for one in found.values()} <= {Verdict.REFUSED, Verdict.FAIL}


def test_rejected_echo_is_refused_where_unpromised() -> None:
    found = asyncio.run(findings_of(FakeServer("no-echo-nor-zero-tokens", "llama-cpp"), ZERO))
    assert {one.verdict for one in found.values()} == {Verdict.REFUSED}
