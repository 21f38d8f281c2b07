"""Lines that a terminal may wrap, but that are printed as one, so that they can be pasted."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.text import Text


def unwrapped(text: str, style: str) -> Text:
    """Return a text whose lines are printed as they are, however long."""
    return Text(text, style=style, no_wrap=True, overflow="ignore")


@dataclass(frozen=True, slots=True)
class Indented:
    """Indent content; unlike ``Padding``, it does not cut off what is too long for the screen."""

    content: RenderableType
    columns: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the content line by line."""
        inner = options.update_width(max(options.max_width - self.columns, 1))
        for segments in Segment.split_lines(console.render(self.content, inner)):
            yield Segment(" " * self.columns)
            yield from segments
            yield Segment.line()


def height_of(content: RenderableType, console: Console) -> int:
    """Return the number of lines that content takes on the screen, which wraps long ones."""
    lines = Segment.split_lines(console.render(content))
    return sum(max(1, -(-Segment.get_line_length(line) // console.width)) for line in lines)
