"""Changes of answers that faults and honest variants are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance.model import Exchange
from tests.conformance.checks.rewriting import (
    Body,
    Change,
)

Choices = list[Body]


def fields(**changed: Any) -> Change:
    """Set members of every plain answer and every chunk; a function makes them from the old one."""

    def change(_: Body, whole: Body) -> Body:
        return {**whole, **{k: v(whole.get(k)) if callable(v) else v for k, v in changed.items()}}

    return Change(plain=change, chunks=lambda asked, chunks: [change(asked, c) for c in chunks])


def usage(change: Callable[[Body, Body], Body]) -> Change:
    """Change the bill of plain answers, and that of streams."""

    def of(asked: Body, whole: Body) -> Body:
        bill = whole.get("usage")
        return {**whole, "usage": {**bill, **change(asked, bill)}} if bill else whole

    return Change(plain=of, chunks=lambda asked, chunks: [of(asked, chunk) for chunk in chunks])


def choices(change: Callable[[Body, Choices], Choices]) -> Change:
    """Change the choices of plain answers."""
    return Change(plain=lambda asked, whole: {**whole, "choices": change(asked, whole["choices"])})


def parts(change: Callable[[Body], Body]) -> Change:
    """Change every choice of every chunk."""

    def of(_: Body, chunks: list[Body]) -> list[Body]:
        return [{**c, "choices": [change(part) for part in c["choices"]]} for c in chunks]

    return Change(chunks=of)


def logprobs(change: Callable[[Body], Body]) -> Change:
    """Change the log probabilities, plain and streamed."""

    def of(choice: Body) -> Body:
        scores = choice.get("logprobs")
        return {**choice, "logprobs": {**scores, **change(scores)}} if scores else choice

    return Change(
        plain=lambda _, whole: {**whole, "choices": [of(c) for c in whole["choices"]]},
        chunks=parts(of).chunks,
    )


def in_stream(change: Callable[[Exchange], Exchange]) -> Change:
    """Change the bytes of streams."""

    def raw(exchange: Exchange) -> Exchange:
        streamed = exchange.header("content-type") == "text/event-stream"
        return change(exchange) if streamed else exchange

    return Change(raw=raw)


def in_errors(change: Callable[[Exchange], Exchange]) -> Change:
    """Change the bytes of refusals."""
    return Change(raw=lambda e: change(e) if (e.status or 0) >= 400 else e)


def drop(*names: str, when: Callable[[Body], bool] = lambda _: True) -> Change:
    """Lose parameters on the way in."""

    def ask(body: Body) -> Body:
        lost = names if when(body) else ()
        return {name: value for name, value in body.items() if name not in lost}

    return Change(ask=ask)


def text_chunks(chunks: list[Body]) -> list[int]:
    """Return which chunks carry text."""
    return [i for i, c in enumerate(chunks) if any(p["text"] for p in c["choices"])]


def error(**changed: Any) -> Change:
    """Change members of every error; None of them is left out where the value is ``...``."""

    def refusal(envelope: Body) -> Body:
        inner = {**envelope["error"], **changed}
        return {"error": {name: value for name, value in inner.items() if value is not ...}}

    return Change(refusal=refusal)


def status(to: int, *of: int) -> Change:
    """Answer with another status where it was one of some."""
    return in_errors(lambda e: replace(e, status=to) if e.status in of else e)
