"""The API key: a request without one, or with a wrong one, is rejected.

Only an endpoint that issues keys is judged: one that also serves requests without a key charges
them to the wrong account. A local server that needs no key, or accepts any word, is not judged.
"""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.credentials import present
from conformance.checks._shared.refusals import as_rejected
from conformance.checks._shared.requests import MINIMAL_REQUEST
from conformance.judgement import Failure, NotApplicable, expect
from conformance.message import say
from conformance.model import WRONG_KEY, Credentials
from conformance.protocol.error_response import ErrorResponse


@check("auth.missing-key", requirement="auth.missing-key", tier="smoke")
async def missing_key_is_rejected(api: Api) -> None:
    """A request without an API key is rejected with 401.

    没有密钥的请求以 401 拒绝。
    """
    (await present(api, Credentials.NONE)).expect_error(401)


@check("auth.missing-key-envelope", requirement="errors.envelope", tier="smoke")
async def missing_key_error_is_json(api: Api) -> None:
    """The error for a request without an API key is JSON, and its `error` has a message.

    无密钥请求的错误响应为 JSON，其 `error` 带有 message。
    """
    _ = as_rejected(await present(api, Credentials.NONE), 401, 403).message


@check("auth.missing-key-in-stream", requirement="auth.missing-key", tier="deep", needs=("stream",))
async def missing_key_is_rejected_in_stream(api: Api) -> None:
    """A streaming request without an API key is rejected with 401.

    没有密钥的流式请求以 401 拒绝。
    """
    await present(api, Credentials.NONE)
    body = {"model": api.model, "stream": True, **MINIMAL_REQUEST}
    (await present(api, Credentials.NONE, body)).expect_error(401)


@check("auth.wrong-key", requirement="auth.wrong-key", tier="smoke")
async def invalid_key_is_rejected(api: Api) -> None:
    """A request with an invalid API key is rejected with 401 or 403.

    使用无效密钥的请求以 401 或 403 拒绝。
    """
    (await present(api, Credentials.WRONG)).expect_error(401, 403)


@check("auth.wrong-key-in-stream", requirement="auth.wrong-key", tier="deep", needs=("stream",))
async def invalid_key_is_rejected_in_stream(api: Api) -> None:
    """A streaming request with an invalid API key is rejected with 401 or 403.

    使用无效密钥的流式请求以 401 或 403 拒绝。
    """
    non_streaming = (await present(api, Credentials.WRONG)).status or 0
    if non_streaming >= 400 and non_streaming not in (401, 403):
        raise NotApplicable(
            say("the non-streaming request with this key is rejected with another status, too")
        )
    body = {"model": api.model, "stream": True, **MINIMAL_REQUEST}
    (await present(api, Credentials.WRONG, body)).expect_error(401, 403)


@check("auth.wrong-key-envelope", requirement="errors.envelope", tier="smoke")
async def invalid_key_error_is_json(api: Api) -> None:
    """The error for an invalid API key is JSON, and its `error` has a message.

    无效密钥的错误响应为 JSON，其 `error` 带有 message。
    """
    _ = (await wrong_key(api)).message


@check("auth.wrong-key-code", requirement="auth.wrong-key-code", tier="smoke")
async def invalid_key_error_has_code(api: Api) -> None:
    """The error for an invalid API key has the code `invalid_api_key`.

    无效密钥的错误响应，其错误码为 `invalid_api_key`。
    """
    expect((await wrong_key(api)).code, "error.code").equals("invalid_api_key")


@check("auth.key-not-repeated", requirement="auth.key-not-repeated", tier="smoke")
async def invalid_key_is_not_repeated(api: Api) -> None:
    """The error for an invalid API key does not contain the key in clear text.

    无效密钥的错误响应不包含密钥明文。
    """
    response = await present(api, Credentials.WRONG)
    as_rejected(response, 401, 403)
    if WRONG_KEY.removeprefix("sk-") in response.exchange.body.decode("utf-8", errors="replace"):
        raise Failure(say("the key left out or masked"), say("the whole key in the response"))


async def wrong_key(api: Api) -> ErrorResponse:
    """Return the error for an invalid key."""
    return as_rejected(await present(api, Credentials.WRONG), 401, 403)
