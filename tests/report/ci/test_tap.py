"""TAP 14: a line per check."""

import re

import pytest
import yaml

from conformance.model import Verdict
from conformance.report.ci import tap
from tests.report.builders import a_failure, a_finding, a_run
from tests.report.ci.test_sarif import EXPECTED, STALE, WHOLE
from tests.report.hostile import ACTING, ATTACKS, a_hostile_run

POINT = re.compile(r"(?P<ok>ok|not ok) (?P<number>\d+) - (?P<name>\S+)(?: # (?P<directive>.*))?")


def points_of(written: str) -> list[re.Match[str]]:
    """Parse the file as a harness does, strictly."""
    version, *rest = written.splitlines()
    assert version == "TAP version 14"
    outside = re.sub(r"(?ms)^  ---\n.*?^  \.\.\.\n", "", "\n".join(rest) + "\n")
    points = []
    for text in outside.splitlines():
        found = POINT.fullmatch(text)
        assert found or text.startswith(("# ", "1..", "Bail out! ")), text
        points += [found] if found else []
    assert f"\n1..{len(points)}\n" in written
    return points


def test_each_verdict_has_its_line() -> None:
    shown = {
        found["name"]: (found["ok"], found["directive"]) for found in points_of(tap.render(WHOLE))
    }
    assert shown["stop.good"] == ("ok", None)
    assert shown["stop.five-refused"] == ("not ok", None)
    assert shown["stop.two"] == ("ok", None)
    assert shown["stop.four"] == ("not ok", None)
    assert shown["stop.three"] == ("ok", "SKIP refused: status 400")
    assert shown["stop.one"][1].startswith("SKIP explained: explained by stop.five-refused")


def test_evidence_is_yaml() -> None:
    written = tap.render(a_run(a_failure()))
    (block,) = re.findall(r"(?ms)^  ---\n(.*?)^  \.\.\.$", written)
    told = yaml.safe_load(block)
    assert told["expected"] == "status 400"
    assert told["actual"] == "status 200: a completion"
    assert told["reproduce"].startswith("conformance run")


def test_incomplete_run_bails_out() -> None:
    written = tap.render(a_run(a_finding(), incomplete=True))
    assert re.search(r"^Bail out! The run ended early", written, re.MULTILINE)


def test_strict_run_fails_on_warnings() -> None:
    (found,) = points_of(tap.render(a_run(a_finding(verdict="warn"), strict=True)))
    assert found["ok"] == "not ok"


def test_expected_deviation_is_to_do() -> None:
    (found,) = points_of(tap.render(a_run(EXPECTED)))
    assert (found["ok"], found["directive"]) == ("not ok", "TODO being mended")


def test_stale_entry_is_not_ok() -> None:
    passed, stale = points_of(tap.render(STALE))
    assert (passed["ok"], stale["ok"], stale["name"]) == ("ok", "not ok", "expected.stale")


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_hostile_text_adds_no_line(attack: str) -> None:
    written = tap.render(a_hostile_run(attack))
    assert ACTING.findall(written) == []
    assert len(points_of(written)) == 3


def test_directive_in_a_name_is_escaped() -> None:
    written = tap.render(a_run(a_finding("stop.#TODO", verdict=Verdict.FAIL)))
    assert r"not ok 1 - stop.\#TODO" in written
