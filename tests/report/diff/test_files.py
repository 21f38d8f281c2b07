"""A comparison as text, as a page, as JSON and as Markdown."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from conformance.language import Language
from conformance.model import Run
from conformance.report.console import console_for
from conformance.report.diff import Differences, Places, compare, files
from conformance.report.diff import terminal as text
from conformance.report.diff.changes import Change
from conformance.report.diff.sections import REPORTED, TITLES, lines_of, measured_on
from tests.report.builders import a_failure, a_finding, a_run, a_subject, an_exchange
from tests.report.hostile import ACTING, ATTACKS, a_hostile_run


def both() -> tuple[Run, Run]:
    """Two runs that differ in every way there is."""
    old = a_run(
        a_finding("stop.broke"),
        a_finding("stop.unsure"),
        a_failure("stop.mended", seen="a fifth was served"),
        a_failure("stop.still"),
        a_finding("stop.settled", "skipped"),
        a_finding("stop.unjudged"),
        a_finding("stop.gone"),
        exchanges=(an_exchange(),),
    )
    new = a_run(
        a_failure("stop.broke", seen="nothing came"),
        a_finding("stop.unsure", "inconclusive", message="429 each time"),
        a_finding("stop.mended"),
        a_failure("stop.still"),
        a_finding("stop.settled"),
        a_finding("stop.unjudged", "skipped"),
        a_finding("stop.new"),
        exchanges=(an_exchange(elapsed=0.5),),
        subjects=(a_subject("stop"),),
    )
    return old, new


@pytest.fixture
def reported() -> Differences:
    return compare(*both())


def shown(reported: Differences, language: Language, most: int | None = None) -> str:
    screen = console_for()
    with screen.capture() as captured:
        screen.print(text.render(reported, language, most))
    return captured.get()


def test_every_kind_of_change_occurs(reported: Differences) -> None:
    assert {one.change for one in reported.changes} == set(Change) == set(TITLES)


@pytest.mark.parametrize("language", Language)
def test_text_and_markdown_have_every_change(reported: Differences, language: Language) -> None:
    written = files(language=language)["markdown"].render(reported)
    for output in (shown(reported, language), written):
        assert reported.headline.of(language) in output
        for one in reported.changes:
            assert one.finding.id in output
        for change in REPORTED:
            assert TITLES[change].of(language) in output
        assert "nothing came" in output
        assert "a fifth was served" in output
        assert "429 each time" in output
        assert re.search("[一-鿿]", output) is None or language is Language.CHINESE


def test_screen_lists_some_names_and_a_pipe_all() -> None:
    old = a_run(a_finding())
    many = a_run(a_finding(), *(a_finding(f"stop.new-{n}") for n in range(40)))
    result = compare(old, many)
    assert "stop.new-39" in shown(result, Language.ENGLISH)
    few = shown(result, Language.ENGLISH, most=5)
    assert "stop.new-39" not in few
    assert "and 36 more" in few


def test_markdown_counts_what_it_leaves_out() -> None:
    names = [f"stop.n{n:03}" for n in range(70)]
    result = compare(a_run(*map(a_finding, names)), a_run(*map(a_failure, names)))
    written = files()["markdown"].render(result)
    assert written.count("stop.n0") == 50
    assert "20 more in the HTML and JSON files." in written


def test_json_has_everything_in_ascii(reported: Differences) -> None:
    written = files(Places("../old/index.html", None))["json"].render(reported)
    assert written.isascii()
    document: dict[str, Any] = json.loads(written)
    assert document["exit_code"] == 1
    assert document["counts"] == dict.fromkeys([change.value for change in Change], 1)
    (broke,) = [one for one in document["changes"] if one["change"] == "broke"]
    assert broke["id"] == "stop.broke"
    assert (broke["was"]["verdict"], broke["now"]["verdict"]) == ("pass", "fail")
    assert broke["now"]["seen"] == "nothing came"
    assert document["old"]["page"] == "../old/index.html"
    assert document["new"]["plain"] == {"seconds": 0.5, "count": 1}
    assert (document["compared"], document["unchanged"]) == (3, 1)
    assert document["sentence_zh"] == reported.sentence.zh


def test_page_has_both_languages_and_links_to_reports(
    reported: Differences,
) -> None:
    page = files(Places("../old/index.html", "../new/index.html"))["html"].render(reported)
    for words in (reported.headline, reported.sentence):
        assert words.en in page
        assert words.zh in page
    assert '<html lang="en">' in page
    assert 'href="../new/index.html#stop.broke"' in page
    assert 'href="../old/index.html#stop.gone"' in page
    chinese = files(language=Language.CHINESE)["html"].render(reported)
    assert '<html lang="zh">' in chinese
    assert "index.html" not in chinese


def test_figures_show_the_difference_and_its_basis(reported: Differences) -> None:
    lines = {line.name.en: line for line in lines_of(reported)}
    median = lines["Non-streaming response, median"]
    assert (median.was.en, median.now.zh, median.by) == ("250 ms", "500 毫秒", "+100%")
    measured = measured_on(reported)
    assert measured is not None
    assert "1 and 1 non-streaming responses, 0 and 0 streams" in measured.en


def test_unknown_figures_are_shown_as_unknown() -> None:
    cut = a_run(a_finding(), incomplete=True)
    lines = {line.name.en: line for line in lines_of(compare(cut, a_run(a_finding())))}
    requests = lines["Requests"]
    assert (requests.was.en, requests.now.en, requests.by) == ("unknown", "118", "")
    assert measured_on(compare(cut, cut)) is None
    assert lines_of(compare(cut, cut)) == ()


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_attack_is_shown_as_text(attack: str) -> None:
    hostile = a_hostile_run(attack)
    result = compare(a_run(a_finding()), hostile)
    for language in Language:
        assert ACTING.findall(shown(result, language).replace("\n", "")) == []
    for name, file in files().items():
        written = file.render(result)
        assert ACTING.findall(written) == [], name
    page = files()["html"].render(result)
    assert "<script>alert" not in page
    assert "<img" not in page
