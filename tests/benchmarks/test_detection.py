"""How the detection benchmark reads reports and numbers. The benchmark itself is no test."""

from typing import Any

from tests.benchmarks.detection import Met, in_a_line, kinds, table


def failure(message: str) -> dict[str, Any]:
    return {"code": "ST108", "title": "Response violates schema", "message": message}


def test_failures_are_grouped_by_kind_without_values() -> None:
    one = failure('1.5 is not of type "integer"\n\n    Schema: …')
    other = failure('27.25 is not of type "integer"')
    event = {"ScenarioFinished": {"checks": [{"failure": one}, {"failure": other}]}}
    assert set(kinds(event)) == {'ST108 Response violates schema: … is not of type "integer"'}


def test_failures_with_equal_titles_have_two_kinds() -> None:
    found = [*kinds(failure('"id" is a required property')), *kinds(failure("null is no number"))]
    assert len(set(found)) == 2


def test_passed_events_have_no_kind() -> None:
    assert list(kinds({"code": 200, "message": "OK", "parts": [None, "text", 7]})) == []


def test_contestant_has_one_line_with_its_averages() -> None:
    met = [
        Met("ours", "a", True, 100, 2_000, 1.0),
        Met("theirs", "a", False, 300, 0, 9.0),
        Met("ours", "b", False, 200, 1_000, 2.0),
        Met("theirs", "b", False, 100, 10, 1.0),
    ]
    lines = table(met).splitlines()
    assert lines[2:] == [
        "| ours | 1 of 2 (50%) | 150 | 1,500 | 1.5 |",
        "| theirs | 0 of 2 (0%) | 200 | 5 | 5.0 |",
    ]


def test_detection_is_reported_in_a_line() -> None:
    line = in_a_line(Met("ours", "id-missing", True, 98, 1_258, 18.9))
    assert line == "id-missing: ours: found; 98 requests, 1258 tokens, 19 s"
