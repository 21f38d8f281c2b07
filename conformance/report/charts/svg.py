"""SVG charts, 340 units wide so that they are readable on a phone.

Colours are the page's CSS variables in presentation attributes, because the page's policy forbids
style attributes. Labels are drawn in both languages; the page shows one. Numbers are rounded and
texts are escaped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from conformance.language import Text, join_texts

WIDTH = 340
SMALL = 12

INK, MUTED, LINE = "var(--ink)", "var(--muted)", "var(--line)"
THEIRS, OURS, ALARM, ACCENT = "var(--link)", "var(--good)", "var(--bad)", "var(--info)"

SPACE = Text(" ", "")
"""Separator between sentences; Chinese needs none."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart with its title and caption."""

    id: str
    title: Text
    says: Text
    svg: Markup


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values to positions on an axis; ``log`` selects a logarithmic scale."""

    first: float
    last: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the position of a value, clamped to the axis."""
        low, high, at = self.first, self.last, min(max(value, self.first), self.last)
        if self.log:
            low, high, at = math.log10(low), math.log10(high), math.log10(at)
        share = (at - low) / (high - low) if high > low else 0.0
        return self.start + share * (self.end - self.start)

    def ticks(self, about: int = 4) -> list[float]:
        """Return about ``about`` round tick values; powers of ten on a logarithmic scale."""
        if self.log:
            powers = range(math.ceil(math.log10(self.first)), math.floor(math.log10(self.last)) + 1)
            return [10.0**power for power in powers]
        span = self.last - self.first
        if span <= 0:
            return [self.first]
        step = _round_step(span / about)
        begin = math.ceil(self.first / step - 1e-9)
        return [round(i * step, 12) for i in range(begin, math.floor(self.last / step + 1e-9) + 1)]


def _round_step(rough: float) -> float:
    """Take the round number next above: 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)


@dataclass(slots=True)
class Drawing:
    """A chart under construction."""

    parts: list[str] = field(default_factory=list)

    def line(
        self,
        ends: tuple[float, float, float, float],
        colour: str = LINE,
        *,
        width: float = 1,
        dashed: bool = False,
    ) -> None:
        """Draw a line from ``(x, y)`` to ``(x, y)``."""
        x1, y1, x2, y2 = (_n(value) for value in ends)
        dashes = ' stroke-dasharray="4 3"' if dashed else ""
        self.parts.append(
            f'<path d="M{x1} {y1}L{x2} {y2}" stroke="{colour}" stroke-width="{_n(width)}"{dashes}/>'
        )

    def polyline(
        self,
        places: Sequence[tuple[float, float]],
        colour: str,
        *,
        width: float = 1.5,
        dashed: bool = False,
    ) -> None:
        """Draw lines from each place to the next, all in one element; nothing for one place."""
        if len(places) < 2:
            return
        path = "L".join(f"{_n(x)} {_n(y)}" for x, y in places)
        dashes = ' stroke-dasharray="4 3"' if dashed else ""
        self.parts.append(
            f'<path d="M{path}" stroke="{colour}" stroke-width="{_n(width)}"'
            f' stroke-linejoin="round"{dashes}/>'
        )

    def dots(
        self,
        places: Iterable[tuple[float, float]],
        colour: str,
        *,
        size: float = 5,
        opacity: float = 1.0,
    ) -> None:
        """Draw round dots, all in one element."""
        path = "".join(f"M{_n(x)} {_n(y)}h0" for x, y in places)
        if path:
            faint = f' stroke-opacity="{_n(opacity)}"' if opacity < 1 else ""
            self.parts.append(
                f'<path d="{path}" stroke="{colour}" stroke-width="{_n(size)}"'
                f' stroke-linecap="round"{faint}/>'
            )

    def rings(
        self, places: Iterable[tuple[float, float]], colour: str, radius: float = 3.5
    ) -> None:
        """Draw rings, which differ from dots without colour."""
        self.parts.extend(
            f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" stroke="{colour}"/>'
            for x, y in places
        )

    def box(
        self,
        place: tuple[float, float, float, float],
        colour: str,
        *,
        opacity: float = 1.0,
        outline: bool = False,
    ) -> None:
        """Draw a rectangle at ``(x, y)`` of a width and a height."""
        x, y, width, height = (_n(value) for value in place)
        look = f'stroke="{colour}"' if outline else f'fill="{colour}" fill-opacity="{_n(opacity)}"'
        self.parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="2" {look}/>'
        )

    def label(
        self,
        place: tuple[float, float],
        text: Text,
        *,
        anchor: str = "start",
        colour: str = MUTED,
        size: int = SMALL,
    ) -> None:
        """Draw a text in both languages, once if they are equal."""
        spoken = [("", text.en)] if text.en == text.zh else [("en", text.en), ("zh", text.zh)]
        for language, words in spoken:
            attributes = f' lang="{language}"' if language else ""
            self.parts.append(
                f'<text x="{_n(place[0])}" y="{_n(place[1])}"{attributes} fill="{colour}"'
                f' stroke="none" font-size="{size}" text-anchor="{anchor}">{escape(words)}</text>'
            )

    def picture(
        self, name: str, height: float, *, title: Text, says: Text, details: Sequence[Text] = ()
    ) -> Picture:
        """Finish the chart; its text alternative is the title, the caption and ``details``."""
        description = sentences([says, *details])
        spoken = "".join(
            f'<{tag} id="picture-{name}-{tag}-{language}" lang="{language}">{escape(words)}</{tag}>'
            for tag, text in (("title", title), ("desc", description))
            for language, words in (("en", text.en), ("zh", text.zh))
        )
        by = f"picture-{name}"
        head = (
            f'<svg class="picture" viewBox="0 0 {WIDTH} {_n(height)}" width="{WIDTH}"'
            f' height="{_n(height)}" role="img" fill="none"'
            f' aria-labelledby="{by}-title-en {by}-title-zh"'
            f' aria-describedby="{by}-desc-en {by}-desc-zh">'
        )
        drawn = f"{head}{spoken}{''.join(self.parts)}</svg>"
        return Picture(name, title, says, Markup(drawn))  # noqa: S704 - escaped where it was made


def sentences(parts: Sequence[Text]) -> Text:
    """Join sentences."""
    return join_texts(parts, SPACE)


def _n(value: float) -> str:
    """Write a number as short as its place needs."""
    return f"{value:.1f}".removesuffix(".0") if math.isfinite(value) else "0"
