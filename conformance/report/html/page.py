"""The base of all HTML pages: self-contained, bilingual, light and dark.

Text from an endpoint is untrusted. The environment makes control characters visible and escapes
every value. As a second line of defence, the content security policy forbids loading anything and
allows only the script with the given hash.

A page is a template that extends ``page.html.j2`` and fills the blocks ``nav``, ``main`` and
optionally ``colophon``. ``{{ t(text) }}`` writes a text in both languages; a style sheet shows the
selected one. ``marks.html.j2`` has icons and badges.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from conformance import __version__
from conformance.language import Language, Text
from conformance.report.case import MAX_VALUE_CHARS
from conformance.report.clients import NEEDS, READINESS
from conformance.report.expected import reason_of
from conformance.report.headline import Claim
from conformance.report.html.bytecode import TemplateBytecode
from conformance.report.locale import terms as words
from conformance.report.locale.finding_text import finding_text
from conformance.report.objectives import STANDINGS
from conformance.report.sanitize import cut, lines
from conformance.report.summary_rows import said_of

_TEMPLATES = "templates"


def render(
    template: str,
    *,
    title: Text,
    language: Language = Language.ENGLISH,
    styles: Sequence[str] = (),
    scripts: Sequence[str] = (),
    **values: object,
) -> str:
    """Render a page.

    Args:
        template: file name of a template that extends ``page.html.j2``.
        title: the page's title.
        language: the initial language; the page contains both.
        styles: file names of additional style sheets.
        scripts: file names of additional scripts; the page must be readable without them.
        values: template variables.
    """
    style = _joined("page.css", *styles)
    script = _joined("page.js", *scripts)
    return (
        environment()
        .get_template(template)
        .render(
            title=title,
            language=language,
            style=Markup(style),  # noqa: S704 - a package file; style elements have no escapes
            style_hash=_hash(style),
            script=Markup(script),  # noqa: S704 - a package file; script elements have no escapes
            script_hash=_hash(script),
            **values,
        )
    )


@cache
def environment() -> Environment:
    """Return the shared environment, which makes control characters visible and escapes."""
    made = Environment(
        loader=PackageLoader("conformance.report.html", _TEMPLATES),
        bytecode_cache=TemplateBytecode(Path(__file__).parent / _TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        t=in_both,
        counted=words.counted,
        CHECK=words.CHECK,
        DOCUMENT=words.DOCUMENT,
        FINDING=words.FINDING,
        MORE_FINDINGS=words.MORE_FINDINGS,
        duration=words.duration,
        T=Text,
        version=__version__,
        verdict_words=words.VERDICTS,
        state_words=words.STATES,
        level_words=words.LEVELS,
        headline_words=words.HEADLINES,
        effect_words=words.EFFECTS,
        role_words=words.ROLES,
        readiness_words=READINESS,
        standing_words=STANDINGS,
        need_words=NEEDS,
        tier_words=words.TIERS,
        claimed=claimed,
        row_id=row_id,
        said_of=said_of,
        spoken=finding_text,
        reason_expected=reason_of,
    )
    made.filters.update(
        brief=brief,
        extract=lambda key, found: found[key],
        marked=marked,
    )
    return made


@lru_cache(maxsize=4096)
def in_both(text: Text | str) -> Markup:
    """Write a text in both languages; the page shows one.

    A plain string, and a text equal in both languages, is written once. Names in backticks become
    code. A text without Chinese is marked as English for screen readers.
    """
    if isinstance(text, str):
        return marked(text)
    if text.en == text.zh:
        return marked(text.en)
    if not text.zh:
        return Markup('<span lang="en" class="only">{}</span>').format(marked(text.en))
    return Markup('<span lang="en">{}</span><span lang="zh">{}</span>').format(
        marked(text.en), marked(text.zh)
    )


def claimed(claim: Claim, subjects: Collection[str]) -> Markup:
    """Write a sentence of the headline with links to its evidence, in both languages.

    The sentence up to its first name or part leads to the claim's place; a name of a parameter or
    field leads to its row.

    Args:
        claim: the sentence and its place.
        subjects: the names that have a row.
    """
    return Markup("").join(
        Markup('<span lang="{}">{}{}</span>').format(
            language.value,
            _linked(claim.text.of(language), claim.place, subjects),
            " " if language is Language.ENGLISH else "",
        )
        for language in Language
    )


def _linked(sentence: str, place: str, subjects: Collection[str]) -> Markup:
    lead = _LEAD.match(sentence)
    end = lead.end() if lead else len(sentence)
    link = Markup('<a class="claim" href="#{}">{}</a>').format(
        quote(lines(place)), marked(sentence[:end])
    )
    parts = [link]
    for number, part in enumerate(sentence[end:].split("`")):
        shown = Markup("{}").format(escape(lines(part)))
        if number % 2:
            shown = Markup("<code>{}</code>").format(shown)
            if part in subjects:
                shown = Markup('<a href="#{}">{}</a>').format(quote(row_id(part)), shown)
        parts.append(shown)
    return Markup("").join(parts)


_LEAD = re.compile(r"[^`;；:：]+(?=[`;；:：])")
"""The beginning of a sentence: all before its first name or part."""


def row_id(subject: str) -> str:
    """Return the id of the row of a parameter or field."""
    return f"row-{lines(subject)}"


def brief(text: Text | str, longest: int = MAX_VALUE_CHARS) -> Text | str:
    """Shorten a text to ``longest`` characters."""
    if isinstance(text, str):
        return cut(text, longest)
    return text.mapped(lambda words: cut(words, longest))


def marked(sentence: str) -> Markup:
    """Turn names in backticks into code elements."""
    if "`" not in sentence:
        return escape(lines(sentence))
    parts = [escape(lines(part)) for part in sentence.split("`")]
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part
        for place, part in enumerate(parts)
    )


def _visible(value: object) -> object:
    """Make control characters in strings visible; markup is left as it is."""
    return lines(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _joined(*names: str) -> str:
    folder = files("conformance.report.html").joinpath(_TEMPLATES)
    return "\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)


def _hash(text: str) -> str:
    """Return the hash of a style or script for the content security policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
