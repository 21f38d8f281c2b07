"""The bundled server's faults and conforming variants.

The server lists them as JSON, which is all that the suite knows about them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import cattrs
from cattrs.gen import make_dict_structure_fn, override

from conformance.model import Tier
from conformance.targets.bundled import REFERENCE

T = TypeVar("T")

LIVE = "openai"
"""The default contract, to which the server's default dialect conforms."""


class CatalogueError(Exception):
    """The server's list cannot be read; the message is one sentence."""


class Shows(StrEnum):
    """How a fault shows in a run: as a failed check or as a refusal."""

    FAILURE = "deviation"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of the bundled server.

    Attributes:
        name: the name, as in ``reference-server --fault NAME``.
        area: the area that it is filed under.
        requirements: ids of the requirements that it breaks, its own first. A run that reports one
            of them has detected it.
        summary: what the server does, in one sentence.
        evidence: how it is known that servers do this.
        tier: the cheapest tier that has to detect it, if no trigger hides it.
        contract: the contract to test against.
        dialect: the dialect in which the server shows it.
        triggers: the triggers under which it is still a fault (``stream``, ``every-third``, …);
            the server lists them as ``modifiers``.
        shows: whether it shows as a failure or as a refusal.
        also_breaks: globs of requirements that it truly breaks as well. A report of one of them is
            true, but does not detect the fault.
    """

    name: str
    area: str
    requirements: tuple[str, ...]
    summary: str
    evidence: str = "required"
    tier: Tier = Tier.STANDARD
    contract: str = LIVE
    dialect: str = REFERENCE
    triggers: tuple[str, ...] = ()
    shows: Shows = Shows.FAILURE
    also_breaks: tuple[str, ...] = ()

    def due(self, trigger: str | None) -> Tier:
        """Return the cheapest tier that has to detect it: the deep one if a trigger hides it.

        Args:
            trigger: the trigger, or None.
        """
        return Tier.DEEP if trigger else self.tier


@dataclass(frozen=True, slots=True)
class Variant:
    """One conforming variation of the bundled server; a failure is a false positive.

    Attributes:
        name: the name, as in ``reference-server --variant NAME``.
        summary: what the server does, in one sentence.
        refuses: the parameters that it rejects, as it may.
        may_be_inconclusive: whether inconclusive checks are acceptable.
        contract: the contract to test against.
        dialect: the dialect in which the server shows it.
        area: the area that it is filed under.
    """

    name: str
    summary: str
    refuses: tuple[str, ...] = ()
    may_be_inconclusive: bool = False
    contract: str = LIVE
    dialect: str = REFERENCE
    area: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All faults and variants of the server."""

    faults: tuple[Fault, ...]
    variants: tuple[Variant, ...]


_CONVERTER = cattrs.Converter()
_CONVERTER.register_structure_hook(
    Fault, make_dict_structure_fn(Fault, _CONVERTER, triggers=override(rename="modifiers"))
)


def read_catalogue(faults: str, variants: str) -> Catalogue:
    """Parse the two lists as the server prints them.

    Raises:
        CatalogueError: a list is not valid JSON or lacks a member.
    """
    return Catalogue(_records(faults, Fault), _records(variants, Variant))


def _records(text: str, kind: type[T]) -> tuple[T, ...]:
    try:
        return _CONVERTER.structure(json.loads(text), tuple[kind, ...])  # type: ignore[valid-type]  # a type made at run time
    except (cattrs.BaseValidationError, ValueError, TypeError) as error:
        result = (
            "; ".join(cattrs.transform_error(error))
            if isinstance(error, cattrs.BaseValidationError)
            else str(error)
        )
        what = kind.__name__.lower()
        raise CatalogueError(
            f"the bundled server's list of {what}s cannot be read: {result}"
        ) from None
