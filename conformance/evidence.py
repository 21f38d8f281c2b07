"""Which exchanges show what a judgement says: those that deviate, and their controls.

A check that compares responses says which is which with :class:`Evidence`. It does not handle
exchanges itself; :func:`noted` collects those that a block makes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from conformance.model import Exchange, Request, Role

_COLLECTING: ContextVar[tuple[list[Exchange], ...]] = ContextVar("_COLLECTING", default=())


@dataclass(frozen=True, slots=True)
class Evidence:
    """The exchanges that a judgement rests on, in order.

    Attributes:
        probes: those that deviate, the clearest first.
        controls: those that they are compared with.
    """

    probes: tuple[Exchange, ...]
    controls: tuple[Exchange, ...] = ()

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """All of them."""
        return (*self.probes, *self.controls)

    def roles_in(self, exchanges: Iterable[Exchange]) -> dict[str, Role]:
        """Return the roles of exchanges by id, without those whose role is unknown.

        Another exchange with the request of a probe or a control is a repeat.
        """
        roles: dict[str, Role] = {}
        seen: set[Request] = set()
        for role, group in ((Role.PROBE, self.probes), (Role.CONTROL, self.controls)):
            for exchange in group:
                if exchange.id not in roles:
                    roles[exchange.id] = Role.REPEAT if exchange.request in seen else role
                seen.add(exchange.request)
        for exchange in exchanges:
            if exchange.request in seen:
                roles.setdefault(exchange.id, Role.REPEAT)
        return roles


def compared(left: Sequence[Exchange], right: Sequence[Exchange]) -> Evidence | None:
    """Return the evidence of a comparison: the side that asks for more deviates from the other.

    That is ``right`` if its request has all parameters of ``left`` and more, otherwise ``left``.
    An exchange of both sides belongs to the first of them.
    """
    right = [exchange for exchange in right if exchange not in left]
    if not left:
        return Evidence(tuple(right)) if right else None
    if right and names_in(left[0]) < names_in(right[0]):
        left, right = right, left
    return Evidence(tuple(left), tuple(right))


@contextmanager
def noted() -> Iterator[list[Exchange]]:
    """Collect the exchanges that are made in a block, also in tasks that it starts, in order."""
    exchanges: list[Exchange] = []
    before = _COLLECTING.set((*_COLLECTING.get(), exchanges))
    try:
        yield exchanges
    finally:
        _COLLECTING.reset(before)


def note(exchange: Exchange) -> None:
    """Tell the blocks of :func:`noted` about an exchange."""
    for exchanges in _COLLECTING.get():
        exchanges.append(exchange)


def names_in(exchange: Exchange) -> frozenset[str]:
    """Return the names of the parameters that a request sends, even as null."""
    return frozenset(_body(exchange))


def differing(one: Exchange, other: Exchange) -> int:
    """Return in how many parameters two requests differ."""
    left, right = _body(one), _body(other)
    return sum(left.get(name, _ABSENT) != right.get(name, _ABSENT) for name in {*left, *right})


_ABSENT = object()


def _body(exchange: Exchange) -> dict[str, Any]:
    try:
        body = json.loads(exchange.request.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
