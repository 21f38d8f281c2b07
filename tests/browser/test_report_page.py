"""The page of a real run, opened from disk in a real browser."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from conformance.message import say
from conformance.model import Exchange, Explanation, Run, State
from conformance.model.objectives import Measure, Objective, ObjectiveResult, Standing
from conformance.record.ndjson import read_run
from conformance.report import html
from tests.browser.conftest import KEY_VARIABLE, Open
from tests.lanes import by_default
from tests.report.builders import a_failure, a_finding, a_requirement, a_run
from tests.servers import RunningServer

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
SHOWN = [(scheme, language) for scheme in ("light", "dark") for language in ("en", "zh")]
FINDING = "stop.string"
"""A finding that passes, so that it lies in a fold."""


@pytest.fixture
def page_file(run_folder: Path) -> Path:
    return run_folder / "index.html"


@pytest.fixture(params=[True, False], ids=["with script", "without"])
def script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_verdict_comes_first(opening: Open, page_file: Path, script: bool) -> None:
    page = opening(page_file, java_script_enabled=script).page
    expect(page.locator(".verdict .headline")).to_have_text("Conforming", use_inner_text=True)
    expect(page.locator(".verdict .headline")).to_be_in_viewport()
    expect(page.locator("h1")).to_contain_text("Supports all 9 verified parameters as promised")
    expect(page.locator("#not-verified")).to_be_in_viewport()
    assert page.title().startswith("Conforming")


def test_every_parameter_has_a_row_with_its_state(
    opening: Open, page_file: Path, run_folder: Path
) -> None:
    page = opening(page_file).page
    header = read_run(run_folder / "run.ndjson").header
    promised = [subject.name for subject in header.subjects if subject.kind == "parameter"]
    assert len(promised) == 18
    rows = page.locator("#parameters tbody tr")
    shown = [row.locator("th, .badge").all_inner_texts() for row in rows.all()]
    assert [name for name, _ in shown] == promised
    assert {state for _, state in shown} <= {state.value for state in State}


def test_parameters_are_filtered_by_state(opening: Open, page_file: Path, script: bool) -> None:
    page = opening(page_file, java_script_enabled=script).page
    expect(page.locator("#states")).to_be_visible(visible=script)
    rows = page.locator(".subjects [data-state]:visible")
    everything = rows.count()
    if script:
        page.locator("#states [value=accepted]").check()
        assert {row.get_attribute("data-state") for row in rows.all()} == {"accepted"}
        again = opening(page_file, query="state=accepted").page
        assert 0 < again.locator(".subjects [data-state]:visible").count() < everything


def test_link_to_a_finding_opens_it(opening: Open, page_file: Path, script: bool) -> None:
    page = opening(page_file, FINDING, java_script_enabled=script).page
    linked = page.locator(f"[id='{FINDING}']")
    expect(linked).to_be_in_viewport()
    expect(linked.locator(".requirement")).to_be_visible()


def test_finding_is_folded_until_it_is_linked(opening: Open, page_file: Path) -> None:
    page = opening(page_file).page
    finding = page.locator(f"[id='{FINDING}']")
    expect(finding).to_be_hidden()
    page.evaluate("place => { location.hash = place }", FINDING)
    expect(finding).to_be_in_viewport()


def test_link_shows_a_finding_that_the_filter_hides(opening: Open, page_file: Path) -> None:
    page = opening(page_file, FINDING, query="verdict=skipped").page
    expect(page.locator(f"[id='{FINDING}']")).to_be_in_viewport()
    expect(page.get_by_role("checkbox", name="skipped")).not_to_be_checked()


def shown_ids(page: Page) -> list[str]:
    """The ids of the findings that can be seen, whatever fold they lie in."""
    page.evaluate("for (const fold of document.querySelectorAll('.folded')) fold.open = true")
    shown: list[str] = page.evaluate(
        "[...document.querySelectorAll('.finding > summary .id')]"
        ".filter(id => id.checkVisibility()).map(id => id.textContent)"
    )
    return shown


def test_findings_are_filtered(opening: Open, page_file: Path, run_folder: Path) -> None:
    run = read_run(run_folder / "run.ndjson")
    findings = run.findings
    page = opening(page_file).page
    assert sorted(shown_ids(page)) == sorted(finding.id for finding in findings)
    page.get_by_role("checkbox", name="skipped").check()
    skipped = {finding.id for finding in findings if finding.verdict.value == "skipped"}
    assert set(shown_ids(page)) == skipped
    result = f"{len(skipped)} of {len(findings)} checks"
    expect(page.locator("#shown")).to_have_text(result, use_inner_text=True)
    page.get_by_role("button", name="Clear").click()
    page.locator("#filter-area").select_option("stop")
    in_area = set(shown_ids(page))
    areas = {sentence.id: sentence.area for sentence in run.header.requirements}
    assert in_area == {finding.id for finding in findings if areas[finding.requirement] == "stop"}
    page.locator("#filter-text").fill("BETWEEN")
    by_text = set(shown_ids(page))
    assert by_text < in_area
    page.get_by_role("checkbox", name="should").check()
    levels = {finding.id: finding.level.value for finding in findings}
    assert {levels[key] for key in shown_ids(page)} <= {"should"}
    page.locator("#filter-text").fill("nothing speaks of this")
    expect(page.locator("#nothing")).to_be_visible()


@pytest.fixture
def explained_file(tmp_path: Path) -> Path:
    """A root that explains another finding, and one that explains none."""
    follower = a_finding("usage.b", "explained", explained_by="stop.a", message="expected 2; got 1")
    others = [a_failure(f"echo.{number}", subject="echo") for number in range(4)]
    why = {"usage.b": Explanation("stop.a", say("streams are not served at all"))}
    requirements = (a_requirement("stop.at-most-four"),)
    run = a_run(a_failure("stop.a"), follower, *others, explained=why, requirements=requirements)
    path = tmp_path / "index.html"
    path.write_text(html.render(run), "utf-8")
    return path


def test_filter_shows_explained_within_its_root(opening: Open, explained_file: Path) -> None:
    page = opening(explained_file).page
    assert len(shown_ids(page)) == 5
    page.locator("#filter [value=explained]").check()
    expect(page.locator("[id='usage.b']").locator("xpath=..")).to_be_visible()
    assert set(shown_ids(page)) == {"stop.a", "usage.b"}
    expect(page.locator("#count")).to_have_text("1")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#count")).to_have_text("6")


def test_link_opens_an_explained_finding(opening: Open, explained_file: Path, script: bool) -> None:
    page = opening(explained_file, "usage.b", java_script_enabled=script).page
    expect(page.locator("[id='usage.b'] .why")).to_be_in_viewport()
    expect(page.locator("[id='usage.b'] .why")).to_contain_text("streams are not served at all")


def test_filter_is_restored_from_the_address(opening: Open, page_file: Path) -> None:
    first = opening(page_file).page
    first.locator("#filter-area").select_option("stop")
    first.get_by_role("checkbox", name="pass").check()
    first.locator("#filter-text").fill("string & 一")
    first.locator("#filter-text").fill("string")
    query = first.evaluate("location.search.slice(1)")
    assert query == "area=stop&verdict=pass&text=string"
    second = opening(page_file, query=query).page
    assert shown_ids(second) == shown_ids(first)
    assert shown_ids(second)
    expect(second.locator("#filter-text")).to_have_value("string")


def test_page_is_complete_without_scripts(opening: Open, page_file: Path) -> None:
    page = opening(page_file, java_script_enabled=False).page
    expect(page.locator("#filter")).to_be_hidden()
    page.locator(".folded > summary").first.click()
    page.locator(".folded .finding > summary").first.click()
    expect(page.locator(".folded .finding .requirement").first).to_be_visible()


def test_page_has_both_languages(opening: Open, page_file: Path, script: bool) -> None:
    page = opening(page_file, java_script_enabled=script).page
    expect(page.locator("h1")).to_contain_text("verified parameters")
    page.get_by_text("中文", exact=True).click()
    expect(page.locator(".verdict .headline")).to_have_text("符合契约", use_inner_text=True)
    assert "已验证的 9 个参数全部符合契约" in page.locator("h1").inner_text()
    assert "documented" not in page.locator("h1").inner_text()
    if script:
        assert page.evaluate("document.documentElement.lang") == "zh"
        assert page.title().startswith("符合契约")
        expect(page.locator("#filter-text")).to_have_attribute("placeholder", re.compile("搜索"))
        assert page.evaluate("location.search") == "?lang=zh"
        again = opening(page_file, query="lang=zh").page
        assert again.locator(".verdict .headline").inner_text().strip() == "符合契约"


def test_missing_translations_fall_back_to_english(opening: Open, tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    path.write_text(html.render(a_run(a_failure(title="Said in English alone."))), "utf-8")
    page = opening(path, query="lang=zh").page
    expect(page.locator(".finding .title").first).to_be_visible()
    assert "said in English alone" in page.locator(".finding .title").first.inner_text()


def ground(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_theme_follows_the_system_or_the_reader(
    opening: Open, page_file: Path, script: bool
) -> None:
    settings = {"java_script_enabled": script}
    light = opening(page_file, color_scheme="light", **settings).page
    dark = opening(page_file, color_scheme="dark", **settings).page
    colours = [ground_of(light), ground_of(dark)]
    assert len(set(colours)) == 2
    light.locator("#theme-dark").check(force=True)
    dark.locator("#theme-light").check(force=True)
    assert [ground_of(light), ground_of(dark)] == colours[::-1]


def ground_of(page: Page) -> bytes:
    """A corner of the page as it is painted; scripts cannot ask where there are none."""
    return page.screenshot(clip={"x": 0, "y": 300, "width": 4, "height": 4})


def test_keyboard_moves_between_findings_without_a_trap(opening: Open, page_file: Path) -> None:
    page = opening(page_file, query="verdict=pass&area=stop").page
    first, second = shown_ids(page)[:2]
    focused = "document.activeElement.querySelector('.id')?.textContent"
    page.keyboard.press("j")
    assert page.evaluate(focused) == first
    page.keyboard.press("j")
    assert page.evaluate(focused) == second
    page.keyboard.press("k")
    assert page.evaluate(focused) == first
    page.keyboard.press("Enter")
    expect(page.locator(f"[id='{first}']")).to_be_visible()
    page.keyboard.press("/")
    expect(page.locator("#filter-text")).to_be_focused()
    page.keyboard.type("jk?/")
    expect(page.locator("#filter-text")).to_have_value("jk?/")
    page.keyboard.press("Escape")
    expect(page.locator("#filter-text")).not_to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.get_by_role("checkbox", name="Enable keyboard shortcuts").uncheck()
    page.keyboard.press("j")
    expect(page.locator("#keys-on")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#keys-on")).not_to_be_focused()


def open_exchange(page: Page, key: str) -> Any:
    """Bring an exchange into view, with all its folds open."""
    shown = page.locator(f"[id='x-{key}']")
    page.evaluate("place => { location.hash = place }", f"x-{key}")
    expect(shown).to_be_in_viewport()
    shown.locator(".client > summary").click()
    return shown


def test_copied_command_repeats_an_exchange(
    opening: Open, page_file: Path, run_folder: Path, server: RunningServer
) -> None:
    recorded = repeatable(read_run(run_folder / "run.ndjson"))
    opened = opening(page_file, permissions=["clipboard-read", "clipboard-write"])
    shown = open_exchange(opened.page, recorded.id)
    shown.locator(".snippet", has=opened.page.locator(".curl")).get_by_role(
        "button", name="Copy"
    ).click()
    expect(shown.get_by_role("button", name="Copied")).to_be_visible()
    command = opened.page.evaluate("navigator.clipboard.readText()")
    assert command == shown.locator(".curl").inner_text()
    assert f"Bearer ${KEY_VARIABLE}" in command
    assert server.key not in command
    head, _, body = output_of(["bash", "-c", command], server).partition("\n\n")
    assert re.match(r"HTTP/\S+ 200", head)
    assert texts(body) == texts(recorded.body)
    assert opened.noise == []


def test_python_snippet_repeats_an_exchange(
    opening: Open, page_file: Path, run_folder: Path, server: RunningServer
) -> None:
    recorded = repeatable(read_run(run_folder / "run.ndjson"))
    shown = open_exchange(opening(page_file).page, recorded.id)
    lines = shown.locator(".python").inner_text()
    assert server.key not in lines
    assert texts(output_of([sys.executable, "-c", lines], server)) == texts(recorded.body)


def output_of(command: list[str], server: RunningServer) -> str:
    ended = subprocess.run(
        command,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, KEY_VARIABLE: server.key},
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def repeatable(run: Run) -> Exchange:
    """Find a non-streaming completion at temperature 0, which repeats the same text."""
    for exchange in run.exchanges:
        request = json.loads(exchange.request.body or b"{}")
        if exchange.status == 200 and request.get("temperature") == 0 and not request.get("stream"):
            return exchange
    raise AssertionError("the run holds no such exchange")


def texts(body: str | bytes) -> list[str]:
    return [choice["text"] for choice in json.loads(body)["choices"]]


def test_page_logs_nothing_and_makes_no_network_requests(opening: Open, page_file: Path) -> None:
    opened = opening(page_file, FINDING)
    opened.unfold()
    for link in opened.page.locator("nav a").all():
        link.click()
    opened.page.get_by_text("中文", exact=True).click()
    opened.page.wait_for_load_state("networkidle")
    assert opened.noise == []
    assert opened.requests
    assert [url for url in opened.requests if not url.startswith("file://")] == []


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["telephone", "desk"])
def test_page_does_not_scroll_sideways(
    opening: Open, page_file: Path, screen: dict[str, int], language: str
) -> None:
    opened = opening(page_file, query=f"lang={language}", viewport=screen)
    opened.unfold()
    assert opened.page.evaluate("document.documentElement.scrollWidth") == screen["width"]


def test_objective_is_one_line_on_a_telephone(opening: Open, tmp_path: Path) -> None:
    objective = Objective(Measure.LATENCY, bound=10, percentile=90)
    run = a_run()
    assert run.footer is not None
    result = ObjectiveResult(objective, Standing.MET, 1, sample=30, low=0.0, high=0.1)
    run = replace(run, footer=replace(run.footer, objectives=(result,)))
    path = tmp_path / "index.html"
    path.write_text(html.render(run), "utf-8")
    name = opening(path, viewport=PHONE).page.locator("#objectives th[scope=row]")
    box = name.bounding_box()
    assert box is not None
    assert box["height"] < 30


def test_printed_page_is_dark_on_white_without_switches(opening: Open, page_file: Path) -> None:
    page = opening(page_file, color_scheme="dark").page
    page.emulate_media(media="print")
    assert ground(page) == "rgb(255, 255, 255)"
    expect(page.locator(".switches")).to_be_hidden()
    expect(page.locator("#filter")).to_be_hidden()
    expect(page.locator("h1")).to_be_visible()


@pytest.mark.parametrize(("scheme", "language"), by_default([("dark", "zh")], SHOWN))
def test_axe_finds_nothing(
    opening: Open, page_file: Path, axe: str, scheme: str, language: str
) -> None:
    opened = opening(page_file, query=f"lang={language}", color_scheme=scheme)
    opened.unfold()
    opened.page.evaluate(axe)
    found = opened.page.evaluate(
        "axe.run().then(found => found.violations.map("
        "rule => `${rule.id}: ${rule.nodes.length} times, such as ${rule.nodes[0].html}`))"
    )
    assert found == []
