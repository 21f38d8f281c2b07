"""The site of a history, opened from disk in a real browser."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import expect

from conformance.history import History, Index
from conformance.history.site import Options, files
from conformance.history.store import INDEX
from tests.browser.conftest import Open
from tests.history.simulated import a_year, write_records
from tests.lanes import by_default

PAGES = ("index.html", "targets/vendor-001.html")
ALL = [
    " ".join(words) for words in product(PAGES, ("390", "1440"), ("light", "dark"), ("en", "zh"))
]
OFTEN = [f"{PAGES[0]} 1440 light en", f"{PAGES[1]} 390 dark zh"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a hundred days of six targets."""
    folder = tmp_path_factory.mktemp("history")
    year = a_year(6, 100, seed=3)
    with Index(folder / INDEX) as index, index.changing():
        for entry in year.entries:
            index.put(entry)
    write_records(folder, year.entries)
    out = folder / "site"
    for file in files(History(folder), year.entries, out, Options(reports=True), pytest.fail):
        assert file.text is not None
        path = out / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, "utf-8")
    return out


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_change_is_followed_to_its_report(opening: Open, site: Path, script: bool) -> None:
    opened = opening(site / "index.html", java_script_enabled=script)
    page = opened.page
    expect(page.locator("h1")).to_contain_text("6 targets: ")
    expect(page.locator(".map tbody tr")).to_have_count(6)
    page.locator(".latest li:has(.turns.bad) a").first.click()
    change = page.locator(".changes li:target")
    expect(change).to_be_in_viewport()
    check = change.locator("code").first.inner_text()
    change.get_by_role("link", name=check).first.click()
    expect(page.locator(f'[id="{check}"]')).to_be_in_viewport()
    assert opened.noise == []
    assert [url for url in opened.requests if not url.startswith("file://")] == []


@pytest.mark.parametrize("look", by_default(OFTEN, ALL))
def test_pages_are_accessible_and_fit(opening: Open, site: Path, axe: str, look: str) -> None:
    place, size, scheme, language = look.split()
    viewport = {"width": int(size), "height": 900}
    opened = opening(site / place, "", f"lang={language}", viewport=viewport, color_scheme=scheme)
    opened.unfold()
    assert opened.page.evaluate("document.documentElement.scrollWidth") == int(size)
    opened.page.evaluate(axe)
    found = opened.page.evaluate("axe.run()")
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    assert opened.noise == []


def test_bars_fill_the_width_of_a_phone(opening: Open, site: Path) -> None:
    page = opening(site / "index.html", viewport={"width": 390, "height": 844}).page
    box = page.locator(".strip").first.bounding_box()
    assert box is not None
    assert box["width"] > 300
    assert box["x"] + box["width"] <= 390
