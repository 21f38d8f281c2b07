"""GitLab's Code Quality report: what a merge request made worse or better.

An array of objects without a byte order mark; GitLab compares fingerprints with those of the target
branch, and reads nothing but the members written here
(https://docs.gitlab.com/ci/testing/code_quality, "Import Code Quality results").
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.model import Run
from conformance.report.ci.location import Location, contract_of
from conformance.report.ci.problems import (
    Problem,
    Severity,
    fingerprint_of,
    incomplete,
    outdated_of,
    problems_of,
)
from conformance.report.sanitize import cut, line
from conformance.report.summary import Summary

MAX_DESCRIPTION_CHARS = 500
RUN = "run.complete"
"""The name of the entry that says that a run is incomplete."""

SEVERITIES: Mapping[Severity, str] = {
    Severity.ERROR: "critical",
    Severity.WARNING: "minor",
    Severity.NOTE: "info",
    Severity.UNDECIDED: "info",
    Severity.EXPECTED: "info",
}


def render(run: Run, key_env: str | None = None, location: Location | None = None) -> str:
    """Write the root causes of a run for GitLab.

    Args:
        run: the run to report.
        key_env: not needed here; every format is made alike.
        location: where the findings are shown; by default the contract.
    """
    summary = Summary(run)
    place = location or contract_of(run.header)
    entries = [_entry(one, place) for one in problems_of(summary, key_env)]
    entries += [
        _made(one.id, one.told.en, one.fingerprint, SEVERITIES[Severity.ERROR], one.location)
        for one in outdated_of(run, place)
    ]
    reason = incomplete(summary)
    if reason is not None:
        # Otherwise a merge request would be praised for what was not tested.
        known = fingerprint_of(run.header, RUN)
        entries.insert(0, _made(RUN, reason.en, known, "blocker", place))
    return json.dumps(entries, indent=1) + "\n"


def joined(reports: Sequence[str]) -> str:
    """Put the entries of several reports into one."""
    entries = [entry for report in reports for entry in json.loads(report)]
    return json.dumps(entries, indent=1) + "\n"


def _entry(problem: Problem, place: Location) -> Mapping[str, Any]:
    return _made(
        problem.finding.id,
        problem.told.en,
        problem.fingerprint,
        SEVERITIES[problem.severity],
        place,
    )


def _made(
    check: str, description: str, fingerprint: str, severity: str, place: Location
) -> Mapping[str, Any]:
    return {
        "description": cut(line(description), MAX_DESCRIPTION_CHARS),
        "check_name": line(check),
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": place.path, "lines": {"begin": place.line}},
    }
