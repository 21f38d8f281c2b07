"""``conformance doctor``: what is installed, what each extra gives, whether an endpoint answers."""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import click

from conformance import __version__
from conformance.cli import inputs, pdf
from conformance.cli.help import examples
from conformance.cli.one_endpoint import entries_here, named_target, typed_endpoint
from conformance.cli.options import (
    AUTO,
    DEFAULT_CONTRACT,
    UNNAMED_KEY,
    at_path,
    in_language,
    under_contract_or_auto,
    with_key_from,
)
from conformance.cli.proposal import evidence_of
from conformance.contract import Contract
from conformance.engine.notes import lifecycle_of, proposals_for
from conformance.engine.reachability import Reached, reach
from conformance.language import Language, Text, same
from conformance.model import DEFAULT_KEY_ENV, ExitCode, Target
from conformance.plugins import plugins
from conformance.report.locale.finding_text import finding_text
from conformance.report.sanitize import cut, line
from conformance.targets import FILE, Entry
from conformance.targets.bundled import DISTRIBUTION, is_installed

MAX_LINE_CHARS = 400
NAME_WIDTH = 13

EXTRAS = (
    (
        "server",
        Text(
            "the reference server, and `conformance run` without an endpoint",
            "参考服务器，以及不指定接口时的 `conformance run`",
        ),
    ),
    (
        "tokenizer",
        Text(
            "`--tokenizer`, which counts prompts as the model does",
            "`--tokenizer`，按模型自己的分词器为 prompt 计数",
        ),
    ),
    (
        "parquet",
        Text(
            "`history export --parquet`, tables for other programs",
            "`history export --parquet`，供其他程序使用的表",
        ),
    ),
    (
        "zstd",
        Text("`history add --zstd`, smaller records", "`history add --zstd`，更小的记录"),
    ),
    (
        "transformers",
        Text(
            "other models in `reference-server --model`", "`reference-server --model` 加载其他模型"
        ),
    ),
    (
        "clients",
        Text("real clients in `conformance documents`", "`conformance documents` 使用真实客户端"),
    ),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the answer; ``is_well`` is None where nothing has to be mended."""

    name: str
    told: Text
    is_well: bool | None = None


@click.command(
    epilog=examples(
        "conformance doctor",
        "conformance doctor --base-url https://api.example.com/v1 --model some-model \\",
        "                   --api-key-env EXAMPLE_KEY",
        "conformance doctor --target zero",
    )
    + "\n\nExit codes: 0; 3 if the endpoint does not answer; 4 usage error.",
)
@click.option("--base-url", metavar="URL", help="Endpoint to try with one cheap request.")
@at_path
@click.option(
    "--model",
    callback=inputs.model_name,
    metavar="ID",
    help="Model to request; required with --base-url.",
)
@with_key_from(UNNAMED_KEY)
@click.option("--target", "wanted", metavar="NAME", help=f"Target of {FILE} to try instead.")
@under_contract_or_auto
@in_language
def doctor(
    *,
    base_url: str | None,
    path: str | None,
    model: str | None,
    key_name: str | None,
    wanted: str | None,
    contract_name: str,
    language: Language,
) -> ExitCode:
    """Show what is installed, and whether an endpoint answers."""
    if base_url is not None and wanted is not None:
        raise click.UsageError("--base-url and --target cannot be combined; choose one of them")
    if path is not None and base_url is None:
        raise click.UsageError("--path needs --base-url, or path in the target of " + FILE)
    entries = entries_here()
    endpoint = None
    if base_url is not None:
        endpoint = typed_endpoint(base_url, path, model, key_name, contract_name)
    elif wanted is not None:
        endpoint = named_target(wanted, entries)
    for told in (*_installed(), _file(entries), _keys(entries)):
        _print(told, language)
    answers = _answers(*endpoint) if endpoint else [Line("endpoint", _NOT_TRIED)]
    if contract_name == AUTO and endpoint and not any(one.name == "contract" for one in answers):
        answers.append(Line("contract", _UNKNOWN.format(contract=DEFAULT_CONTRACT)))
    for told in answers:
        _print(told, language)
    is_ill = any(told.is_well is False for told in answers)
    return ExitCode.UNDECIDED if is_ill else ExitCode.CONFORMING


def _print(told: Line, language: Language) -> None:
    mark = {None: "·", True: "✓", False: "✗"}[told.is_well]
    text = cut(line(told.told.of(language)), MAX_LINE_CHARS)
    click.echo(f"{mark} {told.name:<{NAME_WIDTH}} {text}")


def _installed() -> Iterator[Line]:
    system = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    yield Line("conformance", same(f"{__version__}, {system}"), is_well=True)
    for extra, gives in EXTRAS:
        has_it = is_installed(extra)
        words = _HAS if has_it else _LACKS
        told = words.format(gives=gives, extra=f"{DISTRIBUTION}[{extra}]")
        yield Line(extra, told, is_well=has_it or None)
    browser = pdf.installed_browser()
    told = _BROWSER.format(path=browser) if browser else _NO_BROWSER
    yield Line("chromium", told, is_well=browser is not None or None)
    names = ", ".join(dict.fromkeys(plugin.distribution for plugin in plugins()))
    yield Line("plugins", same(names) if names else _NO_PLUGINS, is_well=bool(names) or None)


def _file(entries: tuple[Entry, ...] | str | None) -> Line:
    if entries is None:
        return Line("targets", _NO_FILE)
    if isinstance(entries, str):
        return Line("targets", same(entries), is_well=False)
    names = ", ".join(entry.name for entry in entries)
    return Line("targets", _FILE.format(count=len(entries), names=names), is_well=True)


def _keys(entries: tuple[Entry, ...] | str | None) -> Line:
    """Say which variables hold a key; what is in them is never shown."""
    listed = entries if isinstance(entries, tuple) else ()
    names = [DEFAULT_KEY_ENV, *(entry.api_key_env for entry in listed if entry.api_key_env)]
    known = list(dict.fromkeys(names))
    there = [name for name in known if os.environ.get(name, "").strip()]
    missing = [name for name in known if name not in there]
    set_, unset = (same(", ".join(found)) if found else _NONE for found in (there, missing))
    return Line("keys", _KEYS.format(set=set_, unset=unset), is_well=bool(there) or None)


def _answers(target: Target, contract: Contract) -> list[Line]:
    """Say whether an endpoint answers, how long its model lives, and which contract fits it."""
    found = asyncio.run(reach(target, contract))
    today = datetime.now(UTC).date()
    lived = [Line("model", finding_text(n)) for n in lifecycle_of(target, found.exchanges, today)]
    fitting = [
        Line("contract", _FITS.format(name=one.name, why=evidence_of(one), contract=one.contract))
        for one in proposals_for(target, found.exchanges)
    ]
    return [_answer(target, found), *lived, *fitting]


def _answer(target: Target, found: Reached) -> Line:
    if found.reason is not None or found.exchange is None:
        told = finding_text(found.reason) if found.reason else _NOT_TRIED
        return Line("endpoint", told, is_well=False)
    told = _ANSWERS.format(
        url=target.base_url,
        status=found.exchange.status,
        seconds=f"{found.exchange.elapsed:.2f}",
        model=target.model,
    )
    return Line("endpoint", told, is_well=True)


_HAS = Text("installed: {gives}", "已安装：{gives}")
_LACKS = Text(
    "not installed: {gives} (pip install '{extra}')", "未安装：{gives}（pip install '{extra}'）"
)
_BROWSER = Text("{path}: PDF reports", "{path}：PDF 报告")
_NO_BROWSER = Text("not installed: PDF reports", "未安装：PDF 报告")
_NO_PLUGINS = Text(
    "none: checks of your own are packages (docs/own-checks.md)",
    "无：自定义检查以包的形式提供（docs/own-checks.md）",
)
_NO_FILE = Text(
    f"no {FILE} here: `conformance init` writes one",
    f"此处没有 {FILE}：可用 `conformance init` 生成",
)
_FILE = Text(f"{FILE}: {{count}} ({{names}})", f"{FILE}：{{count}} 个（{{names}}）")
_KEYS = Text("set: {set}; not set: {unset}", "已设置：{set}；未设置：{unset}")
_NONE = Text("none", "无")
_NOT_TRIED = Text(
    "not tried: name one with --base-url and --model, or --target",
    "未测试：请用 --base-url 与 --model 或 --target 指定接口",
)
_FITS = Text(
    "it looks like {name} ({why}): `--contract {contract}` judges it by {name}'s own documentation",
    "看起来是 {name}（{why}）：`--contract {contract}` 按 {name} 自己的文档判定",
)
_UNKNOWN = Text(
    "it does not say which server it is; `--contract {contract}` is the behaviour of the live API",
    "它没有说明自己是哪种服务器；`--contract {contract}` 为官方 API 的行为",
)
_ANSWERS = Text(
    "{url} answers with {status} in {seconds} s ({model})",
    "{url} 在 {seconds} 秒内响应，状态码 {status}（{model}）",
)
