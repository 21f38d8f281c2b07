"""Response headers: the content type, and optional ones such as rate limits."""

from __future__ import annotations

import re

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.requests import MINIMAL_REQUEST, greedy, two_prompts
from conformance.judgement import Failure, NotApplicable, expect
from conformance.message import say
from conformance.protocol.response import Response

RATE_LIMIT_HEADERS = tuple(
    f"x-ratelimit-{what}-{of}" for what in ("limit", "remaining") for of in ("requests", "tokens")
)


@check("headers.content-type", requirement="headers.content-type", tier="smoke")
async def a_response_has_a_json_content_type(api: Api) -> None:
    """A non-streaming response has the content type `application/json`.

    非流式响应的内容类型为 `application/json`。
    """
    assert_json(await api.complete(**greedy()))


@check("headers.content-type-of-batch", requirement="headers.content-type")
async def a_batch_response_has_a_json_content_type(api: Api) -> None:
    """The response to a batch has the content type `application/json`.

    批次响应的内容类型为 `application/json`。
    """
    assert_json(await api.complete(**greedy(two_prompts(api))))


@check("headers.charset", requirement="headers.content-type", tier="smoke")
async def no_charset_but_utf8(api: Api) -> None:
    """The content type names no encoding other than UTF-8.

    内容类型不声明 UTF-8 以外的编码。
    """
    response = await api.complete(**greedy())
    response.expect_ok()
    assert_charset_utf_8(response)


@check("headers.request-id", requirement="headers.openai", tier="smoke")
async def a_request_id_names_one_request(api: Api) -> None:
    """If responses have an `x-request-id`, no two are equal.

    响应若带有 `x-request-id`，则任意两个都不相同。
    """
    first, second = await api.complete(**MINIMAL_REQUEST), await api.complete(**greedy())
    ids = [response.exchange.header("x-request-id") for response in (first, second)]
    if None in ids:
        raise NotApplicable(say("the endpoint sends no x-request-id, which is optional"))
    if ids[0] == ids[1]:
        raise Failure(
            say("a unique x-request-id for each response"),
            say("{id} in two responses", id=repr(ids[0])),
        )


@check("headers.processing-time", requirement="headers.openai", tier="smoke")
async def the_processing_time_is_a_number(api: Api) -> None:
    """If a response has `openai-processing-ms`, it is a number.

    响应若带有 `openai-processing-ms`，则其为数字。
    """
    result = (await api.complete(**greedy())).exchange.header("openai-processing-ms")
    if result is None:
        raise NotApplicable(say("the endpoint sends no openai-processing-ms, which is optional"))
    expect(result.strip(), "openai-processing-ms").satisfies(is_number, say("a number"))


@check("headers.rate-limits", requirement="headers.openai", tier="smoke")
async def what_is_left_is_no_more_than_the_limit(api: Api) -> None:
    """If a response has `x-ratelimit-…`, its limits and remainders are consistent numbers.

    响应若带有 `x-ratelimit-…`，则限额与剩余量均为彼此相符的数字。
    """
    response = await api.complete(**greedy())
    result = {name: response.exchange.header(name) for name in RATE_LIMIT_HEADERS}
    if not any(result.values()):
        raise NotApplicable(say("the endpoint sends no x-ratelimit headers, which are optional"))
    for name, value in result.items():
        if value is not None:
            expect(value, name).satisfies(is_number, say("a number"))
    for of in ("requests", "tokens"):
        limit, left = result[f"x-ratelimit-limit-{of}"], result[f"x-ratelimit-remaining-{of}"]
        if limit is not None and left is not None:
            expect(float(left), f"x-ratelimit-remaining-{of}").at_most(float(limit))


def assert_json(response: Response) -> None:
    """Assert that the content type is JSON; its parameters are free."""
    response.expect_ok()
    expect(response.content_type, "content-type").equals("application/json")


def is_number(text: str) -> bool:
    """Return whether a header value is a number."""
    return re.fullmatch(r"\d+(\.\d+)?", text) is not None


def assert_charset_utf_8(response: Response) -> None:
    """Assert that a content type names UTF-8, if it names an encoding."""
    named = re.search(r"charset\s*=\s*\"?([\w-]+)", response.exchange.header("content-type") or "")
    if named is not None:
        expect(named[1].lower(), "charset").one_of("utf-8", "utf8")
