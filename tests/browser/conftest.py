"""A real browser, and pages that are watched from the first byte on.

The browser lives as long as a test file and no longer: Playwright keeps an event loop running in
the thread it was started in, where the tests of other files want to run loops of their own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

from tests.npm import installed
from tests.servers import RunningServer

SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
KEY_VARIABLE = "BROWSER_TEST_KEY"
MODEL = "gpt-3.5-turbo-instruct"


@dataclass
class Opened:
    """A page and everything it did that a report must not do."""

    page: Page
    requests: list[str] = field(default_factory=list)
    noise: list[str] = field(default_factory=list)

    def unfold(self) -> None:
        """Open every fold, so that nothing stays out of sight."""
        self.page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = 1")


Open = Callable[..., Opened]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("Chromium is not installed; `make test` installs it", pytrace=False)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=SWITCHES)
        yield started
        started.close()


@pytest.fixture
def opening(browser: Browser) -> Iterator[Open]:
    """Open a file from disk, at a place in it, in a browser context with the settings given."""
    contexts = []

    def opened(path: Path, place: str = "", query: str = "", **settings: Any) -> Opened:
        context = browser.new_context(**settings)
        contexts.append(context)
        watched = Opened(context.new_page())

        def on_dialog(dialog: Dialog) -> None:
            watched.noise.append(f"dialog: {dialog.message}")
            dialog.dismiss()

        context.on("request", lambda request: watched.requests.append(request.url))
        context.on("dialog", on_dialog)
        context.on("console", lambda message: watched.noise.append(f"console: {message.text}"))
        context.on("weberror", lambda error: watched.noise.append(f"error: {error.error}"))
        where = path.as_uri() + (f"?{query}" if query else "") + (f"#{place}" if place else "")
        watched.page.goto(where)
        return watched

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def run_folder(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run of the suite against the bundled server leaves, made by the command itself."""
    folder = tmp_path_factory.mktemp("run")
    words = ["--base-url", server.base_url, "--model", MODEL, "--api-key-env", KEY_VARIABLE]
    ended = conformance("run", *words, "--tier", "smoke", "--out", str(folder), key=server.key)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder


def conformance(*words: str, key: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "conformance", *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        check=False,
        env={**os.environ, KEY_VARIABLE: key},
    )


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, to be evaluated in a page."""
    folder = installed(Path(__file__).parent)
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
