"""The terminal of a command: whether its output has colours and a progress bar."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:  # `--help` starts sooner without it
    from rich.console import Console

Function = TypeVar("Function", bound=Callable[..., Any])

_COLOR = f"{__name__}.color"
_NO_PROGRESS = f"{__name__}.no_progress"


def on_screen(function: Function) -> Function:
    """Add ``--color`` and ``--no-progress``, which :func:`screen` and :func:`has_progress` read."""
    color = click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        show_default=True,
        expose_value=False,
        callback=_kept_as(_COLOR),
        help="Whether to print in colour; auto does so in a terminal, unless NO_COLOR is set.",
    )
    progress = click.option(
        "--no-progress",
        is_flag=True,
        expose_value=False,
        callback=_kept_as(_NO_PROGRESS),
        help="Show no progress bar.",
    )
    return color(progress(function))


def _kept_as(key: str) -> Callable[[click.Context, click.Parameter, object], None]:
    def keep(context: click.Context, _param: click.Parameter, value: object) -> None:
        context.meta[key] = value

    return keep


def _given(key: str) -> object:
    context = click.get_current_context(silent=True)
    return context.meta.get(key) if context else None


def screen() -> Console:
    """Open the console of the current command."""
    from conformance.report.console import console_for  # noqa: PLC0415 - `--help` starts sooner

    color = _given(_COLOR)
    return console_for(color=None if color in {None, "auto"} else color == "always")


def has_progress() -> bool:
    """Return whether the current command may show a progress bar."""
    return not _given(_NO_PROGRESS)
