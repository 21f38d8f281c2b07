"""Rules about usage in samples."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract import Contract
from conformance.docs_audit.lint.messages import sample_place
from conformance.docs_audit.lint.rule import Found, rule
from conformance.docs_audit.page import Page
from conformance.docs_audit.printed_samples import read
from conformance.docs_audit.results import Severity


@rule(
    "usage.total",
    Severity.DEFECT,
    says="total_tokens is the sum of both counts.",
    says_zh="total_tokens 等于两项计数之和。",
    fix="Correct the counts.",
    fix_zh="更正计数。",
)
def total(page: Page, _live: Contract) -> Iterator[Found]:
    """Find totals that are not the sum."""
    for sample in page.samples:
        for thing in read(sample).objects:
            usage = thing.get("usage")
            if not isinstance(usage, dict):
                continue
            prompt, completion, whole = (
                usage.get(f"{part}_tokens") for part in ("prompt", "completion", "total")
            )
            if not (
                isinstance(prompt, int) and isinstance(completion, int) and isinstance(whole, int)
            ):
                continue
            if prompt + completion != whole:
                yield Found(
                    f"{sample_place(sample)}, usage",
                    f"total_tokens: {whole}",
                    f"{prompt} and {completion} are {prompt + completion}",
                )
