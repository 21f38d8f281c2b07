"""Every error of a run: its envelope, its type, and what it discloses."""

from __future__ import annotations

import json
import re

from conformance.checks import invariant
from conformance.checks._shared.error_bodies import LEAK, NO_PARAM, is_named, names_part_of
from conformance.checks.errors.directed import assert_four_members
from conformance.judgement import Failure, Missing, NotApplicable, either, expect, shown
from conformance.message import say
from conformance.model import Place
from conformance.protocol.completion import JsonObject
from conformance.protocol.error_response import ErrorResponse
from conformance.protocol.request import COMPLETIONS
from conformance.protocol.trace import RecordedExchange

REJECTED_BY_ENDPOINT = frozenset({400, 401, 403, 404, 409, 415, 422})
"""Statuses of the endpoint itself; others often come from a gateway in front of it."""


@invariant("errors.envelope-everywhere", requirement="errors.envelope")
def every_error_is_json_with_a_message(exchange: RecordedExchange) -> None:
    """Every error response of the run is JSON, and its `error` object has a message.

    本次运行中每个错误响应都是 JSON，其 `error` 对象带有 message。
    """
    try:
        _ = refusal_of(exchange).message
    except Missing as missing:  # which other invariants leave to this one
        raise Failure(missing.expected, missing.seen) from None


@invariant(
    "errors.four-members-everywhere",
    requirement="errors.four-members",
)
def every_error_has_four_members(exchange: RecordedExchange) -> None:
    """Every error of the run has `message`, `type`, `param` and `code`.

    本次运行中每个错误都含有 `message`、`type`、`param` 与 `code`。
    """
    assert_four_members(refusal_of(exchange))


@invariant(
    "errors.schema-everywhere",
    requirement="errors.four-members",
)
def every_error_matches_the_schema(exchange: RecordedExchange) -> None:
    """Every error response of the run matches the contract's error schema.

    本次运行中每个错误响应都符合契约中错误的 schema。
    """
    response = refusal_of(exchange)
    _ = response.error
    faults = exchange.contract.validate_error(response.raw)
    if faults:
        raise Failure(
            say("an error that matches the schema"),
            faults[0].said,
            place=Place.SCHEMA,
        )


@invariant("errors.content-type-everywhere", requirement="errors.content-type")
def every_error_has_a_json_content_type(exchange: RecordedExchange) -> None:
    """Every error response of the run that is JSON has the content type `application/json`.

    本次运行中每个 JSON 形式的错误响应，其内容类型都是 `application/json`。
    """
    if not isinstance(refusal_of(exchange).raw, dict):
        raise NotApplicable(say("the rejection is not a JSON object"))
    expect(exchange.response.content_type, say("content-type of the error")).equals(
        "application/json"
    )


@invariant("errors.stream-as-json-everywhere", requirement="errors.stream-refused-as-json")
def every_stream_is_rejected_in_json(exchange: RecordedExchange) -> None:
    """Every error response to a streaming request is a JSON document, not a stream of events.

    对流式请求的每个错误响应都是 JSON 文档，而不是事件流。
    """
    if not exchange.request.stream or exchange.exchange.status not in REJECTED_BY_ENDPOINT:
        raise NotApplicable(say("no stream was rejected"))
    # A document whose content type says otherwise has one fault, which another invariant finds.
    if exchange.response.is_stream and exchange.response.readable is None:
        raise Failure(
            say("a JSON document"), say("events: {text}", text=shown(_text_of(exchange)[:160]))
        )


@invariant("errors.never-as-success-everywhere", requirement="errors.never-as-success")
def no_response_is_an_error_with_status_200(exchange: RecordedExchange) -> None:
    """No non-streaming response of the run is an error with status 200.

    本次运行中没有任何非流式响应以状态码 200 返回错误。
    """
    response = exchange.served
    if response.is_stream:
        raise NotApplicable(say("a stream may fail after it has begun"))
    result = _read(exchange)
    if isinstance(result, dict) and result.get("error") and not result.get("choices"):
        raise Failure(say("an error status"), say("status 200 with {error}", error=shown(result)))


@invariant("errors.never-as-text-everywhere", requirement="errors.never-as-success")
def no_completion_is_an_error(exchange: RecordedExchange) -> None:
    """No response of the run has an error object as the text of a completion.

    本次运行中没有任何响应以错误对象作为补全文本。
    """
    if b"error" in exchange.exchange.request.body:
        raise NotApplicable(say("the request speaks of errors itself"))
    for choice in exchange.completion.choices:
        if _is_error(choice.text):
            raise Failure(say("an error status"), say("the text {text}", text=shown(choice.text)))


def _is_error(text: str) -> bool:
    """Return whether a text is a JSON object with an error and its message, and nothing else."""
    if '"error"' not in text or not text.strip().startswith("{"):
        return False
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return False
    error = read.get("error")
    return isinstance(error, dict) and isinstance(error.get("message"), str)


@invariant("errors.no-leak-everywhere", requirement="errors.no-leak")
def no_error_discloses_internals(exchange: RecordedExchange) -> None:
    """No error of the run discloses an internal address, a key or a stack trace.

    本次运行中没有任何错误泄露内部地址、密钥或堆栈。
    """
    status = exchange.exchange.status
    if status is None or status < 400:
        raise NotApplicable(say("the response is not an error"))
    found = LEAK.search(_text_of(exchange).replace('\\"', '"').replace("\\n", "\n"))
    sent = exchange.exchange.request.body.decode("utf-8", errors="replace")
    if found is not None and found[0] not in sent:
        raise Failure(say("an error without addresses, keys and traces"), shown(found[0]))


@invariant("errors.no-leak-in-streams-everywhere", requirement="errors.no-leak")
def no_stream_error_discloses_internals(exchange: RecordedExchange) -> None:
    """No error in a stream discloses an internal address, a key or a stack trace.

    流中的错误不泄露内部地址、密钥或堆栈。
    """
    _ = exchange.request
    if exchange.exchange.status != 200 or not exchange.response.is_stream:
        raise NotApplicable(say("the response is not a stream"))
    result = [
        data for data, read in exchange.payloads if isinstance(read, dict) and read.get("error")
    ]
    if not result:
        raise NotApplicable(say("no error in the stream"))
    for data in result:
        found = LEAK.search(data.replace('\\"', '"').replace("\\n", "\n"))
        if found is not None:
            raise Failure(say("an error without addresses, keys and traces"), shown(found[0]))


@invariant("errors.bad-input-is-400-everywhere", requirement="errors.bad-input-is-400")
def every_bad_value_is_a_bad_request(exchange: RecordedExchange) -> None:
    """No value that the contract's schema excludes is rejected with 422.

    契约的 schema 所排除的值，没有任何一个以 422 拒绝。
    """
    if exchange.exchange.status not in {400, 422}:
        raise NotApplicable(say("the response does not reject a value"))
    if not exchange.request_violations:
        raise NotApplicable(say("the schema allows the request"))
    expect(exchange.exchange.status, say("status")).equals(400)


@invariant("errors.type-everywhere", requirement="errors.bad-input-type")
def every_error_of_a_bad_value_is_typed(exchange: RecordedExchange) -> None:
    """The error for every value that the schema excludes has the type `invalid_request_error`.

    schema 所排除的每个值，其错误类型都是 `invalid_request_error`。
    """
    error, _ = _bad_value(exchange)
    expect(error.type, "error.type").equals("invalid_request_error")


@invariant("errors.param-everywhere", requirement="errors.bad-input-param")
def every_error_of_a_bad_value_names_its_parameter(exchange: RecordedExchange) -> None:
    """The error for every value that the schema excludes names its parameter.

    schema 所排除的每个值，其错误都指出相应的参数。
    """
    error, names = _bad_value(exchange)
    # An error that names the member inside an object, such as `include_usage`, is more exact.
    paths = (violation.path for violation in exchange.request_violations)
    members = [part for path in paths for part in re.split(r"[.\[\]]+", path) if len(part) > 1]
    if any(is_named(name, error.words) for name in (*names, *members)):
        if "param" not in error.error:
            raise NotApplicable(NO_PARAM)
        return
    # The endpoint may reject another, optional parameter, and need name only one of several.
    others = exchange.request.raw.keys() - {*names, "model"}
    if any(is_named(name, error.words) for name in others):
        raise NotApplicable(say("something else in the request was rejected"))
    raise Failure(say("{names} in param or message", names=either(*names)), shown(error.error))


@invariant("errors.param-names-everywhere", requirement="errors.param-names-request")
def every_param_names_a_part_of_the_request(exchange: RecordedExchange) -> None:
    """`param` of every error of the run names a part of the request, or is null.

    本次运行中每个错误的 `param` 都指出请求的某个部分，或为 null。
    """
    param = refusal_of(exchange).param
    if not isinstance(param, str) or not param.strip():
        raise NotApplicable(say("the error has no param"))
    sent = exchange.exchange.request
    names = {parameter.name for parameter in exchange.contract.parameters}
    names |= {name.lower() for name, _ in sent.headers} | {"authorization", "api_key"}
    names |= _keys_of(sent.body)
    if not names_part_of(names, param):
        raise Failure(
            say("error.param a part of the request, or null"),
            say("error.param = {param}", param=shown(param)),
        )


@invariant("errors.code-string-everywhere", requirement="errors.code-is-string")
def every_code_is_a_string(exchange: RecordedExchange) -> None:
    """`code` of every 4xx of the run is a string or null, not a number.

    本次运行中每个 4xx 的 `code` 都是字符串或 null，而不是数字。
    """
    code = refusal_of(exchange).code
    if isinstance(code, int | float):
        raise Failure(
            say("error.code a string or null"), say("error.code = {code}", code=shown(code))
        )


def _keys_of(body: bytes) -> set[str]:
    """Return the keys of a JSON object and of the objects in it; none of anything else."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return set()
    if not isinstance(read, dict):
        return set()
    return {key for one in (read, *read.values()) if isinstance(one, dict) for key in one}


def _bad_value(exchange: RecordedExchange) -> tuple[ErrorResponse, list[str]]:
    """Return the error for values that the schema excludes, and the names of their parameters."""
    if exchange.exchange.status not in {400, 422}:
        raise NotApplicable(say("the response does not reject a value"))
    paths = [violation.path for violation in exchange.request_violations]
    names = [name for path in paths if (name := re.split(r"[.\[]", path, maxsplit=1)[0])]
    if not names:
        raise NotApplicable(say("the schema allows the request"))
    return refusal_of(exchange), list(dict.fromkeys(names))


def refusal_of(exchange: RecordedExchange) -> ErrorResponse:
    """Return the error response to a completion request, if it is complete."""
    status = exchange.exchange.status
    if exchange.exchange.request.path != COMPLETIONS or status not in REJECTED_BY_ENDPOINT:
        raise NotApplicable(say("the request was not rejected"))
    # A stream that is left after some events is incomplete; a document that can be read is not.
    is_left = not exchange.is_whole and exchange.response.is_stream
    if exchange.exchange.fault is not None or (is_left and exchange.response.readable is None):
        raise NotApplicable(say("the rejection is incomplete"))
    return ErrorResponse(status, _read(exchange), is_flat=exchange.contract.has_flat_errors)


def _read(exchange: RecordedExchange) -> JsonObject | str:
    """Return the body of an error response; as text if it is not a JSON object."""
    try:
        result = exchange.response.json
    except Failure:
        result = None
    return result if isinstance(result, dict) else _text_of(exchange)[:160]


def _text_of(exchange: RecordedExchange) -> str:
    return exchange.exchange.body.decode("utf-8", errors="replace")
