"""What a request asked for, in a few words: ``temperature: 2.1``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.language import Text, same
from conformance.model import Exchange, Finding
from conformance.report.wording import described, quoted

MAX_SETTINGS = 3
"""Maximum number of settings that are named."""

_LEFT_OUT = re.compile(r"default|null|without|absent|unset|omitted")
"""In the id of a check whose probe leaves its parameter out."""

_NAME = re.compile(r"[A-Za-z_][\w.-]{0,39}", re.ASCII)

_BASICS = frozenset({"model", "prompt", "max_tokens"})
"""What nearly every request has; named only if the finding is about it, or if it is 0 tokens."""

_MAPS = frozenset({"logit_bias", "stream_options"})
"""Parameters whose values are objects; for any other one, that is what is wrong with it."""


def probe_of(finding: Finding, exchanges: Sequence[Exchange]) -> Exchange | None:
    """Return the exchange that shows the deviation: the first one with the finding's subject.

    Args:
        finding: the finding.
        exchanges: its exchanges, in the order in which it lists them.
    """
    names = _names(finding)
    with_it = (x for x in exchanges if any(name in settings_of(x) for name in names))
    return next(with_it, exchanges[0] if exchanges else None)


def settings_of(exchange: Exchange) -> Mapping[str, Any]:
    """Return the members of a request's body; empty if it is no JSON object."""
    try:
        body = json.loads(exchange.request.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def sent_in(finding: Finding, exchanges: Sequence[Exchange]) -> tuple[Text, ...]:
    """Name the settings that matter for a finding, those it is about first.

    Of several exchanges only the setting that the finding is about is named, because the others
    may belong to the control; not even that one if the finding is about leaving it out, or if its
    values differ.
    """
    probe = probe_of(finding, exchanges)
    if probe is None:
        return ()
    settings = settings_of(probe)
    subjects = [name for name in _names(finding) if name in settings]
    if len(exchanges) > 1:
        names = [] if _LEFT_OUT.search(finding.id) else subjects[:1]
        names = [name for name in names if _is_alike(name, exchanges)]
    else:
        names = [*subjects, *(name for name in settings if _matters(name, settings[name]))]
        names = list(dict.fromkeys(names))[:MAX_SETTINGS]
    return tuple(_setting(name, settings[name]) for name in names)


def _is_alike(name: str, exchanges: Sequence[Exchange]) -> bool:
    values = [known[name] for known in map(settings_of, exchanges) if name in known]
    return all(value == values[0] for value in values)


def subject_value(finding: Finding, exchange: Exchange) -> object:
    """Return the value of the parameter that a finding is about; None if there is none."""
    settings = settings_of(exchange)
    return next((settings[name] for name in _names(finding) if name in settings), None)


def _names(finding: Finding) -> tuple[str, ...]:
    """The parameters that a finding is about: its subject, and the area in its id."""
    area = finding.id.partition(".")[0].replace("-", "_")
    return tuple(dict.fromkeys((finding.subject, area)))


def _matters(name: str, value: object) -> bool:
    """Return whether a setting is more than what nearly every request has."""
    if not _NAME.fullmatch(name):
        return False
    if name == "max_tokens" and value == 0 and type(value) is int:
        return True
    return not (name in _BASICS or value is None or (name == "temperature" and value == 0))


def _setting(name: str, value: object) -> Text:
    known = f"`{name}`"
    match value:
        case list():
            return _ITEMS.format(name=known, n=len(value))
        case dict():
            return _object(name, value)
        case str():
            written = quoted(value)
            plain = not set(written) & set("{}[]<")
            return same(f"{known[:-1]}: {written}`") if plain else same(known)
        case None:
            return same(f"{known[:-1]}: null`")
        case _:
            return same(f"{known[:-1]}: {described(value).en}`")


def _object(name: str, value: Mapping[str, object]) -> Text:
    known = f"`{name}`"
    if name not in _MAPS:
        return _OBJECT.format(name=known)
    inner = next(iter(value.values())) if len(value) == 1 else None
    return _INNER.format(name=known, value=inner) if type(inner) is int else same(known)


_ITEMS = Text("{name} of {n} entries", "含 {n} 项的 {name}")
_OBJECT = Text("an object as {name}", "对象形式的 {name}")
_INNER = Text("{name} of {value}", "值为 {value} 的 {name}")
