"""The shell of every page: one file without a network, in two languages, light and dark.

What an endpoint sent is hostile. Every value that reaches a template has its acting characters made
visible and is escaped, by the environment and not by the template's author; should that fail, the
page's policy lets nothing load, and nothing run but the one script whose hash it names.

A page of one's own is a template beside ``page.html.j2`` that says ``{% extends "page.html.j2" %}``
and fills the blocks ``nav``, ``main`` and, if it likes, ``colophon``. Words are written with
``{{ t(text) }}``, which puts both languages into the page; a style sheet shows one of them, and a
switch in the page the other. ``marks.html.j2`` has the icons and the badges of verdicts and states.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from conformance import __version__
from conformance.language import Language, Text
from conformance.reports import words
from conformance.reports.case import LONGEST
from conformance.reports.html.bytecode import TemplateBytecode
from conformance.reports.rows import said_of
from conformance.reports.spoken import spoken
from conformance.reports.visible import cut, lines

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
    """Write a page.

    Args:
        template: the file name of a template that extends ``page.html.j2``.
        title: the page's title, as a browser's tab shows it.
        language: what the page speaks when it is opened; it holds both.
        styles: file names of style sheets beside the template, after ``page.css``.
        scripts: file names of scripts beside the template, after ``page.js``. Without them
            everything must be readable all the same.
        values: what the template needs.
    """
    style = _joined("page.css", *styles)
    script = _joined("page.js", *scripts)
    return (
        environment()
        .get_template(template)
        .render(
            title=title,
            language=language,
            style=Markup(style),  # noqa: S704 - our own files, and a style element knows no escapes
            style_hash=_hash(style),
            script=Markup(script),  # noqa: S704 - our own files, and a script element knows no escapes
            script_hash=_hash(script),
            **values,
        )
    )


@cache
def environment() -> Environment:
    """Make the one environment of all pages: everything is made visible and escaped."""
    made = Environment(
        loader=PackageLoader("conformance.reports.html", _TEMPLATES),
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
        MORE_FINDINGS=words.MORE_FINDINGS,
        duration=words.duration,
        T=Text,
        version=__version__,
        verdict_words=words.VERDICTS,
        state_words=words.STATES,
        level_words=words.LEVELS,
        headline_words=words.HEADLINES,
        effect_words=words.EFFECTS,
        tier_words=words.TIERS,
        said_of=said_of,
        spoken=spoken,
    )
    made.filters.update(
        brief=brief,
        extract=lambda key, found: found[key],
        marked=marked,
    )
    return made


@lru_cache(maxsize=4096)
def in_both(text: Text | str) -> Markup:
    """Write a text in both languages, of which the page shows one.

    What is the same in both, or a plain string (a name, a number), is written once. Names in
    backticks become code. A text without Chinese stays English in a Chinese page, and says so to
    whoever reads it aloud.
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


def brief(text: Text | str, longest: int = LONGEST) -> Text | str:
    """Shorten what may be long: checks keep their words short, a broken record may not."""
    if isinstance(text, str):
        return cut(text, longest)
    return text.mapped(lambda words: cut(words, longest))


def marked(sentence: str) -> Markup:
    """Turn the names that a sentence of ours carries in backticks into code."""
    if "`" not in sentence:
        return escape(lines(sentence))
    parts = [escape(lines(part)) for part in sentence.split("`")]
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part
        for place, part in enumerate(parts)
    )


def _visible(value: object) -> object:
    """Make every string safe to look at before it is escaped; what is markup already, is ours."""
    return lines(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _joined(*names: str) -> str:
    folder = files("conformance.reports.html").joinpath(_TEMPLATES)
    return "\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)


def _hash(text: str) -> str:
    """Name the one element that the page's policy allows, by what is in it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
