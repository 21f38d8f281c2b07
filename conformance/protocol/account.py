"""What an answer says of the account, the route or a gatekeeper rather than of the request; pure.

A revoked key, an empty balance, a captcha and a missing route concern every request alike, so they
say nothing about what one request asked for. The status alone does not tell them: vendors and
relays report an empty balance with 400, 401, 402, 403, 429 and 500. What they say does.

Sources of the wordings in :data:`WORDINGS`, besides RFC 9110 (sections 15.4 and 15.5):

- OpenAI, "Error codes": 401 ``invalid_api_key``, 403 ``unsupported_country_region_territory``, 429
  ``insufficient_quota`` ("You exceeded your current quota"), ``credit_balance_exhausted``,
  ``organization_spend_limit_exceeded``, 400 ``billing_hard_limit_reached``
- DeepSeek, "Error Codes": 401 "Authentication Fails", 402 "Insufficient Balance"
- Alibaba DashScope: 400 ``Arrearage`` ("make sure your account is in good standing")
- Volcengine Ark: 403 ``AccountOverdueError`` ("your account has an overdue balance")
- Moonshot: 429 ``exceeded_current_quota_error`` ("suspended due to insufficient balance")
- OpenRouter: 402 "This request requires more credits, or fewer max_tokens"
- one-api and new-api, which many relays run: 401 该令牌状态不可用, 该令牌已过期, 无效的令牌,
  该令牌额度已用尽; 403 ``insufficient_user_quota``, ``pre_consume_token_quota_failed``, 额度不足
- Cloudflare: header ``cf-mitigated: challenge``, pages "Just a moment..." and "Attention Required!"
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

from conformance.message import Message, say, verbatim
from conformance.model import Credentials, Exchange, Request
from conformance.protocol.request import COMPLETIONS

READ_BYTES = 64 * 2**10
"""Bytes of a body that are read for wordings. Error messages are shorter."""

MAX_SAID_CHARS = 200

Headers = Sequence[tuple[str, str]]


class Cause(Enum):
    """What an answer is about, if it is not about the request; the values are for readers."""

    KEY = say("the API key is rejected")
    QUOTA = say("the balance or the quota is used up")
    ACCESS = say("access is denied")
    GATEKEEPER = say("a gatekeeper blocks the client or asks for a captcha")
    PAGE = say("an HTML page instead of JSON")
    ROUTE = say("nothing is served at this address")
    MODEL = say("the model is no longer served")
    REDIRECT = say("a redirect")
    ALIKE = say("every request gets the same answer")

    @property
    def said(self) -> Message:
        """The cause for readers."""
        return self.value


WORDINGS: Mapping[Cause, tuple[str, ...]] = {
    Cause.GATEKEEPER: (
        "just a moment...",
        "attention required! | cloudflare",
        "sorry, you have been blocked",
        "used cloudflare to restrict access",
        "challenge-platform",
        "cf-chl",
        "checking your browser",
        "captcha",
        "pardon our interruption",
        "_incapsula_",
        "ddos-guard",
        "acw_sc__v2",
        "verify you are human",
        "人机验证",
        "滑块",
        "验证码",
        "访问被阻断",
        "访问被拦截",
        "请求被拦截",
    ),
    Cause.QUOTA: (
        "insufficient_quota",
        "insufficient_user_quota",
        "insufficient_balance",
        "insufficient_credit",
        "insufficient_funds",
        "insufficient balance",
        "insufficient account balance",
        "insufficient credit",
        "insufficient funds",
        "insufficient quota",
        "balance is insufficient",
        "balance is not enough",
        "balance is too low",
        "balance_not_enough",
        "credit_balance",
        "credit balance is too low",
        "credit limit is insufficient",
        "requires more credits",
        "credits are required",
        "out of credits",
        "exceeded your current quota",
        "exceeded_current_quota",
        "quota is not enough",
        "quota_not_enough",
        "quota not enough",
        "quota has been exhausted",
        "quota is exhausted",
        "quota exhausted",
        "quota_exhausted",
        "token_quota_failed",
        "free allocated quota",
        "freetieronly",
        "spend_limit_exceeded",
        "usage_limit_exceeded",
        "usage_limit_reached",
        "billing_hard_limit",
        "billing hard limit",
        "billing_not_active",
        "billing_error",
        "payment required",
        "payment_required",
        "arrearage",
        "in arrears",
        "in good standing",
        "overdue balance",
        "accountoverdue",
        "subscription has expired",
        "plan has expired",
        "余额不足",
        "餘額不足",
        "额度不足",
        "额度已用",
        "额度用尽",
        "额度已耗尽",
        "额度耗尽",
        "额度失败",
        "配额不足",
        "配额已用",
        "配额已耗尽",
        "积分不足",
        "点数不足",
        "欠费",
        "充值",
        "套餐已过期",
        "套餐已到期",
        "套餐已用",
    ),
    Cause.KEY: (
        "invalid_api_key",
        "invalid api key",
        "incorrect api key",
        "api key not valid",
        "api_key_invalid",
        "invalidapikey",
        "api key is invalid",
        "api key has expired",
        "api key expired",
        "api key has been",
        "api key is disabled",
        "key revoked",
        "key has been revoked",
        "authentication_error",
        "authentication fails",
        "invalid_authentication",
        "invalid authentication",
        "account_deactivated",
        "account is not active",
        "account has been",
        "account is suspended",
        "account suspended",
        "access was terminated",
        "user is banned",
        "user has been banned",
        "无效的令牌",
        "令牌无效",
        "令牌已过期",
        "令牌已被",
        "令牌状态不可用",
        "未提供令牌",
        "无效的密钥",
        "密钥无效",
        "密钥已",
        "密钥不存在",
        "账号已被",
        "账户已被",
        "用户已被",
        "帐号已被",
        "封禁",
    ),
    Cause.ACCESS: (
        "unsupported_country",
        "country, region, or territory not supported",
        "ip_not_authorized",
        "ip address is not allowed",
        "ip is not allowed",
        "不在令牌允许访问的列表",
        "不在白名单",
        "黑名单",
    ),
}
"""Wordings by cause, in lower case, in the order in which they are looked for."""

RATE_WORDINGS = (
    "rate limit",
    "rate_limit",
    "ratelimit",
    "too many requests",
    "per minute",
    "perminute",
    "retry in ",
    "retrydelay",
    "try again in ",
    "频繁",
    "频率",
    "限流",
    "每分钟",
)
"""Wordings of a rate limit, in lower case. Gemini calls one a quota, too, and says when it ends."""

OF_STATUS: Mapping[int, Cause] = {
    401: Cause.KEY,
    402: Cause.QUOTA,
    403: Cause.ACCESS,
    407: Cause.GATEKEEPER,
    451: Cause.ACCESS,
    511: Cause.GATEKEEPER,
}
"""407 and 511 come from a proxy or a network on the way (RFC 9110, 15.5.8; RFC 6585, 6)."""

GONE_STATUSES = frozenset({404, 405, 410})


def cause_of(exchange: Exchange, model: str) -> Cause | None:
    """Return why an answer is about the account, the route or a gatekeeper; None if it is not.

    Only answers to completion requests with the run's own key are looked at: another key is
    rejected rightly.

    Args:
        exchange: the request and the answer.
        model: the model of the run. That another one is not found is about the request.
    """
    request, status = exchange.request, exchange.status
    if status is None or not _is_own(request):
        return None
    is_page = is_html(exchange)
    if 300 <= status < 400:
        return Cause.REDIRECT
    if status < 400 and not is_page and _has_choices(exchange.body):
        return None
    cause = _wording_in(exchange.headers, exchange.body) or OF_STATUS.get(status)
    if cause is None and status in GONE_STATUSES:
        cause = Cause.ROUTE if is_page else _gone(exchange, model)
    elif cause is None and is_page and status < 500:
        # A 5xx page of a proxy is a passing condition like any other 5xx.
        cause = Cause.PAGE
    return cause


def is_own_refusal(exchange: Exchange) -> bool:
    """Return whether a completion request with the run's own key got no completion, but words.

    Passing conditions do not count: no response, a rate limit, a 5xx.
    """
    status = exchange.status
    is_answer = status is not None and status != 429 and status < 500
    return is_answer and _is_own(exchange.request) and not _has_choices(exchange.body)


def is_rate_limit(exchange: Exchange) -> bool:
    """Return whether an answer speaks of a rate limit, whatever its status."""
    words = _words(exchange.body).lower()
    return any(one in words for one in RATE_WORDINGS)


def is_final(status: int, headers: Headers, body: bytes) -> bool:
    """Return whether a 429 or 5xx is not worth another attempt: an empty balance, a captcha."""
    return status >= 400 and _wording_in(headers, body) is not None


def _wording_in(headers: Headers, body: bytes) -> Cause | None:
    named = {name.lower(): value.strip().lower() for name, value in headers}
    if named.get("cf-mitigated") == "challenge":
        return Cause.GATEKEEPER
    words = _words(body).lower()
    found = (cause for cause, known in WORDINGS.items() if any(one in words for one in known))
    cause = next(found, None)
    is_passing = cause is Cause.QUOTA and any(one in words for one in RATE_WORDINGS)
    return None if is_passing else cause


def _has_choices(body: bytes) -> bool:
    """Return whether a body is a completion, which is not searched: a model may write anything."""
    if b'"choices"' not in body:
        return False
    read = _json(body) if b'"error"' in body else None
    return not (isinstance(read, dict) and read.get("error") and not read.get("choices"))


def is_html(exchange: Exchange) -> bool:
    """Return whether a body is HTML, regardless of its content type."""
    start = exchange.body[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    kind = (exchange.header("content-type") or "").partition(";")[0].strip().lower()
    return start.startswith((b"<!doctype html", b"<html")) or (
        kind == "text/html" and not start.startswith((b"{", b"[", b"data:", b"event:", b":"))
    )


def said(exchange: Exchange, limit: int = MAX_SAID_CHARS) -> Message:
    """Return what an error says, as one line of at most ``limit`` printable characters.

    That is the error message, the title of an HTML page, where a redirect leads to, or the
    beginning of the body.
    """
    to = exchange.header("location")
    if to and exchange.status is not None and 300 <= exchange.status < 400:
        return say("to {place}", place=one_line(to, limit))
    text = exchange.body[:READ_BYTES].decode("utf-8", errors="replace")
    if is_html(exchange):
        title = re.search(r"<title[^<>]{0,200}>([^<]{1,1000})", text, re.IGNORECASE)
        text = title[1] if title else text
    else:
        text = next(_messages(_json(exchange.body)), text)
    return verbatim(one_line(text, limit)) if one_line(text, limit) else say("(empty response)")


def signature_of(exchange: Exchange) -> object:
    """Return what equal refusals have in common: the status and the words without numbers."""
    return exchange.status, re.sub(r"[0-9a-f]{6,}|\d+", "#", said(exchange).lower())


def one_line(text: str, limit: int) -> str:
    """Return a text as one line of at most ``limit`` printable characters.

    Control characters, lone surrogates and marks that turn the direction of writing become blanks.
    """
    # More is not looked at: blanks can hide at most what is cut anyway.
    start = text[: 20 * limit]
    line = " ".join("".join(c if c.isprintable() else " " for c in start).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _is_own(request: Request) -> bool:
    """Return whether a request asks for a completion with the run's own key."""
    return (
        (request.method, request.path) == ("POST", COMPLETIONS)
        and request.credentials is Credentials.OWN
        and all(name.lower() != "authorization" for name, _ in request.headers)
    )


def _gone(exchange: Exchange, model: str) -> Cause | None:
    """Return what is gone by a 404, 405 or 410; None if it is about something in the request."""
    body = _json(exchange.request.body)
    sent = body if isinstance(body, dict) else {}
    words = _words(exchange.body).lower()
    asked = sent.get("model")
    other = asked.lower() if isinstance(asked, str) and asked != model else ""
    is_named = len(other) > 3 and other in words
    about_model = is_named or "model" in words or "模型" in words
    # The name of another model may contain the run's own.
    names_own = len(model) > 3 and model.lower() in (words.replace(other, "") if other else words)
    if isinstance(body, dict) and asked != model and about_model and not names_own:
        return None
    error = _json(exchange.body)
    inner = error.get("error") if isinstance(error, dict) else None
    param = inner.get("param") if isinstance(inner, dict) else None
    # A wrong status for a wrong value: the answer names the parameter.
    names = [name.lower() for name in sent if name != "model" and isinstance(name, str)]
    if isinstance(param, str) and param.lower() in names:
        return None
    if any(re.search(rf"(?<![\w/]){re.escape(name)}\b", words) for name in names[:40]):
        return None
    return Cause.MODEL if about_model else Cause.ROUTE


def _words(body: bytes) -> str:
    """Return the text of a body, with the escapes of JSON resolved."""
    text = body[:READ_BYTES].decode("utf-8", errors="replace")
    read = _json(body)
    if read is None:
        return text
    try:
        return json.dumps(read, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _json(body: bytes) -> Any:
    """Return a small body as parsed JSON; None if it is none, or too deep or too large to be."""
    if len(body) > READ_BYTES:
        return None
    try:
        return json.loads(body.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError):
        return None


def _messages(read: Any) -> Iterator[str]:
    """Yield the messages of an error body, the likeliest first."""
    if not isinstance(read, dict):
        return
    inner = read.get("error")
    for place in (inner, read):
        if isinstance(place, str) and place:
            yield place
        if isinstance(place, dict):
            names = ("message", "msg", "detail", "error_msg", "error_message")
            yield from (place[name] for name in names if isinstance(place.get(name), str))
