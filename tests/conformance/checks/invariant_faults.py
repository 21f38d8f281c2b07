"""Where invariants look for nothing in particular: faults that show only here or there."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from conformance.model import Exchange, Request
from tests.conformance.checks import rewrites as f
from tests.conformance.checks.answer_faults import ANSWERS
from tests.conformance.checks.error_faults import ERRORS
from tests.conformance.checks.logprob_faults import LOGPROBS
from tests.conformance.checks.rewriting import (
    Body,
    Change,
    Endpoint,
    Rewriting,
    read,
    with_body,
    with_header,
)
from tests.conformance.checks.stream_faults import STREAMS

Where = Callable[[Body], bool]


class Narrowed:
    """A transport that shows a change where the request is of some kind, and none elsewhere."""

    def __init__(self, change: Change, where: Where, inner: Endpoint) -> None:
        self._inner, self._changed, self._where = inner, Rewriting(change, inner=inner), where

    async def send(self, request: Request) -> Exchange:
        """Carry one request."""
        shows = self._where(read(request.body) or {})
        return await (self._changed if shows else self._inner).send(request)


def every_third() -> Where:
    """One server of three is at fault."""
    asked: list[Body] = []

    def where(body: Body) -> bool:
        asked.append(body)
        return len(asked) % 3 == 0

    return where


MODIFIERS: dict[str, Callable[[], Where]] = {
    "everywhere": lambda: lambda _: True,
    "stream": lambda: lambda body: body.get("stream") is True,
    "plain": lambda: lambda body: not body.get("stream"),
    "batch": lambda: lambda body: isinstance(body.get("prompt"), list),
    "non-ascii": lambda: lambda body: not json.dumps(body, ensure_ascii=False).isascii(),
    "echo": lambda: lambda body: body.get("echo") is True,
    "candidates": lambda: lambda body: "best_of" in body,
    "every-third": every_third,
    "longest": lambda: lambda body: body.get("max_tokens") == 48,
    "stop": lambda: lambda body: "stop" in body,
    "second-choice": lambda: lambda _: True,
}


def second_choice(change: Change) -> Change:
    """Let a change of plain answers show in their second choice alone."""

    def plain(asked: Body, whole: Body) -> Body:
        assert change.plain is not None
        told = change.plain(asked, json.loads(json.dumps(whole)))
        kept = zip(whole["choices"], told["choices"], strict=True)
        return {**whole, "choices": [new if i == 1 else old for i, (old, new) in enumerate(kept)]}

    return Change(plain=plain)


# ── faults beside those that checks of their own are there for ───────────────────────────────────


def texts(change: Callable[[Body, str], str]) -> Change:
    """Change the texts of plain answers, and of the pieces of streams that are the last."""

    def chunks(asked: Body, sent: list[Body]) -> list[Body]:
        for part in (part for chunk in sent for part in chunk["choices"]):
            if part["finish_reason"]:
                part["text"] = change(asked, part["text"])
        return sent

    return Change(
        plain=lambda asked, whole: {
            **whole,
            "choices": [{**c, "text": change(asked, c["text"])} for c in whole["choices"]],
        },
        chunks=chunks,
    )


def reasons(change: Callable[[Body, Any], Any]) -> Change:
    """Change why choices ended, plain and streamed."""

    def of(asked: Body, choices: list[Body]) -> list[Body]:
        return [{**c, "finish_reason": change(asked, c["finish_reason"])} for c in choices]

    return Change(
        plain=lambda asked, whole: {**whole, "choices": of(asked, whole["choices"])},
        chunks=lambda asked, sent: [{**c, "choices": of(asked, c["choices"])} for c in sent],
    )


def sequence_of(asked: Body) -> str:
    """The stop sequence of a request that its answer meets, or nothing."""
    stop = asked.get("stop")
    return str(stop[1]) if isinstance(stop, list) else ""


def broken(_: Body, text: str) -> str:
    """Break the second character beyond ASCII."""
    return text if text.isascii() else f"{text[:1]}\ufffd\ufffd\ufffd{text[2:]}"


def broken_pieces(_: Body, sent: list[Body]) -> list[Body]:
    """Break the second piece beyond ASCII."""
    wide = [p for c in sent for p in c["choices"] if p["text"] and not p["text"].isascii()]
    for part in wide[1:2]:
        part["text"] = "\ufffd\ufffd\ufffd"
    return sent


def tail_lost(_: Body, sent: list[Body]) -> list[Body]:
    """Lose what was held back in case it began a stop sequence."""
    spoken = [p for chunk in sent for p in chunk["choices"] if p["text"]]
    spoken[-1]["text"] = spoken[-1]["text"][:-1]
    return sent


def echoed_twice(asked: Body, sent: list[Body]) -> list[Body]:
    """Send an echoed prompt once more."""
    if asked.get("echo") and isinstance(asked["prompt"], str):
        sent[0]["choices"][0]["text"] = asked["prompt"] + sent[0]["choices"][0]["text"]
    return sent


def few_tokens(asked: Body, whole: Body) -> Body:
    """End after five tokens, and call that the limit."""
    told = []
    for choice in whole["choices"]:
        scores = choice["logprobs"] and {k: v[:5] for k, v in choice["logprobs"].items()}
        text = "".join(scores["tokens"]) if scores else choice["text"]
        told.append({**choice, "text": text, "logprobs": scores})
    short = bool(asked.get("logprobs")) and len(told) == 1 and not asked.get("echo")
    usage = whole["usage"]
    bill = {**usage, "completion_tokens": 5, "total_tokens": usage["prompt_tokens"] + 5}
    return {**whole, "choices": told, "usage": bill} if short else whole


def ends_early() -> Change:
    """End after five tokens; only plain answers say that it was no limit."""
    return Change(
        ask=lambda body: {**body, "max_tokens": min(5, body.get("max_tokens", 16))},
        plain=reasons(lambda _, reason: reason and "stop").plain,
    )


def refused_in_events(exchange: Exchange) -> Exchange:
    """Refuse a stream by an event."""
    asked = read(exchange.request.body) or {}
    if (exchange.status or 0) < 400 or not asked.get("stream"):
        return exchange
    told = with_body(exchange, b"data: " + exchange.body + b"\n\n")
    return with_header(told, "content-type", "text/event-stream")


def died(message: str) -> Change:
    """Break a stream with an error."""
    error = {"error": {"message": message, "type": "server_error", "param": None, "code": None}}
    event = f"data: {json.dumps(error)}\n\n".encode()
    return f.in_stream(lambda e: with_body(e, e.body[: e.body.find(b"\n\n") + 2] + event))


def died_bare() -> Change:
    """Break a stream with an error that is no event."""
    told = b'{"error": {"message": "upstream died", "type": "server_error"}}\n'
    return f.in_stream(lambda e: with_body(e, e.body[: e.body.find(b"\n\n") + 2] + told))


def with_limit(body: Body, limit: int) -> Body:
    """Let another limit hold where tokens are to be generated at all."""
    return {**body, "max_tokens": max(1, limit)} if body.get("max_tokens") else body


def alternated(name: str, other: Any) -> Change:
    """Give every other answer a member of another value."""
    told: list[Body] = []

    def plain(_: Body, whole: Body) -> Body:
        told.append(whole)
        return {**whole, name: other} if len(told) % 2 == 0 else whole

    return Change(plain=plain)


OWN: dict[str, Callable[[], Change]] = {
    "stop-returned": lambda: texts(
        lambda asked, text: text + sequence_of(asked) if sequence_of(asked) else text
    ),
    "stop-begun": lambda: texts(lambda asked, text: text + sequence_of(asked)[:1]),
    "fifth-stop-dropped": lambda: Change(
        ask=lambda b: {**b, "stop": b["stop"][:4]} if isinstance(b.get("stop"), list) else b
    ),
    "held-text-lost": lambda: Change(chunks=tail_lost),
    "stopped-called-length": lambda: reasons(lambda _, reason: reason and "length"),
    "second-character-broken": lambda: texts(broken),
    "second-piece-broken": lambda: Change(chunks=broken_pieces),
    "zero-generates": lambda: texts(
        lambda asked, text: f"{text} 13" if asked["max_tokens"] == 0 else text
    ),
    "echo-unasked": lambda: texts(
        lambda asked, text: text if asked.get("echo") else f"{asked['prompt']}{text}"
    ),
    "few-called-length": lambda: Change(plain=few_tokens),
    "ends-early": ends_early,
    "refused-in-events": lambda: Change(raw=refused_in_events),
    "stream-dies-leaking": lambda: died("dial tcp 10.0.0.7:8080: connection refused"),
    "stream-dies-wordless": lambda: died(""),
    "stream-dies-bare": died_bare,
    "stream-in-gb18030": lambda: f.in_stream(
        lambda e: with_body(e, e.body.decode().encode("gb18030"))
    ),
    "one-token-more": lambda: Change(ask=lambda body: with_limit(body, body["max_tokens"] + 1)),
    "one-token-less": lambda: Change(ask=lambda body: with_limit(body, body["max_tokens"] - 1)),
    "echo-always": lambda: Change(ask=lambda body: {**body, "echo": True}),
    "suffix-lost": lambda: Change(ask=lambda body: {**body, "suffix": None}),
    "stop-begun-is-met": lambda: Change(
        ask=lambda body: {**body, "stop": [one[:1] for one in body["stop"]]}
    ),
    "time-stands-still": lambda: alternated("created", 1589478378),
    "prompt-billed-by-the-way": lambda: f.usage(
        lambda _, bill: {
            "prompt_tokens": bill["prompt_tokens"] + 3,
            "total_tokens": bill["total_tokens"] + 3,
        }
    ),
    "completion-billed-by-the-way": lambda: f.usage(
        lambda _, bill: {
            "completion_tokens": bill["completion_tokens"] + 3,
            "total_tokens": bill["total_tokens"] + 3,
        }
    ),
    "completion-billed-at-length": lambda: f.usage(
        lambda _, bill: {
            "completion_tokens": bill["completion_tokens"] + 40,
            "total_tokens": bill["total_tokens"] + 40,
        }
    ),
    "index-zero-streamed": lambda: f.parts(lambda part: {**part, "index": 0}),
    "echo-twice": lambda: Change(chunks=echoed_twice),
}
"""Faults, made anew for each use, because some of them count."""


def change_named(name: str) -> Change:
    """Return a fault by its name."""
    known = {**STREAMS, **LOGPROBS, **ANSWERS, **ERRORS}
    return OWN[name]() if name in OWN else known[name]


def endpoint_with(name: str, inner: Endpoint) -> Endpoint:
    """Put a fault, as ``NAME@MODIFIER``, before an endpoint."""
    fault, _, modifier = name.partition("@")
    change = change_named(fault)
    if modifier == "second-choice":
        change = second_choice(change)
    return Narrowed(change, MODIFIERS[modifier or "everywhere"](), inner)
