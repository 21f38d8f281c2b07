"""Faults and variants by name, discovered in ``faults/`` and ``variants/``.

    @fault("total-mismatch", breaks="usage.total-is-sum", evidence=Evidence.REPORTED)
    def total_mismatch() -> Behaviour:
        \"\"\"``total_tokens`` is too high by three.\"\"\"
        return usage(lambda request, usage: {"total_tokens": usage["total_tokens"] + 3})

The function is called for every server, so that each has its own state. Its docstring is the
summary that ``--list-faults`` and ``--list-variants`` print.
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
from reference_server.behaviour.triggers import ALL_TRIGGERS, Trigger, triggered

Make = Callable[[], Behaviour]

NOTHING = "none"
"""The name of the behaviour that changes nothing."""


class Evidence(StrEnum):
    """How it is known that real servers have a fault."""

    REPORTED = "reported"
    """Reported publicly for a completions endpoint."""
    SOURCE = "source"
    """Found in the source code of a relay or a server."""
    SIBLING = "sibling"
    """Reported for another endpoint of the same relays."""
    REQUIRED = "required"
    """No report is known; the contract forbids it."""


class Tier(StrEnum):
    """The tiers of the suite that a fault can name."""

    STANDARD = "standard"
    DEEP = "deep"
    """For a fault that takes many samples, many requests at once, or a request that is worth little
    elsewhere."""


class Shows(StrEnum):
    """The verdict that shows a fault."""

    FAILURE = "deviation"
    REFUSED = "refused"
    """A clean refusal, a separate verdict if the contract does not promise the parameter."""


@dataclass(frozen=True)
class Fault:
    """One named way to break a requirement.

    Attributes:
        breaks: ids of the requirements that it breaks, its own first; a run must find one of them.
        also_breaks: globs of requirements that it truly breaks on the wire as well. A report of one
            is true, but does not detect the fault.
        triggers: the triggers under which it still breaks that requirement.
        tier: the cheapest tier that has to detect it, without a trigger.
        contract: the contract with the requirement.
        dialect: the dialect that shows it.
    """

    name: str
    area: str
    breaks: tuple[str, ...]
    evidence: Evidence
    summary: str
    make: Make
    triggers: frozenset[Trigger] = ALL_TRIGGERS
    tier: Tier = Tier.STANDARD
    shows: Shows = Shows.FAILURE
    contract: str = "openai"
    dialect: str = "reference"
    also_breaks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Variant:
    """One named behaviour that differs from the server's default and conforms.

    Attributes:
        refuses: parameters that it rejects.
        may_be_inconclusive: whether checks may be inconclusive (429, 502, instability).
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
    also_breaks: str = "",
    evidence: Evidence = Evidence.REQUIRED,
    triggers: Collection[Trigger] = ALL_TRIGGERS,
    tier: Tier = Tier.STANDARD,
    shows: Shows = Shows.FAILURE,
    contract: str = "openai",
    dialect: str = "reference",
) -> Callable[[Make], Make]:
    """Register the decorated function as a fault.

    ``breaks`` and ``also_breaks`` are lists, separated by spaces.
    """

    def register(make: Make) -> Make:
        _faults[_new(name)] = Fault(
            name,
            _area(make),
            tuple(breaks.split()),
            evidence,
            _summary(name, make),
            make,
            frozenset(triggers),
            tier,
            shows,
            contract,
            dialect,
            tuple(also_breaks.split()),
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
    """Register the decorated function as a variant; ``refuses`` is a list, separated by spaces."""

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
    # A module that was imported earlier has registered its behaviours earlier.
    ordered = sorted(known.values(), key=lambda entry: entry.make.__module__)
    return {entry.name: entry for entry in ordered}


class UnknownBehaviourError(Exception):
    """There is no such behaviour; the message is a sentence for the user."""


def behaviour(spec: str) -> Behaviour:
    """Create a behaviour from ``NAME``, ``NAME@TRIGGER``, or several joined by ``+``.

    The first of several is next to the client. ``none`` changes nothing.

    Raises:
        UnknownBehaviourError: a name or a trigger is unknown.
    """
    return chained([_one(part) for part in spec.split("+") if part != NOTHING])


def chained(behaviours: Iterable[Behaviour]) -> Behaviour:
    """Chain behaviours, the first one next to the client."""
    first, *rest = [*behaviours] or [untouched]
    return _Chain(first, chained(rest)) if rest else first


async def untouched(request: ClientRequest, upstream: Upstream) -> ServerResponse:
    """The server's own behaviour."""
    return await upstream(request)


UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)
"""What is raised by reading a response that another behaviour has made unreadable, or of which it
has taken a member."""


class _Chain:
    """Two behaviours, of which the second can hide the first.

    A response that the second has changed, so that the first cannot read it, passes the first
    unchanged: no server fails because it has both. Any other exception is a mistake in a behaviour.
    """

    def __init__(self, first: Behaviour, second: Behaviour) -> None:
        self._first = first
        self._second = second

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        right: list[ServerResponse] = []
        changed = False

        async def behind(inner: ClientRequest) -> ServerResponse:
            nonlocal changed
            response = await self._second(inner, noted)
            changed |= response not in right
            return response

        async def noted(inner: ClientRequest) -> ServerResponse:
            right.append(await upstream(inner))
            return right[-1]

        try:
            return await self._first(request, behind)
        except UNREADABLE:
            if not changed:
                raise
            return await self._second(request, upstream)


def _one(spec: str) -> Behaviour:
    name, *triggers = spec.split("@")
    known = all_faults().get(name) or all_variants().get(name)
    if known is None:
        raise UnknownBehaviourError(f"unknown fault or variant {name!r}")
    made = known.make()
    for trigger in triggers:
        if trigger not in ALL_TRIGGERS:
            triggers_known = ", ".join(f"@{one}" for one in Trigger)
            raise UnknownBehaviourError(
                f"unknown trigger @{trigger}; the triggers are {triggers_known}"
            )
        made = triggered(made, Trigger(trigger))
    return made


def _new(name: str) -> str:
    if name in _faults or name in _variants:
        raise ValueError(f"{name}: two behaviours have this name")
    return name


def _area(make: Make) -> str:
    """The file or the folder below ``faults`` or ``variants`` that contains the function."""
    return make.__module__.split(".")[2].replace("_", "-")


def _summary(name: str, make: Make) -> str:
    result = inspect.getdoc(make)
    if not result:
        raise ValueError(f"{name}: the docstring is missing; it is the summary")
    return " ".join(result.split("\n\n")[0].split())


def _import(package: str) -> None:
    found = importlib.import_module(package)
    for module in pkgutil.walk_packages(found.__path__, f"{package}."):
        importlib.import_module(module.name)
