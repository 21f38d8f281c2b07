"""The lists of faults and variants, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reference_server.behaviour.registry import Fault, Variant, all_faults, all_variants


@dataclass(frozen=True)
class Listing:
    """A list in two formats."""

    entries: Sequence[Mapping[str, Any]]
    lines: Sequence[str]

    def text(self) -> str:
        """Lines of text."""
        return "".join(f"{line}\n" for line in self.lines)

    def json(self) -> str:
        """A JSON array of objects."""
        return json.dumps(self.entries, ensure_ascii=False, indent=1) + "\n"


def faults() -> Listing:
    """Every fault: what it does, what it breaks, the evidence for it, and its triggers."""
    known = all_faults().values()
    return Listing([_fault(fault) for fault in known], [_fault_line(fault) for fault in known])


def variants() -> Listing:
    """Every variant: what it does, and what it rejects."""
    known = all_variants().values()
    return Listing([_variant(one) for one in known], [_variant_line(one) for one in known])


def _fault(fault: Fault) -> dict[str, Any]:
    return {
        "name": fault.name,
        "area": fault.area,
        "requirements": list(fault.breaks),
        "also_breaks": list(fault.also_breaks),
        "evidence": fault.evidence.value,
        "summary": fault.summary,
        "tier": fault.tier.value,
        "shows": fault.shows.value,
        "contract": fault.contract,
        "dialect": fault.dialect,
        "modifiers": sorted(trigger.value for trigger in fault.triggers),
    }


def _variant(variant: Variant) -> dict[str, Any]:
    return {
        "name": variant.name,
        "area": variant.area,
        "summary": variant.summary,
        "refuses": list(variant.refuses),
        "may_be_inconclusive": variant.may_be_inconclusive,
        "contract": variant.contract,
        "dialect": variant.dialect,
    }


def _fault_line(fault: Fault) -> str:
    name = " ".join([fault.name, *(f"@{trigger}" for trigger in sorted(fault.triggers))])
    breaks = ", ".join(fault.breaks)
    also = f", also {', '.join(fault.also_breaks)}" if fault.also_breaks else ""
    return f"{name}\n    {fault.summary}\n    breaks {breaks}{also}; {fault.evidence.value}"


def _variant_line(variant: Variant) -> str:
    refuses = f"\n    rejects {', '.join(variant.refuses)}" if variant.refuses else ""
    return f"{variant.name}\n    {variant.summary}{refuses}"
