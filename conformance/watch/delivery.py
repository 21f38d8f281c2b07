"""Send notices, and keep those that could not be sent.

A notice leaves the outbox when its channel has taken it. One that fails waits a minute, then two,
four and so on up to an hour; those behind it on the same channel wait as well, so that they arrive
in order. Nobody is told twice of the same run, unless a process is killed between the moment a
channel takes a notice and the one in which that is written down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from conformance.language import Text
from conformance.targets.parsing import TypedError, read_key
from conformance.transport import gate
from conformance.transport.webhook import Answer, WebhookError, is_safe
from conformance.watch.channels import Channel, Service, post_of, why_refused
from conformance.watch.mail import MailError, hand_over, mail_of
from conformance.watch.notice import Notice, Titles
from conformance.watch.store import MOST_WAITING, Outbox, Waiting

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
MOST_DOUBLINGS = 6

Poster = Callable[[str, bytes], Awaitable[Answer]]


class ChannelError(Exception):
    """A channel cannot be used as the environment is; the message names the variable."""


class _Secrets(NamedTuple):
    url: str = ""
    secret: str | None = None
    password: str | None = None


class Sender:
    """Sends notices to channels with the secrets of the environment.

    Args:
        channels: all channels.
        environment: the environment variables.
        titles: the sentences of checks, by id.
        post: sends a body to the URL of a webhook.

    Raises:
        ChannelError: a variable is not set, or its value cannot be used.
    """

    def __init__(
        self,
        channels: Sequence[Channel],
        environment: Mapping[str, str],
        titles: Titles,
        post: Poster,
    ) -> None:
        self._channels = {channel.name: channel for channel in channels}
        self._secrets = {one.name: _secrets(one, environment) for one in channels}
        self._titles = titles
        self._post = post

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the channels."""
        return tuple(self._channels)

    async def send(self, name: str, notice: Notice, at: datetime) -> str | None:
        """Send a notice to a channel; return why it was not taken, or None if it was."""
        channel, secrets = self._channels[name], self._secrets[name]
        if channel.service is Service.MAIL:
            mail = mail_of(channel, notice, at, self._titles)
            try:
                await asyncio.to_thread(hand_over, mail, channel, secrets.password)
            except MailError as error:
                return str(error)
            return None
        post = post_of(
            channel, notice, secrets.url, secret=secrets.secret, at=at, titles=self._titles
        )
        try:
            answer = await self._post(post.url, post.body)
        except WebhookError as error:
            return str(error)
        return why_refused(channel.service, answer.status, answer.body)


def _secrets(channel: Channel, environment: Mapping[str, str]) -> _Secrets:
    url = _secret(channel, channel.url_env, environment) or ""
    if channel.url_env is not None:
        if not is_safe(url):
            raise ChannelError(
                f"channel {channel.name!r}: the value of {channel.url_env} is not a URL with "
                "https:// (it is not shown here)"
            )
        _remember_parts(url)
    return _Secrets(
        url,
        _secret(channel, channel.secret_env, environment),
        _secret(channel, channel.password_env, environment),
    )


def _secret(channel: Channel, variable: str | None, environment: Mapping[str, str]) -> str | None:
    if variable is None:
        return None
    try:
        value = read_key(variable, environment)
    except TypedError as error:
        raise ChannelError(f"channel {channel.name!r}: {error}") from None
    if not value:
        raise ChannelError(
            f"channel {channel.name!r}: environment variable {variable} is not set or is empty"
        )
    return value


LEAST_TOKEN_CHARS = 16


def _remember_parts(url: str) -> None:
    """Keep the token in a URL from everything printed, wherever it is in there."""
    parts = urlsplit(url)
    values = [value for _, value in parse_qsl(parts.query)]
    for part in (*parts.path.split("/"), *values):
        if len(part) >= LEAST_TOKEN_CHARS:
            gate.remember(part)


async def delivered(
    outbox: Outbox, sender: Sender, now: datetime, tell: Callable[[Text], None]
) -> Outbox:
    """Try everything that is due once, each channel by itself, and return what remains."""
    by_channel = sorted(outbox.waiting, key=lambda one: one.channel)
    queues = {name: list(group) for name, group in groupby(by_channel, key=lambda one: one.channel)}
    for name in queues.keys() - set(sender.names):
        count = len(queues.pop(name))
        tell(_NO_CHANNEL.format(name=name, count=count))
    left = await asyncio.gather(
        *(_emptied(name, queue, sender, now, tell) for name, queue in queues.items())
    )
    return replace(outbox, waiting=tuple(one for queue in left for one in queue))


async def _emptied(
    name: str,
    queue: Sequence[Waiting],
    sender: Sender,
    now: datetime,
    tell: Callable[[Text], None],
) -> Sequence[Waiting]:
    for number, one in enumerate(queue):
        if one.next_at > now:
            return _bounded(name, queue[number:], tell)
        why = await sender.send(name, one.notice, now)
        if why is None:
            continue
        wait = min(FIRST_WAIT * 2 ** min(one.tries, MOST_DOUBLINGS), LONGEST_WAIT)
        again = replace(one, tries=one.tries + 1, next_at=now + wait)
        tell(_NOT_SENT.format(name=name, why=gate.redact(why), again=f"{again.next_at:%H:%M:%S}"))
        return _bounded(name, [again, *queue[number + 1 :]], tell)
    return ()


def _bounded(
    name: str, queue: Sequence[Waiting], tell: Callable[[Text], None]
) -> Sequence[Waiting]:
    surplus = len(queue) - MOST_WAITING
    if surplus > 0:
        tell(_DROPPED.format(name=name, count=surplus))
    return queue[-MOST_WAITING:]


_NO_CHANNEL = Text(
    "{count} notices for the channel {name}, which is no longer configured, are dropped",
    "渠道 {name} 已不在配置中，丢弃其 {count} 条通知",
)
_NOT_SENT = Text(
    "notice to {name} not sent: {why}; next try at {again} UTC",
    "发往 {name} 的通知未送达：{why}；下次尝试：{again} UTC",
)
_DROPPED = Text(
    "too many notices wait for {name}; the {count} oldest are dropped",
    "等待发往 {name} 的通知过多，丢弃最早的 {count} 条",
)
