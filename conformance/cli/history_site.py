"""``conformance history site``: the history as a static site."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import click

from conformance.cli.exit_codes import UserError
from conformance.cli.files import write_text
from conformance.cli.folder import make_folder
from conformance.cli.help import examples
from conformance.cli.history_shared import assert_all_read, found, in_folder
from conformance.cli.inputs import FOLDER
from conformance.cli.options import in_language
from conformance.history.site import MANIFEST, Options, files, is_site
from conformance.input_files import one_line
from conformance.language import Language
from conformance.model import ExitCode
from conformance.report.locale.terms import plural

SITE = "site"


def _url(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Check an address, and end it with a slash."""
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
        is_usable = is_usable and not (parts.query or parts.fragment or parts.username)
        # urlsplit leaves out what is not printable, and the pages would have it.
        is_usable = is_usable and value.isprintable() and not set(value) & set(' <>"')
    except ValueError:
        is_usable = False
    if not is_usable:
        raise click.BadParameter(
            f"{one_line(repr(value), 80)} is no address of a site, such as "
            "https://example.com/conformance/.",
            ctx,
            param,
        )
    return value if value.endswith("/") else f"{value}/"


@click.command(
    epilog=examples(
        "conformance history site",
        "conformance history site --out public --reports --url https://example.com/conformance/",
    )
)
@click.option(
    "--out", type=FOLDER, metavar="DIR", help="Folder of the site. [default: site in the history]"
)
@click.option(
    "--days",
    type=click.IntRange(1, 3660),
    default=365,
    show_default=True,
    help="Days that pages show, up to the last run.",
)
@click.option(
    "--reports",
    is_flag=True,
    help="Also render the reports of the last runs, and of those before and after a change.",
)
@click.option(
    "--url",
    callback=_url,
    metavar="URL",
    help="Where the site will be, for the links of its feeds.",
)
@in_folder
@in_language
def site(
    *, out: Path | None, days: int, reports: bool, url: str | None, folder: Path, language: Language
) -> ExitCode:
    """Write a static site: a heat map, a page and a badge for each target, feeds of changes.

    It opens from disk and loads nothing. When it is made again, only pages of targets with new
    runs are written. Without --reports, pages link the records in the history.
    """
    kept, entries = found(folder, ())
    if not entries:
        raise UserError(f"the history {folder} has no run; `conformance history add DIR` adds some")
    place = out or folder / SITE
    if not is_site(place):
        raise UserError(
            f"the folder {place} is not empty and has no {MANIFEST}, so it is no site; choose a "
            "new or empty one with --out"
        )
    unread: list[str] = []
    count: Counter[str] = Counter()
    options = Options(days, language, url, reports)
    for file in files(kept, entries, place, options, unread.append):
        path = place / file.path
        if file.text is None:
            path.unlink(missing_ok=True)
            continue
        make_folder(path.parent)
        write_text(path, file.text)
        count[Path(file.path).parts[0] + path.suffix] += 1
    click.echo(place / "index.html")
    targets = len({entry.target for entry in entries})
    written = count["targets.html"]
    reported = f", {plural(count['reports.html'], 'report')}" if reports else ""
    click.echo(f"{plural(written, 'page')} written{reported}, {targets - written} up to date")
    assert_all_read(unread)
    return ExitCode.CONFORMING
