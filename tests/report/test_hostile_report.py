"""No report executes or is broken by strings of a hostile endpoint."""

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO

import pytest
from rich.console import Console

from conformance.model import Arrival
from conformance.record.events import FindingMade, RunStarted
from conformance.report import console, formats
from tests.report.builders import a_failure, a_run, an_exchange
from tests.report.hostile import ACTING, ATTACKS, a_hostile_run

WORDED = {
    *((name, ()) for name in ("code", "mark", "b", "i", "u")),
    ("span", ("lang",)),
    ("span", ("lang", "class")),
}
"""Elements that words make: names in backticks, what differs, colours of JSON, languages."""


class Elements(HTMLParser):
    """Every element that a browser would build, with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))

    @property
    def structure(self) -> list[tuple[str, tuple[str, ...]]]:
        """All but what depends on words, in whatever place."""
        return [element for element in self.found if element not in WORDED]


@pytest.fixture(params=ATTACKS.values(), ids=ATTACKS.keys())
def hostile(request: pytest.FixtureRequest):
    return a_hostile_run(request.param)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_hostile_and_harmless_pages_have_equal_elements(attack: str) -> None:
    page = Elements(formats()["html"].render(a_hostile_run(attack)))
    # No client can send half a character, so that such a page lacks the lines for it.
    half = "\udfff" if "\ud800" in attack else ""
    harmless = Elements(formats()["html"].render(a_hostile_run(f"harmless{half}")))
    assert page.structure == harmless.structure


def test_page_has_no_control_characters(hostile) -> None:
    page = formats()["html"].render(hostile)
    assert ACTING.findall(page) == []
    page.encode()


def test_terminal_has_no_control_characters(hostile) -> None:
    screen = Console(file=StringIO(), width=100, highlight=False, emoji=False, markup=False)
    console.show(hostile, screen)
    assert isinstance(screen.file, StringIO)
    assert ACTING.findall(screen.file.getvalue()) == []


def test_colour_terminal_gets_only_our_escape_sequences(hostile) -> None:
    screen = Console(file=StringIO(), width=100, force_terminal=True, color_system="standard")
    console.show(hostile, screen)
    assert isinstance(screen.file, StringIO)
    without_colours = re.sub(r"\x1b\[[0-9;]*m", "", screen.file.getvalue())
    assert ACTING.findall(without_colours) == []
    assert "😄" not in without_colours


def test_junit_file_is_valid_xml_with_escaped_attacks(hostile) -> None:
    written = formats()["junit"].render(hostile)
    tags = {element.tag for element in ET.fromstring(written.encode()).iter()}
    assert tags <= {
        *("testsuites", "testsuite", "testcase", "properties", "property"),
        *("failure", "error", "skipped"),
    }
    assert ACTING.findall(written) == []


def test_json_file_has_the_escaped_attack(hostile) -> None:
    written = formats()["json"].render(hostile)
    assert written.isascii()
    assert json.loads(written)["findings"][0]["seen"] == hostile.findings[0].seen


def test_markdown_keeps_its_rows(hostile) -> None:
    written = formats()["markdown"].render(hostile)
    harmless = formats()["markdown"].render(a_hostile_run("harmless"))
    assert ACTING.findall(written) == []
    assert written.count("\n") == harmless.count("\n")
    outside_blocks = re.sub(r"^(`{3,})sh\n.*?^\1$", "", written, flags=re.DOTALL | re.MULTILINE)
    outside_code = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", outside_blocks)
    assert "<script" not in outside_code.replace(r"\<", "")
    assert "](javascript" not in outside_code.replace(r"\]", "")


def test_progress_lines_have_no_control_characters(hostile) -> None:
    screen = Console(file=StringIO(), width=100, highlight=False, emoji=False, markup=False)
    with console.Progressing(screen) as progress:
        progress.show(RunStarted(hostile.header, ("stop.a",)))
        progress.show(FindingMade(replace(hostile.findings[0], id=hostile.header.model)))
    assert isinstance(screen.file, StringIO)
    assert ACTING.findall(screen.file.getvalue()) == []


BODIES = {
    "five megabytes": b"x" * 5_000_000,
    "five megabytes of JSON": b'{"a":"' + b'"<\x1b' * 1_600_000 + b'"}',
    "a deep nest": b"[" * 2_500_000 + b"]" * 2_500_000,
    "no UTF-8": bytes(range(256)) * 20_000,
    "one long line of combining marks": "Z\u0341\u0342".encode() * 800_000,
    "newlines": b"\r\n" * 2_500_000,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_huge_body_is_visibly_cut(body: bytes) -> None:
    exchange = replace(an_exchange("x1"), body=body, arrivals=(Arrival(0.1, len(body)),))
    page = formats()["html"].render(a_run(a_failure(exchanges=("x1",)), exchanges=(exchange,)))
    assert len(page.encode()) < 100_000
    assert re.search(r"… [45]\.\d MB → run\.ndjson", page)


def test_page_size_is_bounded_for_110_exchanges() -> None:
    worst = b'"' * 20_000
    headers = tuple((f"x-{number}", '"' * 500) for number in range(50))
    request = {"model": "m", "prompt": '"' * 3_000}
    exchanges = tuple(
        an_exchange(f"x{number}", request=request, body=worst, headers=headers)
        for number in range(110)
    )
    findings = (a_failure(f"stop.c{number}", exchanges=(f"x{number}",)) for number in range(110))
    page = formats()["html"].render(a_run(*findings, exchanges=exchanges))
    assert len(page.encode()) < 1_500_000
