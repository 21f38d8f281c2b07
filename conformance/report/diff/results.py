"""``compare.json``: the comparison for programs, escaped to ASCII."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from conformance.model import Finding, Run
from conformance.report.diff.changes import Change, Changed
from conformance.report.diff.differences import Differences, Places
from conformance.report.diff.figures import Figures
from conformance.report.results import money_json

FORMAT = 1
"""Format version; incremented for incompatible changes."""


def render(result: Differences, places: Places) -> str:
    """Write the comparison as one JSON object."""
    then, now = result.figures
    document = {
        "format": FORMAT,
        "exit_code": int(result.exit_code),
        "headline": result.headline.en,
        "headline_zh": result.headline.zh,
        "sentence": result.sentence.en,
        "sentence_zh": result.sentence.zh,
        "notices": [{"en": notice.en, "zh": notice.zh} for notice in result.notices],
        "old": _run(result.old, then, places.old),
        "new": _run(result.new, now, places.new),
        "compared": result.compared,
        "unchanged": result.unchanged,
        "counts": {change.value: len(result.of(change)) for change in Change},
        "changes": [_change(changed) for changed in result.changes],
        "states": [
            {**asdict(turned), "worse": turned.is_worse, "better": turned.is_better}
            for turned in result.turned
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _run(run: Run, figures: Figures, page: str | None) -> Mapping[str, Any]:
    header = run.header
    return {
        "page": page,
        "conclusion": run.shown_conclusion.value,
        "base_url": header.base_url,
        "model": header.model,
        "contract": header.contract,
        "tier": header.tier.value,
        "select": list(header.select),
        "suite_version": header.suite_version,
        "started_at": header.started_at,
        **asdict(figures),
        "money": money_json(figures.money),
    }


def _change(changed: Changed) -> Mapping[str, Any]:
    return {
        "id": changed.finding.id,
        "change": changed.change.value,
        "was": _finding(changed.was),
        "now": _finding(changed.now),
    }


def _finding(finding: Finding | None) -> Mapping[str, Any] | None:
    if finding is None:
        return None
    return asdict(finding)
