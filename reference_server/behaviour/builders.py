"""The pieces that most behaviours are made of: rewrites of one thing, plain and streamed.

A piece changes what it names and nothing else; pieces combine with :func:`both`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reference_server.behaviour.messages import Body, ClientRequest, Rejected, ServerResponse
from reference_server.behaviour.rewrite import Rewrite

Condition = Callable[[Body], bool]
"""Of a request's JSON."""
Choices = list[Body]


def always(_: Body) -> bool:
    """The condition that every request meets."""
    return True


def number_of(request: Body, name: str) -> float:
    """The number that a request sets a parameter to; 0 where there is none.

    A value of a wrong type is none: it is for the server to refuse, whatever stands before it.
    """
    given = request.get(name)
    return given if isinstance(given, int | float) else 0


# ── Requests ─────────────────────────────────────────────────────────────────────────────────────


def asks(change: Callable[[Body], Body]) -> Rewrite:
    """Another request reaches the server."""
    return Rewrite(ask=change)


def drops(*names: str, when: Condition = always) -> Rewrite:
    """Parameters are lost on their way in."""
    return Rewrite(
        ask=lambda request: (
            {name: value for name, value in request.items() if name not in names}
            if when(request)
            else request
        )
    )


def sets(when: Condition = always, **values: Any) -> Rewrite:
    """Parameters arrive with other values, whether they were sent or not."""
    return Rewrite(ask=lambda request: {**request, **values} if when(request) else request)


def rejects(
    when: Condition,
    message: str = "This parameter is not supported.",
    *,
    status: int = 400,
    param: str | None = None,
    code: str | None = None,
    kind: str = "invalid_request_error",
) -> Rewrite:
    """Requests get an error for an answer."""

    def ask(request: Body) -> Body:
        if when(request):
            raise Rejected(status, message, kind=kind, param=param, code=code)
        return request

    return Rewrite(ask=ask)


# ── Answers ──────────────────────────────────────────────────────────────────────────────────────


def wholes(change: Callable[[Body, Body], Body]) -> Rewrite:
    """Plain answers and chunks alike are changed: ``(asked, answer or chunk)``."""
    return Rewrite(
        non_streaming=change,
        chunks=lambda request, chunks: [change(request, chunk) for chunk in chunks],
    )


def members(**changed: Any) -> Rewrite:
    """Members of answers and chunks have other values; a function makes one from the old value."""

    def change(_: Body, whole: Body) -> Body:
        made = {k: v(whole.get(k)) if callable(v) else v for k, v in changed.items()}
        return {**whole, **made}

    return wholes(change)


def lacks(*names: str) -> Rewrite:
    """Members are missing from answers and chunks."""
    return wholes(lambda _, whole: {k: v for k, v in whole.items() if k not in names})


def usage(change: Callable[[Body, Body], Body]) -> Rewrite:
    """Counts of the bill are others: ``(asked, usage)`` gives those that change."""

    def of(request: Body, whole: Body) -> Body:
        usage = whole.get("usage")
        return {**whole, "usage": {**usage, **change(request, usage)}} if usage else whole

    return wholes(of)


def choices(change: Callable[[Body, Choices], Choices]) -> Rewrite:
    """The choices of plain answers are others: ``(asked, choices)``."""
    return Rewrite(
        non_streaming=lambda request, whole: {**whole, "choices": change(request, whole["choices"])}
    )


def each_choice(change: Callable[[Body, Body], Body]) -> Rewrite:
    """Every choice of a plain answer, and what a chunk adds to one: ``(asked, choice)``."""

    def of(request: Body, whole: Body) -> Body:
        return {**whole, "choices": [change(request, choice) for choice in whole["choices"]]}

    return wholes(of)


def logprobs(change: Callable[[Body], Body]) -> Rewrite:
    """Arrays of log probabilities are others, where there are any: gives those that change."""

    def of(_: Body, choice: Body) -> Body:
        scores = choice.get("logprobs")
        return {**choice, "logprobs": {**scores, **change(scores)}} if scores else choice

    return each_choice(of)


def chunks(change: Callable[[Body, list[Body]], list[Body]]) -> Rewrite:
    """A stream's chunks are others: ``(asked, chunks)``."""
    return Rewrite(chunks=change)


def texts(change: Callable[[Body, int, str], str]) -> Rewrite:
    """The whole text of each choice is another: ``(asked, index, text)``, plain and streamed.

    Of a stream the first piece with text carries all of it then.
    """

    def of_plain(request: Body, of: Choices) -> Choices:
        return [{**c, "text": change(request, c["index"], c["text"])} for c in of]

    def of_stream(request: Body, sent: list[Body]) -> list[Body]:
        whole: dict[int, str] = {}
        for part in (part for chunk in sent for part in chunk["choices"]):
            whole[part["index"]] = whole.get(part["index"], "") + part["text"]
        left = {index: change(request, index, text) for index, text in whole.items()}
        if left == whole:
            return sent
        return [
            {**c, "choices": [{**p, "text": left.pop(p["index"], "")} for p in c["choices"]]}
            for c in sent
        ]

    return Rewrite(non_streaming=choices(of_plain).non_streaming, chunks=of_stream)


# ── Refusals and bytes ───────────────────────────────────────────────────────────────────────────


def error(**changed: Any) -> Rewrite:
    """Members of every error are others; ``...`` leaves one out."""

    def refusal(_: Body, envelope: Body) -> Body:
        inner = {**envelope["error"], **changed}
        return {"error": {name: value for name, value in inner.items() if value is not ...}}

    return Rewrite(refusal=refusal)


def errors(change: Callable[[ClientRequest, ServerResponse], ServerResponse]) -> Rewrite:
    """Answers with an error status are others, as a whole."""
    return Rewrite(raw=lambda request, got: change(request, got) if got.status >= 400 else got)


def streams(change: Callable[[ClientRequest, ServerResponse], ServerResponse]) -> Rewrite:
    """Streams are others, down to bytes and pace."""
    return Rewrite(raw=lambda request, got: change(request, got) if got.is_stream else got)


def status(to: int, *of: int) -> Rewrite:
    """Some statuses are another."""
    return Rewrite(raw=lambda _, got: got.with_status(to) if got.status in of else got)


def both(one: Rewrite, other: Rewrite) -> Rewrite:
    """Put two rewrites together, which must not rewrite the same thing.

    Raises:
        ValueError: they do.
    """
    given = {name: value for name, value in vars(other).items() if value is not None}
    twice = [name for name in given if getattr(one, name) is not None]
    if twice:
        raise ValueError(f"both rewrite {', '.join(twice)}")
    return replace(one, **given)
