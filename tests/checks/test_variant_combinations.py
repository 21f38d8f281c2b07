"""Combined variants, near-ties and transient errors cause no failure."""

from __future__ import annotations

import pytest

from conformance.model import Tier, Verdict
from reference_server.behaviour.registry import behaviour, chained
from tests.checks.catalogue import CHECKS, findings_at
from tests.fake_server import FakeServer
from tests.near_ties import NEAR_TIES, Unsteady

# What is written in another way comes first, next to the client.
MIXTURES = {
    "llama": "crlf+start-token-listed+offsets-from-zero+three-tokens-a-chunk",
    "relay": "comments+provider-members+choices-together+older-validator+disabled-key",
    "vllm": "vllm-members+stop-tokens-listed+usage-null-in-chunks+empty-chunks+model-dated",
    "processed": "one-portion+greedy-is-certain+no-echo-with-logprobs+no-greedy-copies",
    "parts": "event-fields+charset+parts-as-replacement+cut-tail-dropped+choices-backwards",
    "chinese": "chinese-errors+few-headers+clock-behind+choices-in-sequence+no-fingerprint",
}


def reported(name: str, seed: int, tier: Tier) -> dict[str, str]:
    """What checks call a failure of a server with several freedoms."""
    shown = chained([behaviour(MIXTURES[name]), NEAR_TIES])
    checks = [check for check in CHECKS.values() if tier.holds(check.tier)]
    found = findings_at(FakeServer(shown, inner=Unsteady(seed)), checks)
    wrong = {Verdict.FAIL, Verdict.ERROR}
    return {f.id: f.message for f in found.values() if f.verdict in wrong}


@pytest.mark.parametrize("name", MIXTURES)
def test_combined_variants_are_no_failure(name: str) -> None:
    assert reported(name, 0, Tier.SMOKE) == {}


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", MIXTURES)
def test_no_check_fails_combined_variants(name: str, seed: int) -> None:
    assert reported(name, seed, Tier.DEEP) == {}
