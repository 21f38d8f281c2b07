"""The page of public reports is what the catalogue says."""

from __future__ import annotations

from reference_server.behaviour.registry import Evidence, all_faults
from reference_server.behaviour.reports import sources_of
from reference_server.faults._unseen import UNSEEN
from tests.public_reports import PAGE, page


def test_page_is_written_from_the_catalogue() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `python -m tests.public_reports`"


def test_a_report_is_no_invention() -> None:
    invented = [
        fault.name
        for fault in all_faults().values()
        if sources_of(fault) and fault.evidence == Evidence.REQUIRED
    ]
    assert invented == []


def test_what_is_not_found_has_a_reason() -> None:
    assert all(one.does and one.sources and one.because for one in UNSEEN)
    assert len({one.does for one in UNSEEN}) == len(UNSEEN)
