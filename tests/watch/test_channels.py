"""What each service is sent: signed, escaped, and read as its documents say."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import stat
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from conformance.language import Language, Text
from conformance.watch.channels import Channel, Service, post_of, why_refused
from conformance.watch.mail import MailError, hand_over, mail_of
from conformance.watch.memory import ENDPOINT, Kind, News
from conformance.watch.notice import Notice, subject_of, text_of

AT = datetime(2026, 12, 1, 4, 17, tzinfo=UTC)
HOSTILE = '<!channel> <at user_id="all">x</at> *b* [a](https://evil.example)\r\nBcc: a@b.example'
TITLES = {"stop.string": Text("A stop sequence ends the text.", "停止序列终止文本。")}


def a_notice(**changed: Any) -> Notice:
    news = (News(Kind.REGRESSION, "stop.string"), News(Kind.RECOVERY, "n.count"))
    values = {
        "id": "zero 1", "target": "zero", "base_url": "https://api.example.com/v1", "model": "m",
        "contract": "openai", "tier": "smoke", "at": AT.isoformat(), "news": news, **changed,
    }  # fmt: skip
    return Notice(**values)


def posted(service: Service, notice: Notice, secret: str | None = None) -> tuple[str, Any]:
    channel = Channel("team", service, url_env="HOOK")
    post = post_of(
        channel, notice, "https://hook.example/x?token=t", secret=secret, at=AT, titles=TITLES
    )
    return post.url, json.loads(post.body)


def test_text_says_what_changed_in_both_languages() -> None:
    notice = a_notice()
    assert subject_of(notice, Language.ENGLISH) == "zero: 1 regression, 1 recovery"
    assert subject_of(notice, Language.CHINESE) == "zero：1 项退化，1 项恢复"
    assert text_of(notice, Language.ENGLISH, TITLES).splitlines() == [
        "zero: 1 regression, 1 recovery",
        "",
        "Regressions:",
        "- stop.string: A stop sequence ends the text.",
        "",
        "Recoveries:",
        "- n.count",
        "",
        "m at https://api.example.com/v1, contract openai, smoke tier, 2026-12-01T04:17:00+00:00",
    ]
    assert "停止序列终止文本" in text_of(notice, Language.CHINESE, TITLES)


def test_notice_survives_the_disk() -> None:
    notice = a_notice(reason=Text("key rejected", "密钥被拒绝"))
    assert Notice.from_json(json.loads(json.dumps(notice.as_json()))) == notice


def test_slack_text_calls_nobody() -> None:
    _, body = posted(Service.SLACK, a_notice(model=HOSTILE, reason=Text(HOSTILE, "")))
    assert "<" not in body["text"]
    assert "&lt;!channel&gt;" in body["text"]
    assert "://evil" not in body["text"]
    assert body["mrkdwn"] is False


def test_feishu_text_calls_nobody_and_is_signed() -> None:
    _, body = posted(Service.FEISHU, a_notice(model=HOSTILE), "feishu-secret")
    assert "<at" not in body["content"]["text"]
    key = f"{body['timestamp']}\nfeishu-secret".encode()
    signed = base64.b64encode(hmac.new(key, digestmod=hashlib.sha256).digest()).decode()
    assert body["sign"] == signed
    assert body["timestamp"] == str(int(AT.timestamp()))
    assert "sign" not in posted(Service.FEISHU, a_notice())[1]


def test_dingtalk_is_signed_in_the_query() -> None:
    url, body = posted(Service.DINGTALK, a_notice(model=HOSTILE), "SEC-dingtalk")
    query = parse_qs(urlsplit(url).query)
    text = f"{query['timestamp'][0]}\nSEC-dingtalk".encode()
    signed = base64.b64encode(hmac.new(b"SEC-dingtalk", text, hashlib.sha256).digest()).decode()
    assert query["sign"] == [signed]
    assert query["timestamp"] == [str(int(AT.timestamp() * 1000))]
    assert query["token"] == ["t"]
    assert body["at"] == {"isAtAll": False}


def test_generic_json_has_the_data() -> None:
    _, body = posted(Service.JSON, a_notice(reason=Text(HOSTILE, "")))
    assert body["news"][0] == {"kind": "regression", "check": "stop.string"}
    assert (body["version"], body["target"], body["subject"]) == (
        1, "zero", "zero: 1 regression, 1 recovery",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("service", "status", "body", "is_taken"),
    [
        (Service.SLACK, 200, b"ok", True),
        (Service.SLACK, 404, b"no_service", False),
        (Service.JSON, 204, b"", True),
        (Service.JSON, 302, b"", False),
        (Service.FEISHU, 200, b'{"code":0,"msg":"success"}', True),
        (Service.FEISHU, 200, b'{"StatusCode":0,"StatusMessage":"success"}', True),
        (Service.FEISHU, 200, b'{"code":19021,"msg":"sign match fail"}', False),
        (Service.DINGTALK, 200, b'{"errcode":0,"errmsg":"ok"}', True),
        (Service.DINGTALK, 200, b'{"errcode":310000,"errmsg":"sign not match"}', False),
        (Service.DINGTALK, 200, b'{"errcode":false}', False),
        (Service.DINGTALK, 200, b"<html>", False),
        (Service.DINGTALK, 200, b"[" * 100_000, False),
    ],
)
def test_answer_is_read_as_documented(
    service: Service, status: int, body: bytes, *, is_taken: bool
) -> None:
    assert (why_refused(service, status, body) is None) is is_taken


def a_mail_channel(**changed: Any) -> Channel:
    values = {"sender": "Watch <watch@example.com>", "recipients": ("ops@example.com",), **changed}
    return Channel("post", Service.MAIL, **values)


def test_no_text_ends_a_header_of_a_mail() -> None:
    notice = a_notice(target=HOSTILE, model=HOSTILE)
    mail = mail_of(a_mail_channel(), notice, AT, TITLES)
    parsed = message_from_bytes(mail.as_bytes(), policy=policy.default)
    assert parsed["Bcc"] is None
    assert parsed["To"] == "ops@example.com"
    assert "1 regression" in parsed["Subject"]
    assert "stop.string" in parsed.get_content()


def test_mail_has_no_link_of_an_endpoint() -> None:
    news = (News(Kind.UNJUDGED, ENDPOINT),)
    mail = mail_of(a_mail_channel(), a_notice(news=news, reason=Text(HOSTILE, "")), AT, TITLES)
    assert "evil.example" in mail.get_content()
    assert "https://evil" not in mail.get_content()


def test_sendmail_gets_the_recipients_as_arguments(tmp_path: Path) -> None:
    program = tmp_path / "sendmail"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/words\ncat > {tmp_path}/mail\n')
    program.chmod(stat.S_IRWXU)
    channel = a_mail_channel(sendmail=str(program), recipients=("a@example.com", "b@example.com"))
    hand_over(mail_of(channel, a_notice(), AT, TITLES), channel, None)
    words = (tmp_path / "words").read_text()
    assert words == "-i -f watch@example.com -- a@example.com b@example.com\n"
    assert "Subject: zero: 1 regression, 1 recovery" in (tmp_path / "mail").read_text()


def test_sendmail_that_fails_is_named(tmp_path: Path) -> None:
    program = tmp_path / "sendmail"
    program.write_text("#!/bin/sh\nexit 75\n")
    program.chmod(stat.S_IRWXU)
    channel = a_mail_channel(sendmail=str(program))
    with pytest.raises(MailError, match="exit code 75"):
        hand_over(mail_of(channel, a_notice(), AT, TITLES), channel, None)
    missing = a_mail_channel(sendmail=str(tmp_path / "none"))
    with pytest.raises(MailError, match="FileNotFoundError"):
        hand_over(mail_of(missing, a_notice(), AT, TITLES), missing, None)


def test_endpoint_has_a_line_of_its_own() -> None:
    notice = a_notice(news=(News(Kind.UNJUDGED, ENDPOINT),), reason=Text("key rejected", ""))
    text = text_of(notice, Language.ENGLISH, TITLES)
    assert text.splitlines()[:2] == ["zero: cannot be judged", "key rejected"]
