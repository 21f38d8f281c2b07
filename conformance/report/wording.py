"""Values and phrases of findings, cleaned for a sentence.

Quotes are short; JSON, lists of texts and nulls are described and stay in the evidence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.language import Text, same
from conformance.message import Message, verbatim
from conformance.report import templates
from conformance.report.locale.finding_text import finding_text
from conformance.report.sanitize import cut, line
from conformance.report.templates import made_from, number

MAX_QUOTE_CHARS = 32
"""Maximum characters of a quoted text."""

MAX_PHRASE_CHARS = 90
"""Maximum characters of an expected or actual value in a sentence."""

MAX_LISTED = 5
"""Maximum number of numbers that are listed; of more only the number is given."""

_QUOTE = re.compile(r'"(?:[^"\\]|\\.)*(?:"|…?$)')
_JSON = re.compile(r"[{}]|(?<![\w\]])\[|<[!/a-zA-Z]")
_LEFT_OVER = " :：,，;；(（=\"'`“"
_UNENDED = re.compile(r"[^:：,，;；(（=]*$")


@dataclass(frozen=True, slots=True)
class Among:
    """How many of all responses a finding is about, and what their requests have in common."""

    count: int
    total: int
    traits: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Observed:
    """An actual value without the remarks around it, which are the other attributes."""

    value: Message
    reproduced: bool = False
    among: Among | None = None


def observed(seen: str) -> Observed:
    """Take the remarks off an actual value: how often it was seen, whether it was reproduced."""
    found = made_from(seen, templates.AMONG)
    among = _among(found["among"]) if found else None
    value = _word(found["seen"]) if found and among else _word(seen)
    twice = made_from(value, templates.DIFFERENT_TWICE)
    if twice is None:
        return Observed(value, among=among)
    return Observed(Message(templates.DIFFERENT, twice), reproduced=True, among=among)


def _among(tally: object) -> Among | None:
    found = made_from(tally, templates.TALLY, templates.TALLY_OF_TRAITS)
    count, total = (number(found[name]) for name in ("count", "total")) if found else (None, None)
    if found is None or count is None or total is None:
        return None
    traits = found.get("traits", ())
    return Among(count, total, tuple(map(_word, traits)) if isinstance(traits, tuple) else ())


def _word(value: object) -> Message:
    return value if isinstance(value, Message) else verbatim(str(value))


def phrase(message: str) -> Text | None:
    """Return a message in both languages if it can stand in a sentence, otherwise None."""
    known = _known(message)
    return _kept(known) if known and not _JSON.search(_unquoted(message)) else None


def head_of(message: str) -> Text | None:
    """Return the part of a message before the JSON in it; None if that says nothing."""
    known = _known(message)
    if known is None:
        return None
    before = known.mapped(_before_json)
    if max(len(before.en), len(before.zh)) > MAX_PHRASE_CHARS:
        before = Text(before.en.partition(": ")[0], before.zh.partition("：")[0])
    return _kept(before)


def _known(message: str) -> Text | None:
    """Return a message in both languages, in English if it has no other; None for evidence."""
    if not message or (isinstance(message, Message) and message.is_evidence):
        return None
    told = finding_text(message)
    return told if told.zh else same(message)


def _kept(text: Text) -> Text | None:
    shorter = text.mapped(_tidy)
    fits = all(1 < len(words) <= MAX_PHRASE_CHARS for words in (shorter.en, shorter.zh))
    return shorter if fits and not _JSON.search(shorter.en + shorter.zh) else None


def _tidy(text: str) -> str:
    return _QUOTE.sub(lambda found: _requoted(found[0]), line(text))


def _requoted(quote: str) -> str:
    inner = quote.strip('"').removesuffix("…")
    ended = quote.endswith('"') and len(quote) > 1
    whole = ended and len(inner) <= MAX_QUOTE_CHARS
    return f'"{inner if whole else inner[: MAX_QUOTE_CHARS - 1] + "…"}"'


def _unquoted(text: str) -> str:
    return _QUOTE.sub(lambda found: _requoted(found[0]), text)


def _before_json(text: str) -> str:
    found = _JSON.search(text)
    kept = text[: found.start()] if found else text
    if kept.count('"') % 2:
        kept = kept[: kept.rindex('"')]
    if not found:
        return kept
    # Words between the last stop and the JSON, such as "sometimes", say nothing without it.
    return _UNENDED.sub("", kept).rstrip(_LEFT_OVER)


def quoted(text: str) -> str:
    """Quote a text of the endpoint: short, on one line, without backticks."""
    written = json.dumps(text, ensure_ascii=False)[1:-1].replace("`", "'")
    return f'"{cut(line(written), MAX_QUOTE_CHARS)}"'


def value_of(written: str) -> Text:
    """Describe a value that a check wrote as JSON, possibly cut off."""
    try:
        return described(json.loads(written))
    except (ValueError, RecursionError):
        pass
    if written.startswith('"'):
        return _fit(quoted(written[1:].removesuffix("…")))
    if written.startswith("["):
        return _LIST
    return _OBJECT if written.startswith("{") else _fit(cut(line(written), MAX_QUOTE_CHARS))


def described(value: object) -> Text:
    """Describe a value in a few words, without JSON."""
    match value:
        case None:
            return _NOTHING
        case bool() | int() | float():
            return same(_number(value))
        case str():
            return _fit(quoted(value))
        case list():
            return _list(value)
        case _:
            return _OBJECT


def _number(value: float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else cut(str(value), 24)


def _list(value: Sequence[object]) -> Text:
    if value and len(value) <= MAX_LISTED and all(map(_reads_as_number, value)):
        return same(", ".join(str(number) for number in value))
    if not value:
        return _EMPTY_LIST
    return _ONE_ITEM if len(value) == 1 else _ITEMS.format(n=len(value))


def _fit(text: str) -> Text:
    return same(text) if text == _DONE or not _JSON.search(text) else _OTHER_TEXT


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _reads_as_number(value: object) -> bool:
    return _is_number(value) or (isinstance(value, str) and value.isdecimal() and len(value) < 4)


def pair_of(one: str, other: str) -> tuple[Text, Text] | None:
    """Return the first difference of two values; None if they cannot be told apart.

    Args:
        one: a value as JSON, or the beginning of a text.
        other: the same.
    """
    left, right = _loaded(one), _loaded(other)
    if left is None or right is None:
        return None
    if isinstance(left, list) and isinstance(right, list) and "…" in {one[-1:], other[-1:]}:
        left, right = left[: len(right)], right[: len(left)]
    return _first_difference(left, right)


def _loaded(written: str) -> Any:
    """Read a value that may be cut off: a text, or a list up to its last whole entry."""
    try:
        return json.loads(written)
    except (ValueError, RecursionError):
        pass
    if written.startswith('"'):
        return written.strip('"…')
    entries: list[Any] = []
    at = 1
    while written.startswith("[") and at < len(written):
        try:
            entry, at = _DECODER.raw_decode(written, at)
        except (ValueError, RecursionError):
            break
        entries.append(entry)
        at += len(", ")
    return entries or None


def _first_difference(left: object, right: object) -> tuple[Text, Text] | None:
    if isinstance(left, list) and isinstance(right, list):
        if len(left) != len(right):
            return described(left), described(right)
        found = next(((a, b) for a, b in zip(left, right, strict=True) if a != b), None)
        return _first_difference(*found) if found else None
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        names = [name for name in (*left, *right) if left.get(name) != right.get(name)]
        return _first_difference(left.get(names[0]), right.get(names[0])) if names else None
    if isinstance(left, str) and isinstance(right, str):
        return _around_difference(left, right)
    told = described(left), described(right)
    return told if told[0] != told[1] else None


def _around_difference(left: str, right: str) -> tuple[Text, Text] | None:
    """Quote two texts, beginning a few characters before they differ."""
    if left == right:
        return None
    shorter = min(len(left), len(right))
    same_until = next((at for at in range(shorter) if left[at] != right[at]), shorter)
    start = max(0, same_until - MAX_QUOTE_CHARS // 2)
    if max(len(left), len(right)) <= MAX_QUOTE_CHARS - 4:
        start = 0
    shown = [described(f"…{text[start:]}" if start else text) for text in (left, right)]
    if shown[0] == shown[1]:
        return None
    return shown[0], shown[1]


def text_in(seen: str) -> str | None:
    """Return the text that an actual value consists of; None if it is anything else."""
    if not seen.startswith('"'):
        return None
    try:
        value, end = json.JSONDecoder().raw_decode(seen)
    except ValueError:
        inner = seen[1:]
        return inner.removesuffix("…") if inner.endswith("…") and '"' not in inner else None
    return value if isinstance(value, str) and end == len(seen) else None


def joined(parts: Sequence[Text]) -> Text:
    """Join two or three names: ``a and b``; ``a、b``."""
    if len(parts) == 1:
        return parts[0]
    *first, last = parts
    return Text(
        f"{', '.join(part.en for part in first)} and {last.en}",
        f"{'、'.join(part.zh for part in first)} 和 {last.zh}",
    )


def capitalised(sentence: str) -> str:
    """Begin an English sentence with a capital letter, unless a name is first."""
    word = sentence.partition(" ")[0]
    return sentence if "_" in word or "." in word else sentence[:1].upper() + sentence[1:]


def uncapitalised(title: str) -> str:
    """Begin a title as a part of another sentence."""
    word = title.partition(" ")[0]
    plain = word[1:].islower() or word == "A"
    return title[:1].lower() + title[1:] if plain and word not in _PROPER else title


def unspaced(sentence: str) -> str:
    """Take out blanks between Chinese characters, which the parts of a sentence leave."""
    parts = sentence.split('"')
    parts[::2] = [_CHINESE_BLANK.sub("", part) for part in parts[::2]]
    return '"'.join(parts)


_CHINESE_BLANK = re.compile(r"(?<=[\u4e00-\u9fff，；：、）]) (?=[\u4e00-\u9fff，；：、])")
_DECODER = json.JSONDecoder()
_PROPER = frozenset({"Chinese", "English", "Unicode", "Content-Type"})


_NOTHING = Text("no value", "没有值")
_OBJECT = Text("an object", "一个对象")
_DONE = '"[DONE]"'
"""The last event of a stream, which looks like JSON."""
_LIST = Text("a list", "一个列表")
_EMPTY_LIST = Text("an empty list", "空列表")
_ONE_ITEM = Text("a list of one item", "1 项的列表")
_ITEMS = Text("a list of {n} items", "{n} 项的列表")
_OTHER_TEXT = Text("another text", "其他文本")
