"""What a run gives to tell: its notice, and its line in the terminal; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from conformance.history import Entry as Row
from conformance.language import Language, Text
from conformance.model import Run
from conformance.report.locale.finding_text import finding_text
from conformance.report.locale.terms import HEADLINES, REQUEST, counted
from conformance.watch.memory import Kind, Learned, News
from conformance.watch.notice import NO_REASON, Notice
from conformance.watch.settings import Watched


def notice_of(
    key: str,
    watched: Watched,
    row: Row | None,
    news: Sequence[News],
    *,
    at: datetime,
    reason: Text,
) -> Notice:
    """Return the notice of a run.

    Args:
        key: the id of the notice, the same whenever the run is read.
        watched: its target.
        row: of the run; None if it could not begin.
        news: what changed.
        at: when the run ended.
        reason: why it judged nothing; left out if that is not among the news.
    """
    entry = watched.entry
    is_unjudged = any(one.kind is Kind.UNJUDGED for one in news)
    return Notice(
        id=key,
        target=entry.name,
        base_url=row.base_url if row else entry.base_url,
        model=row.model if row else entry.model,
        contract=row.contract_name if row else entry.contract,
        tier=(watched.how.tier or entry.options.tier).value,
        at=at.isoformat(timespec="seconds"),
        news=tuple(news),
        reason=reason if is_unjudged else NO_REASON,
    )


def notice_of_budget(watched: Watched | None, day: str, at: datetime) -> Notice:
    """Return the notice that a limit of a day, ``2026-12-01``, is reached.

    Args:
        watched: the target; None if it is the limit of all targets together.
        day: the day.
        at: the time.
    """
    when = at.isoformat(timespec="seconds")
    if watched is None:
        reason = _BUDGET_OF_ALL.format(day=day)
        return Notice(f"{OF_ALL} {day} budget", OF_ALL, "", "", "", "", when, reason=reason)
    entry = watched.entry
    return Notice(
        id=f"{entry.name} {day} budget",
        target=entry.name,
        base_url=entry.base_url,
        model=entry.model,
        contract=entry.contract,
        tier=(watched.how.tier or entry.options.tier).value,
        at=when,
        reason=_BUDGET.format(day=day),
    )


def reason_of(run: Run | None, otherwise: Text) -> Text:
    """Return why a run ended early, in both languages."""
    footer = run.footer if run else None
    if footer is None or footer.because is None:
        return otherwise
    return finding_text(footer.because)


def line_of(name: str, run: Run | None, reason: Text, found: Learned, next_at: str) -> Text:
    """Return the line of a run in the terminal.

    Args:
        name: of the target.
        run: the run; None if it could not begin.
        reason: why it could not.
        found: what it teaches.
        next_at: when the target is due next.
    """
    what = Text(*(reason.of(language).rstrip(".。") for language in Language))
    if run is not None and run.footer is not None:
        requests = counted(run.footer.cost.requests, REQUEST)
        what = _RAN.format(verdict=HEADLINES[run.shown_conclusion], requests=requests)
    confirms = _OPEN if found.is_open else Text("", "")
    return _LINE.format(name=name, what=what, open=confirms, at=next_at)


_RAN = Text("{verdict}, {requests}", "{verdict}，{requests}")
_OPEN = Text("; a change is to be confirmed", "；有变化待确认")
_LINE = Text("{name}: {what}{open}; next at {at}", "{name}：{what}{open}；下次：{at}")
OF_ALL = "[watch]"
"""Stands for all targets together; no target has this name."""

_BUDGET_OF_ALL = Text(
    "not enough is left on {day} of the limit of all targets for every run",
    "{day} 所有目标合计的每日上限余额不足，部分运行不再进行",
)
_BUDGET = Text(
    "no more runs on {day}: not enough is left of a limit of the day",
    "{day} 不再运行：每日上限的余额不足",
)
