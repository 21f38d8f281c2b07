"""Where notices go, and what each service is sent; pure.

What each wants, by its own page named here. On 2026-12-01 Feishu's and DingTalk's were read in the
words of others: pull request 34788 of go-gitea/gitea, and a copy of DingTalk's guide (apifox.com).

- Slack, incoming webhooks: JSON with ``text``; ``&``, ``<`` and ``>`` are control characters and
  are written as entities (api.slack.com/reference/surfaces/formatting); success is status 200.
- Feishu, custom bots: ``msg_type`` and ``content``; with a secret, ``timestamp`` in seconds and
  ``sign``, the Base64 of an HMAC-SHA256 of nothing whose key is timestamp, newline, secret. Success
  is ``code`` 0 in a response of status 200
  (open.feishu.cn/document/client-docs/bot-v3/add-custom-bot).
- DingTalk, custom robots: ``msgtype`` and ``text``; with a secret, ``timestamp`` in milliseconds
  and ``sign`` in the query, the Base64 of an HMAC-SHA256 of timestamp, newline, secret with the
  secret as its key. Success is ``errcode`` 0
  (open.dingtalk.com/document/robots/customize-robot-security-settings).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from conformance.language import Language
from conformance.report.sanitize import cut, line
from conformance.watch.notice import Notice, Titles, subject_of, text_of

VERSION = 1
"""The version of the body of a generic webhook."""


class Service(StrEnum):
    """What a channel is."""

    JSON = "json"
    SLACK = "slack"
    FEISHU = "feishu"
    DINGTALK = "dingtalk"
    MAIL = "mail"


@dataclass(frozen=True, slots=True)
class Channel:
    """Where notices go.

    Attributes:
        name: the user's.
        service: what it is.
        language: of its texts.
        url_env: the variable that holds the URL of a webhook, which is a secret.
        secret_env: the variable that holds the secret that messages are signed with; None if they
            are not.
        sender, recipients: addresses of mail.
        sendmail: the program that takes mail; None if it goes by SMTP.
        smtp: host and port; None with ``sendmail``.
        user, password_env: the login there, and the variable that holds its password.
    """

    name: str
    service: Service
    language: Language = Language.ENGLISH
    url_env: str | None = None
    secret_env: str | None = None
    sender: str = ""
    recipients: tuple[str, ...] = ()
    sendmail: str | None = None
    smtp: tuple[str, int] | None = None
    user: str | None = None
    password_env: str | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """A request to a webhook; ``url`` is a secret."""

    url: str
    body: bytes


def post_of(
    channel: Channel,
    notice: Notice,
    url: str,
    *,
    secret: str | None,
    at: datetime,
    titles: Titles,
) -> Post:
    """Return what a webhook is sent.

    Args:
        channel: a channel that is no mail.
        notice: the notice.
        url: of the webhook.
        secret: what it is signed with; None if it is not.
        at: the time of the signature.
        titles: the sentences of checks, by id.
    """
    language = channel.language
    match channel.service:
        case Service.SLACK:
            text = text_of(notice, language, titles, _for_slack)
            body: dict[str, Any] = {
                "text": text, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False,
            }  # fmt: skip
        case Service.FEISHU:
            text = text_of(notice, language, titles, _for_feishu)
            body = {"msg_type": "text", "content": {"text": text}}
            if secret:
                seconds = str(int(at.timestamp()))
                key = f"{seconds}\n{secret}".encode()
                body |= {"timestamp": seconds, "sign": _signed(key, b"")}
        case Service.DINGTALK:
            text = text_of(notice, language, titles, without_links)
            body = {"msgtype": "text", "text": {"content": text}, "at": {"isAtAll": False}}
            if secret:
                millis = str(int(at.timestamp() * 1000))
                sign = _signed(secret.encode(), f"{millis}\n{secret}".encode())
                mark = "&" if "?" in url else "?"
                url = f"{url}{mark}{urlencode({'timestamp': millis, 'sign': sign})}"
        case _:
            body = {
                "version": VERSION,
                **notice.as_json(),
                "reason": notice.reason.of(language),
                "subject": subject_of(notice, language),
                "text": text_of(notice, language, titles),
            }
    return Post(url, json.dumps(body, ensure_ascii=True).encode())


def _signed(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


def without_links(text: str) -> str:
    """Keep a client from making a link of what an endpoint wrote."""
    return text.replace("://", "[:]//")


def _for_slack(text: str) -> str:
    safe = without_links(text)
    return safe.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _for_feishu(text: str) -> str:
    """Keep ``<at user_id="all">`` from calling everyone; texts of Feishu have no escape for it."""
    return without_links(text).replace("<", "＜").replace(">", "＞")


MAX_SAID_CHARS = 120


def why_refused(service: Service, status: int, body: bytes) -> str | None:
    """Return why a webhook did not take a notice; None if it did.

    Args:
        service: the service.
        status: of its response.
        body: of its response.
    """
    if not 200 <= status < 300:
        return f"it answered with status {status}"
    key = {Service.FEISHU: "code", Service.DINGTALK: "errcode"}.get(service)
    if key is None:
        return None
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError):
        return "its answer is no JSON"
    if not isinstance(said, Mapping):
        return "its answer is no JSON object"
    code = said.get(key, said.get("StatusCode") if service is Service.FEISHU else None)
    if code == 0 and not isinstance(code, bool):
        return None
    why = said.get("msg", said.get("errmsg", ""))
    return cut(line(f"it answered with {key} {code!r}: {why}"), MAX_SAID_CHARS)
