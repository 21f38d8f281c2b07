"""Exit codes and error messages of the command line.

Every error is one sentence without a traceback. Click's usage errors exit with 4 instead of 2,
which means "interrupted" here. The traceback of an internal error is written to a file.
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
from conformance.report.sanitize import line
from conformance.transport import gate

OBJECTS_BEFORE_COLLECTION = 20_000
"""New objects after which the garbage collector looks for cycles.

Most objects live until the end of a command. The default of 700 costs a tenth of the CPU time.
"""


class UserError(click.ClickException):
    """An error that the user can fix; the message is one sentence that says where and how."""

    exit_code = ExitCode.USAGE


class Suite(LazyGroup):
    """A command group with pytest's exit codes."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command and exit; ``standalone_mode=False`` raises errors instead."""
        run: Callable[..., Any] = super().main
        if not extra.pop("standalone_mode", True):
            return run(*args, standalone_mode=False, **extra)
        _tolerate_narrow_encodings()
        gc.set_threshold(OBJECTS_BEFORE_COLLECTION)
        gate.forget_all()
        with gate.guarded():
            return self._main(run, args, extra)

    @staticmethod
    def _main(run: Callable[..., Any], args: tuple[Any, ...], extra: dict[str, Any]) -> NoReturn:
        try:
            code = run(*args, standalone_mode=False, **extra)
            # Flush here, where a closed pipe can be handled.
            sys.stdout.flush()
        except click.ClickException as error:
            _end(_sentence(error), _code_of(error))
        except PluginError as error:
            _end(str(error), ExitCode.USAGE)
        except (click.Abort, KeyboardInterrupt):
            _end("interrupted", ExitCode.INTERRUPTED)
        except (BrokenPipeError, SystemExit) as error:
            # Click and rich exit with 1 on a closed pipe, but here 1 means "not conforming".
            if isinstance(error, SystemExit) and error.code != 1:
                raise
            _abandon_stdout()
            sys.exit(ExitCode.INTERRUPTED)
        except Exception as error:  # noqa: BLE001 - users get a message, not a traceback
            _end(unforeseen(error, Path(tempfile.gettempdir())), ExitCode.UNDECIDED)
        sys.exit(code or 0)


def unforeseen(error: BaseException, folder: Path, redacted: str = "") -> str:
    """Write the details of an internal error to a file and return a message.

    Args:
        error: what happened.
        folder: where the file is created.
        redacted: the traceback without secrets, if there may be any.
    """
    details = gate.redact(redacted or details_of(error))
    what = f"internal error ({type(error).__name__})"
    try:
        descriptor, name = tempfile.mkstemp(prefix="error-", suffix=".txt", dir=folder, text=True)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(details)
    except OSError as second:
        return f"{what}; the details could not be written to {folder}: {second.strerror}"
    return f"{what}; please report it with the details in {name}"


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
    """Replace characters that the terminal's encoding lacks, such as ``✓``, with ``?``."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _abandon_stdout() -> None:
    """Redirect stdout to the null device, so that the final flush does not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
