"""Rules about authentication in examples."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract import Contract
from conformance.docs_audit.lint.messages import example_place
from conformance.docs_audit.lint.rule import Found, rule
from conformance.docs_audit.page import Page
from conformance.docs_audit.results import Severity


@rule(
    "authorization.no-bearer",
    Severity.DEFECT,
    says="The Authorization header is `Bearer` and the key.",
    says_zh="Authorization 头由 Bearer 加密钥组成。",
    fix="Write the header as `Bearer sk-…`.",
    fix_zh="将该头写为 `Bearer sk-…`。",
)
def no_bearer(page: Page, _live: Contract) -> Iterator[Found]:
    """Find Authorization headers without a scheme."""
    for example in page.examples:
        header = example.authorization
        if header is not None and not header.lower().startswith("bearer "):
            yield Found(
                example_place(example),
                f"Authorization: {header}",
                "without a scheme the request is rejected with 401",
            )


@rule(
    "authorization.no-security",
    Severity.DEFECT,
    says="A description that requires an Authorization header declares it under security.",
    says_zh="需要 Authorization 头的接口描述声明了 security。",
    fix="Declare an HTTP bearer scheme and list it under `security`.",
    fix_zh="声明 HTTP bearer 方案，并写入 `security`。",
)
def no_security(page: Page, _live: Contract) -> Iterator[Found]:
    """Find OpenAPI descriptions without security although examples send a key."""
    if page.openapi is None or page.openapi.security != ():
        return
    sending = [example for example in page.examples if example.authorization is not None]
    if sending:
        yield Found(
            "openapi: security",
            "security: []",
            "it declares no authentication, so generated clients send no key",
        )
