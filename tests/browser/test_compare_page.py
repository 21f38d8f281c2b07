"""The page of a comparison, opened from disk in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import MODEL, Open, conformance
from tests.lanes import by_default
from tests.servers import running_server

SHOWN = [(width, scheme) for width in (390, 1440) for scheme in ("light", "dark")]


@pytest.fixture(scope="module")
def folder(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A conforming run beside one of a server that drops ``stop``, and the comparison of both."""
    made = tmp_path_factory.mktemp("compared")
    with running_server("--fault", "stop-ignored") as faulty:
        named = ("--base-url", faulty.base_url, "--model", MODEL)
        judging = ("run", *named, "--api-key-env", "BROWSER_TEST_KEY", "--tier", "smoke")
        judged = conformance(*judging, "--out", str(made / "now"), key=faulty.key)
    assert judged.returncode == 1, judged.stderr
    words = ("compare", str(run_folder), str(made / "now"), "--format", "html", "--out", str(made))
    assert conformance(*words, key="").returncode == 1
    return made


def test_outcome_is_first_and_links_to_the_report(opening: Open, folder: Path) -> None:
    page = opening(folder / "compare.html", viewport={"width": 1440, "height": 900}).page
    expect(page.locator(".outcome .headline")).to_contain_text("Regressions")
    expect(page.locator("#broke")).to_be_in_viewport()
    worse = page.locator("#broke .change").first
    name = worse.get_attribute("id")
    assert name is not None
    assert name.startswith("stop.")
    expect(worse.locator(".turn")).to_contain_text("pass")
    expect(worse.locator(".turn")).to_contain_text("fail")
    worse.locator("a.id").click()
    page.wait_for_url(f"**/now/index.html#{name}")
    expect(page.locator(f"[id='{name}']")).to_be_in_viewport()


def test_language_can_be_switched(opening: Open, folder: Path) -> None:
    page = opening(folder / "compare.html").page
    page.check("#language-zh")
    expect(page.locator(".outcome .headline")).to_contain_text("退化")
    expect(page.locator(".outcome")).not_to_contain_text("Regressions", use_inner_text=True)
    assert page.title().startswith("退化")


def test_page_is_complete_without_scripts(opening: Open, folder: Path) -> None:
    page = opening(folder / "compare.html", java_script_enabled=False).page
    expect(page.locator("#broke .change").first).to_be_visible()
    page.locator("#language-zh").check()
    expect(page.locator(".outcome .headline")).to_contain_text("退化")


@pytest.mark.parametrize(("width", "scheme"), by_default([(390, "light")], SHOWN))
def test_page_fits_and_passes_axe(
    opening: Open, folder: Path, axe: str, width: int, scheme: str
) -> None:
    view = {"width": width, "height": 900}
    opened = opening(folder / "compare.html", viewport=view, color_scheme=scheme)
    opened.unfold()
    for language in ("zh", "en"):
        opened.page.check(f"#language-{language}")
        assert opened.page.evaluate("document.documentElement.scrollWidth") == width
        opened.page.evaluate(axe)
        found = opened.page.evaluate(
            "axe.run().then(found => found.violations.map("
            "rule => `${rule.id}: ${rule.nodes.length} times, such as ${rule.nodes[0].html}`))"
        )
        assert found == []
    assert opened.noise == []
    assert [url for url in opened.requests if not url.startswith("file://")] == []
