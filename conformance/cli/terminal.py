"""Print results to standard output and messages to standard error."""

from __future__ import annotations

import click
from rich.console import Console, RenderableType

from conformance.report.sanitize import line


def say(sentence: str) -> None:
    """Print a message to standard error."""
    click.echo(f"conformance: {line(sentence)}", err=True)


def show(content: RenderableType, console: Console) -> None:
    """Print to standard output without trailing blanks."""
    with console.capture() as captured:
        console.print(content)
    text = captured.get().removesuffix("\n")
    console.out("\n".join(row.rstrip() for row in text.split("\n")), highlight=False)
