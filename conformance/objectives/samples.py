"""What the exchanges of a run measure, as samples: one number a request, with its exchange.

Times are those of whole 200 responses with the run's own key, repeats included. Of a rate, each
request counts once, by its first attempt: a request is repeated because something was wrong with
it, so repeats would count trouble twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from conformance.judgement import Judgement
from conformance.model import Credentials, Exchange, Measure
from conformance.protocol.request import COMPLETIONS, CompletionRequest
from conformance.protocol.response import Response
from conformance.protocol.trace import RecordedExchange

BUSY = frozenset({429, 502, 503, 504})
"""Statuses that say that nothing is there to serve a request at present."""

BASE = frozenset({"model", "prompt", "max_tokens", "temperature", "seed", "stream"})
"""Parameters beside which a limit is tested by itself."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One number and the exchange that it was measured in."""

    value: float
    exchange: str


@dataclass(frozen=True, slots=True)
class Served:
    """One request for ``value`` of a limit, and whether it was served.

    ``is_alone`` tells that the request sets nothing besides :data:`BASE` and is valid but for this
    value, so that a refusal is one of the value.
    """

    value: int
    is_served: bool
    is_alone: bool
    exchange: str


def times_of(measure: Measure, trace: Iterable[RecordedExchange]) -> tuple[Sample, ...]:
    """Return the times of one measure in seconds, in order of sending."""
    found: list[Sample] = []
    for recorded in trace:
        exchange = recorded.exchange
        if _is_completion(exchange) and exchange.status == 200 and exchange.fault is None:
            seconds = _seconds(measure, recorded)
            found += [] if seconds is None else [Sample(seconds, exchange.id)]
    return tuple(found)


def _seconds(measure: Measure, recorded: RecordedExchange) -> float | None:
    if measure is Measure.LATENCY:
        # A stream that we closed has no end.
        return recorded.exchange.elapsed if recorded.is_whole else None
    response = recorded.response
    if not response.is_stream:
        return None
    at = [event for event, text in _texts(response) if text]
    if measure is Measure.FIRST_TEXT:
        return at[0] if at else None
    return max((later - earlier for earlier, later in pairwise(at)), default=None)


def _texts(response: Response) -> Iterator[tuple[float, str]]:
    """Yield the time and the text of each event of a stream that has choices."""
    events = [event for event in response.events if event.data != "[DONE]"]
    for event, (_, chunk) in zip(events, response.payloads, strict=False):
        choices = chunk.get("choices") if isinstance(chunk, Mapping) else None
        for choice in choices if isinstance(choices, list) else ():
            text = choice.get("text") if isinstance(choice, Mapping) else None
            if isinstance(text, str):
                yield event.at, text


def failures_of(measure: Measure, trace: Iterable[RecordedExchange]) -> tuple[Sample, ...]:
    """Return 1 for each request that failed in the sense of a rate, and 0 for each other one."""
    found: dict[tuple[object, ...], Sample] = {}
    for recorded in trace:
        exchange = recorded.exchange
        request = exchange.request
        key = (request.body, request.headers, request.read_events)
        if not _is_completion(exchange) or key in found or not exchange.attempts:
            continue
        failed = _failed(measure, recorded)
        if failed is not None:
            found[key] = Sample(float(failed), exchange.id)
    return tuple(found.values())


def _failed(measure: Measure, recorded: RecordedExchange) -> bool | None:
    """Return whether the first attempt failed; None if it is not to be counted."""
    first = recorded.exchange.attempts[0]
    if measure is Measure.AVAILABILITY:
        return first.status is None or first.status in BUSY
    if first.status == 429:
        return None
    if first.status is None or first.status >= 500 or first.fault is not None:
        return True
    is_last = len(recorded.exchange.attempts) == 1
    return is_last and first.status == 200 and not recorded.response.is_served


def limits_of(measure: Measure, trace: Iterable[RecordedExchange]) -> tuple[Served, ...]:
    """Return what was asked of one limit: each answered request that sets it."""
    found: list[Served] = []
    for recorded in trace:
        exchange = recorded.exchange
        if not _is_completion(exchange) or exchange.status is None or exchange.status >= 500:
            continue
        if exchange.status in {401, 403, *BUSY} or not recorded.is_whole:
            continue
        try:
            request = recorded.request
            value = _asked(measure, request, recorded)
        except Judgement:
            continue
        if value:
            is_served = _is_served(measure, value, recorded)
            is_alone = _is_alone(_PARAMETER[measure], recorded)
            found.append(Served(value, is_served, is_alone, exchange.id))
    return tuple(found)


def _is_alone(parameter: str, recorded: RecordedExchange) -> bool:
    """Return whether nothing but one parameter can be the reason of a refusal.

    The contract's own limit is no reason to leave a value out: the user may want more than that.
    """
    if not recorded.request.raw.keys() <= BASE | {parameter}:
        return False
    return all(wrong.subject == parameter for wrong in recorded.request_violations)


_PARAMETER: Mapping[Measure, str] = {
    Measure.CHOICES: "n",
    Measure.STOPS: "stop",
    Measure.LOGPROBS: "logprobs",
    Measure.CONTEXT: "prompt",
}


def _asked(measure: Measure, request: CompletionRequest, recorded: RecordedExchange) -> int:
    """Return the value that a request asks for; 0 for none."""
    match measure:
        case Measure.CHOICES:
            return request.n if request.has("n") else 0
        case Measure.STOPS:
            return len(request.stops)
        case Measure.LOGPROBS:
            return request.logprobs or 0
        case _:
            prompt = request.prompt
            # The number of tokens is only known beforehand if they were sent as ids.
            if isinstance(prompt, tuple):
                return len(prompt)
            return recorded.usage.prompt_tokens if recorded.exchange.status == 200 else 0


def _is_served(measure: Measure, value: int, recorded: RecordedExchange) -> bool:
    """Return whether the response has what was asked for."""
    try:
        completion = recorded.completion
        if measure is Measure.CHOICES:
            return len(completion.choices) == recorded.request.choices
        if measure is Measure.LOGPROBS:
            listed = completion.choices[0].logprobs.top_logprobs
            return _longest(listed) >= value
    except Judgement:
        return False
    return bool(completion.choices)


def _longest(listed: Sequence[object]) -> int:
    return max((len(one) for one in listed if isinstance(one, Mapping)), default=0)


def _is_completion(exchange: Exchange) -> bool:
    request = exchange.request
    is_ours = request.credentials is Credentials.OWN and request.method == "POST"
    return is_ours and request.path == COMPLETIONS
