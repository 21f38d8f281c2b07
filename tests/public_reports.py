"""Writes ``docs/public-reports.md`` from the catalogue; ``python -m tests.public_reports``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from reference_server.behaviour.registry import Evidence, Fault, Tier, all_faults
from reference_server.behaviour.reports import sources_of
from reference_server.faults._unseen import UNSEEN

PAGE = Path(__file__).parents[1] / "docs" / "public-reports.md"

HEAD = """\
# Public reports

Bugs of completions endpoints that were reported publicly, each rebuilt as a fault of the bundled
server, as reported and not stronger: `reference-server --fault NAME` shows it. `python -m
tests.public_reports` writes this page from the faults; a test compares the two.
"""

REBUILT = """\
## Found

{count} faults, from {sources} reports. *Standard* is the cheapest tier that has to find the fault,
and {standard} are found there, some of them by the smoke tier already; {deep} are found by the deep
tier only. `conformance selftest` fails if one is not ([how](selftest.md)). A report "of a sibling"
is one of a chat endpoint, or of a part that it shares with completions.
"""

NOT_FOUND = """\
## Not found

No test of a contract finds these, for the reason given.
"""


def page() -> str:
    """Return the whole page."""
    known = [(fault, sources_of(fault)) for fault in all_faults().values()]
    reported = [(fault, sources) for fault, sources in known if sources]
    deep = sum(fault.tier is Tier.DEEP for fault, _ in reported)
    counts = {
        "count": len(reported),
        "sources": len({source for _, sources in reported for source in sources}),
        "standard": len(reported) - deep,
        "deep": deep,
    }
    found = _table(
        ("fault", "what was reported", "reports", "found at"),
        ((f"`{f.name}`", _written(f.summary), _links(s), _tier(f)) for f, s in reported),
    )
    unseen = _table(
        ("what was reported", "reports", "why it is not found"),
        ((one.does, _links(one.sources), one.because) for one in UNSEEN),
    )
    parts = [HEAD, REBUILT.format(**counts), found, NOT_FOUND, unseen]
    return "\n".join(parts)


def _tier(fault: Fault) -> str:
    sibling = " (of a sibling)" if fault.evidence is Evidence.SIBLING else ""
    return fault.tier + sibling


def _written(summary: str) -> str:
    return summary.replace("``", "`").replace("|", r"\|")


def _links(sources: Iterable[str]) -> str:
    return ", ".join(f"[{_short(source)}]({source})" for source in sources)


def _short(source: str) -> str:
    *_, owner, repository, _, number = source.split("/")
    return f"{owner}/{repository}#{number}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
