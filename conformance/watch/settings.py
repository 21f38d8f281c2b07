"""What ``conformance watch`` does, read from ``conformance.toml``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.headerregistry import Address, HeaderRegistry
from pathlib import Path
from typing import Any

from conformance.input_files import one_line
from conformance.language import Language
from conformance.model import Money
from conformance.targets import Entry, TargetsError, read_all
from conformance.targets.parsing import TypedError
from conformance.targets.settings import text, variable, whole
from conformance.targets.watching import Shared, TargetWatch, watch_of
from conformance.watch.channels import Channel, Service

_NAME = re.compile(r"\w[\w-]{0,63}")
_HOST_PORT = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]+\]):([0-9]{1,5})")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.][A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{0,63}")
_DOMAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
MAX_RECIPIENTS = 50


@dataclass(frozen=True, slots=True)
class Watched:
    """One target, and how it is watched."""

    entry: Entry
    how: TargetWatch


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched, and who is told.

    Attributes:
        targets: in the order of the file.
        shared: what holds for all of them.
        channels: where notices go.
    """

    targets: tuple[Watched, ...]
    shared: Shared
    channels: tuple[Channel, ...]


def read_watch(path: Path) -> Watch:
    """Read a targets file for watching.

    Raises:
        TargetsError: it cannot be read, is invalid, or says of no target when it is due.
    """
    entries, shared = read_all(path)
    mistakes: list[str] = []
    targets = []
    for entry in entries:
        if entry.watch is None:
            continue
        place = f"{path}, target {entry.name!r}"
        try:
            how = watch_of(entry.watch, shared)
            if how is not None:
                _assert_priced(entry, how.limits.money, "max-money-per-day")
                _assert_priced(entry, shared.limits.money, "max-money-per-day in [watch]")
                targets.append(Watched(entry, how))
        except TypedError as error:
            mistakes.append(f"{place}: watch {error}")
    channels = []
    for name, table in shared.notices.items():
        try:
            channels.append(_channel(str(name), table))
        except TypedError as error:
            mistakes.append(f"{path}, [watch.notices.{one_line(str(name), 80)}]: {error}")
    if mistakes:
        raise TargetsError(*mistakes)
    if not targets:
        raise TargetsError(
            f'{path}: no target says when it is due; write every = "6h" or cron = "17 4 * * *" '
            "into [watch] or [targets.NAME.watch]"
        )
    return Watch(tuple(targets), shared, tuple(channels))


def _assert_priced(entry: Entry, money: Money | None, what: str) -> None:
    if money is None:
        return
    if entry.prices is None:
        raise TypedError(f"has {what}, but the target has no prices; add prices to it")
    if entry.prices.currency != money.currency:
        raise TypedError(
            f"has {what} in {money.currency}, but prices in {entry.prices.currency}; use one "
            "currency"
        )


def _language(value: Any) -> Language:
    if value not in list(Language):
        raise TypedError('must be "en" or "zh"')
    return Language(value)


def _address(value: Any) -> str:
    address = text(value)
    one = _parsed(address)
    if one is None or not _LOCAL.fullmatch(one.username) or not _DOMAIN.fullmatch(one.domain):
        raise TypedError("must be an address of mail, such as ops@example.com")
    return address


def _parsed(address: str) -> Address | None:
    """Parse an address as the mail will be; None if it is none, or more than one."""
    if not address.isascii():
        return None
    try:
        header = HeaderRegistry()("to", address)
    except (AttributeError, IndexError, ValueError):  # the parser's own, for some wrong ones
        return None
    found: tuple[Address, ...] = () if header.defects else getattr(header, "addresses", ())
    return found[0] if len(found) == 1 else None


def _addresses(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_RECIPIENTS:
        raise TypedError(f"must be a list of 1 to {MAX_RECIPIENTS} addresses")
    return tuple(map(_address, value))


def _server(value: Any) -> tuple[str, int]:
    found = _HOST_PORT.fullmatch(text(value))
    if found is None:
        raise TypedError("must be a host and a port, such as mail.example.com:587")
    return found[1].strip("[]"), whole(1, 65_535)(int(found[2]))


def _program(value: Any) -> str:
    path = text(value)
    if not path.startswith("/"):
        raise TypedError("must be the whole path of a program, such as /usr/sbin/sendmail")
    return path


_WEBHOOK: Mapping[str, Callable[[Any], Any]] = {"url-env": variable, "language": _language}
_SIGNED = {**_WEBHOOK, "secret-env": variable}
_MAIL: Mapping[str, Callable[[Any], Any]] = {
    "from": _address,
    "to": _addresses,
    "sendmail": _program,
    "smtp": _server,
    "user": text,
    "password-env": variable,
    "language": _language,
}
_KEYS: Mapping[Service, Mapping[str, Callable[[Any], Any]]] = {
    Service.JSON: _WEBHOOK,
    Service.SLACK: _WEBHOOK,
    Service.FEISHU: _SIGNED,
    Service.DINGTALK: _SIGNED,
    Service.MAIL: _MAIL,
}


def _channel(name: str, table: Mapping[str, Any]) -> Channel:
    if not _NAME.fullmatch(name):
        raise TypedError("the name has at most 64 letters, digits, - and _")
    kind = table.get("kind")
    if kind not in list(Service):
        raise TypedError(f"kind must be one of {', '.join(Service)}")
    service = Service(kind)
    readers = _KEYS[service]
    taken: dict[str, Any] = {}
    for key, value in table.items():
        if key == "kind":
            continue
        if key not in readers:
            hint = "; name the variable that holds it" if key in {"url", "secret"} else ""
            raise TypedError(
                f"unknown key {one_line(repr(key), 80)}{hint}; its keys are {', '.join(readers)}"
            )
        try:
            taken[key] = readers[key](value)
        except TypedError as error:
            raise TypedError(f"{key} {error}") from None
    _assert_whole(service, taken)
    return Channel(
        name=name,
        service=service,
        language=taken.get("language", Language.ENGLISH),
        url_env=taken.get("url-env"),
        secret_env=taken.get("secret-env"),
        sender=taken.get("from", ""),
        recipients=taken.get("to", ()),
        sendmail=taken.get("sendmail"),
        smtp=taken.get("smtp"),
        user=taken.get("user"),
        password_env=taken.get("password-env"),
    )


def _assert_whole(service: Service, taken: Mapping[str, Any]) -> None:
    needed = ("from", "to") if service is Service.MAIL else ("url-env",)
    for key in needed:
        if key not in taken:
            raise TypedError(f"{key} is required")
    if service is Service.MAIL:
        if ("sendmail" in taken) == ("smtp" in taken):
            raise TypedError("needs either sendmail or smtp")
        if ("user" in taken) != ("password-env" in taken):
            raise TypedError("user and password-env belong together")
        if "user" in taken and "smtp" not in taken:
            raise TypedError("user and password-env are for smtp")
