"""What a run makes of the deviations that a file expects, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.language import Language, Text, join_texts, same
from conformance.model import Expectation, Expected
from conformance.report.locale.terms import CHECK, Noun, counted, listing
from conformance.report.sanitize import cut, line

KNOWN = Noun("known deviation", "known deviations", "{n} 项已知偏差")
MAX_NAMES = 3
"""Maximum number of names in a sentence; the findings and the file list all."""

MAX_REASON_CHARS = 200


def counts_of(expected: Expected) -> Text:
    """Count what is known and what is new: ``5 known deviations, 0 new``."""
    parts = [
        counted(len(expected.known), KNOWN),
        Text("{n} new", "{n} 项新偏差").format(n=len(expected.new)),
    ]
    for entries, words in ((expected.stale, _STALE_SHORT), (expected.expired, _EXPIRED_SHORT)):
        if entries:
            parts.append(words.format(n=len(entries)))
    return join_texts(parts, Text(", ", "，"))


def verdict_of(expected: Expected, judged: int) -> Text | None:
    """Say which checks deviate as the file lists and which are new; None if none deviates.

    Args:
        expected: what the run makes of the file.
        judged: number of checks that evaluated a response.
    """
    file, checks = _quoted(expected.file.name), counted(judged, CHECK)
    known = len(expected.known)
    if expected.new:
        more = _AND_KNOWN.format(n=known) if known else same("")
        names = _named(expected.new)
        return _NEW.format(n=len(expected.new), checks=checks, file=file, names=names, known=more)
    return _ALL_KNOWN.format(n=known, checks=checks, file=file) if known else None


def entry_claims(expected: Expected) -> Iterator[Text]:
    """Yield a sentence about the stale entries, and one about those that have expired."""
    file = _quoted(expected.file.name)
    if expected.stale:
        names = _entries([_at_line(entry) for entry in expected.stale])
        yield _STALE.format(file=file, entries=names)
    if expected.expired:
        names = _entries([_at_line(entry, entry.expires) for entry in expected.expired])
        yield _EXPIRED.format(file=file, entries=names)


def reason_of(entry: Expectation) -> Text:
    """Say why an entry expects a deviation, and until when."""
    reason = cut(line(entry.reason), MAX_REASON_CHARS)
    until = _UNTIL.format(day=line(entry.expires)) if entry.expires else same("")
    return _BECAUSE.format(reason=reason.replace("`", "'"), until=until)


def why_stale(entry: Expectation, file: str) -> Text:
    """Say that an entry no longer applies, and what to do."""
    return _WHY_STALE.format(entry=_at_line(entry), file=_quoted(file))


def why_expired(entry: Expectation, file: str) -> Text:
    """Say that an entry has expired, and what to do."""
    day = line(entry.expires or "")
    return _WHY_EXPIRED.format(entry=_at_line(entry), file=_quoted(file), day=day)


def _at_line(entry: Expectation, day: str | None = None) -> Text:
    name, after = _quoted(entry.name), f", {line(day)}" if day else ""
    return Text(
        f"{name} (line {entry.line}{after})",
        f"{name}（第 {entry.line} 行{after.replace(', ', '，')}）",
    )


def _entries(names: Sequence[Text]) -> Text:
    english, chinese = ([name.of(language) for name in names] for language in Language)
    return Text(listing(english, MAX_NAMES).en, listing(chinese, MAX_NAMES).zh)


def _named(names: Sequence[str]) -> Text:
    return listing([_quoted(name) for name in names], MAX_NAMES)


def _quoted(name: str) -> str:
    return f"`{cut(line(name), MAX_REASON_CHARS).replace('`', chr(39))}`"


_STALE_SHORT = Text("{n} stale", "{n} 条条目已失效")
_EXPIRED_SHORT = Text("{n} expired", "{n} 条条目已过期")
_NEW = Text(
    "{n} of {checks} failed without being listed in {file}: {names}{known}.",
    "{checks}中有 {n} 项未通过且未列入 {file}：{names}{known}。",
)
_AND_KNOWN = Text("; {n} more deviate as listed", "；另有 {n} 项为已列出的偏差")
_ALL_KNOWN = Text(
    "{n} of {checks} deviate as listed in {file}, and nothing else failed.",
    "{checks}中有 {n} 项偏差均已列入 {file}，没有其他未通过的检查。",
)
_STALE = Text(
    "Entries of {file} that no longer apply: {entries}; remove them, or run with "
    "`--expected-prune`.",
    "{file} 中不再适用的条目：{entries}；请删除，或使用 `--expected-prune` 运行。",
)
_EXPIRED = Text(
    "Entries of {file} that have expired: {entries}.", "{file} 中已过期的条目：{entries}。"
)
_BECAUSE = Text("Expected{until}: {reason}", "已知{until}：{reason}")
_UNTIL = Text(" until {day}", "（至 {day}）")
_WHY_STALE = Text(
    "{entry} of {file} expects a deviation that this run did not see; remove the entry.",
    "{file} 的条目 {entry} 预期的偏差在本次运行中没有出现；请删除该条目。",
)
_WHY_EXPIRED = Text(
    "{entry} of {file} has expired on {day}; fix the deviation, or set another date.",
    "{file} 的条目 {entry} 已于 {day} 过期；请修复该偏差，或改为其他日期。",
)
