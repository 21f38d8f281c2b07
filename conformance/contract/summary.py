"""One-line summaries of what a contract promises for a parameter or field, in both languages.

For example "number or null, 0 to 2, default 1" and "数值或 null，0 到 2，默认 1".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from conformance.language import Text, join_texts, same

NOT_DOCUMENTED = Text("not documented", "文档未提及")
OWN_MEANING = Text("another meaning than in the live API", "与实际 API 含义不同")
REQUIRED = Text("required", "必填")
DEFAULT = Text("default {value}", "默认 {value}")
DEFAULT_UNLIMITED = Text("default unlimited", "默认不限")
AT_MOST_ITEMS = Text("at most {count} items", "至多 {count} 项")

NULL = same("null")
KINDS = {
    "string": Text("string", "字符串"),
    "integer": Text("integer", "整数"),
    "number": Text("number", "数值"),
    "boolean": Text("boolean", "布尔值"),
    "array": Text("array", "数组"),
    "object": Text("object", "对象"),
    "strings": Text("strings", "字符串数组"),
    "tokens": Text("tokens", "token 数组"),
    "token-arrays": Text("token-arrays", "token 数组的数组"),
}
"""Names of the JSON types and of the forms of a prompt."""

BETWEEN_SCRIPTS = re.compile(r"(?<=[\u4e00-\u9fff])(?=[!-~])|(?<=[!-~])(?=[\u4e00-\u9fff])")


def kind(name: str) -> Text:
    """Return the name of a JSON type or a form of a prompt; an unknown one is unchanged."""
    return KINDS.get(name, same(name))


def listed(alternatives: Iterable[Text]) -> Text:
    """Join alternatives: "a, b or c"."""
    *others, last = alternatives
    if not others:
        return last
    return join_texts((join_texts(others, Text(", ", "、")), last), Text(" or ", "或"))


def span(minimum: float | None, maximum: float | None) -> Text | None:
    """Describe a range; None if there is no limit."""
    match minimum, maximum:
        case None, None:
            return None
        case _, None:
            text = Text("at least {minimum}", "不小于 {minimum}")
        case None, _:
            text = Text("at most {maximum}", "不大于 {maximum}")
        case _:
            text = Text("{minimum} to {maximum}", "{minimum} 到 {maximum}")
    return text.format(minimum=minimum, maximum=maximum)


def value(value: object) -> Text:
    """Format a value as JSON; a string without its quotes."""
    return same(value if isinstance(value, str) else json.dumps(value))


def line(parts: Iterable[Text | None]) -> Text:
    """Join parts with commas, without those that are None."""
    text = join_texts((part for part in parts if part is not None), Text(", ", "，"))
    # Chinese typography puts a blank between Chinese and Latin characters.
    return Text(text.en, BETWEEN_SCRIPTS.sub(" ", text.zh))
