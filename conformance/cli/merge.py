"""``conformance merge DIR…``: make one folder of what several machines recorded."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import click

from conformance.cli import inputs
from conformance.cli.exit_codes import UserError
from conformance.cli.files import write_chunks
from conformance.cli.folder import (
    fresh_folder,
    make_folder,
    records_below,
)
from conformance.cli.help import examples
from conformance.cli.many_results import Landing, reported, show_many, worst
from conformance.cli.options import how_much, in_language, into_formats
from conformance.cli.outputs import assert_one_file_each, stdout_for
from conformance.cli.run import chosen
from conformance.cli.screen import on_screen, screen
from conformance.cli.terminal import say
from conformance.contract import load_contract
from conformance.engine.resumption import has_ended
from conformance.input_files import is_folder, one_line
from conformance.language import Text
from conformance.language import same as same_text
from conformance.model import ExitCode, Run
from conformance.record.key import RunKey, key_of
from conformance.record.line import RunFileError
from conformance.record.ndjson import read_run
from conformance.report.matrix import Recorded
from conformance.targets import Entry

BLOCK_BYTES = 2**20
MAX_NAME_CHARS = 130
_UNSAFE = re.compile(r"[^\w.-]+")
"""What a folder's name does not have; a record may come from anyone."""

NO_RECORD = Text("No record of it is in the merged folders.", "合并的文件夹中没有它的记录。")


@dataclass(frozen=True, slots=True)
class Part:
    """A run of one of the folders: where it is, and its key."""

    record: Path
    run: Run
    key: RunKey

    @property
    def is_finished(self) -> bool:
        """Whether the run came to its end."""
        return has_ended(self.run)

    @property
    def age(self) -> tuple[bool, str]:
        """What orders runs with the same key: the finished ones last, and of those the newest."""
        footer = self.run.footer
        return self.is_finished, footer.finished_at if footer else self.run.header.started_at

    @property
    def checks(self) -> tuple[object, ...]:
        """What decides which checks a run has, besides its key."""
        header = self.run.header
        return header.select, header.exclude, header.stage, header.seed, header.profiles

    @property
    def name(self) -> str:
        """The name of the target, or that of the folder if it has none."""
        return self.run.header.target or self.record.absolute().parent.name


@dataclass(frozen=True, slots=True)
class Unread:
    """A record that cannot be read: the name of its folder, and why."""

    name: str
    why: str

    @property
    def row(self) -> Recorded:
        """The row of the matrix."""
        return Recorded(self.name, because=same_text(self.why))


@click.command(
    epilog=examples(
        "conformance merge part-1 part-2 --out all",
        "conformance merge parts/* --config targets.toml --out all",
    )
    + "\n\nThe exit code is the worst one of all runs, as of `conformance run`.",
)
@click.argument(
    "folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--out",
    type=inputs.FOLDER,
    metavar="DIR",
    help="Output folder; must be new or empty. [default: reports/<date>-conformance-targets]",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File that lists the targets: a target without a record is shown as not run, and the exit "
    "code is at least 3.",
)
@click.option(
    "--target",
    "wanted",
    multiple=True,
    metavar="GLOB",
    help="With --config, only targets whose name matches; may be repeated.",
)
@into_formats("html,junit,json")
@how_much
@on_screen
@in_language
def merge(folders: Sequence[Path], **given: Any) -> ExitCode:
    """Merge the folders of shards into one, with one matrix, as one run would have made it.

    DIR is an output folder of `conformance run`. Two runs of a target are merged only if they have
    the same key: target, region, tier, contract, suite version, and day or label. Of these, a
    finished run comes before an incomplete one, and the newest one before the others. Runs of
    several regions stay side by side.
    """
    entries = _entries(given["config"], given["wanted"])
    # A glob and a name may name a folder twice.
    once = {os.path.realpath(folder): folder for folder in folders}.values()
    found = [one for folder in once for one in _found(folder)]
    parts = _distinct([one for one in found if isinstance(one, Part)])
    unread = [one for one in found if isinstance(one, Unread)]
    if entries is not None:
        parts = _listed(parts, [entry.name for entry in entries], given["config"])
    if not parts:
        raise UserError(f"no run to merge in {', '.join(map(str, folders))}")
    titles = _titles(parts)
    outputs = given["outputs"]
    assert_one_file_each(outputs, titles)
    folder = fresh_folder(given["out"], "conformance", "targets")
    with stdout_for(outputs) as stdout, folder as home:
        landing = Landing(given["config"], outputs, stdout, given["language"])
        rows = [
            _landed(part, home / title, landing) for part, title in zip(parts, titles, strict=True)
        ]
        known = {part.name for part in parts}
        rows += [one.row for one in unread if entries is None and one.name not in known]
        rows += [_not_run(entry) for entry in entries or () if entry.name not in known]
        show_many(
            rows,
            [home / title for title in titles],
            home,
            landing,
            terminal=screen(),
            verbosity=given["verbosity"],
            names_missing=True,
        )
    return worst(row.run.exit_code if row.run else ExitCode.UNDECIDED for row in rows)


def _entries(config: Path | None, globs: Sequence[str]) -> list[Entry] | None:
    """Read the targets file; None without one.

    Raises:
        UserError: the file is invalid, or no target matches.
        UsageError: ``--target`` is given without ``--config``.
    """
    if config is None:
        if globs:
            raise click.UsageError("--target needs --config FILE, which lists the targets")
        return None
    return chosen(config, tuple(globs))


def _found(folder: Path) -> Iterator[Part | Unread]:
    """Yield the runs of a folder: its own, or those of its subfolders.

    Raises:
        UserError: there is no such folder.
    """
    if not is_folder(folder):
        raise UserError(f"there is no folder {folder} to merge")
    records = records_below(folder)
    if not records:
        say(f"{folder} has no run, and nothing of it is merged")
    for record in records:
        try:
            run = read_run(record)
        except RunFileError as error:
            say(str(error))
            yield Unread(record.absolute().parent.name, str(error))
        else:
            yield Part(record, run, key_of(run.header))


def _distinct(parts: Iterable[Part]) -> list[Part]:
    """Return one run for each key, in the order of their names, and say which ones are left out.

    Raises:
        UserError: two runs with the same key are of different checks.
    """
    by_key: dict[RunKey, list[Part]] = {}
    for part in parts:
        by_key.setdefault(part.key, []).append(part)
    result = []
    for same in by_key.values():
        *others, best = sorted(same, key=lambda part: part.age)
        for other in others:
            if other.checks != best.checks:
                raise UserError(
                    f"{other.record} and {best.record} are of the same run with other checks "
                    "(--select, --exclude, --stage, --seed, --profile); give each an own --as LABEL"
                )
            say(f"{other.record} {_why_left_out(other, best)}: {best.record} is of the same run")
        result.append(best)
    return sorted(result, key=lambda part: (part.name, part.key.region or ""))


def _why_left_out(other: Part, best: Part) -> str:
    if not other.is_finished:
        return "did not come to its end and is left out"
    return "is as old and is left out" if other.age == best.age else "is older and is left out"


def _listed(parts: Sequence[Part], names: Sequence[str], config: Path) -> list[Part]:
    """Return the runs of listed targets in the order of the file, and say which ones are not."""
    for part in parts:
        if part.name not in names:
            say(f"{part.record} is left out: {config} lists no selected target {part.name}")
    order = {name: place for place, name in enumerate(names)}
    return sorted((part for part in parts if part.name in order), key=lambda p: order[p.name])


def _titles(parts: Sequence[Part]) -> list[str]:
    """Return a folder name for each run: that of its target, and its region if it has several.

    Raises:
        UserError: runs of a target differ in more than the region.
    """
    titles: list[str] = []
    for part in parts:
        same = [other for other in parts if other.name == part.name]
        for other in same:
            if other.key.region == part.key.region and other is not part:
                raise UserError(_conflict(part, other))
        words = (part.name, part.key.region) if len(same) > 1 else (part.name,)
        title = _UNSAFE.sub("-", "-".join(word for word in words if word)).strip("-.") or "run"
        taken = {known.casefold() for known in titles}
        number = next(n for n in count(1) if _numbered(title, n).casefold() not in taken)
        titles.append(_numbered(title, number))
    return titles


def _numbered(title: str, number: int) -> str:
    return title[:MAX_NAME_CHARS] if number == 1 else f"{title[:MAX_NAME_CHARS]}-{number}"


def _conflict(part: Part, other: Part) -> str:
    """Say in what two runs of one target differ."""
    names = ("target", "tier", "contract", "suite", "when")
    words = ("endpoint", "tier", "contract", "suite version", "day or label")
    differ = [
        f"{word} {getattr(part.key, name)} and {getattr(other.key, name)}"
        for name, word in zip(names, words, strict=True)
        if getattr(part.key, name) != getattr(other.key, name)
    ]
    return one_line(
        f"{part.record} and {other.record} are different runs of {part.name}: "
        f"{'; '.join(differ)}; merge runs that belong together, or run them with the same --as"
    )


def _landed(part: Part, folder: Path, landing: Landing) -> Recorded:
    """Copy a record and write its reports."""
    make_folder(folder)
    with part.record.open("rb") as file:
        write_chunks(folder / part.record.name, iter(partial(file.read, BLOCK_BYTES), b""))
    return reported(folder.name, part.run, folder, landing)


def _not_run(entry: Entry) -> Recorded:
    document = load_contract(entry.contract).document
    return Recorded(
        entry.name,
        document=document,
        because=NO_RECORD,
        base_url=entry.base_url,
        model=entry.model,
    )
