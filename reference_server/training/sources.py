"""The texts the model learns from: packages, pages and licences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]
Kind = Literal["html", "fortune", "bible"]


@dataclass(frozen=True, slots=True)
class Source:
    """One readable text inside one Debian package.

    `pages` are glob patterns below the unpacked package; `share` says which part of the documents
    to keep (0–1], so that one large manual does not drown the others.
    """

    name: str
    package: str
    language: Language
    kind: Kind
    pages: tuple[str, ...]
    licence: str
    origin: str
    share: float = 1.0


_PYTHON = "usr/share/doc/python3.11/html"
_GUIDE = "usr/share/doc/installation-guide-amd64"

SOURCES: tuple[Source, ...] = (
    Source(
        name="The Debian Administrator's Handbook",
        package="debian-handbook",
        language="en",
        kind="html",
        pages=("usr/share/doc/debian-handbook/html/en-US/*.html",),
        licence="GPL-2.0-or-later OR CC-BY-SA-3.0",
        origin="Raphaël Hertzog, Roland Mas, Freexian SARL",
    ),
    Source(
        name="The Debian Administrator's Handbook (Chinese)",
        package="debian-handbook",
        language="zh",
        kind="html",
        pages=("usr/share/doc/debian-handbook/html/zh-CN/*.html",),
        licence="GPL-2.0-or-later OR CC-BY-SA-3.0",
        origin="Raphaël Hertzog, Roland Mas, Freexian SARL and translators",
    ),
    Source(
        name="The King James Bible",
        package="bible-kjv-text",
        language="en",
        kind="bible",
        pages=("usr/lib",),
        licence="public domain",
        origin="The Authorised Version of 1611",
    ),
    Source(
        name="Python 3.11 documentation",
        package="python3.11-doc",
        language="en",
        kind="html",
        pages=tuple(
            f"{_PYTHON}/{part}/*.html"
            for part in ("tutorial", "library", "howto", "faq", "reference", "using")
        ),
        licence="PSF-2.0",
        origin="Python Software Foundation",
        share=0.5,
    ),
    Source(
        name="Debian GNU/Linux Installation Guide",
        package="installation-guide-amd64",
        language="en",
        kind="html",
        pages=(f"{_GUIDE}/en/*.html",),
        licence="GPL-2.0-only",
        origin="Debian Installer team",
    ),
    Source(
        name="Debian GNU/Linux Installation Guide (Chinese)",
        package="installation-guide-amd64",
        language="zh",
        kind="html",
        pages=(f"{_GUIDE}/zh_CN/*.html",),
        licence="GPL-2.0-only",
        origin="Debian Installer team and translators",
    ),
    Source(
        name="Debian Reference (Chinese)",
        package="debian-reference-zh-cn",
        language="zh",
        kind="html",
        pages=("usr/share/debian-reference/*.zh-cn.html",),
        licence="GPL-2.0-or-later",
        origin="Osamu Aoki and translators",
    ),
    Source(
        name="Debian New Maintainers' Guide (Chinese)",
        package="maint-guide-zh-cn",
        language="zh",
        kind="html",
        pages=("usr/share/doc/maint-guide-zh-cn/html/*.html",),
        licence="GPL-2.0-or-later",
        origin="Josip Rodin, Osamu Aoki and translators",
    ),
    Source(
        name="Three Hundred Tang Poems",
        package="fortunes-zh",
        language="zh",
        kind="fortune",
        pages=("usr/share/games/fortunes/tang300",),
        licence="public domain",
        origin="poets of the Tang dynasty",
    ),
    Source(
        name="One Hundred Song Poems",
        package="fortunes-zh",
        language="zh",
        kind="fortune",
        pages=("usr/share/games/fortunes/song100",),
        licence="public domain",
        origin="poets of the Song dynasty",
    ),
)

BIBLE_READER = "bible-kjv"
"""The package of the program that unpacks the Bible's compressed format."""

PACKAGES: tuple[str, ...] = (
    *dict.fromkeys(source.package for source in SOURCES),
    BIBLE_READER,
)
