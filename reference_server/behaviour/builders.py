"""Building blocks of behaviours: each changes one thing, in streams and non-streaming responses.

They are combined with :func:`both`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reference_server.behaviour.messages import Body, ClientRequest, Rejected, ServerResponse
from reference_server.behaviour.rewrite import Rewrite

Condition = Callable[[Body], bool]
"""On a request's JSON."""
Choices = list[Body]


def always(_: Body) -> bool:
    """The condition that every request meets."""
    return True


def number_of(request: Body, name: str) -> float:
    """The number that a request sets a parameter to; 0 if there is none.

    A value of a wrong type counts as none, because the server rejects it.
    """
    given = request.get(name)
    return given if isinstance(given, int | float) else 0


# ── Requests ─────────────────────────────────────────────────────────────────────────────────────


def rewrites(change: Callable[[Body], Body]) -> Rewrite:
    """Send another request to the server."""
    return Rewrite(request=change)


def drops(*names: str, when: Condition = always) -> Rewrite:
    """Drop parameters of requests."""
    return Rewrite(
        request=lambda request: (
            {name: value for name, value in request.items() if name not in names}
            if when(request)
            else request
        )
    )


def sets(when: Condition = always, **values: Any) -> Rewrite:
    """Set parameters of requests, whether they were sent or not."""
    return Rewrite(request=lambda request: {**request, **values} if when(request) else request)


def rejects(
    when: Condition,
    message: str = "This parameter is not supported.",
    *,
    status: int = 400,
    param: str | None = None,
    code: str | None = None,
    kind: str = "invalid_request_error",
) -> Rewrite:
    """Reject requests with an error."""

    def rewrite(request: Body) -> Body:
        if when(request):
            raise Rejected(status, message, kind=kind, param=param, code=code)
        return request

    return Rewrite(request=rewrite)


def rejects_null(name: str) -> Rewrite:
    """Reject a parameter whose value is null, as a validator that knows no null."""
    return rejects(
        lambda request: name in request and request[name] is None,
        f"Invalid type for '{name}': expected another type, but got null instead.",
        param=name,
        code="invalid_type",
    )


# ── Responses ────────────────────────────────────────────────────────────────────────────────────


def bodies(change: Callable[[Body, Body], Body]) -> Rewrite:
    """Change non-streaming responses and chunks: ``(request, response or chunk)``."""
    return Rewrite(
        non_streaming=change,
        chunks=lambda request, chunks: [change(request, chunk) for chunk in chunks],
    )


def fields(**changed: Any) -> Rewrite:
    """Set fields of responses and chunks; a function computes the value from the old one."""

    def change(_: Body, whole: Body) -> Body:
        made = {k: v(whole.get(k)) if callable(v) else v for k, v in changed.items()}
        return {**whole, **made}

    return bodies(change)


def omits(*names: str) -> Rewrite:
    """Omit fields of responses and chunks."""
    return bodies(lambda _, whole: {k: v for k, v in whole.items() if k not in names})


def usage(change: Callable[[Body, Body], Body]) -> Rewrite:
    """Change counts of usage: ``(request, usage)`` returns those that change."""

    def of(request: Body, whole: Body) -> Body:
        usage = whole.get("usage")
        return {**whole, "usage": {**usage, **change(request, usage)}} if usage else whole

    return bodies(of)


def choices(change: Callable[[Body, Choices], Choices]) -> Rewrite:
    """Change the choices of non-streaming responses: ``(request, choices)``."""
    return Rewrite(
        non_streaming=lambda request, whole: {**whole, "choices": change(request, whole["choices"])}
    )


def each_choice(change: Callable[[Body, Body], Body]) -> Rewrite:
    """Change each choice, and what a chunk adds to one: ``(request, choice)``."""

    def of(request: Body, whole: Body) -> Body:
        return {**whole, "choices": [change(request, choice) for choice in whole["choices"]]}

    return bodies(of)


def logprobs(change: Callable[[Body], Body]) -> Rewrite:
    """Change arrays of log probabilities, if there are any: returns those that change."""

    def of(_: Body, choice: Body) -> Body:
        scores = choice.get("logprobs")
        return {**choice, "logprobs": {**scores, **change(scores)}} if scores else choice

    return each_choice(of)


def chunks(change: Callable[[Body, list[Body]], list[Body]]) -> Rewrite:
    """Change a stream's chunks: ``(request, chunks)``."""
    return Rewrite(chunks=change)


def texts(change: Callable[[Body, int, str], str]) -> Rewrite:
    """Change the whole text of each choice: ``(request, index, text)``.

    In a stream, the first chunk with text then contains all of it.
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


# ── Errors and bytes ─────────────────────────────────────────────────────────────────────────────


def error(**changed: Any) -> Rewrite:
    """Set fields of every error; ``...`` omits one."""

    def refusal(_: Body, envelope: Body) -> Body:
        inner = {**envelope["error"], **changed}
        return {"error": {name: value for name, value in inner.items() if value is not ...}}

    return Rewrite(refusal=refusal)


def errors(change: Callable[[ClientRequest, ServerResponse], ServerResponse]) -> Rewrite:
    """Change responses with an error status, as a whole."""
    return Rewrite(raw=lambda request, got: change(request, got) if got.status >= 400 else got)


def streams(change: Callable[[ClientRequest, ServerResponse], ServerResponse]) -> Rewrite:
    """Change streams, including their bytes and pauses."""
    return Rewrite(raw=lambda request, got: change(request, got) if got.is_stream else got)


def status(to: int, *of: int) -> Rewrite:
    """Replace some statuses by another."""
    return Rewrite(raw=lambda _, got: got.with_status(to) if got.status in of else got)


def both(one: Rewrite, other: Rewrite) -> Rewrite:
    """Combine two rewrites, which must not change the same thing.

    Raises:
        ValueError: they do.
    """
    given = {name: value for name, value in vars(other).items() if value is not None}
    twice = [name for name in given if getattr(one, name) is not None]
    if twice:
        raise ValueError(f"both rewrite {', '.join(twice)}")
    return replace(one, **given)
