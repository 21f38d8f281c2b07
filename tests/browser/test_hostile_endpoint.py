"""Files, terminal output and pages of a run against an endpoint that attacks its clients."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.browser.conftest import KEY_VARIABLE, Open, conformance
from tests.browser.hostile_endpoint import HUGE, attacking, forms_of
from tests.browser.test_hostile_page import poke
from tests.lanes import by_default
from tests.report.hostile import ACTING, ATTACKS

KEY = "sk-browser-very-secret-000111222"
MODEL = "m</script><script>alert(1)</script>"
PAGES = ("run/index.html", "again/rejudged/index.html", "compare.html", "matrix/index.html")
WIDTHS = (390, 1440)


@dataclass(frozen=True)
class Left:
    """What the commands left: a folder, and what they printed."""

    folder: Path
    printed: str


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """Judge the endpoint, judge the record again, compare both and put them into a table."""
    folder = tmp_path_factory.mktemp("hostile")
    run, again = folder / "run", folder / "again"
    every = ("--format", "html,junit,json,markdown")
    with attacking() as base_url:
        named = ("--base-url", base_url, "--model", MODEL, "--api-key-env", KEY_VARIABLE)
        judging = ("run", *named, "--tier", "smoke", "--reference", "none", "--out", str(run))
        ended = [conformance(*judging, *every, key=KEY)]
    again.mkdir()
    (again / "run.ndjson").write_bytes((run / "run.ndjson").read_bytes())
    ended.append(conformance("report", str(again), "--rejudge", *every, key=KEY))
    shapes = ("--format", "html,json,markdown", "--out", str(folder))
    ended.append(conformance("compare", str(run), str(again / "rejudged"), *shapes, key=KEY))
    tabled = ("matrix", str(run), str(again / "rejudged"), "--out", str(folder / "matrix"))
    ended.append(conformance(*tabled, "--format", "html,json,markdown,text", key=KEY))
    assert [one.returncode for one in ended] == [1, 1, 0, 0], [one.stderr for one in ended]
    return Left(folder, "".join(one.stdout + one.stderr for one in ended))


def files(left: Left) -> list[Path]:
    return sorted(path for path in left.folder.rglob("*") if path.is_file())


def test_every_attack_was_received(left: Left) -> None:
    record = (left.folder / "run/run.ndjson").read_bytes()
    # The largest response was cut, and says so.
    assert len(record) < HUGE
    assert b"the rest was not read" in record
    # The endpoint did repeat the key, and what stands in its place is the mark.
    assert record.count(b"$API_KEY") > 20


@pytest.mark.parametrize("form", forms_of(KEY))
def test_output_never_shows_the_key(left: Left, form: str) -> None:
    result = forms_of(KEY)[form]
    assert result not in left.printed
    for path in files(left):
        assert result.encode() not in path.read_bytes(), path.name
    assert len(files(left)) >= 10


def test_reports_and_terminal_contain_no_active_content(left: Left) -> None:
    assert ACTING.findall(left.printed) == []
    for path in files(left):
        if path.name != "run.ndjson":
            assert ACTING.findall(path.read_text("utf-8")) == [], path.name


def test_records_stay_readable_line_by_line(left: Left) -> None:
    for path in (left.folder / "run/run.ndjson", left.folder / "again/rejudged/run.ndjson"):
        lines = path.read_bytes().splitlines()
        assert all(line.startswith(b'{"kind":"') and line.endswith(b"}") for line in lines)


def test_terminal_output_has_only_the_suites_escape_sequences(left: Left) -> None:
    """In a pseudo-terminal, which would interpret escape sequences."""
    shown = in_a_terminal("report", str(left.folder / "run"), "--format", "json")
    assert "\x1b[1;31m" in shown  # it is a terminal, and the verdict is red
    non_streaming = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r\n", "\n")
    assert ACTING.findall(non_streaming) == []
    assert "Not conforming" in non_streaming
    # Of the sequences that are left, none moves, hides or clears anything.
    assert set(re.findall(r"\x1b\[[0-9;?]*([A-Za-z])", shown)) == {"m"}


def in_a_terminal(*words: str) -> str:
    """Run the command in a pseudo-terminal and return all that it printed there."""
    parent, child = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "COLUMNS": "100"}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "conformance", *words],
        stdin=subprocess.DEVNULL,
        stdout=child,
        stderr=child,
        env=environment,
    )
    os.close(child)
    read = bytearray()
    try:
        while chunk := os.read(parent, 65536):
            read += chunk
    except OSError:
        pass  # Linux says so when the last writer has gone
    finally:
        os.close(parent)
    assert process.wait() == 0, read.decode(errors="replace")
    return read.decode()


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "bypass",
    [
        pytest.param(False, id="with its policy", marks=pytest.mark.exhaustive),
        pytest.param(True, id="escaping alone"),
    ],
)
def test_pages_run_no_scripts_and_send_no_requests(
    opening: Open, left: Left, page: str, bypass: bool
) -> None:
    opened = opening(left.folder / page, bypass_csp=bypass)
    poke(opened)
    content = opened.page.content()
    assert "&lt;script&gt;alert(1)" in content
    assert not any(form in content for form in forms_of(KEY).values())
    # Of ours there is one script and one style, whatever an endpoint says.
    count = "name => document.getElementsByTagName(name).length"
    assert [opened.page.evaluate(count, name) for name in ("script", "style", "iframe", "img")] == [
        1,
        1,
        0,
        0,
    ]
    assert (
        opened.page.evaluate("document.querySelectorAll('[onerror], [onload], base').length") == 0
    )
    links = opened.page.evaluate("[...document.links].map(link => link.getAttribute('href'))")
    assert [link for link in links if not re.match(r"(#|\.\./|run/|again/)", link)] == []
    assert ACTING.findall(opened.page.evaluate("document.body.textContent")) == []
    assert opened.noise == []
    assert [url for url in opened.requests if not url.startswith("file://")] == []


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("width", by_default([390], WIDTHS))
def test_attacks_do_not_widen_the_page(opening: Open, left: Left, page: str, width: int) -> None:
    opened = opening(left.folder / page, viewport={"width": width, "height": 900})
    opened.unfold()
    for language in ("zh", "en"):
        opened.page.check(f"#language-{language}")
        assert opened.page.evaluate("document.documentElement.scrollWidth") == width, language


def test_attacks_are_shown_as_text(opening: Open, left: Left) -> None:
    opened = opening(left.folder / "run/index.html")
    opened.unfold()
    shown = opened.page.evaluate("document.body.textContent")
    for name in ("script", "handler", "image", "template", "cdata", "fence"):
        assert ATTACKS[name][:20] in shown, name
