"""Parse YAML that anyone may have written, as the JSON values that it means.

The text is scanned as a stream of events before a value is built. So nothing that grows when it is
built, such as aliases of aliases, merge keys, an alias inside its own anchor, deep nesting or a
number of a million digits, costs more than its text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

MAX_NODES = 100_000
"""Keys, values, objects and arrays of a file, those behind aliases counted at each alias."""

MAX_DEPTH = 40
MAX_NUMBER_CHARS = 400

_NUMBER = re.compile(r"[-+]?[0-9.][0-9a-zA-Z_.:+-]*")
_JSON_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")
)
_BASE: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlError(ValueError):
    """A text is not usable YAML; the message says where and why."""


class _Loader(_BASE):  # type: ignore[valid-type, misc]  # chosen when the module is imported
    """The safe loader; dates stay text, because JSON has none."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - overrides the library's attribute
        first: [rule for rule in rules if rule[0] != "tag:yaml.org,2002:timestamp"]
        for first, rules in _BASE.yaml_implicit_resolvers.items()
    }


def parse_yaml(raw: bytes, *, any_keys: bool = False) -> Any:
    """Parse a text into dictionaries with text keys, lists, and scalars of JSON.

    Args:
        raw: the text.
        any_keys: accept other keys, and numbers that JSON does not have.

    Raises:
        YamlError: it is not YAML, is too large or too deep, or contains a cycle, a key twice, or a
            value that JSON does not have.
    """
    try:
        _scan(raw)
        value = yaml.load(raw, Loader=_Loader)  # noqa: S506 - a safe loader
    except YamlError:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(f"{_place(mark)}is not valid YAML ({error.problem})") from None
    except yaml.YAMLError as error:
        raise YamlError(f"is not valid YAML ({error})") from None
    except UnicodeDecodeError:
        raise YamlError("is not UTF-8 text") from None
    except (ValueError, OverflowError, TypeError) as error:
        # Values that only the constructor rejects, such as `!!int x`.
        raise YamlError(f"contains an invalid value ({error})") from None
    if not any_keys:
        _assert_json(value, "")
    return value


def _place(mark: yaml.Mark | None) -> str:
    return f"line {mark.line + 1}: " if mark else ""


# ── before a value is built ──────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Open:
    """An object or array that is not complete yet."""

    anchor: str | None
    is_object: bool
    line: int
    nodes: int = 1
    keys: set[str] = field(default_factory=set)
    expects_key: bool = True


@dataclass(slots=True)
class _Scan:
    """The state of a scan: what is open, and the nodes behind each anchor."""

    open: list[_Open] = field(default_factory=list)
    nodes_of: dict[str, int] = field(default_factory=dict)
    total: int = 0

    def add(self, nodes: int, line: int, key: str | None = None) -> None:
        """Count a complete node in what contains it.

        Args:
            nodes: its number of nodes.
            line: where it begins.
            key: its text, if it is a scalar.
        """
        if not self.open:
            self.total += nodes
            return
        holder = self.open[-1]
        holder.nodes += nodes
        if sum(one.nodes for one in self.open) > MAX_NODES:
            raise YamlError(
                f"line {line}: has more than {MAX_NODES:,} values when its aliases are expanded"
            )
        if holder.is_object:
            if holder.expects_key and key is not None:
                if key in holder.keys:
                    raise YamlError(f"line {line}: has the key `{key}` twice in one object")
                holder.keys.add(key)
            holder.expects_key = not holder.expects_key


def _scan(raw: bytes) -> None:
    """Check the size, the depth, the aliases and the keys of a text.

    Raises:
        YamlError: one of them is not acceptable.
        yaml.YAMLError: it is not YAML.
    """
    scan = _Scan()
    for event in yaml.parse(raw, Loader=_BASE):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent):
            _alias(scan, str(event.anchor), line)
        elif isinstance(event, yaml.ScalarEvent):
            _assert_scalar(event, line)
            scan.add(1, line, event.value)
            if event.anchor:
                scan.nodes_of[event.anchor] = 1
        elif isinstance(event, yaml.CollectionStartEvent):
            _assert_tag(event.tag, line)
            if len(scan.open) >= MAX_DEPTH:
                raise YamlError(f"line {line}: is nested more than {MAX_DEPTH} levels deep")
            is_object = isinstance(event, yaml.MappingStartEvent)
            scan.open.append(_Open(event.anchor, is_object, line))
        elif isinstance(event, yaml.CollectionEndEvent):
            closed = scan.open.pop()
            if closed.anchor:
                scan.nodes_of[closed.anchor] = closed.nodes
            scan.add(closed.nodes, closed.line)


def _alias(scan: _Scan, anchor: str, line: int) -> None:
    if any(one.anchor == anchor for one in scan.open):
        raise YamlError(f"line {line}: the alias *{anchor} is inside its own anchor, a cycle")
    # The parser of the values reports an alias without an anchor.
    scan.add(scan.nodes_of.get(anchor, 1), line)


def _assert_scalar(event: yaml.ScalarEvent, line: int) -> None:
    _assert_tag(event.tag, line)
    is_plain = event.implicit[0] or event.tag is not None
    if is_plain and len(event.value) > MAX_NUMBER_CHARS and _NUMBER.fullmatch(event.value):
        raise YamlError(f"line {line}: has a number with more than {MAX_NUMBER_CHARS} digits")


def _assert_tag(tag: str | None, line: int) -> None:
    if tag is not None and tag != "!" and tag not in _JSON_TAGS:
        raise YamlError(f"line {line}: has the tag `{tag}`; only values of JSON are allowed")


# ── after it is built ────────────────────────────────────────────────────────────────────────────


def _assert_json(value: Any, place: str) -> None:
    """Check that keys are texts and numbers finite; the depth is bounded by the scan."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                where = f" in {place}" if place else ""
                raise YamlError(
                    f"has the key {key!r}{where}, which is not a text; put it in quotes"
                )
            _assert_json(item, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _assert_json(item, f"{place}[{number}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise YamlError(f"has the value {value} in {place}, which JSON does not have")
