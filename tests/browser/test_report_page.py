"""The page of a real run, opened from disk in a real browser."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import expect

from conformance.model import Exchange, Run, State
from conformance.wire.record import read_run
from tests.browser.conftest import KEY_VARIABLE, Open
from tests.servers import RunningServer

PHONE = {"width": 390, "height": 844}
FINDING = "stop.string"
"""A finding that passes, so that it lies in a fold."""


@pytest.fixture
def page_file(run_folder: Path) -> Path:
    return run_folder / "index.html"


def test_the_verdict_comes_first(opening: Open, page_file: Path) -> None:
    page = opening(page_file).page
    expect(page.locator(".verdict .headline")).to_have_text("Conforming")
    expect(page.locator(".verdict .headline")).to_be_in_viewport()
    assert page.title().startswith("Conforming")


def test_every_parameter_has_a_row_with_its_state_in_a_word(
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


def test_a_link_to_a_finding_opens_it_and_brings_it_into_view(
    opening: Open, page_file: Path
) -> None:
    linked = opening(page_file, FINDING).page.locator(f"[id='{FINDING}']")
    expect(linked).to_be_in_viewport()
    expect(linked.locator(".requirement")).to_be_visible()
    folds = linked.locator("xpath=ancestor::details")
    assert folds.evaluate_all("folds => folds.map(fold => fold.open)") == [True, True]


def test_a_finding_stays_folded_until_somebody_asks_for_it(opening: Open, page_file: Path) -> None:
    page = opening(page_file).page
    finding = page.locator(f"[id='{FINDING}']")
    expect(finding).to_be_hidden()
    page.evaluate("place => { location.hash = place }", FINDING)
    expect(finding).to_be_in_viewport()


def test_the_command_beside_an_exchange_repeats_it(
    opening: Open, page_file: Path, run_folder: Path, server: RunningServer
) -> None:
    recorded = repeatable(read_run(run_folder / "run.ndjson"))
    page = opening(page_file).page
    shown = page.locator(f"[id='x-{recorded.id}']")
    finding = shown.locator("xpath=ancestor::*[@class='inside']").get_attribute("id")
    page.evaluate("place => { location.hash = place }", finding)
    expect(shown).to_be_hidden()
    shown.locator("xpath=parent::details").locator("summary").first.click()
    command = shown.locator(".curl").inner_text()
    assert f"Bearer ${KEY_VARIABLE}" in command
    assert server.key not in command
    ended = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, KEY_VARIABLE: server.key},
    )
    assert ended.returncode == 0, ended.stderr
    head, _, body = ended.stdout.partition("\n\n")
    assert re.match(r"HTTP/\S+ 200", head)
    assert texts(body) == texts(recorded.body)


def repeatable(run: Run) -> Exchange:
    """Find a plain completion at temperature 0: asked again, it gives the same text."""
    for exchange in run.exchanges:
        asked = json.loads(exchange.request.body or b"{}")
        if exchange.status == 200 and asked.get("temperature") == 0 and not asked.get("stream"):
            return exchange
    raise AssertionError("the run holds no such exchange")


def texts(body: str | bytes) -> list[str]:
    return [choice["text"] for choice in json.loads(body)["choices"]]


def test_the_page_is_quiet_and_asks_nothing_of_a_network(opening: Open, page_file: Path) -> None:
    opened = opening(page_file, FINDING)
    opened.unfold()
    for link in opened.page.locator("nav a").all():
        link.click()
    opened.page.wait_for_load_state("networkidle")
    assert opened.noise == []
    assert opened.requests
    assert [url for url in opened.requests if not url.startswith("file://")] == []


def test_a_telephone_shows_it_without_scrolling_sideways(opening: Open, page_file: Path) -> None:
    opened = opening(page_file, viewport=PHONE)
    opened.unfold()
    width = opened.page.evaluate("document.documentElement.scrollWidth")
    assert width == PHONE["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out(opening: Open, page_file: Path, axe: str, scheme: str) -> None:
    opened = opening(page_file, color_scheme=scheme)
    opened.unfold()
    opened.page.evaluate(axe)
    found = opened.page.evaluate(
        "axe.run().then(found => found.violations.map("
        "rule => `${rule.id}: ${rule.nodes.length} times, such as ${rule.nodes[0].html}`))"
    )
    assert found == []
