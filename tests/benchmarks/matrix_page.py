"""Measure the size of the matrix page and the delay of its filters in Chromium.

    python -m tests.benchmarks.matrix_page [--targets 50] [--checks 150] [--rounds 20]

Each filter is changed as somebody would change it, and timed in the page from the event until the
frame after the one that shows it, with every fold closed (as the page opens) and with all of them
open. "nothing" is the same without a change. Beside the median of the waits stands what the page's
thread computed for one change: that is the page's own, whatever else the machine is doing.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import CDPSession, Page, sync_playwright

from conformance.report.matrix import matrix_of, page
from tests.report.matrix.factory import DOCUMENTS, many_runs

CHANGES = {
    "nothing": [""],
    "target": ["vendor-1", ""],
    "column": ["top", ""],
    "verdict": ["not conforming", ""],
    "state": ["ignored", ""],
}
TIMED = """([name, value]) => new Promise((done) => {
  const control = document.forms.filters.elements[name];
  const started = performance.now();
  if (control) {
    control.value = value;
    control.dispatchEvent(new Event("input", {bubbles: true}));
  }
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - started)));
})"""
OPEN = "for (const fold of document.querySelectorAll('details')) fold.open = true"


def main() -> None:
    request = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    request.add_argument("--targets", type=int, default=50)
    request.add_argument("--checks", type=int, default=150)
    request.add_argument("--rounds", type=int, default=20)
    given = request.parse_args()
    written = page.render(matrix_of(many_runs(given.targets, given.checks), DOCUMENTS))
    megabytes = len(written.encode()) / 1e6
    say(f"{given.targets} targets, {given.checks} checks: {megabytes:.2f} MB")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "index.html"
        path.write_text(written, encoding="utf-8")
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        opened = chromium.new_page(viewport={"width": 1440, "height": 900})
        opened.goto(path.as_uri())
        result = opened.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
        say(f"loaded after {result:.0f} ms")
        devtools = opened.context.new_cdp_session(opened)
        devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
        measure(opened, devtools, "folds closed", given.rounds)
        opened.evaluate(OPEN)
        measure(opened, devtools, "folds open", given.rounds)
        chromium.close()


def say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def measure(opened: Page, devtools: CDPSession, state: str, rounds: int) -> None:
    for name, values in CHANGES.items():
        before = computed(devtools)
        waits = [opened.evaluate(TIMED, [name, value]) for _ in range(rounds) for value in values]
        each = (computed(devtools) - before) / len(waits)
        middle = statistics.median(waits)
        say(f"{state}, {name:8} waited {middle:4.0f} ms, computed {each:4.0f} ms")


def computed(devtools: CDPSession) -> float:
    """How long the page's thread has run on a processor so far, in milliseconds."""
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    return next(m["value"] for m in metrics if m["name"] == "TaskDuration") * 1000


if __name__ == "__main__":
    sys.exit(main())
