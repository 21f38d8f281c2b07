"""The reader path: raw bytes, redacted as the client does, judged and reported."""

from __future__ import annotations

import asyncio
import json
import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from io import StringIO

from rich.console import Console

from conformance.contract import load_contract
from conformance.engine.discovery import all_checks
from conformance.engine.runner import run
from conformance.engine.selection import Options
from conformance.language import Language
from conformance.model import Exchange, Footer, Header, Request, Run, Stage, Target, Tier, Verdict
from conformance.record.events import ExchangeMade, FindingMade, RunFinished, RunStarted
from conformance.report import console, formats
from conformance.testing import FakeEndpoint
from conformance.transport.redact import Redactor
from tests.fuzz.mutations import KEY, Mutation
from tests.report.hostile import ACTING

CONTRACT = load_contract("openai")
TARGET = Target("http://fuzzed.test/v1", "fake-model", "openai", api_key=KEY)
REPORTS = (
    *("html-en", "html-zh", "junit", "json", "markdown-en", "markdown-zh", "terminal"),
    *("sarif", "gitlab", "tap", "har"),
)
SECONDS, SECONDS_PER_MEGABYTE = 10.0, 60.0
"""What judging and reporting may take: room for a busy machine, and none for a quadratic step."""


class MutatedEndpoint:
    """The fake endpoint, each of whose responses one of the mutations changes, in turn."""

    def __init__(self, mutations: Sequence[Sequence[Mutation]]) -> None:
        self._fake, self._mutations = FakeEndpoint(CONTRACT), mutations
        self._sent = 0
        self._redactor = Redactor(KEY)

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        exchange = await self._fake.send(request, fresh=fresh)
        if not self._mutations:
            return exchange
        # The first response is preflight's; most mutations of it would end the run at once.
        for mutation in self._mutations[self._sent % len(self._mutations)] if self._sent else ():
            exchange = mutation.of(exchange)
        self._sent += 1
        return redacted(exchange, self._redactor)


def redacted(exchange: Exchange, redactor: Redactor) -> Exchange:
    """Redact a response as the client does."""
    body, arrivals = redactor.stream(exchange.body, exchange.arrivals)
    headers = redactor.headers(exchange.headers)
    return replace(exchange, body=body, arrivals=arrivals, headers=headers)


def judged(mutations: Sequence[Sequence[Mutation]], tier: Tier = Tier.SMOKE) -> Run:
    """Run the directed checks of a tier, and all invariants, against mutated responses."""
    return asyncio.run(_judged(mutations, tier))


@cache
def _checks(tier: Tier) -> tuple:
    chosen = [check for check in all_checks() if not check.asks or check.tier.value == tier.value]
    return tuple(check if check.asks else replace(check, tier=tier) for check in chosen)


async def _judged(mutations: Sequence[Sequence[Mutation]], tier: Tier) -> Run:
    header: Header | None = None
    footer: Footer | None = None
    findings, exchanges = [], []
    options = Options(tier=tier, stage=Stage.DIRECTED)
    events = run(
        TARGET, CONTRACT, options, transport=MutatedEndpoint(mutations), checks=_checks(tier)
    )
    async with aclosing(events):
        async for event in events:
            match event:
                case RunStarted():
                    header = event.header
                case FindingMade():
                    findings.append(event.finding)
                case ExchangeMade():
                    exchanges.append(event.exchange)
                case RunFinished():
                    footer = event.footer
    assert header is not None
    return Run(header=header, exchanges=tuple(exchanges), findings=tuple(findings), footer=footer)


def assert_reads(mutations: Sequence[Sequence[Mutation]], reports: Iterable[str]) -> None:
    """Assert all properties of the reader path for mutated responses."""
    start = time.process_time()
    result = judged(mutations)
    errors = [f"{f.id}: {f.message}" for f in result.findings if f.verdict is Verdict.ERROR]
    assert errors == []
    for name in reports:
        assert_report(result, name)
    size = sum(len(exchange.body) for exchange in result.exchanges)
    taken = time.process_time() - start
    assert taken < SECONDS + SECONDS_PER_MEGABYTE * size / 1e6, f"{taken:.1f} s for {size} bytes"


def assert_report(result: Run, name: str) -> None:
    """Render one report, and assert that it is well-formed, visible and free of the key."""
    kind, _, language = name.partition("-")
    written = _rendered(result, kind, Language(language or "en"))
    assert KEY not in written
    assert ACTING.findall(written) == []
    written.encode()
    match kind:
        case "html":
            page = Page(written)
            assert page.scripts == 1
            assert page.open == [], page.open
        case "junit":
            ET.fromstring(written.encode())
        case "json" | "sarif" | "gitlab" | "har":
            json.loads(written, parse_constant=_refused)


def _rendered(result: Run, kind: str, language: Language) -> str:
    if kind != "terminal":
        return formats(language=language)[kind].render(result)
    screen = Console(file=StringIO(), width=100, force_terminal=True, color_system="standard")
    console.show(result, screen, language)
    assert isinstance(screen.file, StringIO)
    return re.sub(r"\x1b\[[0-9;]*m", "", screen.file.getvalue())


def _refused(constant: str) -> object:
    raise AssertionError(f"{constant} is not JSON")


class Page(HTMLParser):
    """Counts the scripts of a page, and keeps the elements that are not closed."""

    VOID = frozenset({"meta", "link", "br", "hr", "img", "input", "wbr", "col", "base", "source"})
    OPTIONAL = frozenset({"p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "option"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts = 0
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in self.VOID | self.OPTIONAL:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element of SVG that closes itself."""

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID | self.OPTIONAL:
            assert self.open.pop() == tag
