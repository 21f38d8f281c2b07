"""``--contract auto`` proposes a contract with its reasons, and runs nothing."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

from conformance.cli.proposal import command as command_of
from conformance.contract import Contract
from conformance.model import Exchange, Request
from conformance.testing import FakeEndpoint
from tests.cases import for_each_case
from tests.cli.endpoints import NAMED, ScriptedResponse, serving


class OfVllm(FakeEndpoint):
    """An endpoint whose list of models names vLLM."""

    def __init__(self, contract: Contract, model: str) -> None:
        super().__init__(contract, model)

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        if request.path == "/models":
            self.requests.append(request)
            return self._response(request, {"data": [{"id": "tiny", "owned_by": "vllm"}]})
        return await super().send(request, fresh=fresh)


def test_proposal_names_evidence_and_command(command, fake: Callable[..., None]) -> None:
    fake(OfVllm)
    result = command("run", *NAMED, "--contract", "auto", "--tier", "smoke", "--lang", "en")
    assert result.exit_code == 6, result.output
    reason, nothing, _, told = result.output.splitlines()[-4:]
    assert reason == (
        "http://fake.example/v1 looks like vLLM (`owned_by` is vllm): `--contract vllm` judges it "
        "by vLLM's own documentation."
    )
    assert nothing == "Nothing was judged; choose a contract and run:"
    assert told == shlex.join(
        ("conformance", "run", *NAMED, "--contract", "vllm", "--tier", "smoke", "--lang", "en")
    )
    assert not list(Path().glob("reports/*"))


def test_unknown_server_is_not_guessed(command, fake: Callable[..., None]) -> None:
    fake()
    result = command("run", *NAMED, "--contract=auto", "--lang", "en")
    assert result.exit_code == 6
    assert "does not say which server it is" in result.output
    assert result.output.splitlines()[-1].endswith("--contract=openai --lang en")


def test_endpoint_that_fails_is_undecided(command) -> None:
    body = json.dumps({"error": {"message": "down", "type": "x", "param": None, "code": None}})

    def failing() -> ScriptedResponse:
        return ScriptedResponse(body.encode(), status=503)

    with serving(failing) as url:
        asked = ("run", "--base-url", url, "--model", "m", "--contract", "auto", "--lang", "en")
        result = command(*asked)
    assert result.exit_code == 3
    assert "cannot be tested as it is" in result.output


@for_each_case(
    "words",
    [
        ("run", "--contract", "auto"),
        ("run", *NAMED, "--contract", "auto", "--dry-run"),
        ("plan", "--contract", "auto"),
        ("explain", "stop.batch", "--contract", "auto"),
    ],
)
def test_auto_needs_an_endpoint(command, words: tuple[str, ...]) -> None:
    result = command(*words)
    assert result.exit_code == 4
    assert "--base-url" in result.output


@for_each_case(
    ("words", "told"),
    [
        (("run", "--contract", "auto"), "conformance run --contract zero"),
        (("run", "--contract=auto", "-m", "a b"), "conformance run --contract=zero -m 'a b'"),
        (("run", "-m", "auto", "--contract", "auto"), "conformance run -m auto --contract zero"),
    ],
)
def test_command_repeats_all_other_words(words: tuple[str, ...], told: str) -> None:
    assert command_of(words, "zero") == told


def test_doctor_says_what_fits(command, fake: Callable[..., None]) -> None:
    fake(OfVllm)
    asked = ("doctor", "--base-url", "https://fake.example/v1", "--model", "davinci-002")
    result = command(*asked, "--contract", "auto", "--lang", "en")
    assert result.exit_code == 0, result.output
    model, contract = result.output.splitlines()[-2:]
    assert model.startswith("· model         OpenAI shut `davinci-002` down on 2026-09-28")
    assert contract == (
        "· contract      it looks like vLLM (`owned_by` is vllm): `--contract vllm` judges it by "
        "vLLM's own documentation"
    )


def test_doctor_admits_what_it_does_not_know(command, fake: Callable[..., None]) -> None:
    fake()
    result = command("doctor", *NAMED, "--contract", "auto", "--lang", "en")
    assert "does not say which server it is" in result.output.splitlines()[-1]
