"""What an answer may be about instead of the request, and the words by which that is known.

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

from collections.abc import Mapping

from conformance.message import Named, say


class Cause(Named):
    """What an answer is about, if it is not about the request."""

    KEY = say("the API key is rejected")
    QUOTA = say("the balance or the quota is used up")
    ACCESS = say("access is denied")
    GATEKEEPER = say("a gatekeeper blocks the client or asks for a captcha")
    PAGE = say("an HTML page instead of JSON")
    ROUTE = say("nothing is served at this address")
    MODEL = say("the model is no longer served")
    REDIRECT = say("a redirect")
    ALIKE = say("every request gets the same answer")


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
