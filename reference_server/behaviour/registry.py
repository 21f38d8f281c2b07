"""Faults and variants by name: found by being there, in ``faults/`` and ``variants/``.

    @fault("total-mismatch", breaks="usage.total-is-sum", evidence=Evidence.REPORTED)
    def total_mismatch() -> Behaviour:
        \"\"\"``total_tokens`` is three more than its parts.\"\"\"
        return usage(lambda asked, bill: {"total_tokens": bill["total_tokens"] + 3})

The function makes the behaviour anew for every server that is to show it, so that what it remembers
is its own; its docstring is the summary that people read.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TypeVar

from reference_server.behaviour.messages import Behaviour, ClientRequest, ServerResponse, Upstream
from reference_server.behaviour.triggers import EVERYWHERE, Modifier, narrowed

Make = Callable[[], Behaviour]

NOTHING = "none"
"""The name of the behaviour that changes nothing."""


class Evidence(StrEnum):
    """How it is known that servers do this."""

    REPORTED = "reported"
    """Reported of a completions endpoint in public."""
    SOURCE = "source"
    """Read in the code of a relay or a server."""
    SIBLING = "sibling"
    """Reported of a sibling endpoint of the same relays."""
    REQUIRED = "required"
    """No report is known; the contract forbids it."""


class Shows(StrEnum):
    """How a run tells of a fault."""

    FAILURE = "deviation"
    REFUSED = "refused"
    """As a clean refusal, which is a state of its own where the contract leaves that open."""


@dataclass(frozen=True)
class Fault:
    """One named way to break a promise.

    Attributes:
        breaks: ids of the requirements that it breaks, of which a run must find one.
        modifiers: under which of them it still breaks that promise.
        statistical: only statistics over sampled answers can show it.
        contract: the contract that makes the promise.
        dialect: the dialect that shows it.
    """

    name: str
    area: str
    breaks: tuple[str, ...]
    evidence: Evidence
    summary: str
    make: Make
    modifiers: frozenset[Modifier] = EVERYWHERE
    statistical: bool = False
    shows: Shows = Shows.FAILURE
    contract: str = "openai"
    dialect: str = "reference"


@dataclass(frozen=True)
class Variant:
    """One freedom that a correct server has.

    Attributes:
        refuses: parameters that it cleanly declines.
        may_be_inconclusive: whether a run may be unable to judge all of it (429, 502, instability).
    """

    name: str
    area: str
    summary: str
    make: Make
    refuses: tuple[str, ...] = ()
    may_be_inconclusive: bool = False
    contract: str = "openai"
    dialect: str = "reference"


Known = TypeVar("Known", Fault, Variant)

_faults: dict[str, Fault] = {}
_variants: dict[str, Variant] = {}


def fault(
    name: str,
    *,
    breaks: str,
    evidence: Evidence = Evidence.REQUIRED,
    modifiers: Collection[Modifier] = EVERYWHERE,
    statistical: bool = False,
    shows: Shows = Shows.FAILURE,
    contract: str = "openai",
    dialect: str = "reference",
) -> Callable[[Make], Make]:
    """Register the decorated maker as a fault; ``breaks`` is a list of ids with spaces between."""

    def register(make: Make) -> Make:
        _faults[_new(name)] = Fault(
            name,
            _area(make),
            tuple(breaks.split()),
            evidence,
            _summary(name, make),
            make,
            frozenset(modifiers),
            statistical,
            shows,
            contract,
            dialect,
        )
        return make

    return register


def variant(
    name: str,
    *,
    refuses: str = "",
    may_be_inconclusive: bool = False,
    contract: str = "openai",
    dialect: str = "reference",
) -> Callable[[Make], Make]:
    """Register the decorated maker as a variant; ``refuses`` is a list with spaces between."""

    def register(make: Make) -> Make:
        _variants[_new(name)] = Variant(
            name,
            _area(make),
            _summary(name, make),
            make,
            tuple(refuses.split()),
            may_be_inconclusive,
            contract,
            dialect,
        )
        return make

    return register


@cache
def all_faults() -> dict[str, Fault]:
    """Every fault by its name, in the order of areas, then of files and of lines."""
    _import("reference_server.faults")
    return _by_area(_faults)


@cache
def all_variants() -> dict[str, Variant]:
    """Every variant by its name, in the order of areas, then of files and of lines."""
    _import("reference_server.variants")
    return _by_area(_variants)


def _by_area(known: dict[str, Known]) -> dict[str, Known]:
    # A file that was imported before its turn has registered its own too early.
    ordered = sorted(known.values(), key=lambda entry: entry.make.__module__)
    return {entry.name: entry for entry in ordered}


class UnknownBehaviourError(Exception):
    """There is no such behaviour; the message is a sentence for the user."""


def behaviour(spec: str) -> Behaviour:
    """Make what a name stands for: ``NAME``, ``NAME@MODIFIER``, or several joined by ``+``.

    Of several the first is next to the client. ``none`` changes nothing.

    Raises:
        UnknownBehaviourError: a part of it is not known.
    """
    return chained([_one(part) for part in spec.split("+") if part != NOTHING])


def chained(behaviours: Iterable[Behaviour]) -> Behaviour:
    """Put behaviours one behind the other, the first next to the client."""
    first, *rest = [*behaviours] or [untouched]
    return _Chain(first, chained(rest)) if rest else first


async def untouched(request: ClientRequest, upstream: Upstream) -> ServerResponse:
    """The behaviour of the server proper."""
    return await upstream(request)


class _Chain:
    def __init__(self, first: Behaviour, second: Behaviour) -> None:
        self._first = first
        self._second = second

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        async def behind(inner: ClientRequest) -> ServerResponse:
            return await self._second(inner, upstream)

        return await self._first(request, behind)


def _one(spec: str) -> Behaviour:
    name, *modifiers = spec.split("@")
    known = all_faults().get(name) or all_variants().get(name)
    if known is None:
        raise UnknownBehaviourError(f"there is no fault and no variant called {name!r}")
    made = known.make()
    for modifier in modifiers:
        if modifier not in EVERYWHERE:
            there_are = ", ".join(Modifier)
            raise UnknownBehaviourError(f"@{modifier} is no modifier; there are: {there_are}")
        made = narrowed(made, Modifier(modifier))
    return made


def _new(name: str) -> str:
    if name in _faults or name in _variants:
        raise ValueError(f"{name}: there are two behaviours of this name")
    return name


def _area(make: Make) -> str:
    """The file or the folder below ``faults`` or ``variants`` that the function stands in."""
    return make.__module__.split(".")[2].replace("_", "-")


def _summary(name: str, make: Make) -> str:
    result = inspect.getdoc(make)
    if not result:
        raise ValueError(f"{name}: the docstring is what people read; write one")
    return " ".join(result.split("\n\n")[0].split())


def _import(package: str) -> None:
    found = importlib.import_module(package)
    for module in pkgutil.walk_packages(found.__path__, f"{package}."):
        importlib.import_module(module.name)
