"""Apply OpenAPI Overlays (OpenAPI Initiative, versions 1.0 and 1.1) to a document.

An overlay is an ordered list of actions. Each selects nodes by an RFC 9535 JSONPath and removes
them, or merges an ``update`` (or a ``copy`` of another node) into them: objects merge recursively,
arrays append, primitives replace. Both versions follow the rules of 1.1, which specifies what 1.0
leaves open.

One rule is stricter than the specification: an action whose target selects nothing is an error,
because in a contract it is a typing mistake.

The only maintained Python package for overlays, oas-patch 0.6, is not used: it depends on deepdiff
and jsonpath-ng, treats ``remove: false`` as a removal, and ignores targets that select nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

from jsonpath import JSONPathEnvironment, JSONPathError, JSONPathMatch

MAX_ACTIONS = 1_000
MAX_PATH_CHARS = 2_000
MAX_SELECTED = 10_000
MAX_DESCENTS = 50
"""Descendant segments (``..``) in all targets together; each visits the whole document."""

MAX_ADDED = 100_000
"""Nodes that all actions together may add, those behind YAML aliases counted at each alias."""

_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")


class _Environment(JSONPathEnvironment):
    """RFC 9535 without regular expressions, which could take exponential time."""

    def setup_function_extensions(self) -> None:
        """Remove ``match`` and ``search``."""
        super().setup_function_extensions()
        for name in ("match", "search"):
            self.function_extensions.pop(name, None)


_JSONPATH = _Environment(strict=True)
_VERSION = re.compile(r"1\.[01]\.\d+")
_ROOT_FIELDS = {"overlay", "info", "extends", "actions"}
_ACTION_FIELDS = {"target", "description", "update", "copy", "remove"}


class OverlayError(ValueError):
    """An overlay cannot be applied; the message says which action and why."""


def apply_overlay(document: Mapping[str, Any], overlay: object) -> dict[str, Any]:
    """Return a copy of ``document`` with the overlay's actions applied in order.

    ``extends`` is ignored.

    Raises:
        OverlayError: the overlay is malformed, selects nothing or does not fit the document.
    """
    result: dict[str, Any] = _copied(document)
    actions = _actions_of(overlay)
    _bound_descents(actions)
    left = MAX_ADDED
    for number, action in enumerate(actions, start=1):
        place = f"action {number} (target {action['target'][:200]})"
        try:
            left -= _apply(result, action, left)
        except (OverlayError, JSONPathError) as error:
            raise OverlayError(f"{place}: {error}") from error
        except RecursionError:
            raise OverlayError(f"{place}: makes the description nest too deeply") from None
    return result


def _bound_descents(actions: list[dict[str, Any]]) -> None:
    """Check that all targets together visit the document a bounded number of times."""
    descents = 0
    for number, action in enumerate(actions, start=1):
        for path in (action["target"], action.get("copy", "")):
            bare = _QUOTED.sub("''", path)
            descents += bare.count("..")
            filters = "?" in bare
            if (
                len(path) > MAX_PATH_CHARS
                or bare.count("..") > 2
                or (filters and (".." in bare or bare.count("$") > 1))
                or descents > MAX_DESCENTS
            ):
                raise OverlayError(
                    f"action {number}: the path {path[:100]} could take too long; write it without "
                    "repeated `..`, and without `..` or `$` in a filter"
                )


def _actions_of(overlay: object) -> list[dict[str, Any]]:
    """Validate an overlay's structure and return its actions."""
    if not isinstance(overlay, dict):
        raise OverlayError("an overlay must be a mapping with `overlay`, `info` and `actions`")
    _know_fields(overlay, _ROOT_FIELDS, "the overlay")
    if not _VERSION.fullmatch(str(overlay.get("overlay"))):
        raise OverlayError("`overlay` must be a format version such as 1.1.0")
    info = overlay.get("info")
    if not isinstance(info, dict) or not {"title", "version"} <= info.keys():
        raise OverlayError("`info` must have a `title` and a `version`")
    actions = overlay.get("actions")
    if not isinstance(actions, list) or not actions:
        raise OverlayError("`actions` must be a list with at least one action")
    if len(actions) > MAX_ACTIONS:
        raise OverlayError(f"`actions` has more than {MAX_ACTIONS:,} actions")
    for number, action in enumerate(actions, start=1):
        name = f"action {number}"
        if not isinstance(action, dict) or not isinstance(action.get("target"), str):
            raise OverlayError(f"{name} must be a mapping with a `target`, which is a JSONPath")
        _know_fields(action, _ACTION_FIELDS, name)
        if not isinstance(action.get("remove", False), bool):
            raise OverlayError(f"{name}: `remove` must be true or false")
        if not isinstance(action.get("copy", ""), str):
            raise OverlayError(f"{name}: `copy` must be a JSONPath")
        if not action.get("remove") and ("update" in action) == ("copy" in action):
            raise OverlayError(f"{name} must have one of `update`, `copy` and `remove: true`")
    return actions


def _know_fields(mapping: Mapping[str, Any], known: set[str], name: str) -> None:
    unknown = [key for key in mapping if key not in known and not str(key).startswith("x-")]
    if unknown:
        raise OverlayError(f"{name} has an unknown field `{unknown[0]}`")


def _apply(document: dict[str, Any], action: Mapping[str, Any], left: int) -> int:
    """Apply an action that may add ``left`` nodes, and return how many it added."""
    nodes = _select(document, action["target"])
    if not nodes:
        raise OverlayError("selects nothing")
    if action.get("remove"):
        _remove(nodes)
        return 0
    value = _value_of(document, action)
    added = _size(value, left // len(nodes)) * len(nodes)
    if added > left:
        raise OverlayError(f"the overlay adds more than {MAX_ADDED:,} values")
    if len({_kind(node.obj) for node in nodes}) > 1:
        raise OverlayError("selects nodes of different kinds (objects, arrays, primitives)")
    for node in nodes:
        _update(node, _copied(value))
    return added


def _size(value: Any, limit: int) -> int:
    """Count the nodes of a value, at most ``limit`` + 1; it may contain itself."""
    count, waiting = 0, [value]
    while waiting and count <= limit:
        one = waiting.pop()
        count += 1
        if isinstance(one, Mapping):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return count


def _select(document: dict[str, Any], path: str) -> list[JSONPathMatch]:
    """Return the selected nodes, each once, in the order of the query."""
    nodes: dict[Any, JSONPathMatch] = {}
    for node in islice(_JSONPATH.finditer(path, document), MAX_SELECTED + 1):
        nodes[node.parts] = node
    if len(nodes) > MAX_SELECTED:
        raise OverlayError(f"selects more than {MAX_SELECTED:,} nodes")
    return list(nodes.values())


def _value_of(document: dict[str, Any], action: Mapping[str, Any]) -> Any:
    if "update" in action:
        return action["update"]
    sources = _select(document, action["copy"])
    if len(sources) != 1:
        raise OverlayError(f"`copy` must select one node; {action['copy']} selects {len(sources)}")
    return sources[0].obj


def _remove(nodes: list[JSONPathMatch]) -> None:
    """Remove nodes from their parents; later array items first, so that indexes stay valid."""

    def position(node: JSONPathMatch) -> int:
        last = node.parts[-1] if node.parts else None
        return last if isinstance(last, int) else -1

    for node in sorted(nodes, key=position, reverse=True):
        holder, key = _place(node)
        del holder[key]


def _update(node: JSONPathMatch, value: Any) -> None:
    selected: Any = node.obj
    if isinstance(selected, list):
        selected.extend(value if isinstance(value, list) else [value])
    elif _kind(selected) != _kind(value):
        raise OverlayError(f"{_kind(selected)} cannot be updated with {_kind(value)}")
    elif isinstance(selected, dict):
        _merge(selected, value, node.path)
    else:
        holder, key = _place(node)
        holder[key] = value


def _place(node: JSONPathMatch) -> tuple[Any, Any]:
    """Return a node's parent, and its key or index there."""
    if node.parent is None:
        raise OverlayError("the whole document cannot be removed")
    return node.parent.obj, node.parts[-1]


def _merge(into: dict[str, Any], update: Mapping[str, Any], place: str) -> None:
    for key, value in update.items():
        here = f"{place}['{key}']"
        if key not in into:
            into[key] = value
            continue
        kind = _kind(into[key])
        if kind != _kind(value):
            raise OverlayError(f"{here} is {kind} and cannot be merged with {_kind(value)}")
        if isinstance(value, dict):
            _merge(into[key], value, here)
        elif isinstance(value, list):
            into[key].extend(value)
        else:
            into[key] = value


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    return "an array" if isinstance(value, list) else "a primitive"


def _copied(value: Any) -> Any:
    """Copy a tree deeply, without the shared nodes that YAML aliases create."""
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value
