"""Rules about the OpenAPI description on a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import yaml

from conformance.contract import Contract
from conformance.docs_audit.lint.messages import cut, written
from conformance.docs_audit.lint.rule import Found, rule
from conformance.docs_audit.page import Page
from conformance.docs_audit.results import Severity


@rule(
    "openapi.not-a-description",
    Severity.DEFECT,
    says="The printed OpenAPI description is machine-readable.",
    says_zh="所打印的 OpenAPI 描述可以被工具读取。",
    fix="Print the file with its indentation, or link to it.",
    fix_zh="保留缩进打印该文件，或提供其链接。",
)
def not_a_description(page: Page, _live: Contract) -> Iterator[Found]:
    """Find descriptions that are not valid YAML or lack the endpoint."""
    text = page.openapi.text if page.openapi else None
    if text is None:
        return
    lost = "" if _is_indented(text) else "; the indentation is missing"
    try:
        described = yaml.safe_load(text)
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or "it cannot be read"
        mark = getattr(error, "problem_mark", None)
        line = text.split("\n")[mark.line] if mark else text
        yield Found("openapi", cut(line.strip()), f"it is not valid YAML: {problem}{lost}")
        return
    path = urlsplit(page.endpoint).path
    if not isinstance(_under(described, "paths", path), dict):
        yield Found(
            "openapi: paths",
            f"paths: {written(_under(described, 'paths'))}",
            f"{path} is not among its paths{lost}",
        )


def _is_indented(text: str) -> bool:
    return any(line.startswith((" ", "\t")) for line in text.split("\n"))


def _under(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


@rule(
    "openapi.empty-answer",
    Severity.DEFECT,
    says="The response schema lists its fields.",
    says_zh="响应的 schema 列出其字段。",
    fix="Describe id, object, created, model, choices and usage in the schema.",
    fix_zh="在 schema 中描述 id、object、created、model、choices 和 usage。",
)
def empty_answer(page: Page, _live: Contract) -> Iterator[Found]:
    """Find response schemas without content."""
    schema = page.openapi.response if page.openapi else None
    if schema is not None and not schema.get("properties") and "$ref" not in schema:
        yield Found(
            "openapi: the response schema",
            written(schema),
            "any object is valid, and a generated client has no fields",
        )


@rule(
    "openapi.server",
    Severity.DEFECT,
    says="Every server has a valid URL.",
    says_zh="每个 server 都是可用的地址。",
    fix="Give the URL, or remove the server.",
    fix_zh="填写地址，或删除该 server。",
)
def server(page: Page, _live: Contract) -> Iterator[Found]:
    """Find servers that are placeholders of a tool."""
    for url in page.openapi.servers if page.openapi else ():
        if not urlsplit(url).netloc and not url.startswith("/"):
            yield Found("openapi: servers", url, "it is not a URL, but tools use it first")
