"""The requests of a run that the document allows, their traits, and what became of each."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from conformance.api import Api
from conformance.checks._shared.common_traits import Traits
from conformance.checks._shared.invariants import traits
from conformance.judgement import NotApplicable
from conformance.message import Message, say
from conformance.model import Credentials
from conformance.protocol.response import REFUSALS
from conformance.protocol.trace import RecordedExchange
from conformance.protocol.unserved import (
    failed_attempts,
    is_whole,
    seconds_waited,
    why_unserved,
)

PATIENCE = 3
"""A timeout counts if it is this many times what the slowest answer took per unit of work."""

ONCE = {"n": 1, "best_of": 1}
"""Values that ask for nothing."""

USUAL_TOKENS = 16
"""What a request without ``max_tokens`` generates."""


@dataclass(frozen=True, eq=False)
class Sent:
    """A valid request that was sent.

    Attributes:
        recorded: the exchange.
        traits: what the request asks for.
        why: why it has no whole answer; None if it has one.
        times: how often it was sent without a whole answer.
    """

    recorded: RecordedExchange
    traits: Traits
    why: Message | None
    times: int

    @property
    def id(self) -> str:
        """The id of the exchange."""
        return self.recorded.exchange.id

    @property
    def began(self) -> float:
        """When it was sent first, in seconds since the start of the run."""
        return min((one.started for one in self.recorded.exchange.attempts), default=0.0)

    @property
    def ended(self) -> float:
        """When its last attempt was over."""
        attempts = self.recorded.exchange.attempts
        return max((one.started + one.elapsed for one in attempts), default=0.0)


def valid_exchanges(
    api: Api, reported: Collection[str] = (), *, odd: bool = False
) -> Iterator[RecordedExchange]:
    """Yield the exchanges whose request the document allows.

    Args:
        api: has the trace of the run.
        reported: ids of exchanges to leave out.
        odd: whether to yield requests with an empty or no prompt, or an empty stop sequence. No
            document defines those, and other checks judge how they are answered.
    """
    for recorded in api.trace.exchanges:
        request = recorded.exchange.request
        if recorded.exchange.id in reported or request.credentials is not Credentials.OWN:
            continue
        try:
            body = dict(recorded.request.raw)
        except NotApplicable:
            continue
        known = all(api.contract.parameter(name).documented for name in body)
        meant = odd or (bool(body.get("prompt")) and body.get("stop") not in ("", []))
        if (
            known
            and meant
            and body.get("model") == api.model
            and not api.contract.validate_request(body)
            and not _is_excluded(api, body)
        ):
            yield recorded


def _is_excluded(api: Api, body: dict[str, Any]) -> bool:
    """Return whether the document excludes a combination of values, which no schema does."""
    if body.get("stream_options") is not None and body.get("stream") is not True:
        return _is_in_force(api, "stream-options.without-stream-refused")
    best_of, n = body.get("best_of"), body.get("n") or 1
    if not isinstance(best_of, int) or not isinstance(n, int):
        return False
    if best_of > 1 and body.get("stream") is True:
        return _is_in_force(api, "best-of.stream-refused")
    return best_of < n


def _is_in_force(api: Api, requirement: str) -> bool:
    return api.contract.why_not_in_force(requirement) is None


def sent_requests(api: Api, reported: Collection[str] = (), *, odd: bool = False) -> list[Sent]:
    """Return the valid requests of the run whose fate says something about the endpoint."""
    exchanges = list(valid_exchanges(api, reported, odd=odd))
    slowest = seconds_per_unit(exchanges)
    sent = (sent_of(recorded, api.model, slowest) for recorded in exchanges)
    return [one for one in sent if one is not None]


def refused_requests(api: Api) -> list[Sent]:
    """Return the valid requests that were rejected, with the status as the reason."""
    return [
        Sent(one, shape(one), say("status {status}", status=one.exchange.status), 1)
        for one in valid_exchanges(api)
        if one.exchange.fault is None and one.exchange.status in REFUSALS
    ]


def sent_of(recorded: RecordedExchange, model: str, slowest: float = 0.0) -> Sent | None:
    """Return what became of a request; None if it says nothing about the endpoint.

    Args:
        recorded: the exchange.
        model: the model of the run.
        slowest: the most seconds per unit of work that a whole answer took.
    """
    exchange, response = recorded.exchange, recorded.response
    why = why_unserved(exchange, response, model)
    failed = len(failed_attempts(exchange))
    if why is not None:
        waited = seconds_waited(exchange.fault or "")
        if waited is not None and waited < PATIENCE * slowest * _work(recorded):
            return None  # it may only be slow
        return Sent(recorded, shape(recorded), why, failed + 1)
    if exchange.request.read_events is not None or not is_whole(exchange, response):
        return None  # what we did not read may have been an error
    return Sent(recorded, shape(recorded), None, 0)


def shape(exchange: RecordedExchange) -> Traits:
    """Return what a request asks for beyond the minimal one: parameters, values, kinds of text."""
    body = dict(exchange.request.raw)
    named = set(traits(exchange)) - {"`max_tokens`"}
    for name, value in body.items():
        if name in ONCE and value == ONCE[name]:
            named.discard(f"`{name}`")
        elif name not in {"model", "prompt", "stream"} and _is_telling(name, value):
            named.add(f"`{name}: {json.dumps(value)}`")
    prompt = body.get("prompt")
    if isinstance(prompt, list):
        several = len(prompt) > 1 and isinstance(prompt[0], str | list)
        named.discard("several prompts")
        named.add(say("several prompts") if several else say("a list as prompt"))
    named |= {
        say("no `{name}`", name=name) for name in ("prompt", "max_tokens") if name not in body
    }
    if prompt is None and "prompt" in body:
        named.add("`prompt: null`")
    if prompt in ("", []):
        named.add(say("an empty prompt"))
    return frozenset(named)


def _is_telling(name: str, value: Any) -> bool:
    """Return whether a value alone can be what breaks a server."""
    if name == "max_tokens":
        return value in (0, None)
    return value is None or value in ("", [], {}) or (type(value) in {int, float})


def seconds_per_unit(exchanges: Iterable[RecordedExchange]) -> float:
    """Return the most seconds per unit of work that a whole answer took."""
    whole = (one for one in exchanges if is_whole(one.exchange, one.response))
    return max((one.exchange.elapsed / _work(one) for one in whole), default=0.0)


def _work(recorded: RecordedExchange) -> float:
    """Estimate the work of a request in units of a usual one, at least 1."""
    try:
        request = recorded.request
        tokens = USUAL_TOKENS if request.max_tokens is None else request.max_tokens
        return max(1.0, max(request.choices, request.best_of) * tokens / USUAL_TOKENS)
    except NotApplicable:
        return 1.0
