"""``conformance documents``: replay the vendors' pages, lint them, tell where they contradict."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from conformance.bundled import BundledServerError, bundled_server
from conformance.cli import documents_markdown, documents_text, inputs
from conformance.cli.guard import UserError
from conformance.cli.help import examples
from conformance.cli.options import with_key_from
from conformance.cli.terminal import say
from conformance.contract import DOCUMENTS
from conformance.documents.contradictions import Section, about, contradictions
from conformance.documents.lint import lint
from conformance.documents.page import Page
from conformance.documents.pages import PAGES, PageError, load_page
from conformance.documents.records import Endpoint, Examined, Finding, Outcome, Replayed
from conformance.documents.replay import SECONDS, Price, price, replay, sendable
from conformance.model import DEFAULT_KEY_ENV, ExitCode
from conformance.reports.console import console_for
from conformance.reports.words import plural

PARTS = ("lint", "replay", "contradictions")


@dataclass(frozen=True, slots=True)
class _Aim:
    """Where examples are sent: one endpoint for all, or for each page its own bundled server."""

    endpoint: Endpoint | None
    host: str
    node_modules: Path | None
    seconds: float


def _parts(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, ...]:
    """Read the parts between commas."""
    asked = [name.strip() for name in value.split(",") if name.strip()]
    unknown = [name for name in asked if name not in PARTS]
    if unknown or not asked:
        what = f"there is no part {unknown[0]!r}" if unknown else "name a part"
        raise click.BadParameter(f"{what}; known: {', '.join(PARTS)}.", ctx, param)
    return tuple(part for part in PARTS if part in asked)


@click.command(
    epilog=examples(
        "conformance documents",
        "conformance documents eronmind --only lint",
        "conformance documents zero --base-url https://api.example.com/v1 --model some-model",
        "conformance documents my-page.yaml --only lint --strict",
    )
    + "\n\nExit codes: 0 every example that was sent met its expectations; 1 one did not, or with "
    "--strict: a page has findings or an example was not run; 4 wrong usage.",
)
@click.argument("names", nargs=-1, metavar="[NAME|PATH]...")
@click.option(
    "--only",
    "parts",
    callback=_parts,
    default=",".join(PARTS),
    show_default=True,
    metavar="PARTS",
    help="Which parts, with commas between.",
)
@click.option(
    "--base-url",
    metavar="URL",
    help="Send the examples there. [default: for each page the bundled server speaking as it]",
)
@click.option(
    "--model",
    metavar="ID",
    help="Ask for this model instead of the page's; only with --base-url.",
)
@with_key_from(f"{DEFAULT_KEY_ENV}, or a prompt in a terminal")
@click.option(
    "--node-modules",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where the npm package `openai` is. [default: where Node looks]",
)
@click.option(
    "--timeout",
    type=float,
    callback=inputs.above_zero,
    default=SECONDS,
    show_default=True,
    metavar="S",
    help="Seconds for one example, the start of its client included.",
)
@click.option(
    "--format",
    "as_format",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="For a reader, for programs, or for a page.",
)
@click.option(
    "--strict", is_flag=True, help="Exit with 1 for findings and for examples not run, too."
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
    """Replay the pages' examples, find what is wrong inside them, and where they contradict.

    NAME is one of zero, gpt-ge, aocheng, zhizengzeng, eronmind; PATH a page of your own,
    transcribed as spec/pages.schema.json says. Without any: all five.
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
    """Load the pages that were named, all five where none was."""
    try:
        pages = [load_page(name) for name in dict.fromkeys(names or PAGES)]
    except PageError as error:
        raise UserError(str(error)) from None
    called = [page.document for page in pages]
    for name in called:
        if called.count(name) > 1:
            raise UserError(f"two of the pages call themselves `{name}`; change `document` in one")
    return pages


def _sections(pages: Sequence[Page], names: Sequence[str]) -> tuple[Section, ...]:
    """Compare the five, and pages of one's own with them; where some are named, what they say."""
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
                "--model and --api-key-env go with --base-url; the bundled server has its own"
            )
        return _Aim(None, "", node_modules, timeout)
    if not replays:
        raise click.UsageError("--base-url is for the replay, which --only leaves out")
    where = inputs.base_url(base_url)
    if where.corrected:
        say(where.corrected)
    key = inputs.api_key(key_name, where.host)
    if key:
        say(f"sending the API key in ${key_name or DEFAULT_KEY_ENV} to {where.host}")
    return _Aim(Endpoint(where.url, model, key), where.host, node_modules, timeout)


def _examined(page: Page, parts: Sequence[str], aim: _Aim) -> Examined:
    findings = lint(page) if "lint" in parts else None
    if "replay" not in parts:
        return Examined(page, findings)
    against = aim.host or f"the bundled server, speaking as {page.document}"
    return Examined(page, findings, tuple(_replayed(page, aim)), against)


def _replayed(page: Page, aim: _Aim) -> Iterator[Replayed]:
    """Send a page's examples to the endpoint, or to a server started for it."""
    if aim.endpoint is not None:
        say(f"{page.document}: {_announced(price(page, sendable(page)))} at {aim.host}")
        yield from _sent(page, aim.endpoint, aim)
        return
    if page.document not in DOCUMENTS:
        why = "the bundled server does not speak as this page; name an endpoint with --base-url"
        yield from _none_run(page, why)
        return
    count = plural(len(sendable(page)), "example")
    say(f"{page.document}: sending {count} to the bundled server, speaking as this page")
    with ExitStack() as stack:
        try:
            server = stack.enter_context(bundled_server(dialect=page.document))
        except BundledServerError as error:
            yield from _none_run(page, f"{error}; or name an endpoint with --base-url")
            return
        endpoint = Endpoint(server.base_url, server.model, server.api_key)
        yield from _sent(page, endpoint, aim)


def _announced(cost: Price) -> str:
    """Say what is about to be spent."""
    sent = f"sending {plural(cost.requests, 'request')}"
    most = f"at most {plural(cost.tokens, 'token')}"
    if cost.unlimited:
        most += f", plus what {plural(cost.unlimited, 'request')} without a limit will generate"
    return f"{sent} and spending {most}"


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
    """Make the JSON of a result; a part that was not asked for is null."""
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


def _rows(records: Sequence[Replayed] | Sequence[Finding] | Sequence[Section] | None) -> object:
    return None if records is None else [asdict(record) for record in records]
