"""Faults of batches with copies and an echo, each with the checks that must find it there."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.checks._shared.batched import QUESTION
from tests.conformance.checks.faulty import Body, Fault
from tests.conformance.checks.parameter_faults import Row, changes, drops, is_batch, stops


def swapped(body: Body) -> Body:
    if not is_batch(body):
        return body
    first, second, *rest = body["prompt"]
    return {**body, "prompt": [second, first, *rest]}


def nothing_where_the_prompt_matches(body: Body) -> Body:
    held = [stop for stop in stops(body) for prompt in body["prompt"] if stop in prompt]
    return {**body, "max_tokens": 0, "stop": None} if is_batch(body) and held else body


def with_reason(reason: str) -> Fault:
    """Every choice of a batch ends for the same reason, plain and streamed."""

    def choice(ended: Body) -> Body:
        return {**ended, "finish_reason": ended["finish_reason"] and reason}

    def of(body: Body, told: Body) -> Body:
        return {**told, "choices": list(map(choice, told["choices"]))} if is_batch(body) else told

    return Fault(tell=of, tell_stream=lambda body, chunks: [of(body, chunk) for chunk in chunks])


def soon_over() -> Fault:
    """The answer to a question is over after two tokens, and in a batch that is called a limit."""

    def asked(body: Body) -> bool:
        return QUESTION in body["prompt"]

    def of(body: Body, told: Body) -> Body:
        ended = [{**choice, "finish_reason": "stop"} for choice in told["choices"]]
        return {**told, "choices": ended} if asked(body) and not is_batch(body) else told

    return Fault(ask=lambda body: {**body, "max_tokens": 2} if asked(body) else body, tell=of)


def both(*names: str) -> str:
    """Name the plain checks and the streamed ones."""
    return " ".join(f"all-at-once.{name} all-at-once.{name}-streamed" for name in names)


def of_batches() -> Iterator[Row]:
    """Faults that show in batches alone."""
    yield "prompts swapped", Fault(ask=swapped), both("prompt", "echo")
    yield "a reason nobody knows", with_reason("eos"), both("reason-known", "stop-reason")
    yield "an end called a limit", soon_over(), both("natural-end")
    nothing = changes(lambda b: is_batch(b) and b.get("max_tokens") == 0, max_tokens=1)
    yield "zero is one in batches", nothing, both("zero")
    biases = drops("logit_bias", when=is_batch)
    yield "biases lost in batches", biases, f"{both('forced')} all-at-once.banned-streamed"
    lost = drops("stop", when=is_batch)
    cut = f"{both('stop', 'stop-exact', 'stop-at-start')} all-at-once.stop-string"
    yield "stop lost in batches", lost, cut
    searched = Fault(ask=nothing_where_the_prompt_matches)
    yield "prompts searched in batches", searched, both("stop-not-in-prompt")
    absent = changes(lambda b: is_batch(b) and "max_tokens" not in b, max_tokens=30)
    yield "another default in batches", absent, "all-at-once.default-limit"
    null = changes(lambda b: is_batch(b) and b.get("max_tokens", 0) is None, max_tokens=1)
    yield "null is one in batches", null, "all-at-once.null-limit"
