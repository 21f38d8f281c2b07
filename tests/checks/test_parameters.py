"""Parameters that may be rejected, or whose default is unlimited."""

from __future__ import annotations

import asyncio

import pytest

from conformance.model import Finding, Verdict
from reference_server.behaviour.builders import rejects, rewrites
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.triggers import is_batch
from tests.checks.catalogue import CHECKS, findings
from tests.fake_server import FakeServer, findings_of


def found(check_id: str, shown: Behaviour, contract: str = "openai") -> Finding:
    return findings(shown, [CHECKS[check_id]], contract)[check_id]


@pytest.mark.parametrize("name", ["presence_penalty", "frequency_penalty"])
def test_rejected_value_is_skipped_but_rejected_parameter_fails(name: str) -> None:
    check_id = f"{name.replace('_', '-')}.effect"
    for rejected, verdict in (
        (rejects(lambda request: bool(request.get(name))), Verdict.SKIPPED),
        (rejects(lambda request: name in request), Verdict.FAIL),
    ):
        finding = found(check_id, rejected, "aocheng")
        assert finding.verdict is verdict, finding.message


@pytest.mark.parametrize(
    "name", ["logprobs", "seed", "suffix", "logit_bias", "presence_penalty", "frequency_penalty"]
)
def test_rejected_null_fails_only_for_served_parameters(name: str) -> None:
    check_id = f"{name.replace('_', '-')}.null"
    finding = found(check_id, rejects(lambda request: name in request))
    assert finding.verdict is Verdict.REFUSED, finding.message
    finding = found(check_id, rejects(lambda request: name in request and request[name] is None))
    assert finding.verdict in {Verdict.FAIL, Verdict.WARN}, finding.message


@pytest.mark.parametrize("check_id", ["all-at-once.default-limit", "all-at-once.null-limit"])
def test_unlimited_stream_is_not_requested_as_a_batch(check_id: str) -> None:
    def unlimited(request: Body) -> Body:
        return {**request, "max_tokens": 40} if request.get("max_tokens") is None else request

    server = FakeServer(rewrites(unlimited))
    finding = asyncio.run(findings_of(server, [CHECKS[check_id]]))[check_id]
    assert finding.verdict is Verdict.SKIPPED
    assert not any(map(is_batch, server.bodies))
