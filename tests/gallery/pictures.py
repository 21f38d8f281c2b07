"""Pictures of the gallery's pages, for the READMEs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import sync_playwright

from tests.gallery.pages import FAULT_RIDDEN, GALLERY, MATRIX

SWITCHES = ["--no-sandbox", "--disable-gpu", "--no-first-run"]


@dataclass(frozen=True)
class Picture:
    """A page as somebody sees it: where in it, how wide, in which colours and language."""

    name: str
    page: str
    width: int = 1200
    height: int = 800
    place: str = ""
    scheme: Literal["light", "dark"] = "light"
    language: str = "en"


PICTURES = (
    Picture("report", FAULT_RIDDEN, height=720),
    Picture("finding", FAULT_RIDDEN, height=640, place="stop.five-refused", scheme="dark"),
    Picture("matrix", MATRIX, height=620),
    Picture("phone", FAULT_RIDDEN, width=390, height=780, language="zh"),
)


def take(folder: Path = GALLERY) -> None:
    """Take every picture; Chromium has to be installed."""
    program = shutil.which("chromium")
    if program is None:
        raise RuntimeError("Chromium is not installed; `make chromium` installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=SWITCHES)
        for picture in PICTURES:
            view = {"width": picture.width, "height": picture.height}
            page = browser.new_page(viewport=view, color_scheme=picture.scheme)
            address = (folder / picture.page).resolve().as_uri()
            page.goto(f"{address}?lang={picture.language}#{picture.place}")
            page.screenshot(path=folder / f"{picture.name}.png", animations="disabled")
            page.close()
        browser.close()
