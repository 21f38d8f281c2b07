"""Annotations and job summary of GitHub Actions."""

import pytest

from conformance.language import Language
from conformance.report import Location
from conformance.report.ci.github import annotate, command, step_summary
from tests.report.builders import a_failure, a_finding, a_run
from tests.report.ci.test_sarif import EXPECTED, STALE, WHOLE
from tests.report.hostile import ATTACKS, a_hostile_run

PLACE = Location("conformance.toml", 7)


def test_annotations_have_place_title_and_sentence() -> None:
    first, *others = annotate(WHOLE, PLACE)
    assert first == (
        "::error file=conformance.toml,line=7,title=stop.five-refused::`stop` of 1 entries was "
        "served (status 200); promised: the documented number of stop sequences is served; one "
        "more is refused"
    )
    kinds = [one.partition(" ")[0] for one in others]
    assert kinds == ["::warning", "::notice", "::warning"]


def test_ten_of_a_kind_are_kept() -> None:
    failures = [a_failure(f"stop.c{number:02}") for number in range(25)]
    warnings = [a_finding(f"stop.w{number:02}", "warn") for number in range(25)]
    shown = annotate(a_run(*warnings, *failures), PLACE)
    assert [sum(one.startswith(kind) for one in shown) for kind in ("::error", "::warning")] == [
        10,
        10,
    ]


def test_incomplete_run_comes_first() -> None:
    (first,) = annotate(a_run(a_finding(), incomplete=True), PLACE)
    assert first.startswith("::error file=conformance.toml,line=7,title=openai::")


def test_text_cannot_end_a_property_or_line() -> None:
    written = command("error", "a%0A\n::error::b", "t,line=9::x", Location("a:b,c.toml", 3))
    assert written == (
        "::error file=a%3Ab%2Cc.toml,line=3,title=t%2Cline=9%3A%3Ax::a%250A␊::error::b"
    )


def test_expected_deviation_is_a_notice() -> None:
    (shown,) = annotate(a_run(EXPECTED), PLACE)
    assert shown.startswith("::notice ")
    assert "::Expected (being mended" in shown


def test_stale_entry_is_an_error() -> None:
    (shown,) = annotate(STALE, PLACE)
    assert shown.startswith("::error file=known.yaml,line=3,title=expected.stale::")


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_hostile_text_stays_on_its_line(attack: str) -> None:
    for one in annotate(a_hostile_run(attack)):
        assert one.splitlines() == [one]
        properties = one.split("::")[1]
        assert properties.count("title=") == properties.count("file=") == 1
        assert one.isprintable()


def test_sentences_are_in_the_language() -> None:
    (first, *_) = annotate(WHOLE, PLACE, Language.CHINESE)
    assert "契约要求" in first


def test_long_summary_is_cut_between_sections() -> None:
    whole = step_summary(WHOLE)
    short = step_summary(WHOLE, room=1_500)
    assert len(short.encode()) <= 1_500
    assert short.endswith("a summary has room for 1 MiB.\n")
    assert whole.startswith(short.split("\n\n")[0])
    assert "<details>" in whole
    assert "<details>" not in short
