"""A named value that is not what was promised, in words: ``usage.total_tokens = 3``.

Checks that use :class:`conformance.judgement.Expectation` write the expected value as a name and an
assertion, and the actual one as the same name, an equals sign and JSON.
"""

from __future__ import annotations

import json
import re

from conformance.language import Text, same
from conformance.message import Message
from conformance.report import templates
from conformance.report.templates import made_from
from conformance.report.wording import phrase, value_of


def deviation_of(expected: str, seen: str) -> tuple[Text, bool] | None:
    """Say what a value is, and what it is not if that takes a few words.

    Args:
        expected: such as ``usage.total_tokens = 5``.
        seen: such as ``usage.total_tokens = 3``.

    Returns:
        The words, and whether they include the promise; None if this is no named value, or its name
        has no translation.
    """
    name, equals, written = seen.partition(" = ")
    if not equals or not name or not expected.startswith(name):
        return None
    known = seen.argument("name") if isinstance(seen, Message) else None
    called = _called(known if known == name else name)
    if called is None:
        return None
    if written == "null":
        said = _IS_NULL.format(name=called)
    else:
        said = _IS.format(name=called, value=value_of(written))
    promise = _promise_of(expected, expected.removeprefix(name).strip())
    if promise is None:
        return said, False
    return Text(said.en + promise.en, said.zh + promise.zh), True


def _called(name: str) -> Text | None:
    """Name a value in both languages; None if it has no translation."""
    if not isinstance(name, Message) and re.fullmatch(r"[\w.\[\]-]+", name):
        return same(f"`{name}`")
    return phrase(name)


def _promise_of(expected: str, assertion: str) -> Text | None:
    """Write an assertion behind a value; None if it does not fit there."""
    sign, _, bound = assertion.partition(" ")
    if sign == "=" and bound == "null":
        return _NOT_ANY
    if sign in _BOUNDS:
        return _BOUNDS[sign].format(value=value_of(_without_remark(bound)))
    one_of = made_from(expected, templates.ONE_OF)
    if one_of is not None and isinstance(one_of["values"], tuple):
        values = [value_of(str(value)).en for value in one_of["values"]]
        return _NOT_ONE_OF.format(values=", ".join(values))
    if made_from(expected, templates.OTHER_THAN) is not None:
        return _NOT_THAT
    plain = _ASSERTIONS.get(assertion) if _is_said(expected, assertion) else None
    return _NOT_BUT.format(what=plain) if plain else None


def _is_said(expected: str, assertion: str) -> bool:
    """Return whether an assertion is the check's own words, and no text of the endpoint."""
    that = made_from(expected, templates.THAT)
    if that is not None:
        return that["expected"] == assertion and isinstance(that["expected"], Message)
    return isinstance(expected, Message) and expected.template.endswith(f" {assertion}")


def _without_remark(bound: str) -> str:
    """Return a value without what follows it; a list has commas itself."""
    try:
        _, end = json.JSONDecoder().raw_decode(bound)
    except (ValueError, RecursionError):
        return bound.partition(", ")[0]
    return bound[:end]


_IS = Text("{name} is {value}", "{name} 为 {value}")
_IS_NULL = Text("{name} has no value", "{name} 没有值")
_NOT_ANY = Text("; none expected", "，应没有值")
_NOT_THAT = Text(", which it must not be", "，不应如此")
_NOT_ONE_OF = Text(", not one of {values}", "，应为 {values} 之一")
_NOT_BUT = Text(", not {what}", "，应为{what}")
_BOUNDS = {
    "=": Text(", not {value}", "，应为 {value}"),
    "≥": Text("; at least {value} expected", "；应至少为 {value}"),
    "≤": Text("; at most {value} expected", "；应至多为 {value}"),
}
_ASSERTIONS = {
    "an integer": Text("an integer", "整数"),
    "an integer ≥ 0": Text("an integer of at least 0", "不小于 0 的整数"),
    "a number": Text("a number", "数字"),
    "a string": Text("a string", "字符串"),
    "a string or null": Text("a string", "字符串"),
    "a string that is not empty": Text("a text", "非空字符串"),
    "a sentence": Text("a sentence", "一句话"),
    "an object": Text("an object", "对象"),
    "an array": Text("an array", "数组"),
    "not empty": Text("some text", "非空"),
    "empty": Text("empty", "空"),
}
