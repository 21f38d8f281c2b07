"""What the site says of changes, in both languages; pages and feeds share it."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.history.changes import Step, Turn
from conformance.history.entry import Entry
from conformance.language import Text, join_texts
from conformance.report.locale.terms import Noun, counted, listing

MAX_NAMED = 3
"""Checks that a headline names; the others are counted."""

REGRESSION = Noun("regression", "regressions", "{n} 项退步")
CHANGE = Noun("change", "changes", "{n} 处变化")
RECOVERY = Noun("recovery", "recoveries", "{n} 项恢复")

SINCE = Text("since {day}", "自 {day} 起")
SINCE_BEFORE = Text("since {day} or earlier", "自 {day} 或更早")
ANEW = Text(
    "another version of the suite or of the contract: what this run finds may be due to that",
    "套件或契约的版本不同：本次运行的发现可能由此引起",
)
_MOVED = Text("model `{model}` at `{url}`", "模型 `{model}`，地址 `{url}`")
_MOVED_FROM = Text("{now}; before: {was}", "{now}；此前：{was}")
_REGRESSED = Text("{checks} now deviates", "{checks} 现在出现偏差")
_REGRESSED_MANY = Text("{checks} now deviate", "{checks} 现在出现偏差")
_RECOVERED = Text("{checks} no longer deviates", "{checks} 不再有偏差")
_RECOVERED_MANY = Text("{checks} no longer deviate", "{checks} 不再有偏差")


def counts_of(step: Step) -> Text | None:
    """Count regressions and recoveries; None if there is neither."""
    parts = [
        counted(len(turns), noun)
        for turns, noun in ((step.regressions, REGRESSION), (step.recoveries, RECOVERY))
        if turns
    ]
    return join_texts(parts, Text(", ", "，")) if parts else None


def regressed(turns: Sequence[Turn]) -> Text:
    """Say which checks deviate now."""
    return _said(turns, _REGRESSED, _REGRESSED_MANY)


def recovered(turns: Sequence[Turn]) -> Text:
    """Say which checks no longer deviate."""
    return _said(turns, _RECOVERED, _RECOVERED_MANY)


def _said(turns: Sequence[Turn], one: Text, many: Text) -> Text:
    checks = listing([turn.check for turn in turns], MAX_NAMED)
    return (one if len(turns) == 1 else many).format(checks=checks)


def moved_from(was: Entry, now: Entry) -> Text:
    """Say that a run was of another model or endpoint than the one before."""
    here, there = (_MOVED.format(model=one.model, url=one.base_url) for one in (now, was))
    return _MOVED_FROM.format(now=here, was=there)
