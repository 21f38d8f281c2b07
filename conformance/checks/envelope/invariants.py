"""The members of every response of a run: names, numbers and times."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from conformance.checks import invariant, invariant_across
from conformance.checks._shared.characters import assert_utf_8
from conformance.checks._shared.counts import assert_choice_count
from conformance.checks._shared.invariants import Inspection
from conformance.checks.envelope.directed import (
    MAX_CLOCK_DRIFT_SECONDS,
    assert_fingerprint,
    assert_name,
    assert_prefix,
    created_of,
)
from conformance.judgement import Failure, Feature, Judgement, NotApplicable, expect, shown
from conformance.message import say
from conformance.protocol.trace import RecordedExchange, Violation


@invariant("envelope.strict-json-everywhere", requirement="envelope.strict-json", of=Feature.JSON)
def every_body_is_json_in_utf8(exchange: RecordedExchange) -> None:
    """The body of every non-streaming response is strict JSON, encoded in UTF-8.

    每个非流式响应的响应体都是 UTF-8 编码的严格 JSON。
    """
    response = exchange.served
    if response.is_stream or exchange.request.stream:
        raise NotApplicable(say("a stream was requested or returned"))
    _ = response.json
    assert_utf_8(exchange.exchange)


@invariant("envelope.id-everywhere", requirement="envelope.id")
def every_response_has_an_id(exchange: RecordedExchange) -> None:
    """Every response, streaming or not, has an `id`, which is a non-empty string.

    无论流式与否，每个响应都带有 `id`，且为非空字符串。
    """
    assert_name(exchange.completion.raw.get("id"), "id")


@invariant("envelope.id-prefix-everywhere", requirement="envelope.id-prefix")
def every_id_has_a_prefix(exchange: RecordedExchange) -> None:
    """The `id` of every response, streaming or not, begins with `cmpl-`.

    无论流式与否，每个响应的 `id` 都以 `cmpl-` 开头。
    """
    assert_prefix(exchange.completion.raw.get("id"))


@invariant_across("envelope.id-unique-everywhere", requirement="envelope.id-unique")
def no_two_responses_share_an_id(exchanges: Sequence[RecordedExchange]) -> Iterator[Inspection]:
    """No two responses of the run, streaming or not, have the same `id`.

    无论流式与否，本次运行中任意两个响应的 `id` 都不相同。
    """
    named = [(name, one) for one in exchanges if (name := _id_of(one))]
    differ = len({name for name, _ in named}) > 1
    known: dict[str, RecordedExchange] = {}
    for name, exchange in named:
        yield exchange
        if name in known:
            failure = Failure(
                say("a unique id for each response"), say("id {id} again", id=shown(name))
            )
            # Where ids differ, one comes again if its response does, as from a cache, or by chance.
            violated = failure.only_by_run() if differ else failure
            yield Violation(violated, (exchange, known[name]))
        known.setdefault(name, exchange)


def _id_of(exchange: RecordedExchange) -> str | None:
    """Return the id of a response; None if it has none."""
    try:
        name = exchange.completion.raw.get("id")
    except Judgement:
        return None
    return name if isinstance(name, str) else None


@invariant("envelope.object-everywhere", requirement="envelope.object")
def every_object_is_text_completion(exchange: RecordedExchange) -> None:
    """`object` is `text_completion` in every non-streaming response.

    每个非流式响应的 `object` 都是 `text_completion`。
    """
    expect(exchange.non_streaming.raw.get("object"), "object").equals("text_completion")


@invariant("envelope.created-everywhere", requirement="envelope.created")
def created_is_a_whole_number_everywhere(exchange: RecordedExchange) -> None:
    """`created` is an integer number of seconds in every response, streaming or not.

    无论流式与否，每个响应的 `created` 都是整数秒。
    """
    created = created_of(exchange.completion)
    expect(created, "created").at_least(1)
    expect(created, "created").at_most(10_000_000_000)  # milliseconds are far beyond


@invariant_across("envelope.created-is-now-everywhere", requirement="envelope.created-is-now")
def created_follows_the_clock(exchanges: Sequence[RecordedExchange]) -> Iterator[Inspection]:
    """The `created` of any two responses differs by the time between them, within a few minutes.

    任意两个响应之间，`created` 的差与实际经过的时间相符，误差在几分钟之内。
    """
    starts = []
    for exchange in exchanges:
        try:
            sent = exchange.exchange.attempts[-1].started
            starts.append((exchange, created_of(exchange.completion) - sent))
        except (Judgement, IndexError):
            continue
    if not starts:
        return
    usual = statistics.median_low(start for _, start in starts)
    for exchange, start in starts:
        yield exchange
        if abs(start - usual) > MAX_CLOCK_DRIFT_SECONDS + exchange.exchange.elapsed:
            expected = say(
                "created within {drift} s of the other responses", drift=MAX_CLOCK_DRIFT_SECONDS
            )
            seen = say("created is {seconds} s away", seconds=f"{start - usual:+.0f}")
            yield Violation(Failure(expected, seen), (exchange,))


@invariant("envelope.model-everywhere", requirement="envelope.model")
def every_response_names_a_model(exchange: RecordedExchange) -> None:
    """`model` is a non-empty string in every response, streaming or not.

    无论流式与否，每个响应的 `model` 都是非空字符串。
    """
    assert_name(exchange.completion.raw.get("model"), "model")


@invariant("envelope.system-fingerprint-everywhere", requirement="envelope.system-fingerprint")
def every_fingerprint_is_a_string(exchange: RecordedExchange) -> None:
    """In every response `system_fingerprint`, if present, is a string or null.

    每个响应若带有 `system_fingerprint`，则其为字符串或 null。
    """
    assert_fingerprint(exchange.completion)


@invariant("envelope.choices-everywhere", requirement="envelope.choices", of=Feature.CHOICES)
def every_response_has_one_choice(exchange: RecordedExchange) -> None:
    """Every response to a request for one choice has exactly one.

    每个只要求一个 choice 的请求，其响应都只有一个 choice。
    """
    if exchange.request.choices != 1:
        raise NotApplicable(say("several choices were requested"))
    assert_choice_count(exchange, Feature.CHOICES)
