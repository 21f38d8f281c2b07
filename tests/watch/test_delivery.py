"""A notice is tried again, in order, and never lost; secrets are shown nowhere."""

from __future__ import annotations

import asyncio
import json
import socketserver
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from conformance.language import Text
from conformance.transport import gate, webhook
from conformance.watch.channels import Channel, Service
from conformance.watch.delivery import ChannelError, Sender, delivered
from conformance.watch.mail import MailError, hand_over, mail_of
from conformance.watch.notice import Notice
from conformance.watch.store import Outbox, Store, StoreError, TargetState
from tests.watch.days import Receiver, receiving
from tests.watch.test_channels import AT, TITLES, a_mail_channel, a_notice

HOOK = Channel("team", Service.SLACK, url_env="HOOK")


def a_sender(url: str, *more: Channel) -> Sender:
    return Sender((HOOK, *more), {"HOOK": url}, TITLES, webhook.post)


def sent(outbox: Outbox, receiver: Receiver, minutes: float, told: list[Text]) -> Outbox:
    now = AT + timedelta(minutes=minutes)
    return asyncio.run(delivered(outbox, a_sender(receiver.url), now, told.append))


def test_failed_notices_arrive_later_in_order() -> None:
    told: list[Text] = []
    outbox = Outbox()
    for number in range(3):
        notice = a_notice(id=f"n{number}", target=f"t{number}")
        outbox = outbox.with_notice(notice, ("team",), AT)
    with receiving() as receiver:
        receiver.status = 503
        for minutes in (0, 0.5, 1, 2.9, 3):
            outbox = sent(outbox, receiver, minutes, told)
        assert receiver.refused == 3  # at 0, 1 and 3 minutes; nothing behind the first one
        receiver.status = 200
        outbox = sent(outbox, receiver, 7, told)
        assert outbox.waiting == ()
        assert [body["text"][:2] for body in receiver.bodies] == ["t0", "t1", "t2"]
        assert sent(outbox, receiver, 8, told) == outbox
        assert len(receiver.bodies) == 3
    assert "status 503" in told[0].en
    assert not any("0123456789abcdef" in text.en for text in told)


def test_wait_is_at_most_an_hour() -> None:
    outbox = Outbox().with_notice(a_notice(), ("team",), AT)
    now, tries = AT, 0
    while now < AT + timedelta(days=1):
        outbox = asyncio.run(
            delivered(outbox, a_sender("http://127.0.0.1:9/h"), now, lambda _: None)
        )
        tries += 1
        assert outbox.waiting[0].next_at - now <= timedelta(hours=1)
        now = outbox.waiting[0].next_at
    assert 24 <= tries <= 32


def test_same_notice_is_taken_once() -> None:
    outbox = Outbox().with_notice(a_notice(), ("team",), AT)
    assert outbox.with_notice(a_notice(), ("team",), AT) == outbox


def test_notices_of_a_removed_channel_are_dropped() -> None:
    told: list[Text] = []
    outbox = Outbox().with_notice(a_notice(), ("gone",), AT)
    with receiving() as receiver:
        assert sent(outbox, receiver, 0, told).waiting == ()
    assert "gone" in told[0].en


def test_outbox_survives_the_disk(tmp_path: Path) -> None:
    store = Store(tmp_path)
    outbox = Outbox().with_notice(a_notice(), ("team", "post"), AT)
    store.keep_outbox(outbox)
    assert Store(tmp_path).outbox() == outbox


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1}', '{"version": 2}', "[" * 9_999])
def test_broken_state_is_named(tmp_path: Path, text: str) -> None:
    for path in ("outbox.json", "targets/zero.json"):
        file = tmp_path / "watch" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    with pytest.raises(StoreError, match=r"outbox\.json is no state"):
        Store(tmp_path).outbox()
    with pytest.raises(StoreError, match=r"zero\.json is no state"):
        Store(tmp_path).target("zero")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("next_at", "0001-01-01T00:00:00+14:00"),
        ("next_at", "2026-12-01"),
        ("tries", -9_999),
        ("tries", float("inf")),
        ("notice", []),
    ],
)
def test_impossible_outbox_is_refused(tmp_path: Path, key: str, value: object) -> None:
    store = Store(tmp_path)
    store.keep_outbox(Outbox().with_notice(a_notice(), ("team",), AT))
    path = tmp_path / "watch" / "outbox.json"
    values = json.loads(path.read_text())
    values["waiting"][0][key] = value
    path.write_text(json.dumps(values))
    with pytest.raises(StoreError, match=r"outbox\.json is no state"):
        store.outbox()


@pytest.mark.parametrize(
    "change",
    [
        {"slot": "9999-12-31T23:00:00+00:00"},
        {"spent": {"day": "2026-12-01", "requests": -1, "tokens": 0, "money": {}}},
        {"spent": {"day": "2026-12-01", "requests": 1, "tokens": 0, "money": {"USD": "NaN"}}},
        {"memory": {"basis": [], "checks": {"n": ["fine", "fine", False, ["yesterday"]]}}},
        {"memory": {"basis": [], "checks": {"n": ["fine", "fine", False, ["2026-12-01"]]}}},
    ],
)
def test_impossible_state_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    store = Store(tmp_path)
    store.keep_target("zero", TargetState(since=AT))
    path = tmp_path / "watch" / "targets" / "zero.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(StoreError, match=r"zero\.json is no state"):
        store.target("zero")


@pytest.mark.parametrize("url", ["", "http://hook.example/x", "ftp://a/b", "https:///x", "no url"])
def test_url_has_to_be_private(url: str) -> None:
    with pytest.raises(ChannelError, match="HOOK") as raised:
        a_sender(url)
    assert not url or url not in str(raised.value)


def test_token_of_a_url_is_redacted() -> None:
    a_sender("https://hook.example/services/T0123456789ABCDEFXYZ?key=SECRETSECRETSECRET")
    assert "0123456789ABCDEF" not in gate.redact("see T0123456789ABCDEFXYZ")
    assert "SECRETSECRET" not in gate.redact("see SECRETSECRETSECRET")
    gate.forget_all()


class Smtp(socketserver.StreamRequestHandler):
    """A mail server without TLS that keeps what it is told."""

    heard: list[str]

    def handle(self) -> None:
        self.wfile.write(b"220 local\r\n")
        in_data = False
        for raw in self.rfile:
            row = raw.decode().rstrip("\r\n")
            self.heard.append(row)
            if in_data:
                in_data = row != "."
                answer = "" if in_data else "250 taken"
            else:
                verb = row.split(" ")[0].upper()
                in_data = verb == "DATA"
                answer = {"DATA": "354 go on", "QUIT": "221 bye"}.get(verb, "250 ok")
            if answer:
                self.wfile.write(f"{answer}\r\n".encode())


@pytest.mark.parametrize("password", [None, "hunter2hunter2"])
def test_password_is_sent_over_tls_only(password: str | None) -> None:
    heard: list[str] = []
    handler = type("Handler", (Smtp,), {"heard": heard})
    with socketserver.TCPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        channel = a_mail_channel(smtp=("127.0.0.1", server.server_address[1]), user="me")
        mail = mail_of(channel, a_notice(), AT, TITLES)
        if password is None:
            hand_over(mail, channel, password)
        else:
            with pytest.raises(MailError, match="offers no TLS"):
                hand_over(mail, channel, password)
        thread.join()
    assert any("hunter2" in row for row in heard) is False
    assert any(row.startswith("Subject: zero") for row in heard) is (password is None)


def test_unsent_text_is_bounded() -> None:
    notice: Notice = a_notice(reason=Text("x" * 100_000, ""), model="m" * 1_000)
    outbox = Outbox().with_notice(notice, ("team",), AT)
    with receiving() as receiver:
        sent(outbox, receiver, 0, [])
        body: dict[str, Any] = receiver.bodies[0]
    assert len(body["text"]) < 2_000
