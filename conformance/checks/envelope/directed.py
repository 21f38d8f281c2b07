"""The members of a non-streaming response: ``id``, ``object``, ``created``, ``model`` and more."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.characters import assert_utf_8
from conformance.checks._shared.prompts import (
    CHINESE,
    EMOJI,
)
from conformance.checks._shared.requests import (
    MINIMAL_REQUEST,
    collect_stream,
    non_streaming,
    shared,
    streamed,
)
from conformance.checks._shared.token_scores import scored
from conformance.judgement import Failure, NotApplicable, expect, shown
from conformance.message import say
from conformance.model import Exchange, Place
from conformance.protocol.completion import Completion
from conformance.protocol.http_date import read_date

MAX_CLOCK_DRIFT_SECONDS = 600
"""Seconds by which two clocks may differ."""

MAX_ANSWER_AGE_SECONDS = 3600
"""Seconds that may pass between a response and its judgement."""


@check("envelope.strict-json", requirement="envelope.strict-json", tier="smoke")
async def the_body_is_json_in_utf8(api: Api) -> None:
    """The body of a non-streaming response is strict JSON, encoded in UTF-8.

    非流式响应的响应体是 UTF-8 编码的严格 JSON。
    """
    assert_utf_8((await non_streaming(api)).exchange)


@check("envelope.strict-json-chinese", requirement="envelope.strict-json")
async def a_chinese_body_is_json_in_utf8(api: Api) -> None:
    """The body of a Chinese response is strict JSON, encoded in UTF-8.

    中文响应的响应体是 UTF-8 编码的严格 JSON。
    """
    assert_utf_8((await shared(api, CHINESE)).exchange)


@check(
    "envelope.strict-json-logprobs",
    requirement="envelope.strict-json",
    tier="smoke",
    needs=("logprobs",),
)
async def log_probabilities_are_json_numbers(api: Api) -> None:
    """A body with log probabilities is strict JSON, without NaN or Infinity.

    带对数概率的响应体是严格的 JSON：没有任何值为 NaN 或 Infinity。
    """
    assert_utf_8((await scored(api)).exchange)


@check("envelope.id", requirement="envelope.id", tier="smoke")
async def the_response_has_an_id(api: Api) -> None:
    """A non-streaming response has an `id`, which is a non-empty string.

    非流式响应带有 `id`，且为非空字符串。
    """
    assert_name((await non_streaming(api)).raw.get("id"), "id")


@check("envelope.id-in-stream", requirement="envelope.id", tier="smoke", needs=("stream",))
async def a_chunk_has_an_id(api: Api) -> None:
    """The chunks of a stream have an `id`, which is a non-empty string.

    流的数据块带有 `id`，且为非空字符串。
    """
    assert_name((await streamed(api)).raw.get("id"), "id")


@check("envelope.id-unique", requirement="envelope.id-unique", tier="deep")
async def two_responses_have_two_ids(api: Api) -> None:
    """The responses to two equal requests have different ids.

    同一请求发送两次，两个响应的 id 不同。
    """
    first = (await api.complete(**MINIMAL_REQUEST)).expect_ok()
    second = (await api.complete(**MINIMAL_REQUEST, fresh=True)).expect_ok()
    expect(second.raw.get("id"), say("id of the second response")).differs_from(first.raw.get("id"))


@check(
    "envelope.id-unique-in-stream",
    requirement="envelope.id-unique",
    tier="smoke",
    needs=("stream",),
)
async def a_stream_has_another_id(api: Api) -> None:
    """A stream and the non-streaming response to the same request have different ids.

    对同一请求，流与非流式响应的 id 不同。
    """
    expect((await streamed(api)).raw.get("id"), say("id of the stream")).differs_from(
        (await non_streaming(api)).raw.get("id")
    )


@check("envelope.id-unique-among-streams", requirement="envelope.id-unique", needs=("stream",))
async def two_streams_have_two_ids(api: Api) -> None:
    """Two streams have different ids.

    两个流的 id 不同。
    """
    expect((await streamed(api, EMOJI)).raw.get("id"), say("id of another stream")).differs_from(
        (await streamed(api)).raw.get("id")
    )


@check(
    "envelope.id-unique-of-equal-streams",
    requirement="envelope.id-unique",
    tier="deep",
    needs=("stream",),
)
async def equal_streams_have_two_ids(api: Api) -> None:
    """The streams of two equal requests have different ids.

    同一流式请求发送两次，两个流的 id 不同。
    """
    first = collect_stream(await api.stream(**MINIMAL_REQUEST))
    second = collect_stream(await api.stream(fresh=True, **MINIMAL_REQUEST))
    expect(second.raw.get("id"), say("id of the second stream")).differs_from(first.raw.get("id"))


@check("envelope.id-prefix", requirement="envelope.id-prefix", tier="smoke")
async def the_id_has_a_prefix(api: Api) -> None:
    """The `id` begins with `cmpl-`.

    `id` 以 `cmpl-` 开头。
    """
    assert_prefix((await non_streaming(api)).raw.get("id"))


@check("envelope.object", requirement="envelope.object", tier="smoke")
async def the_object_is_text_completion(api: Api) -> None:
    """`object` is `text_completion`.

    `object` 为 `text_completion`。
    """
    expect((await non_streaming(api)).raw.get("object"), "object").equals("text_completion")


@check(
    "envelope.object-with-logprobs",
    requirement="envelope.object",
    tier="smoke",
    needs=("logprobs",),
)
async def the_object_is_text_completion_with_logprobs(api: Api) -> None:
    """`object` is `text_completion` when log probabilities are requested, too.

    要求对数概率时，`object` 同样为 `text_completion`。
    """
    expect((await scored(api)).raw.get("object"), "object").equals("text_completion")


@check("envelope.created", requirement="envelope.created", tier="smoke")
async def created_is_a_whole_number(api: Api) -> None:
    """`created` is an integer number of seconds: a plausible time, no fraction, no milliseconds.

    `created` 是整数秒：一个合理的时间，既不是小数，也不是毫秒。
    """
    created = created_of(await non_streaming(api))
    expect(created, "created").at_least(1)
    expect(created, "created").at_most(10_000_000_000)  # milliseconds are far beyond


@check(
    "envelope.created-in-stream", requirement="envelope.created", tier="smoke", needs=("stream",)
)
async def created_is_a_whole_number_in_chunks(api: Api) -> None:
    """`created` is an integer number of seconds in the chunks of a stream, too.

    流的数据块中，`created` 也是整数秒。
    """
    created = created_of(await streamed(api))
    expect(created, "created").at_least(0)
    expect(created, "created").at_most(10_000_000_000)  # milliseconds are far beyond


@check("envelope.created-is-now", requirement="envelope.created-is-now", tier="smoke")
async def created_is_the_time_of_the_response(api: Api) -> None:
    """`created` is the time of the response, within a few minutes.

    `created` 是响应的时间，误差在几分钟之内。
    """
    response = await non_streaming(api)
    created, dated, now = created_of(response), date_of(response.exchange), api.clock()
    near_date = dated is not None and abs(created - dated) <= MAX_CLOCK_DRIFT_SECONDS
    if (
        not near_date
        and not -MAX_ANSWER_AGE_SECONDS - MAX_CLOCK_DRIFT_SECONDS
        <= created - now
        <= MAX_CLOCK_DRIFT_SECONDS
    ):
        raise Failure(
            say(
                "created within {drift} s of {time}",
                drift=MAX_CLOCK_DRIFT_SECONDS,
                time=f"{dated or now:.0f}",
            ),
            say("created = {created}", created=created),
        )


@check("envelope.created-moves-on", requirement="envelope.created-is-now", tier="deep")
async def created_does_not_go_back(api: Api) -> None:
    """`created` of a later response is not before that of an earlier one.

    后来的响应，其 `created` 不早于先前的响应。
    """
    first = created_of((await api.complete(**MINIMAL_REQUEST)).expect_ok())
    second = created_of((await api.complete(**MINIMAL_REQUEST, fresh=True)).expect_ok())
    # Responses may come from machines with different clocks.
    expect(second - first, say("seconds from the first response's created")).at_least(
        -MAX_CLOCK_DRIFT_SECONDS
    )


@check("envelope.model", requirement="envelope.model", tier="smoke")
async def the_response_names_a_model(api: Api) -> None:
    """`model` is a non-empty string.

    `model` 是非空字符串。
    """
    assert_name((await non_streaming(api)).raw.get("model"), "model")


@check("envelope.model-in-stream", requirement="envelope.model", tier="smoke", needs=("stream",))
async def a_chunk_names_a_model(api: Api) -> None:
    """`model` is a non-empty string in the chunks of a stream, too.

    流的数据块中，`model` 也是非空字符串。
    """
    assert_name((await streamed(api)).raw.get("model"), "model")


@check("envelope.choices", requirement="envelope.choices", tier="smoke")
async def the_response_has_choices(api: Api) -> None:
    """`choices` is an array with exactly one choice if one is requested.

    只要求一个 choice 时，`choices` 是恰好含一个 choice 的列表。
    """
    _ = (await non_streaming(api)).only


@check("envelope.schema", requirement="envelope.choices")
async def the_response_matches_the_schema(api: Api) -> None:
    """Every field of a non-streaming response matches the contract's schema.

    非流式响应的每个字段都符合契约的 schema。
    """
    faults = api.contract.validate_completion((await non_streaming(api)).raw)
    if faults:
        raise Failure(
            say("a response that matches the schema"),
            faults[0].said,
            place=Place.SCHEMA,
        )


@check("envelope.system-fingerprint", requirement="envelope.system-fingerprint", tier="smoke")
async def the_fingerprint_is_a_string(api: Api) -> None:
    """`system_fingerprint`, if present, is a string or null.

    若返回 `system_fingerprint`，则其为字符串或 null。
    """
    assert_fingerprint(await non_streaming(api))


@check(
    "envelope.system-fingerprint-in-stream",
    requirement="envelope.system-fingerprint",
    tier="smoke",
    needs=("stream",),
)
async def the_fingerprint_is_a_string_in_chunks(api: Api) -> None:
    """`system_fingerprint`, if present, is a string or null in the chunks of a stream, too.

    流的数据块中若有 `system_fingerprint`，也是字符串或 null。
    """
    assert_fingerprint(await streamed(api))


def assert_name(value: object, name: str) -> None:
    """Assert that a value is a string that is not blank."""
    expect(value, name).satisfies(
        lambda found: isinstance(found, str) and found.strip() != "",
        say("a string that is not empty"),
    )


def assert_fingerprint(completion: Completion) -> None:
    """Assert that a fingerprint is a string or null, if there is one."""
    if "system_fingerprint" not in completion.raw:
        raise NotApplicable(say("the endpoint sends no system_fingerprint"))
    expect(completion.raw["system_fingerprint"], "system_fingerprint").satisfies(
        lambda found: found is None or isinstance(found, str), say("a string or null")
    )


def assert_prefix(id_: object) -> None:
    """Assert that an ``id`` is a string with the prefix of completions."""
    if not isinstance(id_, str):
        raise Failure(
            say("{name} starting with {part}", name="id", part=shown("cmpl-")),
            say("{name} = {value}", name="id", value=shown(id_)),
        )
    expect(id_, "id").starts_with("cmpl-")


def created_of(completion: Completion) -> int:
    """Return a response's ``created``; raise Failure if it is not an integer."""
    created = completion.raw.get("created")
    if not isinstance(created, int) or isinstance(created, bool):
        raise Failure(say("created an integer"), say("created = {created}", created=shown(created)))
    return created


def date_of(exchange: Exchange) -> float | None:
    """Return the time of the ``Date`` header, which is the endpoint's clock."""
    moment = read_date(exchange.header("date") or "")
    return None if moment is None else moment.timestamp()
