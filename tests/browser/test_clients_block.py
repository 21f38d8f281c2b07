"""The block of clients in a report: what does not work is said at once, with its evidence."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from conformance.report import html
from tests.browser.conftest import Open
from tests.report.test_clients import a_run_for


@pytest.fixture
def page_file(tmp_path: Path) -> Path:
    path = tmp_path / "index.html"
    path.write_text(html.render(a_run_for()), "utf-8")
    return path


def test_reason_is_shown_before_anything_is_opened(opening: Open, page_file: Path) -> None:
    page = opening(page_file).page
    row = page.locator(".client-needs", has_text="The beta")
    expect(row.locator("summary .brief").first).to_have_text(
        "a stream with events", use_inner_text=True
    )
    expect(row.locator("li").first).not_to_be_visible()


def test_need_opens_with_its_evidence(opening: Open, page_file: Path) -> None:
    page = opening(page_file).page
    row = page.locator(".client-needs", has_text="The beta")
    row.locator("summary").first.click()
    expect(row.locator("li.unmet")).to_contain_text("It <stops>.")
    row.locator("li.unmet details.exchange > summary").click()
    expect(page.locator("#x-x2")).to_be_visible()


def test_evidence_leads_to_its_finding(opening: Open, page_file: Path) -> None:
    page = opening(page_file).page
    row = page.locator(".client-needs", has_text="The beta")
    row.locator("summary").first.click()
    row.locator("a", has_text="stop.five-refused").click()
    expect(page.locator("[id='stop.five-refused']")).to_be_visible()


def test_open_block_has_no_barriers(opening: Open, page_file: Path, axe: str) -> None:
    opened = opening(page_file, viewport={"width": 390, "height": 844})
    opened.page.evaluate(
        "document.querySelectorAll('#clients details').forEach(d => d.open = true)"
    )
    assert opened.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    opened.page.evaluate(axe)
    violations = opened.page.evaluate(
        "axe.run().then(found => found.violations.map(one => one.id + one.nodes[0].html))"
    )
    assert violations == []
