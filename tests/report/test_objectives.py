"""What is said of an objective is no more than the run shows."""

from __future__ import annotations

import pytest

from conformance.model import Measure, Objective, ObjectiveResult, Standing
from conformance.report.objectives import sentence_of, wanted_of

FOUR = Objective(Measure.CHOICES, 4)
P95 = Objective(Measure.FIRST_TEXT, 2.0, 95)
HALF = Objective(Measure.AVAILABILITY, 0.5)


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (ObjectiveResult(FOUR, Standing.UNDECIDED), "no request asked for so much by itself"),
        (
            ObjectiveResult(FOUR, Standing.UNDECIDED, 2.0, 3),
            "the most that was served is 2; no request asked for more by itself",
        ),
        (
            ObjectiveResult(FOUR, Standing.MISSED, None, 1, 1),
            "a request for no more than that was not served, and none was",
        ),
        (
            ObjectiveResult(FOUR, Standing.MISSED, 2.0, 2, 1),
            "a request for no more than that was not served; the most that was served is 2",
        ),
        (ObjectiveResult(FOUR, Standing.MET, 5.0, 1), "the most that was served is 5"),
        (ObjectiveResult(P95, Standing.UNDECIDED), "no such response was recorded"),
        (
            ObjectiveResult(P95, Standing.UNDECIDED, 0.5, 40, 1, 0.001, 0.113),
            (
                "1 of 40 streams took longer; p95 is 500 ms; between 0.1\u00a0% and 11.3\u00a0%, "
                "5\u00a0% allowed; it takes 59 or more to show it met"
            ),
        ),
        (
            ObjectiveResult(HALF, Standing.MET, 0.9, 10, 1, 0.005, 0.394),
            (
                "1 of 10 requests got no response, or one of 429, 502, 503 and 504; at most "
                "39.4\u00a0%, 50\u00a0% allowed"
            ),
        ),
    ],
)
def test_sentence_says_what_was_seen(result: ObjectiveResult, sentence: str) -> None:
    assert sentence_of(result).en == sentence
    assert sentence_of(result).zh != sentence


def test_bound_is_shown_with_its_direction() -> None:
    assert [wanted_of(one).en for one in (FOUR, P95, HALF)] == [
        "n ≥ 4",
        "ttft-p95 ≤ 2.0 s",
        "availability ≥ 50\u00a0%",
    ]
