"""Every dialect against every contract: the documents explain exactly the failures.

By default each server of today is judged by its own contract, and a sample of the other cells is
drawn from the pages as they are, so that another version draws others. An exhaustive test is a
column.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

import pytest

from conformance.contract import CONTRACTS, LIVING
from conformance.model import Conclusion, Verdict
from reference_server.completions.dialects import DIALECTS
from tests.dialects.cells import Cell, Judge, judge
from tests.dialects.explanations import Unsettled, columns, deviations, idle, load, settle
from tests.dialects.table import (
    ENGLISH,
    LANGUAGES,
    entry_of,
    guide_table,
    page_of,
    with_table,
    written,
)

DECIDED = set(Verdict) - {Verdict.INCONCLUSIVE, Verdict.ERROR}
HOW = "if it is right, update it with `python -m tests.dialects.table`"
SAMPLE = 3


@pytest.fixture(scope="module")
def judging() -> Iterator[Judge]:
    with judge() as one:
        yield one


def drawn() -> list[tuple[str, str]]:
    cells = [(column, contract) for column in columns() for contract in CONTRACTS]
    others = [cell for cell in cells if cell[0].partition(", ")[0] != cell[1]]
    return random.Random(ENGLISH.page.read_text("utf-8")).sample(others, SAMPLE)


@pytest.mark.parametrize("name", LIVING)
def test_living_dialect_conforms_to_its_contract(judging: Judge, name: str) -> None:
    cell = judging.cell(name, name)
    assert_conforms(cell)
    # What is refused is mentioned by the document, and this server does not have it.
    refused = [f.seen or str(f.message) for f in cell.findings if f.verdict is Verdict.REFUSED]
    assert [seen for seen in refused if "not supported for this model" not in seen] == []


@pytest.mark.parametrize(("column", "contract"), drawn())
def test_deviations_of_a_cell_are_explained(judging: Judge, column: str, contract: str) -> None:
    assert_explained(column, {contract: judging.cell(column, contract)})


@pytest.mark.exhaustive
@pytest.mark.parametrize("column", columns())
def test_deviations_of_a_dialect_are_explained(judging: Judge, column: str) -> None:
    cells = judging.column(column)
    assert_conforms(cells[column.partition(", ")[0]])
    assert_explained(column, cells)
    assert not idle(load(column), {name: cell.findings for name, cell in cells.items()})


def test_pages_are_made_of_their_entries() -> None:
    entries = written()
    for language in LANGUAGES:
        assert language.page.read_text("utf-8") == page_of(entries, language), HOW
        guide = language.guide.read_text("utf-8")
        assert guide == with_table(guide, guide_table(entries, language)), HOW


def test_every_document_has_a_dialect_and_a_column() -> None:
    assert set(DIALECTS) == {"reference", *CONTRACTS}
    assert {column.partition(", ")[0] for column in columns()} == set(CONTRACTS)


def assert_conforms(cell: Cell) -> None:
    assert [(f.id, f.seen or f.message) for f in deviations(cell.findings)] == []
    assert cell.conclusion is Conclusion.CONFORMING


def assert_explained(column: str, cells: Mapping[str, Cell]) -> None:
    entries = written()
    for contract, cell in cells.items():
        undecided = [(f.id, f.message) for f in cell.findings if f.verdict not in DECIDED]
        assert not undecided, contract
        assert settle(load(column), {contract: cell.findings}) == Unsettled((), ())
        assert entries[column, contract] == entry_of(cell, column, contract), HOW
