"""Every refusal of a run: its envelope, its type, and what it discloses."""

from __future__ import annotations

import re

from conformance.checks import invariant
from conformance.checks._shared.error_bodies import LEAK
from conformance.checks.errors.directed import assert_four_members
from conformance.judgement import Deviation, NotApplicable, expect, shown
from conformance.protocol.completion import JsonObject
from conformance.protocol.request import COMPLETIONS
from conformance.protocol.response import ErrorAnswer
from conformance.protocol.trace import Answered

REJECTED_BY_ENDPOINT = frozenset({400, 401, 403, 404, 409, 415, 422})
"""Statuses by which the endpoint itself declines; others are often a gateway's in front of it."""


@invariant("errors.envelope-everywhere", requirement="errors.envelope")
def every_refusal_is_json_with_a_message(answer: Answered) -> None:
    """Every refusal of the run is a JSON document whose `error` object has a message.

    本次运行中每个拒绝都是 JSON 文档，其 `error` 对象带有 message。
    """
    _ = refusal_of(answer).message


@invariant(
    "errors.four-members-everywhere",
    requirement="errors.four-members",
    explained_by=("errors.envelope",),
)
def every_error_has_four_members(answer: Answered) -> None:
    """Every refusal of the run has `message`, `type`, `param` and `code`.

    本次运行中每个拒绝都含有 `message`、`type`、`param` 与 `code`。
    """
    assert_four_members(refusal_of(answer))


@invariant(
    "errors.schema-everywhere",
    requirement="errors.four-members",
    explained_by=("errors.envelope",),
)
def every_error_matches_the_schema(answer: Answered) -> None:
    """Every refusal of the run matches the contract's schema of an error.

    本次运行中每个拒绝都符合契约中错误的 schema。
    """
    faults = answer.contract.validate_error(refusal_of(answer).raw)
    if faults:
        raise Deviation(
            "an error that matches the schema", f"{faults[0].path}: {faults[0].message}"
        )


@invariant("errors.content-type-everywhere", requirement="errors.content-type")
def every_refusal_says_that_it_is_json(answer: Answered) -> None:
    """Every refusal of the run that is JSON has the content type `application/json`.

    本次运行中每个 JSON 形式的拒绝，其内容类型都是 `application/json`。
    """
    if not isinstance(refusal_of(answer).raw, dict):
        raise NotApplicable("the refusal is no JSON object")
    expect(answer.reply.content_type, "content-type").equals("application/json")


@invariant("errors.stream-as-json-everywhere", requirement="errors.stream-refused-as-json")
def every_refused_stream_is_refused_in_json(answer: Answered) -> None:
    """Every refusal of a stream is a JSON document, and no stream of events.

    对流式请求的每个拒绝都是 JSON 文档，而不是事件流。
    """
    if not answer.asked.stream or answer.exchange.status not in REJECTED_BY_ENDPOINT:
        raise NotApplicable("no stream was refused")
    if answer.reply.is_stream:
        raise Deviation("a JSON document", f"events: {shown(_text_of(answer)[:160])}")


@invariant("errors.never-as-success-everywhere", requirement="errors.never-as-success")
def no_answer_is_an_error_with_status_200(answer: Answered) -> None:
    """No plain answer of the run is an error under status 200.

    本次运行中没有任何非流式响应是状态码 200 之下的错误。
    """
    reply = answer.served
    if reply.is_stream:
        raise NotApplicable("a stream may fail when it has begun")
    told = _read(answer)
    if isinstance(told, dict) and told.get("error") and not told.get("choices"):
        raise Deviation("an error status", f"status 200 with {shown(told)}")


@invariant("errors.no-leak-everywhere", requirement="errors.no-leak")
def no_error_gives_anything_away(answer: Answered) -> None:
    """No error of the run shows an address behind the endpoint, a key or a stack trace.

    本次运行中没有任何错误泄露接口背后的地址、密钥或堆栈。
    """
    status = answer.exchange.status
    if status is None or status < 400:
        raise NotApplicable("the answer is no error")
    found = LEAK.search(_text_of(answer).replace('\\"', '"').replace("\\n", "\n"))
    sent = answer.exchange.request.body.decode("utf-8", errors="replace")
    if found is not None and found[0] not in sent:
        raise Deviation("an error without addresses, keys and traces", shown(found[0]))


@invariant("errors.no-leak-in-streams-everywhere", requirement="errors.no-leak")
def no_error_in_a_stream_gives_anything_away(answer: Answered) -> None:
    """No error that comes in a stream shows an address behind the endpoint, a key or a trace.

    流中的错误不泄露接口背后的地址、密钥或堆栈。
    """
    _ = answer.asked
    if answer.exchange.status != 200 or not answer.reply.is_stream:
        raise NotApplicable("the answer is no stream")
    told = [data for data, read in answer.payloads if isinstance(read, dict) and read.get("error")]
    if not told:
        raise NotApplicable("no error came in the stream")
    for data in told:
        found = LEAK.search(data.replace('\\"', '"').replace("\\n", "\n"))
        if found is not None:
            raise Deviation("an error without addresses, keys and traces", shown(found[0]))


@invariant("errors.bad-input-is-400-everywhere", requirement="errors.bad-input-is-400")
def every_bad_value_is_a_bad_request(answer: Answered) -> None:
    """No value that the contract's schema excludes is refused with 422.

    契约的 schema 所排除的值，没有任何一个以 422 拒绝。
    """
    if answer.exchange.status not in {400, 422}:
        raise NotApplicable("the answer is no refusal of a value")
    if not answer.contract.validate_request(answer.asked.raw):
        raise NotApplicable("the schema allows the request")
    expect(answer.exchange.status, "status").equals(400)


@invariant("errors.type-everywhere", requirement="errors.bad-input-type")
def every_error_of_a_bad_value_is_typed(answer: Answered) -> None:
    """The error of every value that the schema excludes has the type `invalid_request_error`.

    schema 所排除的每个值，其错误类型都是 `invalid_request_error`。
    """
    error, _ = _bad_value(answer)
    expect(error.type, "error.type").equals("invalid_request_error")


@invariant("errors.param-everywhere", requirement="errors.bad-input-param")
def every_error_of_a_bad_value_names_its_parameter(answer: Answered) -> None:
    """The error of every value that the schema excludes names its parameter, in whatever place.

    schema 所排除的值无论位于何处，其错误都指出相应的参数。
    """
    error, names = _bad_value(answer)
    told = f"{error.message} {error.param}"
    if any(_is_named(name, told) for name in names):
        return
    # Not everything that the schema allows has to be served, and only one thing need be named.
    others = answer.asked.raw.keys() - {*names, "model"}
    if any(_is_named(name, told) for name in others):
        raise NotApplicable("something else of the request was refused")
    raise Deviation(f"{' or '.join(names)} in param or message", shown(error.error))


def _is_named(parameter: str, told: str) -> bool:
    return re.search(rf"\b{re.escape(parameter)}\b", told) is not None


def _bad_value(answer: Answered) -> tuple[ErrorAnswer, list[str]]:
    """Return the refusal of values that the schema excludes, and the parameters they are of."""
    if answer.exchange.status not in {400, 422}:
        raise NotApplicable("the answer is no refusal of a value")
    paths = [violation.path for violation in answer.contract.validate_request(answer.asked.raw)]
    names = [name for path in paths if (name := re.split(r"[.\[]", path, maxsplit=1)[0])]
    if not names:
        raise NotApplicable("the schema excludes nothing of the request")
    return refusal_of(answer), list(dict.fromkeys(names))


def refusal_of(answer: Answered) -> ErrorAnswer:
    """Return the refusal of a request for a completion, if it came whole."""
    status = answer.exchange.status
    if answer.exchange.request.path != COMPLETIONS or status not in REJECTED_BY_ENDPOINT:
        raise NotApplicable("nothing was refused")
    if not answer.is_whole:
        raise NotApplicable("the refusal broke off")
    return ErrorAnswer(status, _read(answer))


def _read(answer: Answered) -> JsonObject | str:
    """Read the body of a refusal; as text where it is no JSON object."""
    try:
        told = answer.reply.json
    except Deviation:
        told = None
    return told if isinstance(told, dict) else _text_of(answer)[:160]


def _text_of(answer: Answered) -> str:
    return answer.exchange.body.decode("utf-8", errors="replace")
