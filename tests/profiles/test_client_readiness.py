"""A client is ready at an endpoint that conforms, and not ready where a fault breaks a need."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from conformance.contract import load_contract
from conformance.engine.replay import rejudge
from conformance.engine.selection import Options
from conformance.model import ExitCode, NeedState, Readiness, Tier
from conformance.profiles import bundled_names, load_profile
from conformance.record.ndjson import read_run, write_run
from tests.lanes import by_default
from tests.profiles.running import client_of, recorded, run_for, states_of
from tests.profiles.test_profile_data import OWN, written

CONTRACTS = {
    "continue": "aocheng",  # its five stop sequences are more than OpenAI takes
    "continue-fim": "aocheng",
    "cursortab": "vllm",  # top_k
    "guidellm": "vllm",  # ignore_eos
    "vllm-bench": "vllm",
}
"""Contracts that promise what a client sends, where OpenAI's does not."""

FAULTS = [
    ("lm-eval", "echo-dropped-with-logprobs", "prompt-scores"),
    ("lm-eval", "logprobs-ignored", "prompt-scores top-scores"),
    ("lm-eval", "logprobs-chat-shape", "prompt-scores top-scores"),
    ("lm-eval", "echo-entry-missing", "prompt-scores"),
    ("lm-eval", "tokens-with-echo-break-server", "prompt-scores top-scores"),
    ("lm-eval", "index-missing", "generation"),
    ("lm-eval", "only-first-stop", "generation"),
    ("lm-eval", "only-last-stop", "generation"),
    ("lm-eval-batch", "index-all-zero", "scores texts"),
    ("lm-eval-batch", "index-reversed", "scores"),
    ("continue-fim", "stop-ignored", "stop"),
    ("continue-fim", "stream-chat-delta", "suffix cancel"),
    ("continue-fim", "suffix-dropped", "insertion"),
    ("continue-fim", "fake-streaming", "early"),
    ("continue", "stream-ignored", "stream cancel early"),
    ("cursortab", "stream-chat-delta", "stream cancel"),
    ("tabby", "suffix-null-refused", "null-suffix"),
    ("proxyai", "stop-null-refused", "suffix"),
    ("langchain", "batch-reversed", "batch"),
    ("langchain", "logprobs-null-refused", "invoke batch stream"),
    ("openai-python", "stream-ignored", "streams"),
    ("openai-node", "refused-stream-as-events", "messages"),
    ("litellm", "usage-missing", "usage"),
    ("litellm", "server-error-on-bad-input", "retries"),
    ("litellm", "error-as-200", "errors"),
    ("guidellm", "usage-missing", "usage"),
    ("vllm-bench", "usage-chunk-with-choice", "usage"),
]

REFUSED = [
    ("continue-fim", "suffix"),
    ("cursortab", "stream finish"),
    ("guidellm", "request exact-length usage"),
]
"""Needs that OpenAI's contract rejects, and conforms."""


def unmet(states: dict[str, str]) -> set[str]:
    return {name for name, state in states.items() if state == NeedState.UNMET}


@pytest.mark.parametrize(
    "name", by_default(("lm-eval", "continue-fim", "langchain", "tabby"), bundled_names())
)
def test_client_works_where_its_needs_are_promised(name: str) -> None:
    judged = run_for(name, contract=CONTRACTS.get(name, "openai"))
    assert set(states_of(judged, name).values()) == {"met"}
    assert judged.exit_code is ExitCode.CONFORMING


@pytest.mark.parametrize(("name", "fault", "broken"), by_default(FAULTS[::2], FAULTS))
def test_fault_shows_in_the_needs_it_breaks(name: str, fault: str, broken: str) -> None:
    judged = run_for(name, fault, CONTRACTS.get(name, "openai"))
    assert unmet(states_of(judged, name)) == set(broken.split())
    assert client_of(judged, name).readiness is Readiness.NOT_READY
    assert judged.exit_code is ExitCode.NOT_CONFORMING


HARMLESS = [
    ("litellm", "unprocessable-for-bad-request"),
    ("litellm", "bare-error-envelope"),
    ("vllm-bench", "stream-chat-delta"),
    ("vllm-bench", "usage-chunk-without-choices"),
]
"""Faults that the client itself does not notice, as `tests/clients` shows."""


@pytest.mark.parametrize(("name", "fault"), HARMLESS)
def test_fault_that_the_client_overlooks_is_harmless(name: str, fault: str) -> None:
    judged = run_for(name, fault, CONTRACTS.get(name, "openai"))
    assert client_of(judged, name).readiness is Readiness.READY


@pytest.mark.parametrize(("name", "broken"), REFUSED)
def test_conforming_rejection_breaks_a_client(name: str, broken: str) -> None:
    judged = run_for(name)
    assert unmet(states_of(judged, name)) == set(broken.split())
    assert judged.shown_conclusion.value == "conforming"
    assert judged.exit_code is ExitCode.NOT_CONFORMING


def test_every_state_has_its_evidence() -> None:
    judged = run_for("continue-fim", "stop-ignored", "aocheng")
    exchanges = {exchange.id for exchange in judged.exchanges}
    findings = {finding.id for finding in judged.findings}
    for need in client_of(judged, "continue-fim").needs:
        assert need.exchanges or need.findings
        assert set(need.exchanges) <= exchanges
        assert set(need.findings) <= findings
        assert bool(need.why) is (need.state is not NeedState.MET)


def test_need_behind_a_rejection_is_not_tested() -> None:
    judged = run_for("continue-fim")
    assert states_of(judged, "continue-fim")["stop"] == "not tested"


def test_ordinary_run_shows_clients_whose_requests_it_sends() -> None:
    general = ("errors.*", "auth.*", "model.*", "text.*", "usage.*")
    judged = recorded(Options(Tier.STANDARD, select=general))
    assert judged.footer is not None
    states = {client.profile: client.readiness.value for client in judged.footer.readiness}
    assert {name for name, state in states.items() if state == "ready"} == {
        "litellm",
        "openai-node",
        "openai-python",
    }
    assert set(states.values()) == {"ready", "not tested"}
    assert judged.exit_code is ExitCode.CONFORMING


def test_ordinary_run_shows_a_broken_need() -> None:
    judged = recorded(Options(Tier.SMOKE), "echo-dropped-with-logprobs")
    need = client_of(judged, "lm-eval").needs[0]
    assert need.state is NeedState.UNMET
    assert need.findings == ("echo-logprobs.one-more-entry",)


def test_profile_of_ones_own_is_judged(tmp_path: Path) -> None:
    own = load_profile(written(tmp_path, OWN))
    assert states_of(run_for(own), "mine") == {"text": "met"}
    assert states_of(run_for(own, "chat-shaped-answer"), "mine") == {"text": "unmet"}


def test_record_judged_again_keeps_readiness(tmp_path: Path) -> None:
    own = load_profile(written(tmp_path, OWN))
    lm_eval = load_profile("lm-eval")
    judged = recorded(Options(Tier.SMOKE, select=("text.present",), profiles=(lm_eval, own)))
    path = tmp_path / "run.ndjson"
    write_run(judged, path)
    again = rejudge(read_run(path), load_contract("openai"))
    for name in ("lm-eval", "mine"):
        assert states_of(again, name) == states_of(judged, name)
    assert dataclasses.replace(again.header, recorded_by=None) == judged.header
    assert again.exit_code is ExitCode.CONFORMING
