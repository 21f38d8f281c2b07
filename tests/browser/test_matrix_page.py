"""The matrix of many targets, opened from disk in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from conformance.model import Common
from conformance.record.ndjson import read_run
from conformance.report import formats
from conformance.report.matrix import Recorded, files, matrix_of
from tests.browser.conftest import Open
from tests.lanes import by_default
from tests.report.hostile import ATTACKS, a_hostile_run
from tests.report.matrix.factory import DOCUMENTS, many_runs

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
SHOWN = [(scheme, language) for scheme in ("light", "dark") for language in ("en", "zh")]
TARGETS, CHECKS = 8, 80


@pytest.fixture(scope="module")
def matrix_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight targets, and the page of each run beside the matrix."""
    folder = tmp_path_factory.mktemp("matrix")
    recorded = many_runs(TARGETS, CHECKS)
    for one in recorded:
        assert one.run is not None
        (folder / one.name).mkdir()
        page = formats()["html"].render(one.run)
        (folder / one.name / "index.html").write_text(page, encoding="utf-8")
    path = folder / "index.html"
    path.write_text(files()["html"].render(matrix_of(recorded, DOCUMENTS)), encoding="utf-8")
    return path


@pytest.fixture(params=[True, False], ids=["with script", "without"])
def script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def table(page: Page, heading: str) -> Locator:
    return page.get_by_role("region", name=heading, exact=True).locator("table")


def names(page: Page) -> list[str]:
    """The targets that are shown, from left to right."""
    return table(page, "Parameters").locator("thead th:visible .target").all_inner_texts()


def lines(page: Page) -> list[str]:
    """The parameters that are shown, from top to bottom."""
    return table(page, "Parameters").locator("tbody tr:visible th").all_inner_texts()


def test_switch_shows_the_common_contract(opening: Open, tmp_path: Path, script: bool) -> None:
    common = Common(DOCUMENTS, frozenset({"stop.at-most-four"}), frozenset({"stop", "n"}))
    path = tmp_path / "index.html"
    made = matrix_of(many_runs(3, 40), DOCUMENTS, common)
    path.write_text(files()["html"].render(made), encoding="utf-8")
    page = opening(path, java_script_enabled=script, viewport=PHONE).page
    expect(page.locator("#parameters")).to_be_visible()
    expect(page.locator("#common-parameters")).to_be_hidden()
    page.locator("#contract-common").check()
    expect(page.locator("#common-parameters")).to_be_visible()
    expect(page.locator("#parameters")).to_be_hidden()
    rows = page.get_by_role("region", name="Parameters, common contract", exact=True)
    shown = rows.locator("tbody th").all_inner_texts()
    assert sorted(name.strip() for name in shown) == ["n", "stop"]


def test_page_is_readable_without_scripts(opening: Open, matrix_file: Path, script: bool) -> None:
    opened = opening(matrix_file, java_script_enabled=script)
    page = opened.page
    expect(page.locator("h1")).to_contain_text("8 targets: ")
    expect(table(page, "Parameters")).to_be_in_viewport()
    assert names(page) == [f"vendor-{place}" for place in range(TARGETS)]
    assert "altered" in table(page, "Parameters").inner_text()
    expect(page.locator("#filters")).to_be_visible(visible=script)
    expect(page.locator(".sort")).to_have_count(page.locator("[data-sort]").count() * script)
    assert opened.noise == []
    assert [url for url in opened.requests if not url.startswith("file://")] == []


def test_desk_shows_every_target_and_the_worst_first(opening: Open, matrix_file: Path) -> None:
    page = opening(matrix_file, viewport=DESK).page
    region = page.get_by_role("region", name="Parameters", exact=True)
    assert region.evaluate("region => region.scrollWidth <= region.clientWidth")
    expect(region.locator("td.altered, td.ignored").first).to_be_in_viewport()
    ranks = region.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => Math.min(4, ...[...row.cells].slice(1).map("
        "cell => Number(cell.dataset.rank))))"
    )
    assert ranks == sorted(ranks)


def test_phone_shows_three_targets_beside_the_name(opening: Open, matrix_file: Path) -> None:
    page = opening(matrix_file, viewport=PHONE).page
    for place in range(4):
        expect(table(page, "Parameters").locator("thead th").nth(place)).to_be_visible()
    third = table(page, "Parameters").locator("thead th").nth(3).bounding_box()
    assert third is not None
    assert third["x"] + third["width"] <= PHONE["width"]


def test_name_links_to_its_checks(opening: Open, matrix_file: Path) -> None:
    page = opening(matrix_file).page
    checks = page.get_by_role("region", name="stop", exact=True)
    expect(checks).to_be_hidden()
    table(page, "Parameters").get_by_role("link", name="stop", exact=True).click()
    expect(checks).to_be_in_viewport()
    assert "pass" in checks.inner_text()


def test_failure_links_to_its_evidence_in_the_report(opening: Open, matrix_file: Path) -> None:
    page = opening(matrix_file).page
    cell = table(page, "Parameters").locator("td.altered a").first
    evidence = (cell.get_attribute("href") or "").partition("#")[2]
    cell.click()
    assert "/vendor-" in page.url
    expect(page.locator(f'[id="{evidence}"]')).to_be_in_viewport()


def test_target_filter_keeps_matching_targets(opening: Open, matrix_file: Path) -> None:
    opened = opening(matrix_file)
    page = opened.page
    page.locator("[name=target]").fill("VENDOR-3")
    assert names(page) == ["vendor-3"]
    expect(page.locator("#shown")).to_have_text("1")
    expect(page.locator("#run-3")).to_be_visible()
    expect(page.locator("#run-4")).to_be_hidden()
    opened.unfold()
    shown = page.get_by_role("region", name="stop", exact=True).locator("thead th:visible .target")
    expect(shown).to_have_count(1)
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("#shown")).to_have_text("8")
    assert len(names(page)) == TARGETS


def test_name_filter_keeps_matching_names_and_checks(opening: Open, matrix_file: Path) -> None:
    page = opening(matrix_file).page
    page.locator("[name=column]").fill("penalty")
    assert lines(page) == ["presence_penalty", "frequency_penalty"]
    expect(page.get_by_role("heading", name="Response fields")).to_be_hidden()
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    assert page.locator("details:visible summary code").all_inner_texts() == [
        "presence_penalty",
        "frequency_penalty",
    ]


def test_filters_of_verdict_and_state_work_together(opening: Open, matrix_file: Path) -> None:
    page = opening(matrix_file).page
    page.locator("[name=verdict]").select_option("conforming")
    conforming = names(page)
    assert conforming
    assert "vendor-1" not in conforming
    page.locator("[name=verdict]").select_option("")
    page.locator("[name=state]").select_option("altered")
    left = table(page, "Parameters")
    assert names(page)
    shown = left.locator("tbody tr:visible")
    assert shown.count() > 0
    for line in shown.all():
        assert line.locator("td.altered:visible").count() > 0
    for head in left.locator("thead th:visible:has(.target)").all():
        place = head.evaluate("head => head.cellIndex") + 1
        anywhere = f".matrix tbody td.altered:nth-child({place})"
        assert page.locator(anywhere).count() > 0


def test_filter_is_kept_in_the_address(opening: Open, matrix_file: Path) -> None:
    page = opening(matrix_file).page
    page.locator("[name=target]").fill("vendor-3")
    page.wait_for_url("**vendor-3**")
    query = page.url.partition("?")[2]
    again = opening(matrix_file, query=query).page
    assert names(again) == ["vendor-3"]
    expect(again.locator("[name=target]")).to_have_value("vendor-3")


def test_column_sorts_up_down_and_back(opening: Open, matrix_file: Path) -> None:
    page = opening(matrix_file).page
    before = lines(page)
    head = table(page, "Parameters").locator("thead th").first
    sort = head.get_by_role("button", name="Sort by Parameter")
    sort.click()
    sort.click()
    expect(head).to_have_attribute("aria-sort", "descending")
    assert lines(page) == sorted(before, reverse=True)
    sort.click()
    assert lines(page) == before
    assert head.get_attribute("aria-sort") is None


def test_sorting_by_state_puts_the_worst_first(opening: Open, matrix_file: Path) -> None:
    page = opening(matrix_file).page
    parameters = table(page, "Parameters")
    place = parameters.locator("thead th").evaluate_all(
        """(heads) => heads.findIndex((head, place) => place > 0 && new Set(
             [...head.closest("table").querySelectorAll(`tbody tr td:nth-child(${place + 1})`)]
               .map((cell) => cell.dataset.rank)).size > 1)"""
    )
    assert place > 0
    parameters.locator("thead th").nth(place).locator(".sort").click()
    ranks = parameters.locator(f"tbody td:nth-child({place + 1})").evaluate_all(
        "cells => cells.map(cell => Number(cell.dataset.rank))"
    )
    assert ranks == sorted(ranks)
    assert len(set(ranks)) > 1


def test_keyboard_reaches_sorting_and_every_table(opening: Open, matrix_file: Path) -> None:
    page = opening(matrix_file).page
    sort = table(page, "Parameters").get_by_role("button", name="Sort by Parameter")
    sort.focus()
    page.keyboard.press("Enter")
    expect(table(page, "Parameters").locator("[aria-sort]")).to_have_count(1)
    page.get_by_role("region", name="Parameters", exact=True).focus()
    page.keyboard.press("ArrowRight")


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_page_fits_and_keeps_headers_in_view(
    opening: Open, matrix_file: Path, size: dict[str, int]
) -> None:
    opened = opening(matrix_file, viewport=size)
    opened.unfold()
    page = opened.page
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    region = page.get_by_role("region", name="Parameters", exact=True)
    region.evaluate("region => region.scrollTo(500, 60)")
    first, head = region.locator("tbody th").nth(3), region.locator("thead th").nth(0)
    left = region.bounding_box()
    for stays in (first, head):
        place = stays.bounding_box()
        assert left is not None
        assert place is not None
        assert abs(place["x"] - left["x"]) < 3
    top = head.bounding_box()
    assert top is not None
    assert abs(top["y"] - left["y"]) < 3


@pytest.mark.parametrize(("scheme", "language"), by_default([("dark", "zh")], SHOWN))
def test_axe_finds_nothing(
    opening: Open, matrix_file: Path, axe: str, scheme: str, language: str
) -> None:
    opened = opening(matrix_file, query=f"lang={language}", color_scheme=scheme)
    opened.unfold()
    opened.page.evaluate(axe)
    found = opened.page.evaluate(
        "axe.run().then(found => found.violations.map("
        "rule => `${rule.id}: ${rule.nodes.length} times, such as ${rule.nodes[0].html}`))"
    )
    assert found == []


def test_language_switches_words_options_and_hints(opening: Open, matrix_file: Path) -> None:
    page = opening(matrix_file).page
    page.get_by_text("中文").click()
    expect(page.locator("h1")).to_contain_text("8 个目标")
    expect(page.locator("select[name=state] option").nth(1)).to_have_text("被忽略")
    expect(page.locator("[name=column]")).to_have_attribute("placeholder", "例如 stop 或 logprobs")


@pytest.mark.parametrize("bypass", [False, True], ids=["with its policy", "escaping alone"])
def test_attacks_in_runs_and_names_do_nothing(opening: Open, tmp_path: Path, bypass: bool) -> None:
    hostile = [Recorded(attack, a_hostile_run(attack)) for attack in ATTACKS.values()]
    path = tmp_path / "index.html"
    path.write_text(files()["html"].render(matrix_of(hostile, DOCUMENTS)), encoding="utf-8")
    opened = opening(path, bypass_csp=bypass, viewport=PHONE)
    opened.unfold()
    page = opened.page
    page.locator("[name=target]").fill("<img")
    for sort in page.locator(".sort:visible").all():
        sort.click()
    page.get_by_role("button", name="Show all").click()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert opened.noise == []
    assert [url for url in opened.requests if not url.startswith("file://")] == []


def test_command_run_is_linked_from_its_matrix(
    opening: Open, run_folder: Path, tmp_path: Path
) -> None:
    run = read_run(run_folder / "run.ndjson")
    matrix = matrix_of([Recorded("bundled", run, (run_folder / "index.html").as_uri())], DOCUMENTS)
    path = tmp_path / "index.html"
    path.write_text(files()["html"].render(matrix), encoding="utf-8")
    page = opening(path).page
    expect(page.locator("h1")).to_have_text("1 target: 1 conforming.", use_inner_text=True)
    expect(page.locator(".not-run summary")).to_contain_text("5 not run: zero, gpt-ge")
    page.get_by_role("link", name="bundled").first.click()
    expect(page.locator(".verdict .headline")).to_have_text("Conforming", use_inner_text=True)
