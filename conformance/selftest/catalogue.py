"""What the bundled server can show: its faults, its honest variants, and the dialects it speaks.

The server lists the first two as JSON, which is all that the suite knows of them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import cattrs

from conformance.model import Tier
from conformance.targets.bundled import REFERENCE

T = TypeVar("T")

LIVE = "openai"
"""The contract that any server is held to, and that the dialect serving everything keeps."""


class CatalogueError(Exception):
    """What the server lists cannot be read, in one sentence."""


class Shows(StrEnum):
    """How a run tells of a fault."""

    FAILURE = "deviation"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Fault:
    """One known way in which a server breaks a promise.

    Attributes:
        requirements: ids of those that it breaks; a run that accuses one of them has found it.
        evidence: how it is known that servers do this.
        statistical: only statistics over sampled answers can show it.
        contract: the contract under which it is judged.
        dialect: the dialect that shows it.
        modifiers: where it can hide and still be a fault (``stream``, ``every-third``, …).
        shows: whether it is told as a deviation or as a clean refusal.
    """

    name: str
    area: str
    requirements: tuple[str, ...]
    summary: str
    evidence: str = "required"
    statistical: bool = False
    contract: str = LIVE
    dialect: str = REFERENCE
    modifiers: tuple[str, ...] = ()
    shows: Shows = Shows.FAILURE

    def due(self, modifier: str | None) -> Tier:
        """The tier at which a run has to find it, shown everywhere or only where a modifier says.

        What shows always and in every answer, the standard tier has to find.
        """
        return Tier.DEEP if modifier or self.statistical else Tier.STANDARD


@dataclass(frozen=True, slots=True)
class Variant:
    """One freedom of a correct server, which no run may take for a fault.

    Attributes:
        refuses: the parameters that it cleanly declines.
        may_be_inconclusive: a run may be unable to judge all of it.
    """

    name: str
    summary: str
    refuses: tuple[str, ...] = ()
    may_be_inconclusive: bool = False
    contract: str = LIVE
    dialect: str = REFERENCE


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that the server can show."""

    faults: tuple[Fault, ...]
    variants: tuple[Variant, ...]


def read_catalogue(faults: str, variants: str) -> Catalogue:
    """Read the two lists as the server prints them.

    Raises:
        CatalogueError: a list is no JSON, or lacks what a fault or a variant has to tell.
    """
    return Catalogue(_records(faults, Fault), _records(variants, Variant))


def _records(text: str, kind: type[T]) -> tuple[T, ...]:
    try:
        return cattrs.structure(json.loads(text), tuple[kind, ...])  # type: ignore[valid-type]  # a type made at run time
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
