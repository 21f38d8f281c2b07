"""A compressed response is a warning, and a header that says ``identity`` is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.checks.headers.invariants import no_response_is_compressed
from conformance.contract import load_contract
from conformance.judgement import Failure, NotApplicable
from conformance.locale import in_chinese
from conformance.model import Exchange, Request, Verdict
from conformance.protocol.request import COMPLETIONS
from conformance.protocol.trace import RecordedExchange
from tests.checks.catalogue import CHECKS, findings

CHECK = CHECKS["headers.content-encoding-everywhere"]
ASK = Request("POST", COMPLETIONS, b"{}")


def judge(status: int | None, *headers: tuple[str, str], request: Request = ASK) -> None:
    exchange = Exchange("x1", request, (), status, headers, b"", (), 0.0, None)
    no_response_is_compressed(RecordedExchange(exchange, load_contract("openai")))


@pytest.mark.parametrize("value", ["gzip", "GZIP", "br", "identity, zstd", "made-up"])
@pytest.mark.parametrize("status", [200, 400, 503])
def test_any_encoding_is_reported(status: int, value: str) -> None:
    with pytest.raises(
        Failure, match="expected no content-encoding; got content-encoding '"
    ) as one:
        judge(status, ("Content-Encoding", value))
    assert in_chinese(one.value.seen) is not None


@pytest.mark.parametrize("value", ["identity", "Identity", "", ", identity ,"])
def test_identity_is_not_reported(value: str) -> None:
    judge(200, ("Content-Encoding", value))
    judge(200, ("Vary", "accept-encoding"))


def test_requests_for_an_encoding_are_not_judged() -> None:
    gzip = (("Content-Encoding", "gzip"),)
    with pytest.raises(NotApplicable):
        judge(200, *gzip, request=replace(ASK, headers=(("Accept-Encoding", "gzip"),)))
    with pytest.raises(NotApplicable):
        judge(None, *gzip)


@pytest.mark.parametrize(
    ("shown", "verdict"),
    [
        ("none", Verdict.PASS),
        ("gzip", Verdict.PASS),
        ("identity-encoding", Verdict.PASS),
        ("gzip-unasked", Verdict.WARN),
    ],
)
def test_only_unasked_compression_is_found(shown: str, verdict: Verdict) -> None:
    found = findings(shown, [CHECK])
    assert found[CHECK.id].verdict is verdict
