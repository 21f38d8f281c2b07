"""Rules about defaults: missing ones, wrong types, and violations of the page's own rules."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract import Contract
from conformance.docs_audit.json_types import fits, types_in
from conformance.docs_audit.lint.messages import listed, parameter_place, written
from conformance.docs_audit.lint.rule import Found, rule
from conformance.docs_audit.page import Page, Parameter
from conformance.docs_audit.results import Severity


@rule(
    "default.missing",
    Severity.GAP,
    says="The page says what happens if an optional parameter is omitted.",
    says_zh="说明省略可选参数时的行为。",
    fix="State the default of each parameter.",
    fix_zh="为每个参数写出默认值。",
)
def missing(page: Page, live: Contract) -> Iterator[Found]:
    """Find optional parameters without a default although the live API has one."""
    without = [
        parameter.written
        for parameter in page.parameters
        if not parameter.required and not parameter.has_default and _matters(live, parameter)
    ]
    if without:
        yield Found(
            "parameters",
            f"no default for {listed(without)}",
            "a client that omits them does not know the behaviour"
            if len(without) > 1
            else "a client that omits it does not know the behaviour",
        )


def _matters(live: Contract, parameter: Parameter) -> bool:
    """Return whether the live API has a default other than null.

    The prompt is excluded, because most servers require it.
    """
    known = live.parameter(parameter.names[0])
    return known.name != "prompt" and known.default is not None


@rule(
    "default.no-value",
    Severity.DEFECT,
    says="A default is a valid value.",
    says_zh="默认值本身是可以发送的值。",
    fix="Give a value of the documented type, or say what happens without the parameter.",
    fix_zh="写出该类型的值，或用文字说明省略时的行为。",
)
def no_value(page: Page, _live: Contract) -> Iterator[Found]:
    """Find defaults that do not have the parameter's type."""
    for parameter in page.parameters:
        types = types_in(parameter.type)
        if not parameter.has_default or parameter.default is None or not types:
            continue
        if not fits(parameter.default, types):
            default = parameter.default
            shown = default if isinstance(default, str) else written(default)
            yield Found(
                parameter_place(parameter),
                f"{parameter.type}, default {shown}",
                f"{shown} is not of type {parameter.type}, so it cannot be sent",
            )


@rule(
    "default.null-not-allowed",
    Severity.GAP,
    says="If the default is null, null is an allowed type.",
    says_zh="默认值为 null 时，类型中也包含 null。",
    fix="Add null to the type, or say that the default is to omit the parameter.",
    fix_zh="在类型中加入 null，或说明默认即为省略。",
)
def null_not_allowed(page: Page, _live: Contract) -> Iterator[Found]:
    """Find parameters with default null whose type does not include null."""
    names = [
        parameter.written
        for parameter in page.parameters
        if parameter.has_default
        and parameter.default is None
        and parameter.type
        and "null" not in types_in(parameter.type)
    ]
    if names:
        yield Found(
            "parameters",
            f"default null for {listed(names)}",
            "the type does not allow null, but the default is null",
        )


@rule(
    "default.breaks-own-rule",
    Severity.DEFECT,
    says="A page's defaults follow the page's own rules.",
    says_zh="页面的默认值符合页面自己的规则。",
    fix="Relax the rule, or change the default.",
    fix_zh="放宽规则或修改默认值。",
)
def breaks_own_rule(page: Page, _live: Contract) -> Iterator[Found]:
    """Find pairs of defaults that violate a rule that one must exceed the other."""
    for parameter in page.parameters:
        other = page.parameter(parameter.greater_than) if parameter.greater_than else None
        if other is None or not (_is_number(parameter.default) and _is_number(other.default)):
            continue
        if parameter.default <= other.default:
            name, than = parameter.written, other.written
            yield Found(
                parameter_place(parameter),
                f"{name} must exceed {than}; defaults: {name} {written(parameter.default)}, "
                f"{than} {written(other.default)}",
                "a request without both parameters breaks the rule",
            )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
