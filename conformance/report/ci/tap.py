"""TAP 14, the Test Anything Protocol: a line per check, with its evidence as YAML below.

A refusal that the contract allows, a finding that follows from another one, and a check that did
not run are skipped. An expected deviation is ``TODO``, TAP's word for it. What could not be judged
is ``not ok``, because it must not look green.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from conformance.model import Finding, Run, Verdict
from conformance.report.case import Case, case_of
from conformance.report.ci.location import contract_of
from conformance.report.ci.problems import MAX_VALUE_CHARS, incomplete, outdated_of
from conformance.report.sanitize import cut, line
from conformance.report.summary import Summary

SKIPPED = frozenset({Verdict.REFUSED, Verdict.EXPLAINED, Verdict.SKIPPED})
MAX_REASON_CHARS = 300


def render(run: Run, key_env: str | None = None) -> str:
    """Write a line per check, by id.

    Args:
        run: the run to report.
        key_env: the environment variable that commands read the key from; by default the one
            that the run used.
    """
    return "\n".join(_lines(Summary(run), key_env)) + "\n"


def _lines(summary: Summary, key_env: str | None) -> Iterator[str]:
    yield "TAP version 14"
    yield f"# {line(summary.headline.en)}: {line(summary.sentence.en)}"
    reason = incomplete(summary)
    findings = sorted(summary.findings, key=lambda finding: finding.id)
    for number, finding in enumerate(findings, 1):
        yield from _point(number, case_of(summary, finding, key_env))
    outdated = outdated_of(summary.run, contract_of(summary.run.header))
    for number, entry in enumerate(outdated, len(findings) + 1):
        yield f"not ok {number} - {entry.id}"
        yield from _block({"message": entry.told.en, "severity": "fail"})
    if reason is not None:
        yield f"Bail out! {reason.en}"
    yield f"1..{len(findings) + len(outdated)}"


def _point(number: int, case: Case) -> Iterator[str]:
    finding = case.finding
    name = f"{number} - {_escaped(line(finding.id))}"
    if finding.verdict in SKIPPED:
        reason = f"{finding.verdict.value}: {line(case.reason.en)}"
        yield f"ok {name} # SKIP {_escaped(cut(reason, MAX_REASON_CHARS))}"
        return
    is_ok = finding.verdict in {Verdict.PASS, Verdict.INFO} or (
        finding.verdict is Verdict.WARN and not case.summary.run.header.strict
    )
    yield f"{'ok' if is_ok else 'not ok'} {name}{_to_do(finding)}"
    if finding.verdict is Verdict.PASS:
        return
    told = {
        "message": case.sentence.en if case.sentence else finding.message,
        "severity": finding.shown.value,
        "requirement": finding.requirement,
        "expected": finding.expected,
        "actual": finding.seen,
        "reproduce": case.suite_command,
    }
    yield from _block(told)


def _block(told: Mapping[str, str | None]) -> Iterator[str]:
    yield "  ---"
    for key, value in told.items():
        if value is not None:
            # A string of JSON is one of YAML, whatever is in it.
            yield f"  {key}: {json.dumps(cut(line(value), MAX_VALUE_CHARS))}"
    yield "  ..."


def _to_do(finding: Finding) -> str:
    """Return the directive of an expected deviation, which harnesses count as no failure."""
    entry = finding.expectation
    return f" # TODO {_escaped(cut(line(entry.reason), MAX_REASON_CHARS))}" if entry else ""


def _escaped(text: str) -> str:
    return re.sub(r"([\\#])", r"\\\1", text)
