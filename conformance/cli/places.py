"""The line of the user's repository at which CI systems show the findings of a run."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from conformance.input_files import MIB, InputError, read_file
from conformance.model import Header
from conformance.report.ci.location import Location, at, contract_of
from conformance.targets import FILE
from conformance.targets.lines import line_of_target

ROOTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")
"""Variables in which CI systems name the root of the checkout."""


def place_of(header: Header, config: Path | None = None) -> Location:
    """Return the target's line in its file, or the contract's first one.

    Args:
        header: of the run.
        config: the file that lists the targets; by default ``conformance.toml`` if there is one.
    """
    here = from_root(Path())
    return replace(_place_of(header, config or Path(FILE)), folder="" if here == "." else here)


def _place_of(header: Header, file: Path) -> Location:
    if header.target is not None:
        try:
            text = read_file(file, MIB).decode(errors="replace")
        except InputError:
            return at(FILE)
        return at(from_root(file), line_of_target(text, header.target))
    if header.contract_file is None:
        return contract_of(header)
    return at(from_root(Path(header.contract_file)))


def from_root(path: Path) -> str:
    """Return a path as seen from the root of the checkout: that of CI, of git, or this folder."""
    here = Path.cwd()
    named = next((os.environ[name] for name in ROOTS if os.environ.get(name)), None)
    root = Path(named) if named else next((p for p in (here, *here.parents) if _is_root(p)), here)
    whole = os.path.abspath(path)  # noqa: PTH100 - links are part of the path in a checkout
    try:
        return Path(os.path.relpath(whole, root)).as_posix()
    except ValueError:  # on another drive
        return path.name


def _is_root(folder: Path) -> bool:
    return os.path.exists(folder / ".git")  # noqa: PTH110 - never raises
