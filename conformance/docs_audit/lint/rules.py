"""All rules of the lint."""

from __future__ import annotations

from types import ModuleType

from conformance.contract import load_contract
from conformance.docs_audit.lint import (
    authorization,
    code,
    defaults,
    fields,
    finish,
    identity,
    logprobs,
    openapi,
    parameters,
    requests,
    shape,
    streams,
    types,
    usage,
)
from conformance.docs_audit.lint.rule import Rule
from conformance.docs_audit.page import Page
from conformance.docs_audit.results import Finding

_AREAS: tuple[ModuleType, ...] = (
    parameters,
    types,
    defaults,
    requests,
    code,
    authorization,
    shape,
    streams,
    identity,
    finish,
    logprobs,
    usage,
    fields,
    openapi,
)

RULES: tuple[Rule, ...] = tuple(
    rule for area in _AREAS for rule in vars(area).values() if isinstance(rule, Rule)
)
"""All rules, in the order of a page: parameters, examples, samples, the rest."""


def lint(page: Page) -> tuple[Finding, ...]:
    """Return the findings for a page, in the order of the rules."""
    live = load_contract("openai")
    return tuple(finding for rule in RULES for finding in rule.findings(page, live))
