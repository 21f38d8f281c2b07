"""Likely causes of deviations, and how to fix them.

The texts are data: those of an area are in its folder of checks, the others in this package. A
deviation is looked up by these keys, the most specific one first: the requirement with the effect
(``stop.string/refused``), the requirement, its area with the effect, the area, the effect alone
(``*/ignored``). So every new requirement has a likely cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from conformance.model import Effect, Finding, Verdict

__all__ = ["Cause", "cause_of", "causes", "likely_cause"]

GENERAL = "general.yaml"
"""The file for all areas and for several areas, in this package."""

DIAGNOSIS = "diagnosis.yaml"
"""The file for one area, in its folder of checks."""

ANY = "*"
"""Stands for all requirements in a key, as a fallback."""


@dataclass(frozen=True, slots=True)
class Cause:
    """The likely cause of a deviation and its fix, in English and Chinese.

    It is an assumption based on how gateways and inference servers are built, not a finding.
    """

    cause: str
    cause_zh: str
    remedy: str
    remedy_zh: str


def likely_cause(finding: Finding) -> Cause | None:
    """Return the likely cause of a finding; None if it is not a deviation."""
    if finding.verdict not in {Verdict.FAIL, Verdict.WARN}:
        return None
    return cause_of(finding.requirement, finding.effect or Effect.ALTERED)


def cause_of(requirement: str, effect: Effect) -> Cause:
    """Return the likely cause of breaking a requirement in one way.

    For a refusal only keys with that effect are used, because its causes are others than those of
    an incorrect response.
    """
    known = causes()
    area = requirement.partition(".")[0]
    keys = [f"{requirement}/{effect}", requirement, f"{area}/{effect}", area, f"{ANY}/{effect}"]
    if effect is Effect.REFUSED:
        keys = [key for key in keys if key.endswith(f"/{effect}")]
    return next(known[key] for key in keys if key in known)


_LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def causes() -> Mapping[str, Cause]:
    """Read all entries by key.

    Raises:
        ValueError: two entries have the same key.
    """
    found: dict[str, Cause] = {}
    for key, cause in _entries():
        if key in found:
            raise ValueError(f"two causes are given for {key}")
        found[key] = cause
    return found


def _entries() -> Iterator[tuple[str, Cause]]:
    areas = sorted((files("conformance") / "checks").iterdir(), key=lambda area: area.name)
    known = [files(__name__) / GENERAL, *(area / DIAGNOSIS for area in areas)]
    for file in (file for file in known if file.is_file()):
        rows: list[dict[str, Any]] = yaml.load(
            file.read_text(encoding="utf-8"),
            Loader=_LOADER,  # noqa: S506 - both are safe
        )
        for row in rows:
            keys = row.pop("for")
            yield from ((key, Cause(**row)) for key in keys)
