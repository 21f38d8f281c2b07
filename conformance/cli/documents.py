"""``conformance documents``: validate the vendors' documentation (lint, replay, comparison)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from conformance.cli import documents_markdown, documents_text, inputs
from conformance.cli.exit_codes import UserError
from conformance.cli.help import examples
from conformance.cli.options import UNNAMED_KEY, with_key_from
from conformance.cli.terminal import say
from conformance.contract import DOCUMENTS
from conformance.docs_audit.contradictions import Section, about, contradictions
from conformance.docs_audit.lint import lint
from conformance.docs_audit.page import Page
from conformance.docs_audit.page_reader import PAGES, PageError, load_page
from conformance.docs_audit.replay import TIMEOUT_SECONDS, Price, price, replay, sendable
from conformance.docs_audit.results import Endpoint, Examined, Finding, Outcome, Replayed
from conformance.model import ExitCode
from conformance.report.console import console_for
from conformance.report.locale.terms import plural
from conformance.targets.bundled import BundledServerError, bundled_server

PARTS = ("lint", "replay", "contradictions")


@dataclass(frozen=True, slots=True)
class _Aim:
    """Where examples are sent; without an endpoint, one bundled server per page."""

    endpoint: Endpoint | None
    host: str
    node_modules: Path | None
    seconds: float


def _parts(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, ...]:
    """Read the parts between commas."""
    request = [name.strip() for name in value.split(",") if name.strip()]
    unknown = [name for name in request if name not in PARTS]
    if unknown or not request:
        what = f"unknown part {unknown[0]!r}" if unknown else "no part given"
        raise click.BadParameter(f"{what}; choose from {', '.join(PARTS)}.", ctx, param)
    return tuple(part for part in PARTS if part in request)


@click.command(
    epilog=examples(
        "conformance documents",
        "conformance documents eronmind --only lint",
        "conformance documents zero --base-url https://api.example.com/v1 --model some-model",
        "conformance documents my-page.yaml --only lint --strict",
    )
    + "\n\nExit codes: 0 all examples behave as documented; 1 at least one does not, or with "
    "--strict: a page has findings or an example was not run; 4 usage error.",
)
@click.argument("names", nargs=-1, metavar="[NAME|PATH]...")
@click.option(
    "--only",
    "parts",
    callback=_parts,
    default=",".join(PARTS),
    show_default=True,
    metavar="PARTS",
    help="Parts to run, comma-separated.",
)
@click.option(
    "--base-url",
    metavar="URL",
    help="Endpoint to send the examples to. [default: the bundled server, emulating each vendor]",
)
@click.option(
    "--model",
    callback=inputs.model_name,
    metavar="ID",
    help="Model to request instead of the page's; requires --base-url.",
)
@with_key_from(UNNAMED_KEY)
@click.option(
    "--node-modules",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder that contains the npm package `openai`. [default: Node's search path]",
)
@click.option(
    "--timeout",
    type=float,
    callback=inputs.above_zero,
    default=TIMEOUT_SECONDS,
    show_default=True,
    metavar="S",
    help="Timeout in seconds for each example, including client startup.",
)
@click.option(
    "--format",
    "as_format",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="Output format.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Also exit with 1 for findings and for examples that were not run.",
)
def documents(
    *,
    names: tuple[str, ...],
    parts: tuple[str, ...],
    base_url: str | None,
    model: str | None,
    key_name: str | None,
    node_modules: Path | None,
    timeout: float,
    as_format: str,
    strict: bool,
) -> ExitCode:
    """Validate the vendors' documentation: lint pages, replay examples, find contradictions.

    NAME is zero, gpt-ge, aocheng, zhizengzeng or eronmind. PATH is your own page in the format of
    spec/pages.schema.json. Default: all five.
    """
    pages = _pages(names)
    aim = _aim(base_url, model, key_name, node_modules, timeout, replays="replay" in parts)
    examined = [_examined(page, parts, aim) for page in pages]
    sections = _sections(pages, names) if "contradictions" in parts else None
    if as_format == "json":
        click.echo(json.dumps(_record(examined, sections), indent=2, ensure_ascii=False))
    elif as_format == "markdown":
        click.echo(documents_markdown.render(examined, sections), nl=False)
    else:
        documents_text.show(examined, sections, console_for())
    return _code(examined, strict=strict)


def _pages(names: Sequence[str]) -> list[Page]:
    """Load the named pages, by default all five."""
    try:
        pages = [load_page(name) for name in dict.fromkeys(names or PAGES)]
    except PageError as error:
        raise UserError(str(error)) from None
    called = [page.document for page in pages]
    for name in called:
        if called.count(name) > 1:
            raise UserError(f"two pages have the name `{name}`; change `document` in one of them")
    return pages


def _sections(pages: Sequence[Page], names: Sequence[str]) -> tuple[Section, ...]:
    """Compare all pages; if some are named, keep only rows about those."""
    chosen = {page.document: page for page in pages}
    known = {name: load_page(name) for name in PAGES}
    sections = contradictions({**known, **chosen}.values())
    return about(sections, chosen) if names else sections


def _aim(
    base_url: str | None,
    model: str | None,
    key_name: str | None,
    node_modules: Path | None,
    timeout: float,
    *,
    replays: bool,
) -> _Aim:
    if base_url is None:
        if model is not None or key_name is not None:
            raise click.UsageError(
                "--model and --api-key-env require --base-url; the bundled server has its own"
            )
        return _Aim(None, "", node_modules, timeout)
    if not replays:
        raise click.UsageError("--base-url requires the part replay; add it to --only")
    where = inputs.base_url(base_url)
    if where.corrected:
        say(where.corrected)
    key = inputs.api_key(key_name, where)
    return _Aim(Endpoint(where.url, model, key.text), where.host, node_modules, timeout)


def _examined(page: Page, parts: Sequence[str], aim: _Aim) -> Examined:
    findings = lint(page) if "lint" in parts else None
    if "replay" not in parts:
        return Examined(page, findings)
    against = aim.host or f"the bundled server, emulating {page.document}"
    return Examined(page, findings, tuple(_replayed(page, aim)), against)


def _replayed(page: Page, aim: _Aim) -> Iterator[Replayed]:
    """Send a page's examples to the endpoint or to a bundled server."""
    if aim.endpoint is not None:
        say(f"{page.document}: {_announced(price(page, sendable(page)))} at {aim.host}")
        yield from _sent(page, aim.endpoint, aim)
        return
    if page.document not in DOCUMENTS:
        why = "the bundled server does not emulate this page; give an endpoint with --base-url"
        yield from _none_run(page, why)
        return
    count = plural(len(sendable(page)), "example")
    say(f"{page.document}: sending {count} to the bundled server, emulating this vendor")
    with ExitStack() as stack:
        try:
            server = stack.enter_context(bundled_server(dialect=page.document))
        except BundledServerError as error:
            yield from _none_run(page, f"{error}; or give an endpoint with --base-url")
            return
        endpoint = Endpoint(server.base_url, server.model, server.api_key)
        yield from _sent(page, endpoint, aim)


def _announced(cost: Price) -> str:
    """Describe the requests and tokens about to be spent."""
    sent = f"sending {plural(cost.requests, 'request')}"
    most = f"at most {plural(cost.tokens, 'token')}"
    if cost.unlimited:
        most += f", plus the output of {plural(cost.unlimited, 'request')} without max_tokens"
    return f"{sent}, {most}"


def _sent(page: Page, endpoint: Endpoint, aim: _Aim) -> Iterator[Replayed]:
    where = aim.node_modules
    return replay(page, sendable(page), endpoint, node_modules=where, seconds=aim.seconds)


def _none_run(page: Page, why: str) -> Iterator[Replayed]:
    for example in sendable(page):
        yield Replayed(
            page.document, example.name, example.client.value, Outcome.NOT_RUN, reason=why
        )


def _code(examined: Sequence[Examined], *, strict: bool) -> ExitCode:
    if any(one.count(Outcome.NOT_MET) for one in examined):
        return ExitCode.NOT_CONFORMING
    wanting = any(one.findings or one.count(Outcome.NOT_RUN) for one in examined)
    return ExitCode.NOT_CONFORMING if strict and wanting else ExitCode.CONFORMING


def _record(examined: Sequence[Examined], sections: tuple[Section, ...] | None) -> object:
    """Return the result as JSON-compatible data; parts that did not run are None."""
    return {
        "documents": [
            {
                "document": one.page.document,
                "title": one.page.title,
                "against": one.against or None,
                "replays": _rows(one.replays),
                "findings": _rows(one.findings),
            }
            for one in examined
        ],
        "contradictions": _rows(sections),
    }


KEYS = {"fix": "mend", "fix_zh": "mend_zh"}
"""Attributes whose keys in the output keep an older name, which programs read."""


def _with_public_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {KEYS.get(name, name): value for name, value in pairs}


def _rows(records: Sequence[Replayed] | Sequence[Finding] | Sequence[Section] | None) -> object:
    return (
        None
        if records is None
        else [asdict(record, dict_factory=_with_public_keys) for record in records]
    )
