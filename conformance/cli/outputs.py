"""``--format``: which reports of a run are written, and where each goes.

    --format html,sarif=build/report.sarif --format gitlab=-

A name alone writes the format's own file into the run's folder. ``=PATH`` names another file, in
which ``{target}`` is the name of the target, and ``=-`` writes to standard output; what the command
prints otherwise goes to standard error then.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import click

from conformance.cli.exit_codes import UserError
from conformance.cli.files import WriteError, together, write_text
from conformance.language import Language
from conformance.model import Run
from conformance.report import Format, Location, formats

STDOUT = "-"
TARGET = "{target}"
"""Stands for the name of the target in a path."""


@dataclass(frozen=True, slots=True)
class Output:
    """A report to write.

    Attributes:
        name: the name of the format.
        path: the file, :data:`STDOUT`, or None for the format's own file in the run's folder.
    """

    name: str
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """What reports are made of besides the run.

    Attributes:
        key_env: the environment variable that commands read the key from; None is the run's own.
        language: the language of reports that have one.
        location: the line that CI systems show findings at; None is the contract's.
    """

    key_env: str | None = None
    language: Language = Language.ENGLISH
    location: Location | None = None

    @property
    def formats(self) -> dict[str, Format]:
        """All formats by name."""
        return dict(formats(self.key_env, self.language, self.location))


RENDERED = Rendered()
"""How reports are made where nothing is said about it."""


def outputs_among(
    ctx: click.Context, param: click.Parameter, given: Sequence[str], *, known: Sequence[str]
) -> tuple[Output, ...]:
    """Parse ``NAME`` and ``NAME=PATH``, comma-separated and in the order given.

    Raises:
        click.BadParameter: a name is unknown, a path is empty or named twice, or the list is empty.
    """
    words = [word.strip() for value in given for word in value.split(",") if word.strip()]
    listed = ", ".join(known)
    found: dict[Output, None] = {}
    for word in words:
        name, has_path, path = (part.strip() for part in word.partition("="))
        if name not in known:
            raise click.BadParameter(f"unknown format {name!r}; choose from {listed}.", ctx, param)
        if has_path and not path:
            raise click.BadParameter(
                f"{name}= has no path; name a file, or - for standard output.", ctx, param
            )
        found[Output(name, path or None)] = None
    if not found:
        raise click.BadParameter(f"give at least one of {listed}.", ctx, param)
    paths = [output.path for output in found if output.path is not None]
    for path in paths:
        if paths.count(path) > 1:
            raise click.BadParameter(
                f"two formats cannot both be written to {path}; name another file.", ctx, param
            )
    return tuple(found)


def names_of(outputs: Sequence[Output]) -> tuple[str, ...]:
    """Return the names of the formats that go into the run's folder."""
    return tuple(output.name for output in outputs if output.path is None)


def assert_one_file_each(outputs: Sequence[Output], targets: Sequence[str]) -> None:
    """Check that the reports of several targets have files of their own, or share one.

    Raises:
        UserError: a named file would be written once per target.
    """
    known = formats()
    for output in outputs:
        if output.path is None or TARGET in output.path or known[output.name].join is not None:
            continue
        if len(targets) > 1:
            raise UserError(
                f"--format {output.name}={output.path} names one file for {len(targets)} targets; "
                f"put {TARGET} into the path, or choose one target with --target"
            )


@contextmanager
def stdout_for(outputs: Sequence[Output]) -> Iterator[TextIO]:
    """Yield standard output for the report that goes there.

    Until the block ends, everything else that is printed goes to standard error.
    """
    stdout = sys.stdout
    if any(output.path == STDOUT for output in outputs):
        with redirect_stdout(sys.stderr):
            yield stdout
    else:
        yield stdout


def write_named(
    runs: Sequence[tuple[str, Run, Rendered]], outputs: Sequence[Output], stdout: TextIO
) -> list[Path]:
    """Write the reports whose files are named, and return their paths.

    Args:
        runs: the name of each target, its run, and what its reports are made of.
        outputs: the reports; those without a path are left out.
        stdout: where a report to standard output goes.

    Raises:
        WriteError: at least one file cannot be written; all of them are named.
    """
    written: list[Path] = []
    failed: list[WriteError] = []
    for output in outputs:
        if output.path is None:
            continue
        for path, text in _texts(runs, output, output.path):
            if path == STDOUT:
                stdout.write(text)
                stdout.flush()
                continue
            try:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                write_text(Path(path), text)
            except WriteError as error:
                failed.append(error)
            except OSError as error:  # the folder cannot be made
                failed.append(WriteError({error.strerror or "unknown error": [Path(path)]}))
            else:
                written.append(Path(path))
    if failed:
        raise together(failed)
    return written


def _texts(
    runs: Sequence[tuple[str, Run, Rendered]], output: Output, path: str
) -> Iterator[tuple[str, str]]:
    """Yield each file of an output with its text; runs that share a file are joined."""
    files: dict[str, list[str]] = {}
    join = None
    for name, run, rendered in runs:
        known = rendered.formats[output.name]
        join = known.join
        files.setdefault(path.replace(TARGET, name), []).append(known.render(run))
    for file, texts in files.items():
        yield file, texts[0] if len(texts) == 1 or join is None else join(texts)
