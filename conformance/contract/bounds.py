"""Bound what a contract's schemas can cost, because an overlay may come from anyone.

The schemas are applied to bodies of an endpoint, which may come from someone else. So references
stay inside the description and are acyclic, and regular expressions take linear time.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

MAX_EXPANDED = 100_000
"""Nodes of one component, those behind references counted at each reference."""

MAX_PATTERN_CHARS = 500
MAX_WAYS = 100
"""Ways in which the bounded repeats and alternatives of a pattern can match one text."""

MAX_UNANCHORED_CHARS = 200
"""Characters that a pattern compares at each position of a text, if it may begin anywhere."""

_LOCAL = re.compile(r"#/components/schemas/([^/#%~]+)")
_ELSEWHERE = frozenset(
    {"$anchor", "$dynamicAnchor", "$dynamicRef", "$id", "$recursiveAnchor", "$recursiveRef"}
    | {"$schema"}
)
"""Keywords that change what a reference means."""


def assert_schemas_bounded(schemas: Schema) -> None:
    """Check the references and regular expressions of all components.

    Raises:
        ValueError: a reference leads out of the components or into a cycle, the schemas are too
            large when references are expanded, or a pattern may not be linear.
    """
    sizes: dict[str, int] = {}
    for name in schemas:
        _expanded(schemas, name, sizes, ())


def _expanded(schemas: Schema, name: str, sizes: dict[str, int], path: tuple[str, ...]) -> int:
    """Return the nodes of a component with all references expanded."""
    if name in path:
        cycle = " → ".join((*path[path.index(name) :], name))
        raise ValueError(f"the schema {name} refers to itself ({cycle})")
    if name not in sizes:
        nodes = 0
        for place, node in _mappings(schemas[name], name):
            nodes += 1 + len(node)
            _assert_keywords(node, place)
            target = _target(schemas, node, place)
            if target is not None:
                nodes += _expanded(schemas, target, sizes, (*path, name))
            if nodes > MAX_EXPANDED:
                raise ValueError(
                    f"the schema {name} has more than {MAX_EXPANDED:,} parts when its references "
                    "are expanded"
                )
        sizes[name] = nodes
    return sizes[name]


def _mappings(value: Any, place: str) -> Iterator[tuple[str, Schema]]:
    """Yield all objects below a value, each with its place."""
    if isinstance(value, Mapping):
        yield place, value
        for key, item in value.items():
            yield from _mappings(item, f"{place}.{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _mappings(item, f"{place}[{number}]")


def _target(schemas: Schema, node: Schema, place: str) -> str | None:
    reference = node.get("$ref")
    if not isinstance(reference, str):
        return None
    found = _LOCAL.fullmatch(reference)
    if found is None or found[1] not in schemas:
        raise ValueError(
            f"{place}.$ref is {reference[:100]!r}, but must be #/components/schemas/NAME of a "
            "schema in the description; other files and URLs are never read"
        )
    return found[1]


def _assert_keywords(node: Schema, place: str) -> None:
    for keyword in _ELSEWHERE & node.keys():
        is_a_name = isinstance(node[keyword], Mapping)  # of a property, not a keyword
        if not is_a_name:
            raise ValueError(f"{place}.{keyword} is not supported; use $ref alone")
    patterns = [node["pattern"]] if isinstance(node.get("pattern"), str) else []
    of_names = node.get("patternProperties")
    patterns += list(of_names) if isinstance(of_names, Mapping) else []
    for pattern in patterns:
        reason = why_not_linear(pattern)
        if reason:
            raise ValueError(
                f"{place} has the pattern {pattern[:100]!r}, which {reason}; it is applied to what "
                "an endpoint sends, so simplify it"
            )


# ── regular expressions ──────────────────────────────────────────────────────────────────────────

_parser: Any = importlib.import_module("re._parser")
"""The parser of :mod:`re`; the standard library has no public one."""

_ONE_CHARACTER = frozenset({"LITERAL", "NOT_LITERAL", "IN", "ANY"})
_REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})
_BEGINNINGS = frozenset({"AT_BEGINNING", "AT_BEGINNING_STRING"})


class _NotLinearError(ValueError):
    """A pattern may take more than linear time; the message is the predicate of a sentence."""


@dataclass(slots=True)
class _Cost:
    """What a pattern can cost."""

    unbounded: int = 0
    ways: int = 1
    characters: int = 0


def why_not_linear(pattern: str) -> str | None:
    """Return why a search for a pattern may take more than linear time; None if it cannot.

    Accepted are patterns with at most one unbounded repeat, of a single character or class, and
    only if they begin with ``^``. The answer is the predicate of a sentence.
    """
    if len(pattern) > MAX_PATTERN_CHARS:
        return f"has more than {MAX_PATTERN_CHARS} characters"
    cost = _Cost()
    try:
        parsed = list(_parser.parse(pattern))
        _add(parsed, cost)
    except (re.error, RecursionError, OverflowError):
        return "is not a regular expression"
    except _NotLinearError as error:
        return str(error)
    return _excess(cost, is_anchored=_is_anchored(parsed))


def _is_anchored(parsed: list[Any]) -> bool:
    if not parsed:
        return False
    kind, value = parsed[0]
    return _name(kind) == "AT" and _name(value) in _BEGINNINGS


def _excess(cost: _Cost, *, is_anchored: bool) -> str | None:
    reasons = (
        (cost.unbounded > 1, "has more than one unbounded repeat (*, + or {n,})"),
        (
            cost.unbounded and not is_anchored,
            "has an unbounded repeat (*, + or {n,}) but does not begin with ^",
        ),
        (cost.ways > MAX_WAYS, "can match in too many ways"),
        (
            cost.characters > MAX_UNANCHORED_CHARS and not is_anchored,
            "is long but does not begin with ^",
        ),
    )
    return next((reason for exceeds, reason in reasons if exceeds), None)


def _add(parsed: Any, cost: _Cost) -> None:
    """Add the cost of a sequence of parsed items."""
    for kind, value in parsed:
        name = _name(kind)
        if name in _ONE_CHARACTER:
            cost.characters += 1
        elif name == "SUBPATTERN":
            _add(value[-1], cost)
        elif name == "BRANCH":
            cost.ways *= len(value[1])
            for branch in value[1]:
                _add(branch, cost)
        elif name in _REPEATS:
            _add_repeat(value, cost)
        elif name != "AT":
            raise _NotLinearError("contains a back-reference or an assertion")


def _add_repeat(parsed: tuple[int, int, Any], cost: _Cost) -> None:
    least, most, repeated = parsed
    items = list(repeated)
    is_unbounded = most == _parser.MAXREPEAT
    if len(items) == 1 and _name(items[0][0]) in _ONE_CHARACTER:
        cost.unbounded += is_unbounded
        cost.ways *= 1 if is_unbounded else min(most, 10**6) - least + 1
        cost.characters += least if is_unbounded else most
        return
    inner = _Cost()
    _add(items, inner)
    is_simple = most == 1 or (least == most and inner.ways == 1)
    if inner.unbounded or is_unbounded or not is_simple:
        raise _NotLinearError("repeats a group")
    cost.ways *= inner.ways * (most - least + 1)
    cost.characters += inner.characters * most


def _name(constant: Any) -> str:
    return str(constant).rpartition(".")[2]
