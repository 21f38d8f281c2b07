"""How the command ends: with the exit codes of the suite, one sentence for an error, no traceback.

Click's own usage errors would exit with 2, which means "interrupted" here, so they become 4. What
nobody foresaw ends with one sentence as well, and its details in a file that can be sent to us.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from conformance.cli.lazy import LazyGroup
from conformance.model import ExitCode
from conformance.plugins import PluginError
from conformance.reports.visible import line

OBJECTS_BEFORE_COLLECTION = 20_000
"""New objects after which the garbage collector looks for cycles.

Most objects of a command live until its end; the default of 700 takes a tenth of a run's CPU time.
"""


class UserError(click.ClickException):
    """Something that the user can put right: one sentence with the place and the way out."""

    exit_code = ExitCode.USAGE


class Suite(LazyGroup):
    """A group of commands that ends as pytest does."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command and exit; with ``standalone_mode=False`` hand errors to the caller."""
        plain: Callable[..., Any] = super().main
        if not extra.pop("standalone_mode", True):
            return plain(*args, standalone_mode=False, **extra)
        _tolerate_narrow_encodings()
        gc.set_threshold(OBJECTS_BEFORE_COLLECTION)
        try:
            code = plain(*args, standalone_mode=False, **extra)
            # What is still buffered meets a closed pipe here, where it can be handled.
            sys.stdout.flush()
        except click.ClickException as error:
            _end(_sentence(error), _code_of(error))
        except PluginError as error:
            _end(str(error), ExitCode.USAGE)
        except (click.Abort, KeyboardInterrupt):
            _end("interrupted", ExitCode.INTERRUPTED)
        except (BrokenPipeError, SystemExit) as error:
            # Click and rich end with 1 when the reader of a pipe hangs up; here that is a verdict.
            if isinstance(error, SystemExit) and error.code != 1:
                raise
            _abandon_stdout()
            sys.exit(ExitCode.INTERRUPTED)
        except Exception as error:  # noqa: BLE001 - nobody should meet a traceback
            _end(unforeseen(error, Path(tempfile.gettempdir())), ExitCode.UNDECIDED)
        sys.exit(code or 0)


def unforeseen(error: BaseException, folder: Path, redacted: str = "") -> str:
    """Keep the details of an error that nobody foresaw, and say where they are.

    Args:
        error: what happened.
        folder: where a file for the details is made.
        redacted: the traceback as it may be written down, where secrets had to be taken out.
    """
    details = redacted or details_of(error)
    what = f"something failed that should not have ({type(error).__name__})"
    try:
        descriptor, name = tempfile.mkstemp(prefix="error-", suffix=".txt", dir=folder, text=True)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(details)
    except OSError as second:
        return f"{what}, and the details could not be written to {folder}: {second.strerror}"
    return f"{what}; the details are in {name}"


def details_of(error: BaseException) -> str:
    """Write an error with its traceback."""
    return "".join(traceback.format_exception(error))


def _sentence(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    hint = f" (see `{context.command_path} --help`)" if context else ""
    return error.format_message().rstrip(".") + hint


def _code_of(error: click.ClickException) -> int:
    return ExitCode.USAGE if isinstance(error, click.UsageError) else error.exit_code


def _end(sentence: str, code: int) -> NoReturn:
    click.echo(f"conformance: {line(sentence)}", err=True)
    sys.exit(code)


def _tolerate_narrow_encodings() -> None:
    """Let a terminal that knows no ``✓`` show a question mark instead of failing the run."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _abandon_stdout() -> None:
    """Point stdout nowhere, so that the interpreter's last flush does not complain again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
