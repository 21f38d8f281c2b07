"""Invalid requests, generated against the contract's schema, are rejected with a proper error.

All of these checks send the same requests, which cost no tokens where they are rejected.
"""

from __future__ import annotations

import json
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.error_bodies import LEAK, assert_no_error_inside
from conformance.checks._shared.refusals import as_rejected
from conformance.checks.schema.requests import (
    InvalidExchange,
    assert_each_invalid,
    assert_no_server_error,
    is_served,
    prepare,
    send_invalid,
    send_valid,
)
from conformance.generation.bodies_invalid import Defect
from conformance.generation.schemathesis_checks import TYPE, assert_described, assert_error_fits
from conformance.judgement import Failure, Inconclusive, NotApplicable, expect, shown
from conformance.model import Credentials, Stage
from conformance.protocol.response import REFUSALS, Response

GENERATED: dict[str, Any] = {"tier": "deep", "stage": Stage.GENERATED, "prepare": prepare}


@check("schema.wrong-type-refused", requirement="errors.wrong-type-refused", **GENERATED)
async def values_of_wrong_types_are_refused(api: Api) -> None:
    """Drawn values of wrong types are refused.

    抽取的类型错误的值会被拒绝。
    """
    assert_each_invalid(api, await send_invalid(api, Defect.TYPE), assert_not_served)


@check("schema.out-of-range-refused", requirement="errors.bad-input-is-400", **GENERATED)
async def values_out_of_range_are_refused(api: Api) -> None:
    """Drawn values beyond a documented limit are refused with 400 itself.

    抽取的超出文档所定上下限的值以 400 拒绝。
    """

    def judge(response: Response) -> None:
        assert_not_served(response)
        expect(as_rejected(response).status, "status").equals(400)

    assert_each_invalid(api, await send_invalid(api, Defect.RANGE), judge)


@check("schema.model-required", requirement="model.required", **GENERATED)
async def a_model_has_to_be_named(api: Api) -> None:
    """A request without the model that the contract requires is refused.

    缺少契约所要求的 model 的请求会被拒绝。
    """
    assert_each_invalid(api, await send_invalid(api, Defect.MODEL), assert_not_served)


@check("schema.not-json-refused", requirement="errors.malformed-json", **GENERATED)
async def bodies_that_are_no_json_are_refused(api: Api) -> None:
    """Drawn bytes that are no JSON are refused.

    抽取的非 JSON 字节会被拒绝。
    """
    assert_each_invalid(api, await send_invalid(api, Defect.JSON), assert_not_served)


@check("schema.no-server-fault", requirement="errors.bad-input-no-server-fault", **GENERATED)
async def nothing_wrong_breaks_the_server(api: Api) -> None:
    """Nothing that is drawn against the contract is a server fault each time that it is sent.

    违反契约的抽取请求，不会每次发送都引起服务器错误。
    """
    exchanges = await send_invalid(api)
    await assert_no_server_error(api, [(one.request.raw, one.response) for one in exchanges])


@check("schema.errors-never-as-success", requirement="errors.never-as-success", **GENERATED)
async def no_error_comes_as_success(api: Api) -> None:
    """What is drawn against the contract is not answered by an error under status 200.

    违反契约的抽取请求，不会得到状态码 200 之下的错误。
    """
    assert_each_invalid(api, await send_invalid(api), assert_no_error_inside)


@check("schema.refusals-readable", requirement="errors.envelope", **GENERATED)
async def refusals_say_why(api: Api) -> None:
    """Refusals of what is drawn against the contract are JSON documents with a message.

    对违反契约的抽取请求的拒绝，都是带有 message 的 JSON 文档。
    """

    def judge(response: Response) -> None:
        _ = as_rejected(response).message

    assert_each_invalid(api, await rejected(api), judge)


@check("schema.refusals-fit", requirement="errors.four-members", **GENERATED)
async def refusals_fit_the_schema(api: Api) -> None:
    """Refusals of what is drawn against the contract fit its schema of an error.

    对违反契约的抽取请求的拒绝，符合契约中错误的 schema。
    """
    assert_each_invalid(api, await rejected(api), lambda response: assert_error_fits(response, api))


@check("schema.refusals-announced", requirement="errors.content-type", **GENERATED)
async def refusals_are_announced_as_json(api: Api) -> None:
    """Refusals of what is drawn against the contract have the content type `application/json`.

    对违反契约的抽取请求的拒绝，其内容类型为 `application/json`。
    """
    assert_each_invalid(
        api, await rejected(api), lambda response: assert_described(response, api, TYPE)
    )


@check("schema.refusals-leak-nothing", requirement="errors.no-leak", **GENERATED)
async def refusals_give_nothing_away(api: Api) -> None:
    """Refusals of what is drawn against the contract show nothing internal.

    对违反契约的抽取请求的拒绝，不泄露任何内部信息。
    """

    def judge(response: Response) -> None:
        text = response.exchange.body.decode("utf-8", errors="replace")
        found = LEAK.search(text.replace('\\"', '"').replace("\\n", "\n"))
        if found is not None:
            raise Failure("an error without addresses, keys and traces", shown(found[0]))

    errors = [one for one in await send_invalid(api) if (one.response.exchange.status or 0) >= 400]
    assert_each_invalid(api, errors, judge)


@check(
    "schema.streams-refused-alike",
    requirement="errors.stream-refused-as-json",
    needs=("stream",),
    **GENERATED,
)
async def streams_are_refused_like_plain_answers(api: Api) -> None:
    """A drawn request that is refused is refused alike when it asks for a stream.

    抽取的请求若被拒绝，要求流式时也以同样的方式拒绝。
    """
    streamed = [one for one in await send_invalid(api) if one.request.streams]
    for one in streamed[:1]:
        body = json.loads(one.request.raw) | {"stream": False}
        non_streaming = as_rejected(await api.post(body))

        def judge(response: Response, wanted: int = non_streaming.status) -> None:
            expect(response.expect_error(*REFUSALS).status, "status of the refused stream").equals(
                wanted
            )
            _ = as_rejected(response).message

        assert_each_invalid(api, [one], judge)


@check("schema.key-required", requirement="auth.missing-key", **GENERATED)
async def the_key_of_the_contract_is_required(api: Api) -> None:
    """A drawn request without the key that the contract's security asks for is refused with 401.

    缺少契约安全要求所规定的密钥的抽取请求，以 401 拒绝。
    """
    (await send_with(api, Credentials.NONE)).expect_error(401)


@check("schema.key-looked-at", requirement="auth.wrong-key", **GENERATED)
async def the_key_of_the_contract_is_looked_at(api: Api) -> None:
    """A drawn request with a key that was never issued is refused with 401 or 403.

    使用从未签发的密钥的抽取请求，以 401 或 403 拒绝。
    """
    (await send_with(api, Credentials.WRONG)).expect_error(401, 403)


async def send_with(api: Api, credentials: Credentials) -> Response:
    """Send a valid request that was served before, with no key or a wrong one.

    Raises:
        NotApplicable: the contract or the run has no key, or no valid request was served.
    """
    if not (api.has_key and api.contract.openapi.get("security")):
        raise NotApplicable("the run presents no key of its own, so there is none to ask for")
    served = [one.body for one in await send_valid(api) if is_served(one.response)]
    if not served:
        raise NotApplicable("none of the drawn requests was served")
    return await api.post(served[0], credentials=credentials)


async def rejected(api: Api) -> list[InvalidExchange]:
    """Send the invalid requests, and return the rejected ones."""
    return [one for one in await send_invalid(api) if one.response.exchange.status in REFUSALS]


def assert_not_served(response: Response) -> None:
    """Assert that a request is not served; how it is rejected is judged by other checks.

    Raises:
        Deviation: it is served.
        Inconclusive: there is no response, or it is a 429.
    """
    if response.status == 429:
        raise Inconclusive("answered 429")
    if is_served(response):
        raise Failure("status 4xx", "status 200, as if nothing were wrong with the request")
