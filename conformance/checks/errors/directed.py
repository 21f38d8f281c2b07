"""Errors: the status, the envelope and the message of a rejection.

Most areas send requests that have to be rejected; how they are rejected is judged here, on one
request of each kind.
"""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.error_bodies import (
    LEAK,
    NO_PARAM,
    OF_THE_BODY,
    assert_no_error_inside,
    is_named,
)
from conformance.checks._shared.refusals import (
    MODEL_REJECTED_STATUSES,
    UNKNOWN_MODEL,
    WRONG_TYPE_REQUEST,
    as_rejected,
    assert_usual_status,
    rejected_stream,
)
from conformance.checks._shared.requests import MINIMAL_REQUEST
from conformance.judgement import Failure, Inconclusive, NotApplicable, expect, shown
from conformance.message import say
from conformance.model import Place
from conformance.protocol.error_response import ErrorResponse
from conformance.protocol.response import REFUSALS, Response

TRUNCATED = b'{"model": "m", "prompt": "1", '
"""Truncated JSON, as from a client that crashes."""

MEMBERS = ("message", "type", "param", "code")


@check("errors.envelope", requirement="errors.envelope", tier="smoke")
async def a_bad_value_is_rejected_in_json(api: Api) -> None:
    """The error for a value of a wrong type is JSON, and its `error` has a message.

    值的类型错误时，错误响应为 JSON，其 `error` 带有 message。
    """
    _ = (await rejected_value(api)).message


@check("errors.envelope-of-unknown-model", requirement="errors.envelope", tier="smoke")
async def an_unknown_model_is_rejected_in_json(api: Api) -> None:
    """The error for an unknown model is JSON, and its `error` has a message.

    模型未知时，错误响应为 JSON，其 `error` 带有 message。
    """
    _ = (await rejected_model(api)).message


@check("errors.envelope-of-malformed", requirement="errors.envelope", tier="smoke")
async def malformed_json_is_rejected_in_json(api: Api) -> None:
    """The error for a body that is not JSON is JSON, and its `error` has a message.

    请求体不是 JSON 时，错误响应为 JSON，其 `error` 带有 message。
    """
    _ = as_rejected(await api.post(TRUNCATED)).message


@check("errors.four-members", requirement="errors.four-members", tier="smoke")
async def the_error_has_four_members(api: Api) -> None:
    """The error for an invalid value has `message`, `type`, `param` and `code`.

    无效值的 `error` 含有 `message`、`type`、`param` 与 `code`。
    """
    assert_four_members(await rejected_value(api))


@check("errors.four-members-of-unknown-model", requirement="errors.four-members", tier="smoke")
async def the_error_of_an_unknown_model_has_four_members(api: Api) -> None:
    """The error for an unknown model has `message`, `type`, `param` and `code`.

    未知模型的 `error` 含有 `message`、`type`、`param` 与 `code`。
    """
    assert_four_members(await rejected_model(api))


@check("errors.schema", requirement="errors.four-members")
async def the_error_matches_the_schema(api: Api) -> None:
    """The error for an invalid value matches the contract's error schema.

    无效值的错误响应符合契约中错误的 schema。
    """
    response = await rejected_value(api)
    _ = response.error
    faults = api.contract.validate_error(response.raw)
    if faults:
        raise Failure(
            say("an error that matches the schema"),
            faults[0].said,
            place=Place.SCHEMA,
        )


@check("errors.content-type", requirement="errors.content-type", tier="smoke")
async def the_error_says_that_it_is_json(api: Api) -> None:
    """The error for an invalid value has the content type `application/json`.

    无效值的错误响应，其内容类型为 `application/json`。
    """
    response = await api.complete(**WRONG_TYPE_REQUEST)
    _ = as_rejected(response).error
    expect(response.content_type, say("content-type of the error")).equals("application/json")


@check("errors.content-type-of-malformed", requirement="errors.content-type", tier="smoke")
async def the_error_of_malformed_json_says_that_it_is_json(api: Api) -> None:
    """The error for a body that is not JSON has the content type `application/json`.

    请求体不是 JSON 时，错误响应的内容类型为 `application/json`。
    """
    response = await api.post(TRUNCATED)
    _ = as_rejected(response).error
    expect(response.content_type, say("content-type of the error")).equals("application/json")


@check("errors.never-as-success", requirement="errors.never-as-success", tier="smoke")
async def an_error_does_not_have_status_200(api: Api) -> None:
    """The errors for an invalid value and an unknown model do not have status 200.

    无效值与未知模型的错误响应，其状态码都不是 200。
    """
    for response in (await api.complete(**WRONG_TYPE_REQUEST), await request_unknown_model(api)):
        assert_no_error_inside(response)


@check("errors.never-as-success-in-stream", requirement="errors.never-as-success")
async def a_stream_error_does_not_have_status_200(api: Api) -> None:
    """The error for an invalid value in a streaming request does not have status 200.

    流式请求含无效值时，错误响应的状态码不是 200。
    """
    assert_no_error_inside((await rejected_stream(api))[1])


@check("errors.no-server-fault", requirement="errors.bad-input-no-server-fault", tier="smoke")
async def a_bad_value_causes_no_server_error(api: Api) -> None:
    """A value of a wrong type does not cause a server error.

    类型错误的值不会引起服务器错误。
    """
    assert_no_server_fault(await api.complete(**WRONG_TYPE_REQUEST))


@check("errors.no-server-fault-of-body", requirement="errors.bad-input-no-server-fault")
async def a_bad_body_causes_no_server_error(api: Api) -> None:
    """A body that is an array or not JSON does not cause a server error.

    请求体为数组或根本不是 JSON 时，不会引起服务器错误。
    """
    for body in (b"[]", TRUNCATED):
        assert_no_server_fault(await api.post(body))


@check(
    "errors.no-server-fault-of-depth", requirement="errors.bad-input-no-server-fault", tier="deep"
)
async def a_deep_body_causes_no_server_error(api: Api) -> None:
    """A prompt of two hundred nested arrays does not cause a server error.

    由两百层嵌套数组构成的 prompt 不会引起服务器错误。
    """
    nested = b"[" * 200 + b"]" * 200
    assert_no_server_fault(await api.post(b'{"model":"m","max_tokens":1,"prompt":%s}' % nested))


@check("errors.bad-type-is-400", requirement="errors.bad-input-is-400", tier="smoke")
async def a_bad_value_is_a_bad_request(api: Api) -> None:
    """A value of a wrong type is rejected with 400, not with another status.

    类型错误的值以 400 拒绝，而不是其他状态码。
    """
    expect((await rejected_value(api)).status, say("status")).equals(400)


@check("errors.out-of-range-is-400", requirement="errors.bad-input-is-400", needs=("n",))
async def a_value_out_of_range_is_a_bad_request(api: Api) -> None:
    """A value out of range is rejected with 400, not with another status.

    超出范围的值以 400 拒绝，而不是其他状态码。
    """
    response = await api.complete(**MINIMAL_REQUEST, n=0)
    await assert_usual_status(api, as_rejected(response), 400)


@check("errors.malformed-json", requirement="errors.malformed-json", tier="smoke")
async def a_truncated_body_is_rejected(api: Api) -> None:
    """A body with truncated JSON is rejected.

    JSON 不完整的请求体会被拒绝。
    """
    (await api.post(TRUNCATED)).expect_error(*REFUSALS)


@check("errors.array-body", requirement="errors.malformed-json")
async def an_array_as_body_is_rejected(api: Api) -> None:
    """A body that is an array is rejected.

    请求体为数组时会被拒绝。
    """
    (await api.post(b"[]")).expect_error(*REFUSALS)


@check("errors.array-body-said", requirement="errors.array-body-said")
async def the_error_of_an_array_is_about_the_body(api: Api) -> None:
    """The error for an array as body does not complain of a parameter that an empty object lacks.

    请求体为数组时，错误不会指责空对象所缺的参数。
    """
    error = as_rejected(await api.post(b"[]"))
    names = [parameter.name for parameter in api.contract.parameters]
    lacking = [name for name in names if len(name) > 1 and is_named(name, error.words)]
    if lacking and not OF_THE_BODY.search(error.words):
        raise Failure(say("an error about the body, which is an array"), shown(error.error))


@check("errors.empty-body", requirement="errors.malformed-json", tier="deep")
async def an_empty_body_is_rejected(api: Api) -> None:
    """An empty body is rejected.

    空的请求体会被拒绝。
    """
    (await api.post(b"")).expect_error(*REFUSALS)


@check("errors.type", requirement="errors.bad-input-type", tier="smoke")
async def the_error_of_a_bad_value_is_typed(api: Api) -> None:
    """The error for an invalid value has the type `invalid_request_error`.

    无效值的错误类型为 `invalid_request_error`。
    """
    expect((await rejected_value(api)).type, "error.type").equals("invalid_request_error")


@check("errors.type-of-malformed", requirement="errors.bad-input-type", tier="smoke")
async def the_error_of_malformed_json_is_typed(api: Api) -> None:
    """The error for a body that is not JSON has the type `invalid_request_error`.

    非 JSON 请求体的错误类型为 `invalid_request_error`。
    """
    error = as_rejected(await api.post(TRUNCATED))
    expect(error.type, "error.type").equals("invalid_request_error")


@check("errors.param", requirement="errors.bad-input-param", tier="smoke")
async def the_error_names_the_parameter(api: Api) -> None:
    """The error for an invalid `temperature` names it in `param` or in its message.

    `temperature` 的值无效时，错误在 `param` 或 message 中指出它。
    """
    assert_named(await rejected_value(api), "temperature")


@check("errors.param-of-range", requirement="errors.bad-input-param", needs=("n",))
async def the_error_names_the_parameter_out_of_range(api: Api) -> None:
    """The error for an invalid `n` names it in `param` or in its message.

    `n` 的值无效时，错误在 `param` 或 message 中指出它。
    """
    assert_named(as_rejected(await api.complete(**MINIMAL_REQUEST, n=0)), "n")


@check("errors.stream-as-json", requirement="errors.stream-refused-as-json")
async def a_stream_is_rejected_in_json(api: Api) -> None:
    """An invalid value in a streaming request is rejected with a JSON error, not with events.

    流式请求中的无效值以 JSON 错误拒绝，而不是以事件拒绝。
    """
    _, streamed = await rejected_stream(api)
    _ = streamed.expect_error(*REFUSALS).message


@check("errors.stream-same-status", requirement="errors.stream-refused-as-json")
async def a_stream_is_rejected_with_the_same_status(api: Api) -> None:
    """An invalid value is rejected with the same status in streaming and non-streaming requests.

    无论请求是否为流式，无效值都以相同的状态码拒绝。
    """
    wanted, streamed = await rejected_stream(api)
    error = streamed.expect_error(*REFUSALS)
    expect(error.status, say("status of the rejected stream")).equals(wanted)


@check("errors.no-leak", requirement="errors.no-leak", tier="smoke")
async def an_error_discloses_nothing(api: Api) -> None:
    """The errors for an invalid value, an unknown model and a truncated body are free of internals.

    无效值、未知模型和残缺请求体的错误响应，不泄露任何内部信息。
    """
    for response in (
        await api.complete(**WRONG_TYPE_REQUEST),
        await request_unknown_model(api),
        await api.post(TRUNCATED),
    ):
        text = response.exchange.body.decode("utf-8", errors="replace")
        found = LEAK.search(text.replace('\\"', '"').replace("\\n", "\n"))
        if response.status >= 400 and found is not None:
            raise Failure(say("an error without addresses, keys and traces"), shown(found[0]))


@check("errors.server-fault-envelope", requirement="errors.server-fault-envelope")
async def a_server_fault_has_the_envelope(api: Api) -> None:
    """If an invalid request causes a server error, the error response is JSON, too.

    无效请求若引起服务器错误，其错误响应同样为 JSON。
    """
    responses = [
        await api.complete(**WRONG_TYPE_REQUEST),
        await api.post(b"[]"),
        await api.post(TRUNCATED),
    ]
    broken = [response for response in responses if response.status >= 500]
    if not broken:
        raise NotApplicable(say("no request caused a server error"))
    for response in broken:
        _ = response.expect_error(response.status).message


async def rejected_value(api: Api) -> ErrorResponse:
    """Return the error for a value of a wrong type."""
    return as_rejected(await api.complete(**WRONG_TYPE_REQUEST))


async def request_unknown_model(api: Api) -> Response:
    """Request a completion from a model that does not exist."""
    return await api.post({"model": UNKNOWN_MODEL, **MINIMAL_REQUEST})


async def rejected_model(api: Api) -> ErrorResponse:
    """Return the error for a model that does not exist."""
    return as_rejected(await request_unknown_model(api), *MODEL_REJECTED_STATUSES)


def assert_four_members(response: ErrorResponse) -> None:
    """Assert that all four members are present, with any value."""
    missing = [name for name in MEMBERS if name not in response.error]
    if missing:
        raise Failure(say("message, type, param and code"), say("no {a}", a=tuple(missing)))


def assert_named(response: ErrorResponse, parameter: str) -> None:
    """Assert that an error names its parameter, as it is or in words.

    A message says nothing of a member that is missing, which another check reports.
    """
    if not is_named(parameter, response.words):
        raise Failure(
            say("{names} in param or message", names=repr(parameter)), shown(response.error)
        )
    if "param" not in response.error:
        raise NotApplicable(NO_PARAM)


def assert_no_server_fault(response: Response) -> None:
    """Assert that an invalid request caused no server error; a busy server proves nothing."""
    if response.status in {502, 503, 504}:
        raise Inconclusive(say("status {status}", status=response.status))
    expect(response.status, say("status")).at_most(499)
