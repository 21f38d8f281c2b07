"""``conformance profiles``: the clients whose needs a run can show."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict

import click
from rich.console import Console, Group
from rich.padding import Padding
from rich.text import Text

from conformance.cli.exit_codes import UserError
from conformance.cli.help import examples
from conformance.cli.options import in_language
from conformance.cli.terminal import show
from conformance.language import Language
from conformance.language import Text as Words
from conformance.model import ExitCode
from conformance.profiles import (
    COMPARISONS,
    READINGS,
    Need,
    Profile,
    ProfileError,
    bundled_profiles,
    load_profile,
)
from conformance.report.console import console_for, marked
from conformance.transport import gate


@click.command(
    epilog=examples(
        "conformance profiles",
        "conformance profiles lm-eval",
        "conformance run --profile lm-eval",
    )
)
@click.argument("name", metavar="[NAME|PATH]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@in_language
def profiles(name: str | None, *, as_json: bool, language: Language) -> ExitCode:
    """List the clients that have a profile, or show one: what it sends, reads and needs."""
    try:
        found = bundled_profiles() if name is None else (load_profile(name),)
    except ProfileError as error:
        raise UserError(gate.redact(str(error))) from None
    console = console_for()
    if as_json:
        click.echo(json.dumps([asdict(profile) for profile in found], indent=2, ensure_ascii=False))
    elif name is None:
        _list(found, console, language)
    else:
        _show(found[0], console, language)
    return ExitCode.CONFORMING


def _list(found: Iterable[Profile], console: Console, language: Language) -> None:
    for profile in found:
        show(Text.assemble((profile.name, "bold"), f"  {profile.title}"), console)
        show(Padding(marked(_about(profile).of(language)), (0, 0, 0, 2)), console)
    show(Text(f"\n{_HINT.of(language)}"), console)


def _show(profile: Profile, console: Console, language: Language) -> None:
    show(Text.assemble((profile.name, "bold"), f"  {profile.title}"), console)
    show(marked(_about(profile).of(language)), console)
    show(_titled(_NEEDS.of(language)), console)
    for need in profile.needs:
        show(Padding(_need(need, language), (0, 0, 0, 2)), console)
    if profile.requests:
        show(_titled(_SENDS.of(language)), console)
    for request in profile.requests:
        left = ""
        if request.leave_after is not None:
            left = f"  {_LEAVES.format(events=request.leave_after).of(language)}"
        body = json.dumps(request.body, ensure_ascii=False)
        lines = Group(
            Text.assemble((request.name, "bold"), (left, "dim")), Padding(body, (0, 0, 0, 4))
        )
        show(Padding(lines, (0, 0, 0, 2)), console)
    show(_titled(_SOURCES.of(language)), console)
    for source in profile.sources:
        where = f"  {source.repository}, {source.file}, {source.version}, {source.date}"
        show(Text(where), console)


def _need(need: Need, language: Language) -> Group:
    said = marked(Words(need.says, need.says_zh).of(language))
    without = marked(Words(need.without, need.without_zh).of(language))
    lines = [Text.assemble((_WITHOUT.of(language), "dim"), without)]
    for shown in need.shown_by:
        for reading in shown.reads:
            read = READINGS.get(reading) or COMPARISONS[reading]
            first = (read.__doc__ or "").partition("\n")[0].replace("``", "`")
            lines.append(Text.assemble((f"{shown.request}: ", "dim"), marked(first)))
    if need.requirements:
        names = ", ".join(need.requirements)
        lines.append(Text.assemble((_REQUIREMENTS.of(language), "dim"), names))
    if need.checks:
        lines.append(Text.assemble((_CHECKS.of(language), "dim"), ", ".join(need.checks)))
    head = Text.assemble((need.id, "bold"), "  ", said)
    return Group(head, Padding(Group(*lines), (0, 0, 0, 4)))


def _about(profile: Profile) -> Words:
    return Words(profile.about, profile.about_zh)


def _titled(title: str) -> Text:
    return Text(f"\n{title}", style="bold")


_HINT = Words(
    "`conformance profiles NAME` shows one; `conformance run --profile NAME` tests it.",
    "`conformance profiles NAME` 显示其中一个；`conformance run --profile NAME` 对其进行测试。",
)
_NEEDS = Words("Needs", "需求")
_SENDS = Words("Sends", "发送的请求")
_SOURCES = Words("Read from", "依据")
_WITHOUT = Words("Without it: ", "否则：")
_REQUIREMENTS = Words("Requirements: ", "相关要求：")
_CHECKS = Words(
    "Unmet if these checks deviate or are refused: ", "下列检查有偏差或被拒绝时即为未满足："
)
_LEAVES = Words("leaves after {events} event", "收到 {events} 个事件后断开")
