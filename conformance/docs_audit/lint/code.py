"""Rules about the code of examples: does it run as printed, and use the right URL and fields?"""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract import Contract
from conformance.docs_audit.lint.messages import example_place, listed, verb
from conformance.docs_audit.lint.rule import Found, rule
from conformance.docs_audit.page import Client, Page, requested_choices
from conformance.docs_audit.results import Severity

_CLIENT_LIBRARIES = frozenset({Client.OPENAI_PYTHON, Client.OPENAI_NODE})


@rule(
    "code.undefined-name",
    Severity.DEFECT,
    says="An example defines all names that its code uses.",
    says_zh="示例代码定义了它使用的所有名称。",
    fix="Set the name in the example before it is used.",
    fix_zh="在使用前于示例中定义该名称。",
)
def undefined_name(page: Page, _live: Contract) -> Iterator[Found]:
    """Find names that neither the example nor an earlier one of its client defines."""
    for example in page.examples:
        names = page.undefined(example)
        if names:
            are = verb(len(names), "is", "are")
            yield Found(
                example_place(example),
                listed(names),
                f"{listed(names)} {are} never defined, so the code fails before it sends a request",
            )


@rule(
    "code.no-base-url",
    Severity.DEFECT,
    says="A client library is configured with the page's base URL.",
    says_zh="客户端库配置了本页面的接口地址。",
    fix="Give the client this vendor's base URL, and the key.",
    fix_zh="为客户端设置本服务商的 base URL 和密钥。",
)
def no_base_url(page: Page, _live: Contract) -> Iterator[Found]:
    """Find clients without a base URL, which call their library's default."""
    for example in page.examples:
        if example.client in _CLIENT_LIBRARIES and example.base_url is None:
            yield Found(
                example_place(example),
                f"an {example.client.value} client without a base URL",
                f"it sends the request and the key to the library's default host, not to "
                f"{page.endpoint}",
            )


@rule(
    "code.index-unread",
    Severity.DEFECT,
    says="Code that reads several choices uses their index.",
    says_zh="读取多个结果的代码会读取 index。",
    fix="Sort the choices by `index` before using them.",
    fix_zh="使用前按 index 对结果排序。",
)
def index_unread(page: Page, _live: Contract) -> Iterator[Found]:
    """Find code that reads several choices without using their index."""
    for example in page.examples:
        several = requested_choices(example.request)
        if several == 1 or example.reads is None:
            continue
        if not any(path.endswith("].index") for path in example.reads):
            yield Found(
                example_place(example),
                f"reads {listed(example.reads) if example.reads else 'nothing'}",
                f"{several} choices may arrive in any order; only index identifies them",
            )
