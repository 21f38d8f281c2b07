r"""SARIF 2.1.0, which GitHub's code scanning and many editors read.

One run of the tool per run of the suite: its rules are the requirements, its results the root
causes. What could not be judged is no result but a notification of the invocation, because SARIF
has no verdict for it. An expected deviation is a result that is suppressed.

Limits are those of GitHub ("SARIF support for code scanning").
A name has 255 characters, a description 1,024, and only the first location and the fingerprint
``primaryLocationLineHash`` are read. In a message, ``[text](target)`` is a link (SARIF 2.1.0,
3.11.6), which no text of an endpoint may make.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from conformance.language import Text
from conformance.model import Level, Requirement, Run
from conformance.report.ci.location import Location, contract_of
from conformance.report.ci.problems import (
    EXPIRED,
    STALE,
    Outdated,
    Problem,
    Severity,
    incomplete,
    outdated_of,
    problems_of,
    scope_of,
    severity_of,
)
from conformance.report.markdown import code, escape, prose
from conformance.report.sanitize import cut, line
from conformance.report.summary import Summary

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
TOOL = "completions-conformance"
MAX_NAME_CHARS = 255
MAX_DESCRIPTION_CHARS = 1_024
MAX_MESSAGE_CHARS = 4_000
MAX_NOTIFICATIONS = 100

LEVELS: Mapping[Severity, str] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "note",
}
_DEFAULTS: Mapping[Level, str] = {
    Level.MUST: "error",
    Level.SHOULD: "warning",
    Level.MAY: "warning",
}
_OUTDATED: Mapping[str, str] = {
    STALE: "An expected deviation is no longer seen.",
    EXPIRED: "The last day of an expected deviation has passed.",
}
_PROBLEMS: Mapping[str, str] = {"error": "error", "warning": "warning", "note": "recommendation"}


def render(run: Run, key_env: str | None = None, location: Location | None = None) -> str:
    """Write the root causes of a run as a SARIF log.

    Args:
        run: the run to report.
        key_env: the environment variable that commands read the key from; by default the one
            that the run used.
        location: where the results are shown; by default the contract.
    """
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [_run(Summary(run), key_env, location or contract_of(run.header))],
    }
    return json.dumps(log, indent=1) + "\n"


def _run(summary: Summary, key_env: str | None, location: Location) -> Mapping[str, Any]:
    header = summary.run.header
    problems = problems_of(summary, key_env)
    shown = [one for one in problems if severity_of(one.finding, summary) in LEVELS]
    rules = [_rule(requirement) for requirement in header.requirements]
    places = {rule["id"]: place for place, rule in enumerate(rules)}
    for name in dict.fromkeys(line(one.finding.requirement) for one in shown):
        if name not in places:
            places[name] = len(rules)
            rules.append({"id": name, "shortDescription": {"text": name}})
    outdated = outdated_of(summary.run, location)
    rules += [
        {"id": name, "shortDescription": {"text": _OUTDATED[name]}}
        for name in dict.fromkeys(one.id for one in outdated)
    ]
    return {
        "tool": {
            "driver": {
                "name": TOOL,
                "semanticVersion": line(header.suite_version),
                "rules": rules,
            }
        },
        "automationDetails": {"id": _automation(summary)},
        "invocations": [_invocation(summary, problems)],
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The repository's root."}}},
        "results": [
            *(_result(one, places, location) for one in shown),
            *(_entry(one) for one in outdated),
        ],
        "properties": {
            "baseUrl": line(header.base_url),
            "model": line(header.model),
            "contract": line(header.contract),
            "tier": header.tier.value,
            "verdict": summary.conclusion.value,
            "headline": line(summary.headline.en),
            "headlineZh": line(summary.headline.zh),
        },
    }


def _automation(summary: Summary) -> str:
    """Return ``category/run``: GitHub replaces the results of an earlier run in the category."""
    header = summary.run.header
    scope = cut(line(scope_of(header)), MAX_NAME_CHARS)
    return f"{TOOL}/{scope}/{line(header.started_at)}"


def _invocation(summary: Summary, problems: Iterable[Problem]) -> Mapping[str, Any]:
    header, footer = summary.run.header, summary.run.footer
    reason = incomplete(summary)
    notifications = [_notification("error", reason)] if reason else []
    notifications += [
        _notification("warning", one.sentence, one.finding.id)
        for one in problems
        if one.severity is Severity.UNDECIDED
    ]
    invocation: dict[str, Any] = {
        "executionSuccessful": reason is None,
        "exitCode": int(summary.exit_code),
        "startTimeUtc": _utc(header.started_at),
        "endTimeUtc": _utc(footer.finished_at) if footer else None,
        "toolExecutionNotifications": notifications[:MAX_NOTIFICATIONS],
    }
    return {name: value for name, value in invocation.items() if value is not None}


def _utc(moment: str) -> str | None:
    """Return a moment as SARIF wants it; None if a record has none."""
    day, _, time = moment.removesuffix("+00:00").removesuffix("Z").partition("T")
    digits = "".join((day, time)).translate(_NO_MARKS)
    return f"{day}T{time}Z" if digits.isascii() and digits.isdecimal() and time else None


_NO_MARKS = str.maketrans("", "", "-:.")


def _notification(level: str, told: Text, check: str | None = None) -> Mapping[str, Any]:
    notification: dict[str, Any] = {"level": level, "message": _message(told)}
    if check is not None:
        notification["properties"] = {"check": line(check)}
    return notification


def _rule(requirement: Requirement) -> dict[str, Any]:
    statement = Text(requirement.statement, requirement.statement_zh)
    level = _DEFAULTS[requirement.level]
    described = {"text": cut(line(statement.en), MAX_DESCRIPTION_CHARS)}
    return {
        "id": cut(line(requirement.id), MAX_NAME_CHARS),
        "name": cut(line(requirement.id), MAX_NAME_CHARS),
        "shortDescription": described,
        "fullDescription": described,
        "help": {"text": described["text"], "markdown": _help(requirement, statement)},
        "defaultConfiguration": {"level": level},
        "properties": {
            "tags": [line(requirement.area), requirement.level.value, line(requirement.scope)],
            "precision": "very-high",
            "problem.severity": _PROBLEMS[level],
        },
    }


def _help(requirement: Requirement, statement: Text) -> str:
    """Write what is required and who says so, in both languages."""
    sources = [
        f"- {code(source.document)}: {escape(source.says)}"
        + (f" · {escape(source.says_zh)}" if source.says_zh else "")
        for source in requirement.sources
    ]
    subject = code(requirement.subject)
    parts = [
        prose(statement.en),
        prose(statement.zh) if statement.zh else "",
        f"{requirement.level.value} · {subject}",
        "\n".join(sources),
        f"{code(f'conformance list --select {requirement.id}')}",
    ]
    return cut("\n\n".join(part for part in parts if part), MAX_MESSAGE_CHARS)


def _result(problem: Problem, places: Mapping[str, int], location: Location) -> Mapping[str, Any]:
    finding = problem.finding
    rule = line(finding.requirement)
    result: dict[str, Any] = {
        "ruleId": rule,
        "ruleIndex": places[rule],
        "level": LEVELS[severity_of(finding, problem.case.summary)],
        "message": _message(problem.sentence, problem.details),
        "locations": [
            {
                **_physical(location),
                "logicalLocations": [
                    {"name": line(finding.subject), "fullyQualifiedName": line(finding.id)}
                ],
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": f"{problem.fingerprint}:1"},
        "properties": {
            "check": line(finding.id),
            "verdict": finding.shown.value,
            "subject": line(finding.subject),
            "exchanges": [line(key) for key in finding.exchanges[:20]],
            "explains": [line(other.id) for other in problem.explains],
        },
    }
    if problem.reason is not None:
        result["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": problem.reason}
        ]
    return result


def _entry(outdated: Outdated) -> Mapping[str, Any]:
    return {
        "ruleId": outdated.id,
        "level": "error",
        "message": _message(outdated.told),
        "locations": [_physical(outdated.location)],
        "partialFingerprints": {"primaryLocationLineHash": f"{outdated.fingerprint}:1"},
    }


def _physical(location: Location) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": location.uri, "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": location.line},
        }
    }


def _message(told: Text, details: Text | None = None) -> Mapping[str, str]:
    """Write a message as plain text in English, and as Markdown in both languages."""
    both = Text(f"{told.en.rstrip('.')}.", told.zh)
    plain = both.en if details is None else f"{both.en}\n{details.en}"
    written = [prose(both.en), *([prose(both.zh)] if both.zh not in {"", told.en} else [])]
    if details is not None:
        written.append("\n".join(f"- {escape(one)}" for one in details.en.split("\n")))
    return {"text": _unlinked(plain), "markdown": cut("\n\n".join(written), MAX_MESSAGE_CHARS)}


def _unlinked(text: str) -> str:
    """Return a plain message without links; a backslash keeps a bracket from closing one."""
    safe = "\n".join(line(one) for one in text.split("\n"))
    return cut(safe, MAX_MESSAGE_CHARS).replace("](", r"\](")


def joined(logs: Sequence[str]) -> str:
    """Put the runs of several logs into one."""
    runs = [run for log in logs for run in json.loads(log)["runs"]]
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": runs}, indent=1) + "\n"
