"""Valid requests, generated from the contract's schema, are served as the contract describes.

All of these checks send the same requests, so each request is paid for once.
"""

from __future__ import annotations

from typing import Any

from conformance.api import Api, encode
from conformance.checks import check
from conformance.checks.schema.requests import (
    ValidExchange,
    assert_each_valid,
    assert_no_server_error,
    is_served,
    move_last,
    prepare,
    send_valid,
)
from conformance.generation.bodies_shrinking import smallest_body
from conformance.generation.schemathesis_checks import (
    TYPE,
    assert_completion_fits,
    assert_described,
    assert_stream_fits,
)
from conformance.judgement import Failure, Refusal, expect
from conformance.message import say
from conformance.model import Stage
from conformance.protocol.response import REFUSALS, Response

GENERATED: dict[str, Any] = {"tier": "deep", "stage": Stage.GENERATED, "prepare": prepare}
EARLY: dict[str, Any] = {**GENERATED, "tier": "standard"}
"""Arguments of checks that the one body of the standard tier suffices for."""


@check("schema.valid-served", requirement="errors.good-input-no-server-fault", **EARLY)
async def what_the_contract_allows_is_served(api: Api) -> None:
    """Generated valid requests are accepted, if the contract promises their features.

    按契约 schema 自动生成的请求，若所用功能为契约所承诺，则会被接受。
    """
    exchanges = await send_valid(api)
    await assert_no_server_error(api, [(encode(one.body), one.response) for one in exchanges])
    rejected = [one for one in exchanges if one.response.exchange.status in REFUSALS]
    # A server may reject what is not promised, so rejections of promised features come first.
    for one in sorted(rejected, key=lambda one: not is_promised(one, api)):
        body, _ = await smallest_body(api, one.body, assert_served, rejection(one.response))
        move_last(api, encode(body))
        try:
            (await api.post(body)).expect_ok()
        except Refusal as refusal:
            # A server that rejects a null may not serve the parameter, so it counts as used.
            used = refusal.features | body.keys()
            raise Refusal(refusal.status, refusal.message, used, refusal.request) from None


@check("schema.answers-fit", requirement="envelope.choices", **GENERATED)
async def non_streaming_responses_match_the_schema(api: Api) -> None:
    """Non-streaming responses to generated valid requests match the contract's schema.

    对自动生成的有效请求，非流式响应符合契约的 schema。
    """
    await assert_each_valid(
        api, await served(api, stream=False), lambda response: assert_completion_fits(response, api)
    )


@check("schema.answers-announced", requirement="headers.content-type", **GENERATED)
async def non_streaming_responses_have_the_json_type(api: Api) -> None:
    """Non-streaming responses to generated valid requests have the type `application/json`.

    对自动生成的有效请求，非流式响应的内容类型为 `application/json`。
    """

    def judge(response: Response) -> None:
        assert_described(response, api, TYPE)
        expect(response.content_type, "content-type").equals("application/json")

    await assert_each_valid(api, await served(api, stream=False), judge)


@check("schema.streams-fit", requirement="streaming.chunk-shape", needs=("stream",), **EARLY)
async def streams_fit_the_schema(api: Api) -> None:
    """Streams for generated valid requests consist of chunks that match the contract's schema.

    对自动生成的有效请求，流由符合契约 schema 的数据块组成。
    """
    await assert_each_valid(
        api, await served(api, stream=True), lambda response: assert_stream_fits(response, api)
    )


@check("schema.streams-announced", requirement="streaming.content-type", needs=("stream",), **EARLY)
async def streams_are_announced_as_such(api: Api) -> None:
    """Streams for generated valid requests have the content type `text/event-stream`.

    对自动生成的有效请求，流的内容类型为 `text/event-stream`。
    """

    def judge(response: Response) -> None:
        assert_described(response, api, TYPE)
        expect(response.content_type, "content-type").equals("text/event-stream")

    await assert_each_valid(api, await served(api, stream=True), judge)


async def served(api: Api, *, stream: bool) -> list[ValidExchange]:
    """Send the valid requests, and return the served ones, either streaming or not."""
    exchanges = await send_valid(api)
    return [one for one in exchanges if one.streams is stream and is_served(one.response)]


def assert_served(response: Response) -> None:
    """Assert that a request is not rejected."""
    if response.exchange.status in REFUSALS:
        raise rejection(response)


def rejection(response: Response) -> Failure:
    """Return the failure for a request that was rejected."""
    return Failure(say("the request is accepted"), say("status {status}", status=response.status))


def is_promised(one: ValidExchange, api: Api) -> bool:
    """Return whether the contract promises all features that a request uses."""
    used = one.response.features | one.body.keys()
    return all(api.contract.promises(feature) for feature in used)
