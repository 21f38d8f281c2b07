"""Exit codes and error messages of the command line.

Every error is one sentence without a traceback. Click's usage errors exit with 4 instead of 2,
which means "interrupted" here. The traceback of an internal error is written to a file.
"""

from __future__ import annotations

import errno
import gc
import os
import secrets
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import click

from conformance.cli import ci_log
from conformance.cli.files import WriteError, code_of, write_text
from conformance.cli.lazy import LazyGroup
from conformance.cli.streams import Output, tolerant_streams
from conformance.cli.terminal import say
from conformance.input_files import one_line
from conformance.model import DEFAULT_KEY_ENV, ExitCode
from conformance.plugins import PluginError
from conformance.transport import gate
from conformance.transport.redact import is_placeholder

OBJECTS_BEFORE_COLLECTION = 20_000
"""New objects after which the garbage collector looks for cycles.

Most objects live until the end of a command. The default of 700 costs a tenth of the CPU time.
"""


WRITING = frozenset({"badge", "history", "init", "matrix", "merge", "report", "run", "watch"})
"""Commands whose result is in files."""


LONGEST_KEY = 8_000
"""Characters of a key; a longer value is none, and takes long to search for."""

MOST_USAGE_CHARS = 300
"""Characters of a message about what was typed."""


MOST_TYPED_CHARS = 200
"""Characters of one typed word in any message."""


class UserError(click.ClickException):
    """An error that the user can fix; the message is one sentence that says where and how."""

    exit_code = ExitCode.USAGE


class Suite(LazyGroup):
    """A command group with pytest's exit codes."""

    _running: str | None = None

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command and exit; ``standalone_mode=False`` raises errors instead."""
        run: Callable[..., Any] = super().main
        if not extra.pop("standalone_mode", True):
            return run(*args, standalone_mode=False, **extra)
        gc.set_threshold(OBJECTS_BEFORE_COLLECTION)
        gate.forget_all()
        given = args[0] if args else extra.get("args")
        words = sys.argv[1:] if given is None else given
        extra.setdefault("obj", tuple(words))
        with tolerant_streams() as output, ci_log.guarded(), gate.guarded():
            try:
                _remember_keys(words)
                _assert_usable(words)
                code = run(*args, standalone_mode=False, **extra)
            except click.ClickException as error:
                _end(_sentence(error, words), _code_of(error))
            except PluginError as error:
                _end(str(error), ExitCode.USAGE)
            except (click.Abort, KeyboardInterrupt):
                _end("interrupted", ExitCode.INTERRUPTED)
            except Exception as error:  # noqa: BLE001 - users get a message, not a traceback
                _end(*_unexpected(error))
            sys.exit(self._code_after(output, code or 0))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, and remember its name."""
        found = super().resolve_command(ctx, args)
        self._running = found[0]
        return found

    def _code_after(self, output: Output, code: int) -> int:
        """Return the exit code, also if not everything could be printed.

        The files of a command keep its own code. For a command that only prints, a reader that
        went away is an interruption, and anything else an error.
        """
        lost = output.lost
        if lost is None or self._running in WRITING:
            return code
        if lost.errno == errno.EPIPE:
            return ExitCode.INTERRUPTED
        return _end(f"cannot write to standard output: {lost.strerror}", ExitCode.UNDECIDED)


def _remember_keys(words: Sequence[str]) -> None:
    """Keep the keys that a command line names from its own errors.

    An option that is read before ``--api-key-env`` may be in error, and its value the key.
    """
    names = {DEFAULT_KEY_ENV}
    for word, following in zip(words, [*words[1:], ""], strict=False):
        option, has_value, value = word.partition("=")
        if option.startswith("--") and option.endswith("key-env"):
            names.add(value if has_value else following)
    for name in names:
        with suppress(UnicodeEncodeError):  # half a character, which is refused below
            key = os.environ.get(name, "").strip()
            if len(key) <= LONGEST_KEY and not is_placeholder(key):
                gate.remember(key)


def _assert_usable(words: Sequence[str]) -> None:
    """Check that each word could be a path.

    Raises:
        UserError: one of them contains NUL or half a character.
    """
    for word in words:
        try:
            is_usable = b"\0" not in os.fsencode(word)
        except UnicodeEncodeError:
            is_usable = False
        if not is_usable:
            raise UserError(f"{one_line(ascii(word), 100)} is not valid text; type it again")


def _unexpected(error: Exception) -> tuple[str, int]:
    """Return the sentence and exit code for an error that no command handles."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"cannot use {os.fsdecode(str(error.filename))}: {error.strerror}", code_of(error)
    if isinstance(error, FileNotFoundError):
        return f"the current folder or the one for temporary files is missing ({error.strerror})", 4
    return unforeseen(error, _temporary_folder()), ExitCode.UNDECIDED


def _temporary_folder() -> Path:
    try:
        return Path(tempfile.gettempdir())
    except OSError:
        return Path()


def unforeseen(error: BaseException, folder: Path, redacted: str = "") -> str:
    """Write the details of an internal error to a file and return a message.

    Args:
        error: what happened.
        folder: where the file is created.
        redacted: the traceback without secrets, if there may be any.
    """
    what = f"internal error ({type(error).__name__})"
    path = folder / f"error-{secrets.token_hex(4)}.txt"
    try:
        write_text(path, redacted or details_of(error), mode=0o600)
    except WriteError as second:
        return f"{what}; the details could not be written: {second.message}"
    return f"{what}; please report it with the details in {path}"


def details_of(error: BaseException) -> str:
    """Write an error with its traceback."""
    return "".join(traceback.format_exception(error))


def _sentence(error: click.ClickException, words: Sequence[str]) -> str:
    """Return the message of an error, in which no typed word is longer than a path."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    hint = f" (see `{context.command_path} --help`)" if context else ""
    # Redacted before it is cut, because the rest of a key is not found.
    message = gate.redact(error.format_message()).rstrip(".")
    for word in words:
        typed = word.partition("=")[2] if word.startswith("--") and "=" in word else word
        if len(typed) > MOST_TYPED_CHARS:
            message = message.replace(typed, one_line(typed, MOST_TYPED_CHARS))
    # Escapes may have made a word longer; click breaks some messages into several lines.
    is_typed = isinstance(error, click.UsageError)
    return (one_line(message, MOST_USAGE_CHARS) if is_typed else message) + hint


def _code_of(error: click.ClickException) -> int:
    return ExitCode.USAGE if isinstance(error, click.UsageError) else error.exit_code


def _end(sentence: str, code: int) -> NoReturn:
    say(sentence)
    sys.exit(code)
