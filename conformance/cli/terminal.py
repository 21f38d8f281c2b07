"""Printing: results to standard output, remarks to standard error."""

from __future__ import annotations

import click
from rich.console import Console, RenderableType

from conformance.reports.visible import line


def say(sentence: str) -> None:
    """Make a remark that is no part of a command's result."""
    click.echo(f"conformance: {line(sentence)}", err=True)


def show(content: RenderableType, console: Console) -> None:
    """Print a piece of a result, without the blanks that tables put at the ends of lines."""
    with console.capture() as captured:
        console.print(content)
    text = captured.get().removesuffix("\n")
    console.out("\n".join(row.rstrip() for row in text.split("\n")), highlight=False)
