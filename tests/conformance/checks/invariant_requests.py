"""A few dozen requests of all kinds, for invariants to look at the answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from conformance.answered import Answered, WholeRun
from conformance.api import Api, encode
from conformance.checks import Check
from conformance.checks._shared.prompts import AWKWARD, CHINESE, COLOURS, COUNTING
from conformance.checks.suffix.directed import CHINESE_SUFFIX, LONG_SUFFIX
from conformance.contract import load_contract
from conformance.discovery import all_checks
from conformance.imagined.endpoint import MODEL
from conformance.model import Exchange, Finding, Request
from conformance.runner import judge
from tests.conformance.checks.rewriting import Body, Endpoint

OPENAI = load_contract("openai")
COUNTING_TOKENS = {"usage.ids-counted-everywhere", "usage.echoed-counted-everywhere"}
"""Invariants with tests of their own."""

INVARIANTS = {
    check.id: check
    for check in all_checks()
    if check.run.__module__.endswith(".invariants") and check.id not in COUNTING_TOKENS
}

WAYS: tuple[Body, ...] = (
    {},
    {"max_tokens": 48},
    {"stream": True},
    {"stream": True, "stream_options": {"include_usage": True}},
    {"logprobs": 2},
    {"logprobs": 2, "stream": True},
    {"echo": True},
    {"echo": True, "stream": True},
    {"echo": True, "logprobs": 1, "max_tokens": 1},
    {"n": 2, "temperature": 1},
    {"n": 2, "temperature": 1, "stream": True},
)
"""Ways of asking about any prompt."""

INSERTING: tuple[Body, ...] = ({}, {"stream": True}, {"n": 2}, {"logprobs": 2})
"""Ways of asking what goes before a suffix."""

BATCHES = ([COUNTING, COLOURS], [CHINESE, COUNTING])

WRONG: tuple[Any, ...] = (
    {"temperature": "hot"},
    {"n": 0},
    {"temperature": "hot", "stream": True},
    {"prompt": CHINESE, "temperature": "热"},
    {"prompt": [COUNTING, COLOURS], "n": 0},
    {"model": "nobody"},
    {"n": 0, "echo": True},
)


def bodies() -> Iterator[Body]:
    """Every request that is right, then every one that is not."""
    greedy: Body = {"model": MODEL, "prompt": COUNTING, "max_tokens": 16, "temperature": 0}
    for prompt in (COUNTING, COLOURS, CHINESE, *BATCHES):
        yield from ({**greedy, "prompt": prompt, **way} for way in WAYS)
    for prompt, needle in ((COUNTING, ", 15"), (COLOURS, "e gr"), (CHINESE, "一")):
        for way in ({}, {"stream": True}, {"echo": True}):
            yield {**greedy, "prompt": prompt, "stop": ["§", needle], **way}
            yield {**greedy, "prompt": prompt, "stop": f"{needle}§", **way}
    for prompt, suffix in ((COUNTING, LONG_SUFFIX), (CHINESE, CHINESE_SUFFIX)):
        yield from ({**greedy, "prompt": prompt, "suffix": suffix, **way} for way in INSERTING)
    yield {**greedy, "stream": True, "stop": ",§"}
    yield {**greedy, "stop": ["§1", "§2", "§3", "§4", ", 15"]}
    yield from ({**greedy, "max_tokens": 1, **way} for way in ({}, {"logprobs": 0}, {"echo": True}))
    yield {**greedy, "prompt": [COUNTING, COLOURS], "max_tokens": 1}
    yield {**greedy, "max_tokens": 0, "echo": True}
    yield {**greedy, "prompt": AWKWARD, "max_tokens": 1, "echo": True, "logprobs": 1}
    yield {**greedy, "max_tokens": 1, "temperature": 1, "best_of": 2}
    yield {**greedy, "prompt": CHINESE, "max_tokens": 1}
    yield from ({**greedy, "max_tokens": 1, **wrong} for wrong in WRONG)


async def answers_of(endpoint: Endpoint) -> tuple[Answered, ...]:
    """Send every request to an endpoint."""
    requests = [Request("POST", "/completions", encode(body)) for body in bodies()]
    requests.append(Request("POST", "/completions", b'{"model": '))
    return tuple([Answered(await endpoint.send(request), OPENAI) for request in requests])


async def look(answers: tuple[Answered, ...], checks: tuple[Check, ...]) -> dict[str, Finding]:
    """Let invariants judge answers, each as if it were the only one."""
    run = WholeRun(answers)
    return {
        check.id: await judge(check, Api(Nobody(), OPENAI, MODEL, whole_run=run))
        for check in checks
    }


class Nobody:
    """A transport for those who ask nothing."""

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        raise AssertionError(f"an invariant asked {json.loads(request.body)} (fresh: {fresh})")
