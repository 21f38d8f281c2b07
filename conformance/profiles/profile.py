"""A profile: one client, its requests and its needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_PIECE = re.compile(r"\{\{piece of ([a-z0-9-]+)\}\}")
"""Stands for a piece of the text that an earlier request returned."""


@dataclass(frozen=True, slots=True)
class ReadSource:
    """A file that the profile was read from: its repository, path, version, and the day."""

    repository: str
    file: str
    version: str
    date: str


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """One request as the client sends it.

    Attributes:
        name: its name within the profile.
        body: the body without ``model``.
        leave_after: the events after which the client closes the connection; None if it reads all.
    """

    name: str
    body: Mapping[str, Any]
    leave_after: int | None = None

    @property
    def pieces_of(self) -> frozenset[str]:
        """The names of the requests whose text the body has a piece of."""
        return frozenset(_names_in(self.body))

    def filled(self, piece: Callable[[str], str]) -> Mapping[str, Any]:
        """Return the body with the piece of each request that it names.

        Args:
            piece: returns the piece of a request, by its name.
        """
        filled: Mapping[str, Any] = _filled(self.body, piece)
        return filled


@dataclass(frozen=True, slots=True)
class Shown:
    """How a request shows a need: what the client reads of the response, by names of readings."""

    request: str
    reads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Need:
    """One thing without which the client does not work.

    Attributes:
        id: its id within the profile.
        says: the need in one sentence; ``says_zh`` is the same in Chinese.
        without: what the client does where it is unmet.
        shown_by: the requests that show it; empty if requirements do.
        requirements: ids of requirements, of each of which a check has to pass.
        checks: ids of checks that send nearly what the client sends: one that deviates or is
            rejected shows the need unmet.
    """

    id: str
    says: str
    says_zh: str
    without: str
    without_zh: str
    shown_by: tuple[Shown, ...]
    requirements: tuple[str, ...]
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """A client.

    Attributes:
        name: the name that ``--profile`` takes.
        title: the client's own name.
        about: what it is used for; ``about_zh`` is the same in Chinese.
        sources: the files that the profile was read from.
        requests: what the client sends, in order.
        needs: what it needs.
    """

    name: str
    title: str
    about: str
    about_zh: str
    sources: tuple[ReadSource, ...]
    requests: tuple[ClientRequest, ...]
    needs: tuple[Need, ...]

    @property
    def requirements(self) -> tuple[str, ...]:
        """The requirements that have to be checked for it, each once."""
        return tuple(dict.fromkeys(name for need in self.needs for name in need.requirements))

    @property
    def checks(self) -> tuple[str, ...]:
        """The checks that its needs name, each once."""
        return tuple(dict.fromkeys(name for need in self.needs for name in need.checks))


def _names_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _PIECE.findall(value)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _names_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names_in(inner)


def _filled(value: Any, piece: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return _PIECE.sub(lambda found: piece(found[1]), value)
    if isinstance(value, Mapping):
        return {name: _filled(inner, piece) for name, inner in value.items()}
    return [_filled(inner, piece) for inner in value] if isinstance(value, list) else value
