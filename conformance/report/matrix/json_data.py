"""``matrix.json``: the matrix for programs, escaped to ASCII."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from conformance.report.matrix.records import Cell, Matrix, Row
from conformance.report.results import money_json

FORMAT = 1
"""Format version; incremented for incompatible changes."""


def render(matrix: Matrix) -> str:
    """Write the matrix as one JSON object; a target that was not run has a null ``verdict``."""
    document = {
        "format": FORMAT,
        "sentence": matrix.sentence.en,
        "sentence_zh": matrix.sentence.zh,
        "parameters": list(matrix.parameters),
        "fields": list(matrix.fields),
        "common_contract_of": list(matrix.shared),
        "checks": {
            check.id: {"subject": subject.name, "title": check.title.en}
            for subject in matrix.subjects
            for check in subject.checks
        },
        "targets": [_row(row) for row in matrix.rows],
    }
    return json.dumps(document, indent=2) + "\n"


def _row(row: Row) -> Mapping[str, Any]:
    return {
        "name": row.name,
        "base_url": row.base_url or None,
        "model": row.model or None,
        "contract": row.contract,
        "document": row.document,
        "verdict": row.conclusion.value if row.conclusion else None,
        "sentence": row.sentence.en if row.conclusion else None,
        "because": row.because.en if row.because else None,
        "report": row.page,
        "tier": row.tier or None,
        "strict": row.strict,
        "suite_version": row.suite_version or None,
        "started_at": row.started_at or None,
        "elapsed": row.elapsed,
        "cost": {**asdict(row.cost), "tokens": row.cost.tokens} if row.cost else None,
        "money": money_json(row.money),
        "states": _states(row.cells),
        "common_verdict": row.common_conclusion.value if row.common_conclusion else None,
        "common_states": _states(row.common),
        "verdicts": {check: verdict.value for check, verdict in row.verdicts.items()},
    }


def _states(cells: Mapping[str, Cell]) -> Mapping[str, Any]:
    return {
        name: {
            "state": cell.state.value,
            "documented": cell.documented,
            "expected": cell.is_expected,
        }
        for name, cell in cells.items()
    }
