"""Strips: one row of a heat map as SVG, a bar a day, as wide as the page lets it be.

The days are the units of the picture, which is stretched; so a strip of a year takes a few hundred
bytes if little changes, and what would need a width of its own, such as a label, is in the axis.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from markupsafe import Markup, escape

from conformance.history.site.days import Span, Stretch, iso, stretches
from conformance.history.site.kinds import TALLEST, Kind
from conformance.language import Text

MAX_TITLES = 60
"""Stretches of a strip up to which each has a title of its own; a page of 300 targets that change
every day would otherwise have ten megabytes of them."""

MARK_TOP, MARK_HEIGHT = TALLEST + 2, 4
HEIGHT = MARK_TOP + MARK_HEIGHT
MAX_LABELS = 6
FEW_DAYS = 45
"""Days up to which the axis names days rather than months."""


def strip(
    kinds: Mapping[int, str], span: Span, looks: Mapping[str, Kind], marks: Iterable[int] = ()
) -> Markup:
    """Draw a strip.

    Args:
        kinds: the kind of each day that has one.
        span: the days that it shows.
        looks: what kinds look like.
        marks: the days below which a change is marked.
    """
    found = list(stretches(kinds, span))
    is_titled = len(found) <= MAX_TITLES
    drawn = _one_by_one(found, span, looks) if is_titled else _by_kind(found, looks)
    ticks = "".join(
        f"M{day - span.first} {MARK_TOP}v{MARK_HEIGHT}"
        for day in sorted(set(marks))
        if span.holds(day)
    )
    ground = _bar(Stretch(0, span.days, ""), 1)
    marked = f'<path class="mark" d="{ticks}"/>' if ticks else ""
    return Markup(  # noqa: S704 - numbers, and texts that were escaped
        f'<svg class="strip" viewBox="0 0 {span.days} {HEIGHT}" preserveAspectRatio="none" '
        f'aria-hidden="true"><path class="ground" d="{ground}"/>{drawn}{marked}</svg>'
    )


def _bar(stretch: Stretch, height: int) -> str:
    return f"M{stretch.start} {TALLEST - height}h{stretch.length}v{height}h-{stretch.length}z"


def _by_kind(found: Iterable[Stretch], looks: Mapping[str, Kind]) -> str:
    bars: dict[str, list[str]] = {}
    for stretch in found:
        look = looks[stretch.kind]
        bars.setdefault(look.colour, []).append(_bar(stretch, look.height))
    return "".join(
        f'<path class="{colour}" d="{"".join(paths)}"/>' for colour, paths in bars.items()
    )


def _one_by_one(found: Iterable[Stretch], span: Span, looks: Mapping[str, Kind]) -> str:
    return "".join(
        f'<path class="{looks[one.kind].colour}" d="{_bar(one, looks[one.kind].height)}">'
        f"<title>{escape(_title(one, span, looks[one.kind].words))}</title></path>"
        for one in found
    )


def _title(stretch: Stretch, span: Span, words: Text) -> str:
    first = span.first + stretch.start
    last = first + stretch.length - 1
    when = iso(first) if first == last else f"{iso(first)} – {iso(last)}"
    return f"{when}: {words.en} · {words.zh}"


def axis(span: Span) -> Markup:
    """Draw the labels of a strip's days, which keep their size however wide the strip is."""
    labels = "".join(
        f'<text x="{100 * (day - span.first) / span.days:.2f}%" y="11">{label}</text>'
        for day, label in _labels(span)
    )
    return Markup(f'<svg class="axis" aria-hidden="true">{labels}</svg>')  # noqa: S704 - numbers


def _labels(span: Span) -> Sequence[tuple[int, str]]:
    days = range(span.first, span.last + 1)
    if span.days <= FEW_DAYS:
        step = -(-span.days // MAX_LABELS)
        return [(day, iso(day)[5:]) for day in days[::step]]
    # A label at the very end would be cut off.
    firsts = [day for day in days[: -span.days // 12] if date.fromordinal(day).day == 1]
    step = max(1, -(-len(firsts) // MAX_LABELS))
    return [(day, iso(day)[:7]) for day in firsts[::step]]


def sample(look: Kind) -> Markup:
    """Draw one bar, for the legend."""
    bar = _bar(Stretch(0, 10, ""), look.height)
    return Markup(  # noqa: S704 - numbers and a class
        f'<svg class="sample" viewBox="0 0 10 {TALLEST}" aria-hidden="true">'
        f'<path class="{look.colour}" d="{bar}"/></svg>'
    )
