"""``junit.xml``: one testcase per check, for the many tools that read nothing else.

==============================  ============================================================
the verdict                     the testcase
==============================  ============================================================
pass                            passes
fail                            ``<failure>``: a requirement is not met
warn                            passes, with the warning in ``<system-out>``;
                                ``<failure>`` in a strict run, as in the exit code
inconclusive, error             ``<error>``, because it must not look green
refused                         ``<skipped>``: rejected cleanly, which the contract allows
explained                       ``<skipped>``, with the check whose finding is the cause
expected                        ``<skipped>``, with the reason of the entry that expects it
skipped                         ``<skipped>``, with the reason
info                            passes, with the result in ``<system-out>``
==============================  ============================================================

Each entry of the expected deviations that is stale or has expired gets a testcase, a ``<failure>``.
Each of the user's objectives gets one, too: missed is a ``<failure>``, inconclusive ``<skipped>``.
An incomplete run, a run without verdicts and a failed preflight get one more testcase, an
``<error>``; without it the file would be green. ``time`` is the response time in seconds of the
exchanges that the check used; checks may share exchanges. ``file`` and ``line`` are the target's in
``conformance.toml``, to which viewers of GitHub and GitLab link.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping

from conformance.model import Conclusion, Expected, Run, Standing, Verdict
from conformance.report.case import Case, case_of
from conformance.report.ci.location import Location
from conformance.report.expected import why_expired, why_stale
from conformance.report.objectives import objectives_of, sentence_of, wanted_of
from conformance.report.sanitize import line, lines
from conformance.report.summary import Summary
from conformance.report.summary_rows import Area

_INCOMPLETE = frozenset({Conclusion.INCOMPLETE, Conclusion.NOTHING_RAN})


def render(run: Run, key_env: str | None = None, location: Location | None = None) -> str:
    """Write the findings as JUnit XML, one suite per area.

    Args:
        run: the run to report.
        key_env: the environment variable that commands read the key from; by default the one
            that the run used.
        location: the line that GitHub's and GitLab's viewers link a testcase to; None is none.
    """
    summary = Summary(run)
    root = ET.Element("testsuites", name=f"conformance: {line(run.header.contract)}")
    for area in summary.areas:
        _add_suite(root, summary, area, key_env)
    if run.expected is not None:
        _add_entries(root, summary, run.expected)
    if objectives_of(run):
        _add_objectives(root, summary)
    if summary.conclusion in _INCOMPLETE or summary.because:
        _add_incomplete(root, summary)
    if location is not None:
        for case in root.iter("testcase"):
            case.attrib.update({"file": location.path, "line": str(location.line)})
    totals = {key: sum(int(suite.get(key, "0")) for suite in root) for key in _COUNTED}
    root.attrib.update({key: str(total) for key, total in totals.items()})
    root.set("time", f"{summary.elapsed:.3f}")
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written.decode() + "\n"


_COUNTED: Mapping[str, str] = {
    "tests": "testcase",
    "failures": "testcase/failure",
    "errors": "testcase/error",
    "skipped": "testcase/skipped",
}


def _add_suite(root: ET.Element, summary: Summary, area: Area, key_env: str | None) -> None:
    suite = _new_suite(root, summary, area.name)
    for finding in area.findings:
        seconds = sum(exchange.elapsed for exchange in summary.evidence(finding))
        case = ET.SubElement(
            suite,
            "testcase",
            classname=line(area.name),
            name=line(finding.id),
            time=f"{seconds:.3f}",
        )
        _add_properties(
            case,
            {
                "title": finding.title,
                "requirement": finding.requirement,
                "level": finding.level.value,
                "subject": finding.subject,
                "tier": finding.tier.value,
                "verdict": finding.shown.value,
            },
        )
        _add_outcome(case, case_of(summary, finding, key_env))
    _count(suite)
    suite.set("time", f"{sum(float(case.get('time', '0')) for case in suite):.3f}")


def _add_incomplete(root: ET.Element, summary: Summary) -> None:
    suite = _new_suite(root, summary, "run")
    case = ET.SubElement(suite, "testcase", classname="run", name="run.complete", time="0.000")
    what = ET.SubElement(case, "error", message=line(summary.sentence.en))
    what.set("type", summary.conclusion.value)
    what.text = lines(summary.because.en) if summary.because else None
    _count(suite)


def _add_entries(root: ET.Element, summary: Summary, expected: Expected) -> None:
    """Add a failure for each entry that is stale or has expired."""
    told = [("stale", entry, why_stale) for entry in expected.stale]
    told += [("expired", entry, why_expired) for entry in expected.expired]
    if not told:
        return
    suite = _new_suite(root, summary, "expected")
    for kind, entry, why in told:
        name = line(f"{entry.name}, line {entry.line}")
        case = ET.SubElement(suite, "testcase", classname="expected", name=name, time="0.000")
        sentence = line(why(entry, expected.file.name).en)
        failure = ET.SubElement(case, "failure", message=sentence, type=kind)
        failure.text = lines(entry.reason)
    _count(suite)


def _add_objectives(root: ET.Element, summary: Summary) -> None:
    """Add a testcase for each objective: missed is a failure, inconclusive is skipped."""
    suite = _new_suite(root, summary, "objectives")
    for result in objectives_of(summary.run):
        name = line(f"objective.{result.objective.name}")
        case = ET.SubElement(suite, "testcase", classname="objectives", name=name, time="0.000")
        told = line(f"{wanted_of(result.objective).en}: {sentence_of(result).en}")
        if result.standing is Standing.MISSED:
            ET.SubElement(case, "failure", message=told, type=result.standing.value)
        elif result.standing is Standing.UNDECIDED:
            ET.SubElement(case, "skipped", message=told)
        else:
            ET.SubElement(case, "system-out").text = told
    _count(suite)


def _new_suite(root: ET.Element, summary: Summary, name: str) -> ET.Element:
    header = summary.run.header
    suite = ET.SubElement(root, "testsuite", name=line(name), timestamp=line(header.started_at))
    _add_properties(
        suite,
        {
            "base_url": header.base_url,
            "model": header.model,
            "contract": header.contract,
            "tier": header.tier.value,
            "suite_version": header.suite_version,
            **({"recorded_by": header.recorded_by} if header.recorded_by else {}),
        },
    )
    return suite


def _add_outcome(case: ET.Element, result: Case) -> None:
    finding = result.finding
    match finding.shown:
        case Verdict.PASS:
            return
        case Verdict.INFO:
            seen = f"not documented in this contract: {finding.message}"
            ET.SubElement(case, "system-out").text = lines(seen)
            return
        case Verdict.WARN if not result.summary.run.header.strict:
            ET.SubElement(
                case, "system-out"
            ).text = f"warning: {_headline(result)}\n{_details(result)}"
            return
        case Verdict.FAIL | Verdict.WARN:
            tag = "failure"
        case Verdict.INCONCLUSIVE | Verdict.ERROR:
            tag = "error"
        case Verdict.REFUSED | Verdict.EXPLAINED | Verdict.SKIPPED | Verdict.EXPECTED:
            tag = "skipped"
    headline = _headline(result)
    if result.known is not None:
        headline = f"{line(result.known.en)}: {headline}"
    outcome = ET.SubElement(case, tag, message=headline)
    outcome.set("type", finding.shown.value)
    outcome.text = _details(result)


def _headline(result: Case) -> str:
    """Say what was found in one sentence; a skipped check says why in its own words."""
    sentence, finding = result.sentence, result.finding
    return sentence.en if sentence else line(finding.message or finding.title)


def _details(result: Case) -> str:
    """Describe a finding as ``label: value`` lines."""
    finding = result.finding
    parts: dict[str, str | None] = {}
    if finding.verdict is Verdict.EXPLAINED:
        parts["because"] = result.reason.en
    parts |= {"expected": finding.expected, "actual": finding.seen}
    if finding.expected is None and finding.seen is None:
        parts[""] = finding.message
    if result.cause:
        for source in result.sources:
            parts[f"source: {source.document}"] = source.says.en
        parts |= {"likely cause": result.cause.cause, "fix": result.cause.remedy}
        parts["reproduce"] = result.command
        parts["by the suite"] = result.suite_command
    return "\n".join(
        f"{line(name)}: {lines(text)}" if name else lines(text)
        for name, text in parts.items()
        if text is not None
    )


def _add_properties(parent: ET.Element, properties: Mapping[str, str]) -> None:
    holder = ET.SubElement(parent, "properties")
    for name, value in properties.items():
        ET.SubElement(holder, "property", name=name, value=line(value))


def _count(suite: ET.Element) -> None:
    suite.attrib.update({key: str(len(suite.findall(path))) for key, path in _COUNTED.items()})
