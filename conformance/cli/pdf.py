"""Print an HTML report to PDF with the installed Chromium, offline.

The page contains text from the endpoint, which must not run or load anything: the page's content
security policy forbids it, and the browser runs without name resolution in a temporary profile.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from conformance.cli.exit_codes import UserError
from conformance.cli.files import write_chunks, write_text

BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
"""Names of the executable on common systems."""

SECONDS = 300.0
"""Timeout; a page full of findings takes about ten seconds, much more on a busy machine."""

SWITCHES = (
    "--headless",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-pdf-header-footer",
)


def installed_browser() -> str | None:
    """Find a Chromium; None if there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def browser() -> str:
    """Find a Chromium.

    Raises:
        UserError: there is none.
    """
    found = installed_browser()
    if found is None:
        raise UserError(
            "--format pdf needs Chromium, which is not installed: install it (Debian: apt install "
            "chromium), or print index.html from another browser"
        )
    return found


def print_page(page: str, path: Path, *, program: str, seconds: float = SECONDS) -> None:
    """Print a page to a file.

    Args:
        page: the HTML.
        path: where the PDF goes; what is there is replaced.
        program: the browser.
        seconds: how long it may take.

    Raises:
        UserError: it took longer or failed.
        WriteError: the file cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        source, printed = Path(folder) / "page.html", Path(folder) / "page.pdf"
        write_text(source, page)
        command = [
            program,
            *SWITCHES,
            # Chromium has no sandbox when run as root, as in most containers.
            *(["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []),
            f"--user-data-dir={folder}/profile",
            f"--print-to-pdf={printed}",
            source.as_uri(),
        ]
        _run(command, seconds)
        if not printed.is_file():
            raise UserError(f"{program} wrote no PDF")
        write_chunks(path, [printed.read_bytes()])


def _run(command: list[str], seconds: float) -> None:
    try:
        # In its own session, because a browser is several processes, which must all be killed.
        process = subprocess.Popen(  # noqa: S603 - a browser that was found on the path
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise UserError(f"cannot start {command[0]}: {error.strerror}") from None
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        raise UserError(f"{command[0]} did not print the page within {seconds:.0f} s") from None
    finally:
        _end(process)
    if code != 0:
        raise UserError(f"{command[0]} could not print the page (exit code {code})")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill all processes of the browser."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
