"""Every dialect against every contract: the documents explain exactly the failures.

An exhaustive test is a column, so that the contracts share one server; by default two cells are
judged.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from conformance.contract import CONTRACTS
from conformance.model import Conclusion, Verdict
from reference_server.completions.dialects import DIALECTS
from tests.dialects.cells import Cell, judge_column
from tests.dialects.explanations import Unsettled, columns, deviations, load, settle
from tests.dialects.table import (
    LANGUAGES,
    PAGE,
    cell_text,
    column_in,
    rows_of,
    section,
    section_in,
)

DECIDED = set(Verdict) - {Verdict.INCONCLUSIVE, Verdict.ERROR}
FIRST_ROW = 4
"""Of a section: behind its title, a blank line and the two lines of the table's head."""
HOW = "if it is right, update it with `python -m tests.dialects.table`"


@pytest.mark.parametrize(("column", "contract"), [("eronmind", "zero"), ("zero", "gpt-ge")])
def test_deviations_of_a_cell_are_explained(column: str, contract: str) -> None:
    cells = judge_column(column, [contract])
    assert_explained(column, cells)

    shown = section_in(PAGE.read_text("utf-8"), column).splitlines()
    rows = section(cells, column, [contract]).splitlines()
    assert [line for line in shown if f"| `{contract}` |" in line] == rows[FIRST_ROW:], HOW
    for language in LANGUAGES:
        of_contract = column_in(language.document.read_text("utf-8"), column)
        shown_cell = of_contract[CONTRACTS.index(contract)]
        assert shown_cell == cell_text(cells[contract], contract, column, language), HOW


@pytest.mark.exhaustive
@pytest.mark.parametrize("column", columns())
def test_deviations_of_a_dialect_are_explained(column: str) -> None:
    cells = judge_column(column)
    own = cells[column.partition(", ")[0]]
    assert own.conclusion is Conclusion.CONFORMING
    assert not deviations(own.findings)
    assert_explained(column, cells)

    assert section_in(PAGE.read_text("utf-8"), column) == section(cells, column), HOW
    if column in CONTRACTS:
        for language in LANGUAGES:
            shown = column_in(language.document.read_text("utf-8"), column)
            assert shown == rows_of(cells, column, language), HOW


def assert_explained(column: str, cells: Mapping[str, Cell]) -> None:
    for contract, cell in cells.items():
        undecided = [(f.id, f.message) for f in cell.findings if f.verdict not in DECIDED]
        assert not undecided, contract
    findings = {contract: cell.findings for contract, cell in cells.items()}
    assert settle(load(column), findings) == Unsettled((), (), ())


def test_every_document_has_a_dialect_and_a_column() -> None:
    assert set(DIALECTS) == {"reference", *CONTRACTS}
    assert {column.partition(", ")[0] for column in columns()} == set(CONTRACTS)
