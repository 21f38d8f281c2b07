"""Varied requests whose responses the invariants inspect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.api import Api, encode
from conformance.checks import Check
from conformance.checks._shared.prompts import AWKWARD, CHINESE, COLOURS, COUNTING, RARE
from conformance.checks.suffix.directed import CHINESE_SUFFIX, LONG_SUFFIX
from conformance.contract import load_contract
from conformance.engine.judging import judge
from conformance.model import Finding, Request
from conformance.protocol.trace import RecordedExchange, Trace
from conformance.testing.fake_model import encode as encode_text
from conformance.tokenizer import Tokenizer
from conformance.transport.coalesce import RequestCoalescer
from tests.fake_server import MODEL, FakeServer

Body = dict[str, Any]

ITS_OWN = Tokenizer("its-own", lambda text: len(encode_text(text)))
"""The tokenizer of the fake endpoint."""

SHAPES: tuple[Body, ...] = (
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

IDS = [256 + number for number in (3, 1, 4, 1, 5)]
"""A prompt of token ids."""

WRONG: tuple[Body, ...] = (
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
        yield from ({**greedy, "prompt": prompt, **shape} for shape in SHAPES)
    for prompt, needle in ((COUNTING, ", 15"), (COLOURS, "e gr"), (CHINESE, "一")):
        for shape in ({}, {"stream": True}, {"echo": True}):
            yield {**greedy, "prompt": prompt, "stop": ["§", needle], **shape}
            yield {**greedy, "prompt": prompt, "stop": f"{needle}§", **shape}
    for prompt, suffix in ((COUNTING, LONG_SUFFIX), (CHINESE, CHINESE_SUFFIX)):
        yield from ({**greedy, "prompt": prompt, "suffix": suffix, **shape} for shape in INSERTING)
    yield {**greedy, "stream": True, "stop": ",§"}
    yield {**greedy, "stop": ", 16", "logprobs": 2}
    yield {**greedy, "echo": True, "logprobs": 1, "stream": True}
    yield {**greedy, "prompt": RARE, "echo": True, "logprobs": 1, "max_tokens": 1}
    yield {**greedy, "stop": ["§1", "§2", "§3", "§4", ", 15"]}
    yield from (
        {**greedy, "max_tokens": 1, **shape} for shape in ({}, {"logprobs": 0}, {"echo": True})
    )
    yield {**greedy, "prompt": [COUNTING, COLOURS], "max_tokens": 1}
    yield {**greedy, "max_tokens": 0, "echo": True}
    yield {**greedy, "prompt": AWKWARD, "max_tokens": 1, "echo": True, "logprobs": 1}
    yield {**greedy, "max_tokens": 1, "temperature": 1, "best_of": 2}
    yield {**greedy, "prompt": CHINESE, "max_tokens": 1}
    yield {**greedy, "prompt": IDS, "max_tokens": 1}
    yield {**greedy, "prompt": "", "max_tokens": 1}
    yield {**greedy, "max_tokens": 1, "presence_penalty": -2, "frequency_penalty": -2}
    yield {**greedy, "max_tokens": 1, "n": 2, "logprobs": 2}
    yield {"model": MODEL, "max_tokens": 1, "temperature": 0}
    yield {**greedy, "max_tokens": 1, "logprobs": None, "suffix": None}
    yield from ({**greedy, "max_tokens": 1, **wrong} for wrong in WRONG)


async def answers_of(server: FakeServer, contract: str = "openai") -> tuple[RecordedExchange, ...]:
    """Send every request to a server, and one that is no JSON."""
    requests = [Request("POST", "/completions", encode(body)) for body in bodies()]
    requests.append(Request("POST", "/completions", b'{"model": '))
    held_to = load_contract(contract)
    return tuple([RecordedExchange(await server.send(request), held_to) for request in requests])


async def look(
    server: FakeServer, run: Trace, checks: tuple[Check, ...], contract: str = "openai"
) -> dict[str, Finding]:
    """Let invariants judge the answers of a server, each as if it were the only one.

    The few that ask again where they suspect something ask the server.
    """
    coalescer, held_to = RequestCoalescer(server.send), load_contract(contract)
    return {
        check.id: await judge(
            check, Api(coalescer, held_to, MODEL, has_key=True, trace=run, tokenizer=ITS_OWN)
        )
        for check in checks
    }
