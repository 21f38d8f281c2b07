"""Rules about the description of responses and errors."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract import Contract
from conformance.docs_audit.lint.messages import listed
from conformance.docs_audit.lint.rule import Found, rule
from conformance.docs_audit.page import Page
from conformance.docs_audit.printed_samples import read
from conformance.docs_audit.results import Severity


@rule(
    "fields.left-out",
    Severity.GAP,
    says="The list of response fields contains all fields in the samples.",
    says_zh="响应字段表包含示例中出现的所有字段。",
    fix="List the fields.",
    fix_zh="在表中补上这些字段。",
)
def left_out(page: Page, live: Contract) -> Iterator[Found]:
    """Find fields in samples that the page does not list."""
    known = {field.path for field in page.fields}
    if not known:
        return
    # `choices[].text` also lists `choices`.
    result = {path[:end] for path in known for end in _borders(path)}
    ends = _ends(live)
    shown = dict.fromkeys(
        path
        for sample in page.samples
        for thing in read(sample).objects
        for path in _paths(thing, ends)
    )
    lacking = [path for path in shown if path not in result]
    # Members of an unlisted field are not reported separately.
    first = [p for p in lacking if not any(p != q and p.startswith(q) for q in lacking)]
    if first:
        yield Found(
            "fields",
            listed(sorted(known)),
            f"the samples also show {listed(first)}",
        )


def _borders(path: str) -> Iterator[int]:
    """Yield the lengths of all prefixes of a path that are paths, including the path itself."""
    yield from (place for place, character in enumerate(path) if character in ".[")
    yield len(path)


def _ends(live: Contract) -> frozenset[str]:
    """Return the fields without members; the keys of a map are not fields."""
    known = [field.path.removeprefix("response.") for field in live.fields]
    return frozenset(
        path for path in known if not any(p.startswith((f"{path}.", f"{path}[]")) for p in known)
    )


def _paths(value: object, ends: frozenset[str], prefix: str = "") -> Iterator[str]:
    """Yield the paths of all fields of a response, parents first."""
    if prefix.removesuffix("[]") in ends:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            path = f"{prefix}.{name}" if prefix else str(name)
            yield path
            yield from _paths(inner, ends, path)
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner, ends, f"{prefix}[]")


@rule(
    "fields.not-described",
    Severity.GAP,
    says="The response fields are described.",
    says_zh="对响应字段有说明。",
    fix="List the fields with their types, and which of them may be null.",
    fix_zh="列出各字段及其类型，并说明哪些可为 null。",
)
def not_described(page: Page, _live: Contract) -> Iterator[Found]:
    """Find pages that do not describe the response."""
    described = page.openapi is not None and page.openapi.response is not None
    if not page.fields and not described:
        yield Found(
            "fields",
            "samples only" if page.samples else "nothing",
            "fields that no sample contains stay unknown",
        )


@rule(
    "errors.not-described",
    Severity.GAP,
    says="The page describes error responses.",
    says_zh="说明请求无法处理时返回什么。",
    fix="List the status codes, and the body: error.message, type, param and code.",
    fix_zh="列出状态码及错误体：error.message、type、param 与 code。",
)
def errors_not_described(page: Page, _live: Contract) -> Iterator[Found]:
    """Find pages that do not describe errors."""
    if not page.errors:
        yield Found("errors", "nothing", "a client cannot handle undocumented errors")
