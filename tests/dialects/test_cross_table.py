"""Every dialect against every contract: what deviates is explained by the documents, exactly.

A test is a column, so that the six contracts share one server.
"""

from __future__ import annotations

import pytest

from conformance.contract import DOCUMENTS
from conformance.model import Conclusion, Verdict
from reference_server.dialects import DIALECTS
from tests.dialects.explaining import Unsettled, columns, deviations, load, settle
from tests.dialects.judging import judge_column
from tests.dialects.table import LANGUAGES, PAGE, column_in, rows_of, section, section_in

DECIDED = set(Verdict) - {Verdict.INCONCLUSIVE, Verdict.ERROR}
HOW = "if it is right, update it with `python -m tests.dialects.table`"


@pytest.mark.parametrize("column", columns())
def test_what_deviates_is_explained_by_the_documents(column: str) -> None:
    cells = judge_column(column)
    dialect = column.partition(", ")[0]

    for contract, cell in cells.items():
        undecided = [(f.id, f.message) for f in cell.findings if f.verdict not in DECIDED]
        assert not undecided, contract
    own = cells[dialect]
    assert own.conclusion is Conclusion.CONFORMING
    assert not deviations(own.findings)

    findings = {contract: cell.findings for contract, cell in cells.items()}
    assert settle(load(column), findings) == Unsettled((), (), ())

    assert section_in(PAGE.read_text("utf-8"), column) == section(cells, column), HOW
    if column in DOCUMENTS:
        for language in LANGUAGES:
            shown = column_in(language.document.read_text("utf-8"), column)
            assert shown == rows_of(cells, column, language), HOW


def test_every_document_has_a_dialect_and_a_column() -> None:
    assert set(DIALECTS) == {"reference", *DOCUMENTS}
    assert {column.partition(", ")[0] for column in columns()} == set(DOCUMENTS)
