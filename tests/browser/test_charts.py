"""Charts in a page at several widths: no overlapping text, one language at a time."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from conformance.report import html
from conformance.report.charts import pictures
from tests.browser.conftest import Open
from tests.lanes import by_default
from tests.report.builders import a_failure, a_run
from tests.report.charts.exchanges import non_streaming
from tests.report.charts.test_charts import a_run_with_everything

OVERLAPS = """() => {
  const found = [];
  for (const svg of document.querySelectorAll('svg.picture')) {
    const all = [...svg.querySelectorAll('text')].filter(text => text.getClientRects().length);
    const frame = svg.getBoundingClientRect();
    const boxes = all.map(text => [text.textContent, text.getBoundingClientRect()]);
    boxes.forEach(([words, a], i) => {
      if (a.left < frame.left - 1 || a.right > frame.right + 1 || a.bottom > frame.bottom + 1)
        found.push(`${words} is cut off`);
      for (const [others, b] of boxes.slice(i + 1))
        if (a.left < b.right - 1 && b.left < a.right - 1
            && a.top < b.bottom - 4 && b.top < a.bottom - 4)
          found.push(`${words} covers ${others}`);
    });
  }
  return found;
}"""
DRAWN = (
    "[...document.querySelectorAll('svg.picture')].map(svg => svg.getBoundingClientRect().width)"
)
SMALLEST = """Math.min(...[...document.querySelectorAll('svg.picture')].map(
  svg => 12 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width))"""


def by_characters():
    """A run whose prompts cannot be counted, with a text that was also sent twice."""
    text = "red green blue\n" * 4
    prompts = {"1": 13, text: 27, f"{text} {text}": 42, "今天" * 9: 30, "今天早上": 19}
    return a_run(
        a_failure(),
        exchanges=tuple(
            non_streaming(f"x{n}", prompt=prompt, usage={"prompt_tokens": usage})
            for n, (prompt, usage) in enumerate(prompts.items())
        ),
    )


@pytest.fixture(params=["everything", "characters"])
def page_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    run = a_run_with_everything() if request.param == "everything" else by_characters()
    path = tmp_path / "index.html"
    path.write_text(html.render(run), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("width", "language"),
    by_default([(360, "en"), (1440, "zh")], itertools.product((360, 1440), ("en", "zh"))),
)
def test_words_neither_overlap_nor_are_cut_off(
    opening: Open, page_file: Path, width: int, language: str
) -> None:
    opened = opening(page_file, viewport={"width": width, "height": 900})
    page = opened.page
    page.evaluate(f"document.getElementById('language-{language}').checked = true")
    assert page.evaluate(DRAWN)
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate(SMALLEST) >= 9
    assert opened.noise == []


@pytest.mark.parametrize(("language", "other"), [("en", "zh"), ("zh", "en")])
def test_chart_uses_the_language_of_the_page(
    opening: Open, page_file: Path, language: str, other: str
) -> None:
    page = opening(page_file).page
    page.evaluate(f"document.getElementById('language-{language}').checked = true")
    shown = page.locator(f"svg.picture text[lang={language}]")
    hidden = page.locator(f"svg.picture text[lang={other}]")
    assert shown.count() == hidden.count() > 0
    assert all(text.is_visible() for text in shown.all())
    assert not any(text.is_visible() for text in hidden.all())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_follow_the_theme(opening: Open, page_file: Path, theme: str) -> None:
    page = opening(page_file).page
    page.evaluate(f"document.getElementById('theme-{theme}').checked = true")
    inks, grounds = (
        page.evaluate(f"getComputedStyle(document.querySelector('{where}')).{what}")
        for where, what in (("svg.picture text", "fill"), (".pictures figure", "backgroundColor"))
    )
    ink, ground = (sum(map(int, colour[4:-1].split(","))) for colour in (inks, grounds))
    assert (ink > ground) is (theme == "dark")
    assert abs(ink - ground) > 250


def test_page_has_every_chart(opening: Open, page_file: Path) -> None:
    page = opening(page_file).page
    shown = page.locator("svg.picture title[lang=en]").evaluate_all("all => all.map(t => t.id)")
    run = a_run_with_everything() if "picture-arrivals-title-en" in shown else by_characters()
    assert shown == [f"picture-{picture.id}-title-en" for picture in pictures(run)]
