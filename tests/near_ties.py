"""Greedy responses that diverge at near-ties, as batching causes."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

from conformance.contract import load_contract
from conformance.model import Arrival, Exchange, Request
from conformance.testing import FakeEndpoint
from reference_server.behaviour.messages import Body
from reference_server.behaviour.rewrite import Rewrite
from tests.fake_server import MODEL

BUSY = b'{"error": {"message": "busy", "type": "server_error", "param": null, "code": null}}'

FLIPS, FAILS = 0.05, 0.02
"""How often a greedy answer takes another turn, and how often the server is busy."""


def may_flip(request: Body) -> bool:
    """Whether a greedy answer can take another turn, and show by its scores that it was near."""
    deciding = ("presence_penalty", "frequency_penalty", "logit_bias")
    free = request.get("temperature") == 0 and not any(request.get(name) for name in deciding)
    return free and all(isinstance(prompt, str) for prompt in _prompts_of(request))


def scored_closely(whole: Body) -> Body:
    """Report near-ties in all log probabilities of a response or chunk."""
    choices = []
    for choice in whole["choices"]:
        scores = choice.get("logprobs")
        near = {**choice, "logprobs": {**scores, **_near_ties(scores)}} if scores else choice
        choices.append(near)
    return {**whole, "choices": choices}


def closely(request: Body, whole: Body) -> Body:
    """Report near-ties for generated tokens; the scores of an echoed prompt are unchanged."""
    if not may_flip(request):
        return whole
    prompts = _prompts_of(request) if request.get("echo") else []
    choices = []
    for old, new in zip(whole["choices"], scored_closely(whole)["choices"], strict=True):
        scores = old.get("logprobs")
        if scores and prompts:
            prompt = prompts[old["index"] // (request.get("n") or 1)]
            kept = sum(offset < len(str(prompt)) for offset in scores["text_offset"])
            near = {
                name: [*scores[name][:kept], *values[kept:]]
                for name, values in new["logprobs"].items()
            }
            choices.append({**new, "logprobs": near})
        else:
            choices.append(new)
    return {**whole, "choices": choices}


NEAR_TIES = Rewrite(
    non_streaming=closely,
    chunks=lambda request, chunks: [closely(request, chunk) for chunk in chunks],
)
"""An endpoint that flips near-ties has some to flip."""


class Unsteady:
    """The fake endpoint on a busy machine, where greedy answers are not always the same."""

    def __init__(self, seed: int) -> None:
        self._inner = FakeEndpoint(load_contract("openai"), MODEL)
        self._chance = random.Random(seed)

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        """Answer one request."""
        body, sent = _read(request.body), request
        if body and may_flip(body) and self._chance.random() < FLIPS:
            sent = replace(request, body=json.dumps({**body, "temperature": 0.2}).encode())
        exchange = replace(await self._inner.send(sent, fresh=fresh), request=request)
        if self._chance.random() < FAILS:
            return replace(
                exchange,
                status=self._chance.choice([429, 502]),
                headers=(("content-type", "application/json"),),
                body=BUSY,
                arrivals=(Arrival(0.01, len(BUSY)),),
            )
        return exchange


def _read(raw: bytes) -> Body | None:
    try:
        request = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return request if isinstance(request, dict) else None


def _prompts_of(request: Body) -> list[Any]:
    prompt = request.get("prompt")
    return prompt if isinstance(prompt, list) else [prompt]


def _near_ties(scores: Body) -> Body:
    """Score the two likeliest tokens of each place about alike: a model that can go either way."""
    tops = [top and _near_tie(top) for top in scores["top_logprobs"]]
    rows = zip(scores["tokens"], scores["token_logprobs"], tops, strict=True)
    result = [(top or {}).get(token, score) for token, score, top in rows]
    return {"top_logprobs": tops, "token_logprobs": result}


def _near_tie(top: dict[str, float]) -> dict[str, float]:
    ranked = sorted(top, key=lambda token: -top[token])
    best = -0.6 + max(top.values()) / 2
    close = dict(zip(ranked, (best, best - 0.3), strict=False))
    return {token: close.get(token, min(score, -5.0)) for token, score in top.items()}
