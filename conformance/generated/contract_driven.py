"""What the contract allows: requests drawn from its schema are served, and answered as it says.

All of these checks ask the same requests, so that each is paid for once.
"""

from __future__ import annotations

from conformance.answers import REFUSALS, Reply
from conformance.api import Api, encode
from conformance.checks import check
from conformance.checks.errors import hold_no_error_inside
from conformance.generated.bodies_shrinking import smallest
from conformance.generated.contract_driven_requests import (
    DEEP,
    Asked,
    hold_each,
    hold_unbroken,
    right,
    show_last,
)
from conformance.generated.schema_judging import TYPE, hold, hold_plain, hold_stream
from conformance.judgement import Deviation, Refusal, expect


@check("schema.valid-served", requirement="errors.good-input-no-server-fault", **DEEP)
async def what_the_contract_allows_is_served(api: Api) -> None:
    """What is drawn from the contract's schema is served, or declined where nothing promises it.

    从契约 schema 中抽取的请求得到服务；未作承诺的可以被拒绝。
    """
    asked = await right(api)
    await hold_unbroken(api, [(encode(one.body), one.reply) for one in asked])
    declined = [one for one in asked if one.reply.exchange.status in REFUSALS]
    # What is promised is told of before what is not, which a server may decline.
    for one in sorted(declined, key=lambda one: not is_promised(one, api)):
        body, _ = await smallest(api, one.body, hold_served, refused(one.reply))
        show_last(api, encode(body))
        try:
            (await api.post(body)).expect_ok()
        except Refusal as refusal:
            # Who declines a null may not serve the parameter at all, so that it counts as used.
            used = refusal.features | body.keys()
            raise Refusal(refusal.status, refusal.message, used, refusal.request) from None


@check("schema.answers-fit", requirement="envelope.choices", **DEEP)
async def plain_answers_fit_the_schema(api: Api) -> None:
    """Plain answers to requests drawn from the contract fit its schema.

    对从契约中抽取的请求，非流式响应符合其 schema。
    """
    await hold_each(api, await plain_answers(api), lambda reply: hold_plain(reply, api))


@check("schema.answers-announced", requirement="headers.content-type", **DEEP)
async def plain_answers_are_announced_as_json(api: Api) -> None:
    """Plain answers to requests drawn from the contract have the content type `application/json`.

    对从契约中抽取的请求，非流式响应的内容类型为 `application/json`。
    """

    def judge(reply: Reply) -> None:
        hold(reply, api, TYPE)
        expect(reply.content_type, "content-type").equals("application/json")

    await hold_each(api, await plain_answers(api), judge)


@check("schema.streams-fit", requirement="streaming.chunk-shape", needs=("stream",), **DEEP)
async def streams_fit_the_schema(api: Api) -> None:
    """Streams that are asked for as drawn from the contract are chunks of its schema.

    按从契约中抽取的请求要求的流，由符合其 schema 的数据块组成。
    """
    await hold_each(api, await streams(api), lambda reply: hold_stream(reply, api))


@check("schema.streams-announced", requirement="streaming.content-type", needs=("stream",), **DEEP)
async def streams_are_announced_as_such(api: Api) -> None:
    """Streams that are asked for as drawn from the contract have the type `text/event-stream`.

    按从契约中抽取的请求要求的流，其内容类型为 `text/event-stream`。
    """

    def judge(reply: Reply) -> None:
        hold(reply, api, TYPE)
        expect(reply.content_type, "content-type").equals("text/event-stream")

    await hold_each(api, await streams(api), judge)


async def plain_answers(api: Api) -> list[Asked]:
    """Return what was served of the requests for an answer in one piece."""
    return [one for one in await right(api) if not one.streams and is_served(one.reply)]


async def streams(api: Api) -> list[Asked]:
    """Return what was served of the requests for a stream."""
    return [one for one in await right(api) if one.streams and is_served(one.reply)]


def is_served(reply: Reply) -> bool:
    """Tell whether an answer is one; an error under status 200 is judged with the errors."""
    if reply.exchange.status != 200 or reply.exchange.fault is not None:
        return False
    try:
        hold_no_error_inside(reply)
    except Deviation:
        return False
    return True


def hold_served(reply: Reply) -> None:
    """Hold that a request is not declined."""
    if reply.exchange.status in REFUSALS:
        raise refused(reply)


def refused(reply: Reply) -> Deviation:
    """Say that a request was declined."""
    return Deviation("the request is served", f"status {reply.status}")


def is_promised(asked: Asked, api: Api) -> bool:
    """Tell whether the contract promises all that a request uses."""
    used = asked.reply.features | asked.body.keys()
    return all(api.contract.promises(feature) for feature in used)
