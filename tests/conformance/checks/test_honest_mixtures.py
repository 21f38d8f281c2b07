"""Several freedoms at once, flipping near-ties and a server that is busy at times: no failure."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import replace

import pytest

from conformance.api import Api
from conformance.contract import load_contract
from conformance.discovery import all_checks
from conformance.imagined import ImaginedEndpoint
from conformance.imagined.endpoint import MODEL
from conformance.model import Exchange, Finding, Request, Verdict
from conformance.runner import judge
from conformance.selection import reason_to_skip
from conformance.wire.sharing import Sharing
from tests.conformance.checks.honest_rewrites import scored_closely
from tests.conformance.checks.honest_variants import VARIANTS
from tests.conformance.checks.rewriting import (
    Body,
    Change,
    Endpoint,
    Rewriting,
    read,
    with_body,
    with_header,
)

OPENAI = load_contract("openai")
BUSY = '{"error": {"message": "busy", "type": "server_error", "param": null, "code": null}}'

FLIPS, FAILS = 0.05, 0.02
"""How often a greedy answer takes another turn, and how often the server is busy."""

MIXTURES = {
    "llama": "start-token-listed start-token-billed offsets-from-zero two-tokens-a-chunk crlf",
    "relay": "comments more-members choices-together older-validator finish-alone disabled-key",
    "vllm": "entries-after-stop end-token-counted usage-null-in-chunks empty-chunks model-dated",
    "processed": "greedy-is-certain echo-with-logprobs-refused greedy-copies-refused at-once",
    "parts": "parts-as-replacement cut-tail-dropped choices-backwards event-ids charset",
    "chinese": "chinese-errors no-advisory-headers clock-late choices-in-sequence no-fingerprint",
}


def may_flip(asked: Body) -> bool:
    """Whether a greedy answer can take another turn, and show by its scores that it was near."""
    deciding = ("presence_penalty", "frequency_penalty", "logit_bias")
    free = asked.get("temperature") == 0 and not any(asked.get(name) for name in deciding)
    return free and all(isinstance(prompt, str) for prompt in prompts_of(asked))


def prompts_of(asked: Body) -> list[object]:
    prompt = asked.get("prompt")
    return prompt if isinstance(prompt, list) else [prompt]


def closely(asked: Body, whole: Body) -> Body:
    """Tell of near-ties where something is generated: an echoed prompt is scored as ever."""
    if not may_flip(asked):
        return whole
    prompts = prompts_of(asked) if asked.get("echo") else []
    told = scored_closely(whole)
    choices = []
    for old, new in zip(whole["choices"], told["choices"], strict=True):
        scores = old.get("logprobs")
        if scores and prompts:
            prompt = prompts[old["index"] // (asked.get("n") or 1)]
            kept = sum(offset < len(str(prompt)) for offset in scores["text_offset"])
            near = {
                name: [*scores[name][:kept], *values[kept:]]
                for name, values in new["logprobs"].items()
            }
            new = {**new, "logprobs": near}  # noqa: PLW2901 - the same choice, told otherwise
        choices.append(new)
    return {**told, "choices": choices}


class Unsteady:
    """The ideal endpoint on a busy machine, where greedy answers are not always the same."""

    def __init__(self, seed: int) -> None:
        self._inner = ImaginedEndpoint(OPENAI)
        self._chance = random.Random(seed)

    async def send(self, request: Request) -> Exchange:
        asked, sent = read(request.body), request
        if asked and may_flip(asked) and self._chance.random() < FLIPS:
            sent = replace(request, body=json.dumps({**asked, "temperature": 0.2}).encode())
        exchange = replace(await self._inner.send(sent), request=request)
        if self._chance.random() < FAILS:
            busy = replace(exchange, status=self._chance.choice([429, 502]))
            return with_header(with_body(busy, BUSY), "content-type", "application/json")
        return exchange


NEAR_TIES = Change(
    plain=closely,
    chunks=lambda asked, chunks: [closely(asked, chunk) for chunk in chunks],
)
"""An endpoint that flips near-ties has some to flip."""


async def judged(endpoint: Endpoint) -> list[Finding]:
    sharing = Sharing(endpoint.send)
    in_force = [check for check in all_checks() if reason_to_skip(check, OPENAI) is None]
    return [await judge(check, Api(sharing, OPENAI, MODEL, has_key=True)) for check in in_force]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", MIXTURES)
def test_freedoms_that_come_together_are_no_failure(name: str, seed: int) -> None:
    endpoint: Endpoint = Rewriting(NEAR_TIES, inner=Unsteady(seed))
    for variant in MIXTURES[name].split():
        endpoint = Rewriting(VARIANTS[variant], inner=endpoint)
    found = asyncio.run(judged(endpoint))
    accused = {
        finding.id: finding.message
        for finding in found
        if finding.verdict in {Verdict.FAIL, Verdict.ERROR}
    }
    assert not accused
