"""A badge: the verdict of a run as the JSON of a shields.io endpoint, and as an SVG.

https://shields.io/badges/endpoint-badge describes the JSON. The SVG needs no service.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape

from conformance.language import Language, Text
from conformance.model import Conclusion, Run, Verdict
from conformance.report.sanitize import cut, line
from conformance.report.summary import Summary

MAX_LABEL_CHARS = 60
CHAR_WIDTH, WIDE_CHAR_WIDTH, PADDING, HEIGHT = 6.6, 11.5, 10, 20
"""Pixels; Verdana of 11 pixels is about that wide, and CJK characters are squares."""

_COLOURS: Mapping[Conclusion, tuple[str, str]] = {
    Conclusion.CONFORMING: ("brightgreen", "#2e7d32"),
    Conclusion.NOT_CONFORMING: ("red", "#c62828"),
    Conclusion.UNDECIDED: ("yellow", "#8a6d00"),
    Conclusion.NOTHING_RAN: ("lightgrey", "#616161"),
    Conclusion.INCOMPLETE: ("lightgrey", "#616161"),
    Conclusion.AS_EXPECTED: ("blue", "#1565c0"),
}
"""The name that shields knows, and a colour on which white text is readable."""


def label_of(run: Run, label: str | None = None) -> str:
    """Return the left half: what was tested, unless another label is given."""
    header = run.header
    told = label or f"{header.target or header.model} · {header.contract}"
    return cut(line(told), MAX_LABEL_CHARS)


def message_of(run: Run) -> Text:
    """Return the right half: the verdict, and how many deviations there are."""
    summary = Summary(run)
    broken = sum(
        finding.verdict is Verdict.FAIL or (finding.verdict is Verdict.WARN and run.header.strict)
        for finding in run.findings
    )
    is_plain = summary.conclusion is Conclusion.NOT_CONFORMING and run.expected is None
    if is_plain and broken:
        told = _ONE if broken == 1 else _DEVIATIONS.format(count=broken)
    else:
        told = summary.headline
    return _AT.format(told=told, tier=run.header.tier.value).mapped(line)


def endpoint(run: Run, label: str | None = None, language: Language = Language.ENGLISH) -> str:
    """Write the JSON that shields.io reads."""
    badge = {
        "schemaVersion": 1,
        "label": label_of(run, label),
        "message": message_of(run).of(language),
        "color": _COLOURS[Summary(run).conclusion][0],
        "isError": False,
    }
    return json.dumps(badge) + "\n"


def svg(run: Run, label: str | None = None, language: Language = Language.ENGLISH) -> str:
    """Draw the badge, with its text also for screen readers."""
    left, right = label_of(run, label), message_of(run).of(language)
    first, second = _width(left), _width(right)
    colour = _COLOURS[Summary(run).conclusion][1]
    name = escape(f"{left}: {right}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{first + second}" height="{HEIGHT}" '
        f'role="img" aria-label="{name}"><title>{name}</title>'
        f'<clipPath id="r"><rect width="{first + second}" height="{HEIGHT}" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{first}" height="{HEIGHT}" fill="#424242"/>'
        f'<rect x="{first}" width="{second}" height="{HEIGHT}" fill="{colour}"/></g>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" '
        f'font-size="11">{_word(left, first / 2, first)}{_word(right, first + second / 2, second)}'
        "</g></svg>\n"
    )


def _width(text: str) -> int:
    wide = sum(character > "\u2e7f" for character in text)
    return round((len(text) - wide) * CHAR_WIDTH + wide * WIDE_CHAR_WIDTH) + PADDING


def _word(text: str, middle: float, width: int) -> str:
    room = width - PADDING
    return (
        f'<text x="{middle:g}" y="14" textLength="{room}" lengthAdjust="spacingAndGlyphs">'
        f"{escape(text)}</text>"
    )


_ONE = Text("1 deviation", "1 项偏差")
_DEVIATIONS = Text("{count} deviations", "{count} 项偏差")
_AT = Text("{told} ({tier})", "{told}（{tier}）")
