"""Print results to standard output and messages to standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from conformance.report.sanitize import line

if TYPE_CHECKING:  # `--help` starts sooner without it
    from rich.console import Console, RenderableType

MAX_SENTENCE_CHARS = 2_000


def say(sentence: str) -> None:
    """Print a message to standard error; the middle of a very long one is left out."""
    if len(sentence) > MAX_SENTENCE_CHARS:
        half = MAX_SENTENCE_CHARS // 2
        sentence = f"{sentence[:half]} … {sentence[-half:]}"
    click.echo(f"conformance: {line(sentence)}", err=True)


def show(content: RenderableType, console: Console) -> None:
    """Print to standard output without trailing blanks."""
    with console.capture() as captured:
        console.print(content)
    text = captured.get().removesuffix("\n")
    console.out("\n".join(row.rstrip() for row in text.split("\n")), highlight=False)
