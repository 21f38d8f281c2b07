"""Rules about the list of parameters: required marks, and one entry per parameter."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract import Contract
from conformance.docs_audit.lint.messages import listed, parameter_place, verb
from conformance.docs_audit.lint.rule import Found, rule
from conformance.docs_audit.page import Page
from conformance.docs_audit.results import Severity


@rule(
    "parameter.required-not-said",
    Severity.GAP,
    says="Every parameter is marked as required or optional.",
    says_zh="每个参数都标明必填或可选。",
    fix="Mark each parameter as required or optional.",
    fix_zh="为每个参数标明必填或可选。",
)
def required_not_said(page: Page, _live: Contract) -> Iterator[Found]:
    """Find parameters that are not marked as required or optional."""
    unmarked = [p.written for p in page.parameters if p.required is None]
    if not unmarked:
        return
    if len(unmarked) == len(page.parameters):
        yield Found("parameters", "no mark at all", "a reader cannot tell what is required")
        return
    have = verb(len(unmarked), "has", "have")
    yield Found(
        "parameters",
        f"no mark for {listed(unmarked)}",
        f"the others are marked; {listed(unmarked)} {have} none",
    )


@rule(
    "parameter.no-heading",
    Severity.DEFECT,
    says="Every parameter has its own heading or row.",
    says_zh="每个参数都有自己的标题或表格行。",
    fix="Give the parameter its own heading.",
    fix_zh="为该参数单独设置标题。",
)
def no_heading(page: Page, _live: Contract) -> Iterator[Found]:
    """Find parameters that are described in the paragraph of another."""
    for parameter in page.parameters:
        if parameter.stated_in is not None:
            yield Found(
                parameter_place(parameter),
                f"in the paragraph of {parameter.stated_in}",
                f"its heading is missing, so a reader cannot find {parameter.written}",
            )


@rule(
    "parameter.two-in-one",
    Severity.DEFECT,
    says="A row describes one parameter.",
    says_zh="一行只描述一个参数。",
    fix="Give each of them its own row, and say which one this endpoint accepts.",
    fix_zh="将其拆成各自的行，并说明本接口接受哪一个。",
)
def two_in_one(page: Page, _live: Contract) -> Iterator[Found]:
    """Find entries with several names."""
    for parameter in page.parameters:
        if len(parameter.names) > 1:
            must = ", and that all are required" if parameter.required else ""
            yield Found(
                parameter_place(parameter),
                parameter.written,
                f"one row gives {listed(parameter.names)} the same type{must}",
            )
