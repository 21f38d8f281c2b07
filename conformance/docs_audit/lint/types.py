"""Rules about types: contradictions within the page, and with the live API."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract import Contract
from conformance.docs_audit.json_types import fits, overlap, types_in
from conformance.docs_audit.lint.messages import listed, parameter_place
from conformance.docs_audit.lint.rule import Found, rule
from conformance.docs_audit.page import Page, Parameter
from conformance.docs_audit.results import Severity


@rule(
    "type.said-otherwise",
    Severity.DEFECT,
    says="A page gives a parameter the same type everywhere.",
    says_zh="页面各处对同一参数的类型说法一致。",
    fix="Make both places consistent.",
    fix_zh="使各处的类型说法保持一致。",
)
def said_otherwise(page: Page, _live: Contract) -> Iterator[Found]:
    """Find types that another place of the page contradicts, and the examples for either."""
    for parameter in page.parameters:
        places: dict[str, list[str]] = {}
        for other in parameter.elsewhere:
            if set(types_in(other.type)) != set(types_in(parameter.type)):
                places.setdefault(other.type, []).append(other.place)
        for written, where in places.items():
            against = _sending_what_does_not_fit(page, parameter, types_in(written))
            sent = (
                f"; {listed(against)} sends a value that the latter does not allow"
                if against
                else ""
            )
            yield Found(
                parameter_place(parameter),
                f"listed as {parameter.type}, in {listed(where)} as {written}",
                f"these contradict each other{sent}",
            )


def _sending_what_does_not_fit(
    page: Page, parameter: Parameter, types: tuple[str, ...]
) -> list[str]:
    return [
        f"`{example.name}`"
        for example in page.examples
        for name in parameter.names
        if name in example.request and not fits(example.request[name], types)
    ]


@rule(
    "type.not-what-is-taken",
    Severity.DEFECT,
    says="The documented type is a type that the endpoint accepts.",
    says_zh="页面写的类型是接口实际接受的类型。",
    fix="Write the type that the endpoint accepts.",
    fix_zh="改写为接口实际接受的类型。",
)
def not_what_is_taken(page: Page, live: Contract) -> Iterator[Found]:
    """Find types of which the live API accepts no value."""
    for parameter in page.parameters:
        taken = live.parameter(parameter.names[0]).types
        types = types_in(parameter.type)
        if taken and types and not overlap(types, taken):
            yield Found(
                parameter_place(parameter),
                parameter.type,
                f"{parameter.written} is {listed(taken)} in all implementations of this endpoint",
            )


@rule(
    "type.items-of-no-array",
    Severity.DEFECT,
    says="A maximum number of items applies only to arrays.",
    says_zh="只有数组才有元素个数上限。",
    fix="Add array to the type, or remove the limit.",
    fix_zh="在类型中加入 array，或去掉该上限。",
)
def items_of_no_array(page: Page, _live: Contract) -> Iterator[Found]:
    """Find limits on the number of items of parameters that are not arrays."""
    for parameter in page.parameters:
        if parameter.most is not None and "array" not in types_in(parameter.type):
            yield Found(
                parameter_place(parameter),
                f"{parameter.type}, at most {parameter.most} items",
                f"a {parameter.type} has no items",
            )
