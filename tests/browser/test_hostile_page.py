"""A page in which every string is an attack, opened in a real browser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.report import formats
from tests.browser.conftest import MODEL, Open, Opened, conformance
from tests.cli.endpoints import COMPLETION, ScriptedResponse, serving
from tests.report.hostile import ACTING, ATTACKS, a_hostile_run

KEY = "sk-browser-very-secret-000111222"

ELEMENTS = """
[...document.querySelectorAll("*:not(code)")].map(
  element => [element.tagName, ...element.getAttributeNames()].join(" "))
"""
LINKS = """
[...document.querySelectorAll("body [href], body [src]")].map(e => e.getAttribute("href") ?? e.src)
"""


@pytest.fixture(
    params=[
        pytest.param(False, id="with its policy", marks=pytest.mark.exhaustive),
        pytest.param(True, id="escaping alone"),
    ]
)
def bypass(request: pytest.FixtureRequest) -> bool:
    """Whether the page's own policy is switched off: escaping has to be enough without it."""
    return bool(request.param)


def page_of(attack: str, folder: Path) -> Path:
    path = folder / "index.html"
    path.write_text(formats()["html"].render(a_hostile_run(attack)), encoding="utf-8")
    return path


WORDED = {"MARK", "B", "I", "U", "SPAN lang", "SPAN lang class"}
"""Elements that words make, in whatever place: what differs, colours of JSON, languages."""


def without_words(elements: list[str]) -> list[str]:
    return [element for element in elements if element not in WORDED]


def poke(opened: Opened) -> None:
    """Do all that a reader might: open every fold, point at everything, follow every link."""
    opened.unfold()
    opened.page.evaluate(
        """
        for (const element of document.querySelectorAll("body *"))
          for (const kind of ["mouseover", "focus", "click", "toggle", "error", "load"])
            element.dispatchEvent(new Event(kind, {bubbles: true, cancelable: true}));
        """
    )
    opened.unfold()


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_attacks_are_shown_as_text(
    opening: Open, tmp_path: Path, attack: str, bypass: bool
) -> None:
    (tmp_path / "harmless").mkdir()
    # No client can send half a character, so that such a page lacks the lines for it.
    half = "\udfff" if "\ud800" in attack else ""
    path = page_of(f"harmless{half}", tmp_path / "harmless")
    harmless = opening(path).page.evaluate(ELEMENTS)
    opened = opening(page_of(attack, tmp_path), bypass_csp=bypass)
    assert without_words(opened.page.evaluate(ELEMENTS)) == without_words(harmless)
    poke(opened)
    links = opened.page.evaluate(LINKS)
    assert [link for link in links if not link.startswith("#")] == []
    shown = opened.page.evaluate("document.documentElement.textContent")
    assert ACTING.findall(shown) == []
    assert opened.noise == []
    assert [url for url in opened.requests if not url.startswith("file://")] == []


def test_long_attacks_do_not_widen_the_page(opening: Open, tmp_path: Path) -> None:
    path = page_of("".join(ATTACKS.values()) * 5, tmp_path)
    opened = opening(path, viewport={"width": 390, "height": 844})
    opened.unfold()
    assert opened.page.evaluate("document.documentElement.scrollWidth") == 390


def test_attacks_and_the_key_stay_off_the_page(opening: Open, tmp_path: Path, bypass: bool) -> None:
    said = f"{KEY} Bearer {KEY} " + " ".join(ATTACKS.values())
    choice = {**COMPLETION["choices"][0], "text": said}
    response = ScriptedResponse(
        json.dumps({**COMPLETION, "id": said, "choices": [choice]}).encode()
    )
    folder = tmp_path / "run"
    with serving(lambda: response) as base_url:
        named = ("--base-url", base_url, "--model", MODEL, "--api-key-env", "BROWSER_TEST_KEY")
        ended = conformance("run", *named, "--tier", "smoke", "--out", str(folder), key=KEY)
    assert ended.returncode == 1, ended.stderr
    opened = opening(folder / "index.html", bypass_csp=bypass)
    poke(opened)
    assert "</script><script>alert(1)" in opened.page.locator("body").inner_text()
    assert "sk-browser" not in opened.page.content() + ended.stdout + ended.stderr
    assert opened.noise == []
    assert [url for url in opened.requests if not url.startswith("file://")] == []
