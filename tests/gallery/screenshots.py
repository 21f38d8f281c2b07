"""Screenshots of the sample reports, for the documents."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import sync_playwright

from tests.gallery.pages import FAULT_RIDDEN, GALLERY, MATRIX

PICTURES_FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
SWITCHES = ["--no-sandbox", "--disable-gpu", "--no-first-run"]


@dataclass(frozen=True)
class Picture:
    """One screenshot: a page, an anchor in it, the viewport in CSS pixels, theme and language."""

    name: str
    page: str
    width: int = 1200
    height: int = 800
    anchor: str = ""
    scheme: Literal["light", "dark"] = "light"
    language: str = "en"


PICTURES = (
    Picture("report", FAULT_RIDDEN, height=620),
    Picture("report-zh", FAULT_RIDDEN, height=620, language="zh"),
    Picture("finding", FAULT_RIDDEN, height=640, anchor="stop.five-refused", scheme="dark"),
    Picture("matrix", MATRIX, height=620),
    Picture("phone", FAULT_RIDDEN, width=390, height=780, language="zh"),
)


def take(pages: Path = GALLERY, folder: Path = PICTURES_FOLDER) -> None:
    """Take every picture of the rendered pages.

    Raises:
        RuntimeError: Chromium or a Chinese font is not installed.
    """
    program = shutil.which("chromium")
    if program is None:
        raise RuntimeError("Chromium is not installed; `make chromium` installs it")
    fonts = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=True).stdout
    if not fonts:
        raise RuntimeError("no Chinese font is installed; Debian has one in fonts-noto-cjk")
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=SWITCHES)
        for picture in PICTURES:
            viewport = {"width": picture.width, "height": picture.height}
            page = browser.new_page(viewport=viewport, color_scheme=picture.scheme)
            address = (pages / picture.page).resolve().as_uri()
            page.goto(f"{address}?lang={picture.language}#{picture.anchor}")
            page.screenshot(path=folder / f"{picture.name}.png", animations="disabled")
            page.close()
        browser.close()
