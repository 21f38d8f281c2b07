"""Parse sample responses as printed on a page, leniently.

Samples are written for people, so parsing continues after a mistake: a missing comma is inserted,
and events without blank lines between them are read line by line. All mistakes are reported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from conformance.docs_audit.page import Sample
from conformance.protocol.sse import parse_events

JsonObject = Mapping[str, Any]

DONE = "[DONE]"
_DATA = re.compile(r"^data: ?(.*)$", re.MULTILINE)
_MAX_MISTAKES = 20


@dataclass(frozen=True, slots=True)
class Mistake:
    """A syntax error: the number and text of its line in the sample, and what is wrong."""

    line: int
    text: str
    wrong: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A parsed sample.

    Attributes:
        objects: the response, or the chunks of a stream.
        mistakes: syntax errors.
        framed: whether it is printed as server-sent events.
        unparted: the number of events without a blank line after them.
        done: whether it ends with ``data: [DONE]``.
    """

    objects: tuple[JsonObject, ...]
    mistakes: tuple[Mistake, ...] = ()
    framed: bool = False
    unparted: int = 0
    done: bool = False


@dataclass(frozen=True, slots=True)
class PrintedChoice:
    """One choice of a sample, joined from the chunks of a stream.

    ``finishes`` are its finish reasons that are not null.
    """

    index: int
    text: str
    finishes: tuple[str, ...]
    logprobs: JsonObject | None

    def tokens(self) -> tuple[str, ...] | None:
        """Return the tokens that the choice lists, or None if it lists none."""
        found = (self.logprobs or {}).get("tokens")
        if isinstance(found, list) and all(isinstance(token, str) for token in found):
            return tuple(found)
        return None


def read(sample: Sample) -> Reading:
    """Parse a sample as far as possible."""
    if sample.text is None:
        return Reading((sample.payload or {},))
    if _DATA.search(sample.text):
        return _read_events(sample.text)
    value, mistakes = parse_leniently(sample.text)
    return Reading(_objects(value), mistakes)


def _read_events(text: str) -> Reading:
    objects: list[JsonObject] = []
    mistakes: list[Mistake] = []
    data = ""
    for found in _DATA.finditer(text):
        data = found[1].strip()
        if data != DONE:
            value, wrong = parse_leniently(data, first_line=text.count("\n", 0, found.start()) + 1)
            objects.extend(_objects(value))
            mistakes.extend(wrong)
    return Reading(tuple(objects), tuple(mistakes), True, _unparted(text), data == DONE)


def _unparted(text: str) -> int:
    """Count the events that have no blank line after them."""
    stream = parse_events(text.encode())
    run_together = [*(event.data for event in stream.events), stream.unfinished or ""]
    return sum(
        max(0, sum(map(_is_whole, data.split("\n"))) - 1) for data in run_together if "\n" in data
    )


def _is_whole(line: str) -> bool:
    """Return whether a line of data is a complete event."""
    return line == DONE or bool(_objects(parse_leniently(line)[0]))


def _objects(value: object) -> tuple[JsonObject, ...]:
    return (value,) if isinstance(value, dict) else ()


def choices_of(reading: Reading) -> tuple[PrintedChoice, ...]:
    """Return the choices of a sample in the order of their index."""
    parts: dict[int, list[JsonObject]] = {}
    for thing in reading.objects:
        for place, choice in enumerate(_listed(thing.get("choices"))):
            index = choice.get("index")
            parts.setdefault(index if isinstance(index, int) else place, []).append(choice)
    return tuple(_joined(index, parts[index]) for index in sorted(parts))


def _joined(index: int, parts: list[JsonObject]) -> PrintedChoice:
    logprobs: dict[str, list[Any]] = {}
    for part in parts:
        arrays = part.get("logprobs")
        for name, values in arrays.items() if isinstance(arrays, dict) else ():
            logprobs.setdefault(name, []).extend(values if isinstance(values, list) else ())
    return PrintedChoice(
        index=index,
        text="".join(str(part.get("text") or "") for part in parts),
        finishes=tuple(str(part["finish_reason"]) for part in parts if part.get("finish_reason")),
        logprobs=logprobs or None,
    )


def _listed(value: object) -> Iterator[JsonObject]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


# ── JSON with mistakes ───────────────────────────────────────────────────────────────────────────


def parse_leniently(text: str, first_line: int = 1) -> tuple[object, tuple[Mistake, ...]]:
    """Parse JSON, inserting missing commas and removing surplus ones.

    Args:
        text: the text.
        first_line: the number of its first line, for mistakes.

    Returns:
        The value, or None if it cannot be parsed, and the mistakes in the order of the text.
    """
    mistakes: list[Mistake] = []

    def note(position: int, wrong: str) -> None:
        line = text.count("\n", 0, position)
        mistakes.append(Mistake(first_line + line, text.split("\n")[line].strip(), wrong))

    while len(mistakes) < _MAX_MISTAKES:
        try:
            return json.loads(text, parse_constant=_refuse), tuple(mistakes)
        except json.JSONDecodeError as error:
            end = len(text[: error.pos].rstrip())
            if surplus := _surplus_comma(text, error.pos):
                note(surplus - 1, "there is a comma before the closing bracket")
                text = text[: surplus - 1] + text[surplus:]
            elif error.msg.startswith("Expecting ',' delimiter") and end < len(text.rstrip()):
                note(max(end - 1, 0), "a comma is missing after it")
                text = f"{text[:end]},{text[end:]}"
            else:
                note(error.pos, error.msg[0].lower() + error.msg[1:])
                return None, tuple(mistakes)
        except (ValueError, RecursionError) as error:
            note(0, str(error))
            return None, tuple(mistakes)
    return None, tuple(mistakes)


def _surplus_comma(text: str, position: int) -> int:
    """Return the offset after a comma that is followed by a closing bracket; 0 if there is none.

    Python reports the error at the bracket, and since version 3.13 at the comma.
    """
    start = position + 1 if text[position : position + 1] == "," else position
    before = len(text[:start].rstrip())
    closes = text[start:].lstrip()[:1] in {"}", "]"}
    return before if closes and text[:before].endswith(",") else 0


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not valid JSON")
