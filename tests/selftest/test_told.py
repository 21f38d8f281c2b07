"""Each planted cause is told once, or the run is named that tells it more often."""

from __future__ import annotations

import pytest

from conformance.selftest.told import Repeated, told_in
from tests.selftest.builders import a_fault
from tests.selftest.test_attribution import a_claim, a_result, a_trial

LATE = a_fault("stop-late", requirements=("usage.present",), also_breaks=("envelope.*",))


@pytest.mark.parametrize(
    ("requirements", "causes"),
    [
        pytest.param(("stop.string",), 1, id="once"),
        pytest.param(("stop.string", "stop.array"), 1, id="twice"),
        pytest.param(("stop.string", "finish-reason.known-value"), 2, id="with what is declared"),
        pytest.param(("finish-reason.known-value",) * 2, 1, id="what is declared, twice"),
    ],
)
def test_causes_of_one_fault(requirements, causes) -> None:
    told = told_in([a_result(*map(a_claim, requirements))])
    assert (told.findings, told.faults, told.causes) == (len(requirements), 1, causes)
    assert bool(told.repeated) is (len(requirements) > causes)


def test_two_faults_are_two_causes() -> None:
    trials = a_trial(), a_trial(LATE)
    claims = map(a_claim, ("stop.string", "usage.present", "envelope.choices"))
    told = told_in([a_result(*claims, trials=trials)])
    assert (told.findings, told.faults, told.causes, told.repeated) == (3, 2, 3, ())


def test_false_positives_tell_no_cause() -> None:
    told = told_in([a_result(a_claim("usage.present"))])
    assert (told.findings, told.causes, told.per_cause, told.per_fault) == (0, 0, 1.0, 1.0)


def test_worst_runs_come_first() -> None:
    few = a_result(*[a_claim("stop.string")] * 2)
    many = a_result(*[a_claim("usage.present")] * 4, trials=(a_trial(LATE),))
    told = told_in([few, many])
    assert told.repeated == (Repeated("stop-late", 4, 1), Repeated("stop-dropped", 2, 1))
    assert (told.per_cause, told.per_fault) == (3.0, 3.0)
