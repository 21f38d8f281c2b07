"""Ask an endpoint, one request after the other, and never more than was allowed.

Requests are not sent together, so that an endpoint that computes in batches meets them as they come
from anyone, and its noise is in the recording.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from conformance.api import Api, Transport
from conformance.contract import Contract
from conformance.drift.questions import (
    BORDER_TEMPERATURE,
    BORDERS,
    CANDIDATES,
    TRIES,
    request_for,
    scores_in,
)
from conformance.drift.recording import Answer, Method, Recording
from conformance.engine.preflight import trouble_in
from conformance.judgement import BudgetSpent, Judgement, Refusal
from conformance.message import Message, say
from conformance.model import Exchange, Limits, Request, Target, TransportOptions
from conformance.transport.budget import Budget
from conformance.transport.coalesce import Sender
from conformance.transport.pipeline import open_pipeline

MOST_FAILURES = 3
"""Requests in a row without an answer, after which no more are sent."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Why no more requests are sent, although answers are missing."""

    why: Message


class _Sending:
    """A pipeline as a transport; nothing is shared, so every request is sent."""

    def __init__(self, send: Sender) -> None:
        self._send = send

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:  # noqa: ARG002 - see above
        """Send a request."""
        return await self._send(request)


@asynccontextmanager
async def opened(
    target: Target,
    contract: Contract,
    requests: int,
    options: TransportOptions,
    transport: Transport | None = None,
) -> AsyncIterator[Api]:
    """Open a client that sends at most ``requests`` requests, retries included.

    Args:
        target: the endpoint and its key.
        contract: gives the defaults of parameters.
        requests: the most that may be sent.
        options: rate and timeout.
        transport: sends the requests instead of the network.
    """
    budget = Budget(Limits(requests=requests))
    sender = transport.send if transport is not None else None
    async with open_pipeline(
        target, budget, options, default_tokens=contract.default_tokens, sender=sender
    ) as send:
        yield Api(_Sending(send), contract, target.model, has_key=target.api_key is not None)


async def ask(api: Api, target: Target, recording: Recording) -> AsyncIterator[Answer | Stopped]:
    """Ask what a recording is still missing, and yield each answer as it comes.

    Requests without an answer are left out. The last value is a :class:`Stopped` if answers are
    missing.
    """
    failed: list[Message] = []
    in_a_row, is_first = 0, True
    for prompt, turn in recording.missing:
        body = request_for(recording.prompts[prompt], recording.method, recording.temperature)
        try:
            response = await api.complete(fresh=True, **body)
            trouble = trouble_in(response, target, api.contract) if is_first else None
            if trouble is not None:
                yield Stopped(trouble)
                return
            scores = scores_in(response.expect_ok(), recording.method)
        except BudgetSpent:
            yield Stopped(failed[-1] if failed else say("all requests were spent on retries"))
            return
        except Judgement as judgement:
            if is_first and isinstance(judgement, Refusal) and "logprobs" in body:
                yield Stopped(
                    say(
                        "a request with logprobs is rejected ({why}); `conformance drift borders` "
                        "looks for prompts whose text shows a change",
                        why=judgement.said,
                    )
                )
                return
            failed.append(judgement.said)
            in_a_row += 1
            if in_a_row == MOST_FAILURES:
                break
            continue
        is_first, in_a_row = False, 0
        if scores is None:
            yield Stopped(NO_LOGPROBS)
            return
        yield Answer(prompt, turn, scores)
    if failed:
        yield Stopped(failed[-1])


NO_LOGPROBS = say(
    "the endpoint lists no log probabilities for logprobs; `conformance drift borders` looks for "
    "prompts whose text shows a change"
)


async def borders(api: Api, target: Target) -> AsyncIterator[str | Stopped]:
    """Look for border inputs, and yield each; the last value is :class:`Stopped` if few exist.

    A candidate is one if its answers differ within three requests.
    """
    found, in_a_row, is_first = 0, 0, True
    why = say("no other candidate has answers that vary")
    for prompt in CANDIDATES:
        seen: set[str] = set()
        for _ in range(TRIES):
            body = request_for(prompt, Method.TEXTS, BORDER_TEMPERATURE)
            try:
                response = await api.complete(fresh=True, **body)
                trouble = trouble_in(response, target, api.contract) if is_first else None
                if trouble is not None:
                    yield Stopped(trouble)
                    return
                seen.update(scores_in(response.expect_ok(), Method.TEXTS) or ())
            except BudgetSpent:
                yield Stopped(say("the requests are spent"))
                return
            except Judgement as judgement:
                in_a_row += 1
                if in_a_row == MOST_FAILURES:
                    yield Stopped(judgement.said)
                    return
                continue
            is_first, in_a_row = False, 0
            if len(seen) > 1:
                yield prompt
                found += 1
                break
        if found == BORDERS:
            return
    yield Stopped(why)
