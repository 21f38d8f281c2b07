"""A rule of the lint: an id, what it requires, the fix, and the function that inspects a page.

    @rule("usage.total", Severity.DEFECT, says="…", says_zh="…", fix="…", fix_zh="…")
    def total_is_the_sum(page: Page, live: Contract) -> Iterator[Found]:
        …

``says`` is what the rule requires, in one sentence. A rule yields one :class:`Found` per place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from conformance.contract import Contract
from conformance.docs_audit.page import Page
from conformance.docs_audit.results import Finding, Severity


@dataclass(frozen=True, slots=True)
class Found:
    """One place that breaks a rule: the place, what the page has there, why that is wrong."""

    place: str
    written: str
    wrong: str


Inspect = Callable[[Page, Contract], Iterator[Found]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; ids are permanent, because programs filter by them."""

    id: str
    severity: Severity
    says: str
    says_zh: str
    fix: str
    fix_zh: str
    look: Inspect

    def findings(self, page: Page, live: Contract) -> Iterator[Finding]:
        """Yield the findings for a page; ``live`` is the contract of the live API."""
        for found in self.look(page, live):
            yield Finding(
                rule=self.id,
                severity=self.severity,
                document=page.document,
                place=found.place,
                written=found.written,
                wrong=found.wrong,
                says=self.says,
                says_zh=self.says_zh,
                fix=self.fix,
                fix_zh=self.fix_zh,
            )


def rule(
    id_: str, severity: Severity, *, says: str, says_zh: str, fix: str, fix_zh: str
) -> Callable[[Inspect], Rule]:
    """Decorate a function that inspects a page, which makes it a rule."""

    def made(look: Inspect) -> Rule:
        return Rule(id_, severity, says, says_zh, fix, fix_zh, look)

    return made
