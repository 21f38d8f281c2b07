"""Rules about the requests of examples, which must be valid by the page's own rules."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract import Contract
from conformance.docs_audit.json_types import fits, type_of, types_in
from conformance.docs_audit.lint.messages import example_place, listed, written
from conformance.docs_audit.lint.rule import Found, rule
from conformance.docs_audit.page import Client, Example, Page, Parameter
from conformance.docs_audit.results import Severity


def _sent(page: Page, example: Example) -> Iterator[tuple[str, object, Parameter]]:
    """Yield the listed parameters that an example sends: name, value, parameter."""
    for name, value in example.request.items():
        parameter = page.parameter(name)
        if parameter is not None:
            yield name, value, parameter


@rule(
    "request.type",
    Severity.DEFECT,
    says="An example sends values of the types that the page lists.",
    says_zh="示例发送的值符合页面列出的类型。",
    fix="Correct the types in the list, or the values in the example.",
    fix_zh="更正列表中的类型或示例中的值。",
)
def type_differs(page: Page, _live: Contract) -> Iterator[Found]:
    """Find examples with values of other types than the listed ones."""
    for example in page.examples:
        wrong = [
            (name, value, parameter.type)
            for name, value, parameter in _sent(page, example)
            if types_in(parameter.type) and not fits(value, types_in(parameter.type))
        ]
        if wrong:
            values = ", ".join(f"{name}: {written(value)}" for name, value, _ in wrong)
            kinds = (f"{name} is {type_of(v)}, listed as {kind}" for name, v, kind in wrong)
            yield Found(example_place(example), values, "; ".join(kinds))


@rule(
    "request.required-missing",
    Severity.DEFECT,
    says="An example sends every parameter that the page requires.",
    says_zh="示例包含页面要求的所有必填参数。",
    fix="Add the parameter to the example, or mark it as optional.",
    fix_zh="在示例中加入该参数，或将其标为可选。",
)
def required_missing(page: Page, _live: Contract) -> Iterator[Found]:
    """Find requests without a required parameter."""
    for example in page.examples:
        if example.client is Client.FRAGMENT:
            continue
        lacking = [
            parameter.written
            for parameter in page.parameters
            if parameter.required and not any(name in example.request for name in parameter.names)
        ]
        if lacking:
            yield Found(
                example_place(example),
                f"sends {listed(example.request) if example.request else 'nothing'}",
                f"the page requires {listed(lacking)}",
            )


@rule(
    "request.unlisted",
    Severity.DEFECT,
    says="An example sends only parameters that the page lists.",
    says_zh="示例只发送页面列出的参数。",
    fix="List the parameter, or remove it from the example.",
    fix_zh="在列表中加入该参数，或从示例中删除。",
)
def unlisted(page: Page, _live: Contract) -> Iterator[Found]:
    """Find parameters that an example sends and the page does not list."""
    for example in page.examples:
        unlisted = [name for name in example.request if page.parameter(name) is None]
        if unlisted:
            values = ", ".join(f"{name}: {written(example.request[name])}" for name in unlisted)
            yield Found(
                example_place(example), values, f"the page does not list {listed(unlisted)}"
            )


@rule(
    "request.out-of-range",
    Severity.DEFECT,
    says="An example respects the limits on the page.",
    says_zh="示例遵守页面给出的取值范围。",
    fix="Correct the limit, or the value in the example.",
    fix_zh="更正范围或示例中的值。",
)
def out_of_range(page: Page, _live: Contract) -> Iterator[Found]:
    """Find values outside the page's limits."""
    for example in page.examples:
        for name, value, parameter in _sent(page, example):
            if why := _beyond(value, parameter):
                yield Found(example_place(example), f"{name}: {written(value)}", why)


def _beyond(value: object, limits: Parameter) -> str | None:
    values = list(value.values()) if isinstance(value, dict) else [value]
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if limits.minimum is not None and any(number < limits.minimum for number in numbers):
        return f"the page says at least {limits.minimum}"
    if limits.maximum is not None and any(number > limits.maximum for number in numbers):
        return f"the page says at most {limits.maximum}"
    if limits.most is not None and isinstance(value, list) and len(value) > limits.most:
        return f"the page says at most {limits.most} items"
    if limits.values and value not in limits.values:
        return f"the page allows only {listed(map(written, limits.values))}"
    return None


@rule(
    "request.not-together",
    Severity.DEFECT,
    says="An example does not combine mutually exclusive parameters.",
    says_zh="示例不同时发送页面规定互斥的参数。",
    fix="Remove one of them from the example, or drop the rule.",
    fix_zh="从示例中去掉其中一个，或删除该规则。",
)
def not_together(page: Page, _live: Contract) -> Iterator[Found]:
    """Find mutually exclusive parameters that are both sent; false counts as not sent."""
    for example in page.examples:
        result: set[frozenset[str]] = set()
        for name, _, parameter in _sent(page, example):
            for other in parameter.not_with:
                pair = frozenset({name, other})
                if example.request.get(other, False) is not False and pair not in result:
                    result.add(pair)
                    sent = (f"{key}: {written(example.request[key])}" for key in (name, other))
                    why = f"the page says that {name} must not be sent with {other}"
                    yield Found(example_place(example), ", ".join(sent), why)


@rule(
    "request.breaks-own-rule",
    Severity.DEFECT,
    says="An example follows the page's rules on the order of values.",
    says_zh="示例满足页面规定的数值大小关系。",
    fix="Correct the rule, or the values in the example.",
    fix_zh="更正规则或示例中的值。",
)
def breaks_own_rule(page: Page, _live: Contract) -> Iterator[Found]:
    """Find pairs of values that violate a rule that one must exceed the other."""
    for example in page.examples:
        for name, value, parameter in _sent(page, example):
            other = parameter.greater_than
            than = example.request.get(other) if other else None
            if not isinstance(value, int | float) or not isinstance(than, int | float):
                continue
            if value <= than:
                yield Found(
                    example_place(example),
                    f"{name}: {written(value)}, {other}: {written(than)}",
                    f"the page says that {name} must exceed {other}",
                )
