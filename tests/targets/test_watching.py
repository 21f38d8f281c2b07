"""``[watch]`` of conformance.toml is validated whole, before anything is sent."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from conformance.language import Language
from conformance.model import Money, Tier
from conformance.targets import TargetsError, read_targets
from conformance.watch.channels import Service
from conformance.watch.settings import Watch, read_watch

TARGET = '[targets.zero]\nbase-url = "http://127.0.0.1:9/v1"\nmodel = "m"\n'
PRICED = f'{TARGET}prices = {{input = 1, output = 2, currency = "USD"}}\n'
EVERY = 'watch = {every = "6h"'
MAIL = '[watch.notices.post]\nkind = "mail"\nfrom = "a@b.example"\nto = ["c@d.example"]\n'


def read(tmp_path: Path, text: str) -> Watch:
    path = tmp_path / "conformance.toml"
    path.write_text(text, "utf-8")
    return read_watch(path)


def test_target_inherits_what_it_does_not_say(tmp_path: Path) -> None:
    text = f"""
[watch]
every = "6h"
jitter = "10m"
tier = "smoke"
timezone = "Asia/Shanghai"
max-requests-per-day = 500
[watch.notices.team]
kind = "feishu"
url-env = "FEISHU_URL"
secret-env = "FEISHU_SECRET"
language = "zh"
{PRICED}[targets.zero.watch]
cron = "17 4 * * *"
confirm-after = false
max-money-per-day = {{amount = 0.5, currency = "USD"}}
{TARGET.replace("zero", "other")}
{TARGET.replace("zero", "left-out")}watch = false
"""
    watch = read(tmp_path, text)
    zero, other = watch.targets
    assert (zero.how.cadence.cron, zero.how.cadence.every) == ("17 4 * * *", None)
    assert zero.how.cadence.jitter == timedelta(minutes=10)
    assert (zero.how.tier, zero.how.confirm_after) == (Tier.SMOKE, None)
    assert zero.how.limits.money == Money(Decimal("0.5"), "USD")
    assert zero.how.limits.requests is None
    assert watch.shared.limits.requests == 500
    assert other.how.cadence.every == timedelta(hours=6)
    assert other.how.confirm_after == timedelta(minutes=5)
    (channel,) = watch.channels
    assert (channel.service, channel.language) == (Service.FEISHU, Language.CHINESE)
    assert len(read_targets(tmp_path / "conformance.toml")) == 3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (TARGET, "no target says when it is due"),
        (f'{TARGET}watch = "6h"', 'watch must be a table, such as {every = "6h"}, or false'),
        (f"{TARGET}watch = {{every = 6}}", "every that must be a duration"),
        (f'{TARGET}watch = {{every = "5s"}}', "must be from 1m to 366d"),
        (f'{TARGET}watch = {{cron = "* * *"}}', "must be a cron expression of five fields"),
        (f'{TARGET}watch = {{cron = "99 * * * *"}}', "is no cron expression (bad minute)"),
        (f'{TARGET}watch = {{cron = "* * */20 * 1L"}}', "never comes true"),
        (f'{TARGET}watch = {{often = "6h"}}', "unknown key 'often'; its keys are every"),
        (f'{TARGET}watch = {{every = "6h", cron = "1 1 * * *"}}', "choose one of them"),
        (f'{TARGET}watch = {{every = "6h", jitter = "7h"}}', "jitter that is not shorter"),
        (f'[watch]\ntimezone = "Mars/Olympus"\n{TARGET}', "timezone that must be a time zone"),
        (
            f'{TARGET}{EVERY}, max-money-per-day = {{amount = 1, currency = "USD"}}}}',
            "but the target has no prices; add prices to it",
        ),
        (
            f'{PRICED}{EVERY}, max-money-per-day = {{amount = 1, currency = "CNY"}}}}',
            "in CNY, but prices in USD",
        ),
        (f'[watch.notices.a]\nkind = "irc"\n{TARGET}', "kind must be one of json, slack"),
        (f'[watch.notices.a]\nkind = "slack"\n{TARGET}', "url-env is required"),
        (
            f'[watch.notices.a]\nkind = "slack"\nurl = "https://x.example"\n{TARGET}',
            "unknown key 'url'; name the variable that holds it",
        ),
        (f"{MAIL}{TARGET}", "needs either sendmail or smtp"),
        (f'{MAIL}smtp = "mail"\n{TARGET}', "smtp must be a host and a port"),
        (f'{MAIL}sendmail = "sendmail"\n{TARGET}', "must be the whole path of a program"),
        (f'{MAIL}smtp = "m.example:25"\nuser = "u"\n{TARGET}', "belong together"),
        (f"{MAIL.replace('c@d', '-oX/x@d')}{TARGET}", "must be an address of mail"),
        (f"{MAIL.replace('c@d', 'c@[d')}{TARGET}", "must be an address of mail"),
        (f"{MAIL.replace('c@d', 'c@d,e@f')}{TARGET}", "must be an address of mail"),
        (
            f"{MAIL.replace('c@d', '=?utf-8?q?=0aBcc:e?= <c@d>')}{TARGET}",
            "must be an address of mail",
        ),
        (f'[watch]\nnotices = "x"\n{TARGET}', "write [watch.notices.NAME]"),
        (f"watch = 1\n{TARGET}", "[watch] must be a table"),
    ],
)
def test_mistake_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(TargetsError) as raised:
        read(tmp_path, text)
    assert sentence in " ".join(raised.value.mistakes)
