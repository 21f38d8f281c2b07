"""What an answer is about: the account, the route, a gatekeeper, or the request itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.model import Credentials, Exchange, Request
from conformance.protocol.account import (
    cause_of,
    is_final,
    one_line,
    said,
)
from conformance.protocol.account_wordings import (
    WORDINGS,
    Cause,
)

MODEL = "my-model"
JSON_TYPE = (("content-type", "application/json"),)
HTML_TYPE = (("Content-Type", "text/html; charset=utf-8"),)


def an_exchange(
    status: int | None,
    body: bytes | str = b"",
    headers: tuple[tuple[str, str], ...] = JSON_TYPE,
    *,
    credentials: Credentials = Credentials.OWN,
    path: str = "/completions",
    sent: bytes | None = None,
    **parameters: Any,
) -> Exchange:
    raw = sent or json.dumps({"model": MODEL, "prompt": "1", **parameters}).encode()
    request = Request("POST", path, raw, credentials=credentials)
    data = body.encode() if isinstance(body, str) else body
    return Exchange("x1", request, (), status, headers, data, (), 0.0)


def error(message: str, **more: Any) -> str:
    return json.dumps({"error": {"message": message, **more}})


@pytest.mark.parametrize(
    ("exchange", "cause"),
    [
        (an_exchange(401, error("key revoked")), Cause.KEY),
        (an_exchange(401, ""), Cause.KEY),
        (an_exchange(402, ""), Cause.QUOTA),
        (an_exchange(403, error("no")), Cause.ACCESS),
        (an_exchange(401, error("该令牌额度已用尽")), Cause.QUOTA),
        (an_exchange(403, error("x", code="insufficient_user_quota")), Cause.QUOTA),
        (an_exchange(403, error("预扣费额度失败, 用户剩余额度: ＄0.1")), Cause.QUOTA),
        (an_exchange(400, error("x", code="Arrearage")), Cause.QUOTA),
        (an_exchange(429, error("x", type="insufficient_quota")), Cause.QUOTA),
        (an_exchange(429, error("x", type="exceeded_current_quota_error")), Cause.QUOTA),
        (an_exchange(400, error("x", code="billing_hard_limit_reached")), Cause.QUOTA),
        (an_exchange(200, '{"code": 401, "msg": "令牌已过期"}'), Cause.KEY),
        (an_exchange(200, 'data: {"error": {"message": "Insufficient Balance"}}\n\n'), Cause.QUOTA),
        (an_exchange(503, "", (("cf-mitigated", "challenge"),)), Cause.GATEKEEPER),
        (an_exchange(403, "<html><title>Just a moment...</title>", HTML_TYPE), Cause.GATEKEEPER),
        (an_exchange(200, "<html>log in</html>", HTML_TYPE), Cause.PAGE),
        (an_exchange(404, "<html>404</html>", HTML_TYPE), Cause.ROUTE),
        (an_exchange(404, "404 page not found"), Cause.ROUTE),
        (an_exchange(404, error("Invalid URL (POST /v1/completions)")), Cause.ROUTE),
        (an_exchange(404, error("The model `my-model` does not exist")), Cause.MODEL),
        (an_exchange(404, error("The model `my-model` does not exist"), model="x"), Cause.MODEL),
        (an_exchange(404, error("no such model"), sent=b"{"), Cause.MODEL),
        (an_exchange(410, ""), Cause.ROUTE),
        (an_exchange(405, ""), Cause.ROUTE),
        (an_exchange(302, ""), Cause.REDIRECT),
        (an_exchange(407, ""), Cause.GATEKEEPER),
        (an_exchange(451, ""), Cause.ACCESS),
        (an_exchange(200, '{"error": "余额不足", "choices": []}'), Cause.QUOTA),
        (an_exchange(403, error("rate limit exceeded")), Cause.ACCESS),
        (an_exchange(404, "404 page not found", model="other"), Cause.ROUTE),
    ],
)
def test_refusal_of_every_request_is_recognised(exchange: Exchange, cause: Cause) -> None:
    assert cause_of(exchange, MODEL) is cause


@pytest.mark.parametrize(
    "exchange",
    [
        an_exchange(200, '{"choices": [{"text": "insufficient_quota, captcha"}]}'),
        an_exchange(200, 'data: {"choices": [{"text": "余额不足"}]}\n\n'),
        an_exchange(200, "not JSON at all"),
        an_exchange(200, '{"id": "without choices"}'),
        an_exchange(400, error("temperature must be at most 2")),
        an_exchange(400, error("Invalid token id in logit_bias")),
        an_exchange(422, '{"detail": []}'),
        an_exchange(429, error("Rate limit reached for requests")),
        an_exchange(429, error("当前分组上游负载已饱和，请稍后再试")),
        an_exchange(429, error("You exceeded your current quota. Please retry in 34.1s.")),
        an_exchange(429, error("额度不足：每分钟最多 3 次")),
        an_exchange(200, '{"error": null, "choices": [{"text": "欠费"}]}'),
        an_exchange(500, error("internal error")),
        an_exchange(502, "<html><title>502 Bad Gateway</title></html>", HTML_TYPE),
        an_exchange(503, error("overloaded")),
        an_exchange(None),
        an_exchange(401, "", credentials=Credentials.WRONG),
        an_exchange(401, "", credentials=Credentials.NONE),
        an_exchange(403, "", credentials=Credentials.WRONG),
        an_exchange(401, "", path="/models"),
        an_exchange(404, error("The model `other` does not exist"), model="other"),
        an_exchange(404, error("模型不存在"), model="other"),
        an_exchange(404, error("The model `my-model-x` does not exist"), model="my-model-x"),
        an_exchange(404, error("you must provide a model"), sent=b'{"prompt": "1"}'),
        an_exchange(404, error("stop has too many values"), stop=["a"]),
        an_exchange(404, error("not found", param="stop"), stop=["a"]),
    ],
)
def test_answer_to_one_request_is_no_cause(exchange: Exchange) -> None:
    assert cause_of(exchange, MODEL) is None


def test_wordings_are_lower_case_and_stated_once() -> None:
    known = [wording for words in WORDINGS.values() for wording in words]
    assert known == [wording.lower() for wording in known]
    assert len(set(known)) == len(known)


def test_escaped_chinese_is_recognised() -> None:
    body = json.dumps({"error": {"message": "余额不足"}})
    assert "\\u" in body
    assert cause_of(an_exchange(400, body), MODEL) is Cause.QUOTA


def test_empty_balance_is_final() -> None:
    assert is_final(429, JSON_TYPE, error("You exceeded your current quota").encode())
    assert is_final(503, (("CF-Mitigated", "challenge"),), b"")
    assert not is_final(429, JSON_TYPE, error("Rate limit reached").encode())
    assert not is_final(503, JSON_TYPE, b"")


def test_large_and_deep_bodies_are_read_in_part() -> None:
    for body in (b"[" * 10**6, b"\\" * 10**6, b"<html>" + b"<title" * 10**5, b"9" * 60_000):
        exchange = an_exchange(400, body)
        assert cause_of(exchange, MODEL) in {None, Cause.PAGE}
        assert len(said(exchange)) <= 200


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (error("  come\n back \t later"), "come back later"),
        ('{"error": "gone"}', "gone"),
        ('{"message": "gone"}', "gone"),
        ('{"msg": "没有了"}', "没有了"),
        ('{"detail": "Not Found"}', "Not Found"),
        ("", "(empty response)"),
        ("\x00\x1b\u202e", "(empty response)"),
        ('{"error": {"message": "a\\ud800b\\u0007c"}}', "a b c"),
        ("<!doctype html><head><TITLE lang=en>\n404 </title>", "404"),
        ("x" * 500, "x" * 199 + "…"),
    ],
)
def test_what_is_said_is_one_line(body: str, line: str) -> None:
    assert said(an_exchange(400, body)) == line


def test_redirect_says_where_it_leads() -> None:
    assert said(an_exchange(302, "", (("Location", "https://h/\nlogin"),))) == "to https://h/ login"


def test_line_of_many_blanks_is_cut_quickly() -> None:
    assert one_line(" " * 10**7 + "x", 100) == ""
