r"""What GitHub Actions shows of a run: annotations, and the summary of the job.

An annotation is a *workflow command*, a line of output such as

    ::error file=conformance.toml,line=7,title=stop.five-refused::A fifth sequence was served

Whatever is printed at the beginning of a line can be one, so a text of the endpoint is escaped as
the documentation says: ``%``, carriage return and newline everywhere, and ``:`` and ``,`` in
properties. A step shows at most ten annotations of a kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from conformance.language import Language, Text
from conformance.model import Run
from conformance.report import markdown
from conformance.report.ci.location import Location, contract_of
from conformance.report.ci.problems import Severity, incomplete, outdated_of, problems_of
from conformance.report.sanitize import cut, line
from conformance.report.summary import Summary

MAX_OF_A_KIND = 10
"""Annotations of a kind that GitHub shows of one step."""

MAX_SUMMARY_BYTES = 2**20
"""Size of a step's summary; GitHub leaves out all of a longer one."""

MAX_MESSAGE_CHARS = 1_000

KINDS: Mapping[Severity, str] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "notice",
    Severity.UNDECIDED: "warning",
    Severity.EXPECTED: "notice",
}


def annotate(
    run: Run,
    location: Location | None = None,
    language: Language = Language.ENGLISH,
    room: int = MAX_OF_A_KIND,
) -> tuple[str, ...]:
    """Return the workflow commands that annotate a run, the most important first.

    Args:
        run: the run to report.
        location: the line that they stand at; by default the contract.
        language: the language of their text.
        room: how many of a kind there may be.
    """
    place = location or contract_of(run.header)
    kept: list[str] = []
    counted: Counter[str] = Counter()
    for kind, title, told, where in _all(Summary(run), place):
        counted[kind] += 1
        if counted[kind] <= room:
            kept.append(command(kind, told.of(language), title, where))
    return tuple(kept)


def _all(summary: Summary, place: Location) -> Iterator[tuple[str, str, Text, Location]]:
    reason, header = incomplete(summary), summary.run.header
    if reason is not None:
        yield "error", header.target or header.contract, reason, place
    for entry in outdated_of(summary.run, place):
        yield "error", entry.id, entry.told, entry.location
    for one in problems_of(summary):
        yield KINDS[one.severity], one.finding.id, one.told, place


def command(kind: str, message: str, title: str, place: Location) -> str:
    """Write one workflow command on a line of its own."""
    properties = {"file": place.path, "line": str(place.line), "title": line(title)}
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind} {written}::{_data(cut(line(message), MAX_MESSAGE_CHARS))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def step_summary(
    run: Run, language: Language = Language.ENGLISH, room: int = MAX_SUMMARY_BYTES
) -> str:
    """Write the Markdown summary of a run for a job's page, within ``room`` bytes.

    Sections are left out from the end until it fits.
    """
    written = markdown.render(run, language=language)
    if len(written.encode()) <= room:
        return written
    note = _SHORTENED.of(language)
    parts = written.split("\n\n")
    size = len(note.encode()) + 2
    kept = []
    for part in parts:
        size += len(part.encode()) + 2
        if size > room or part.startswith("<details>"):
            break
        kept.append(part)
    return "\n\n".join([*kept, note]) + "\n" if kept else ""


_SHORTENED = Text(
    "The rest is in the report: a summary has room for 1 MiB.",
    "其余内容见完整报告：摘要最多 1 MiB。",
)
