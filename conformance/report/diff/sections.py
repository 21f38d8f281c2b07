"""The sections of a comparison, shared by all output formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from conformance.language import Text, same
from conformance.model import Cost, Finding, Money, Verdict
from conformance.report.diff.changes import Change, Changed
from conformance.report.diff.differences import Differences
from conformance.report.diff.figures import Figures, Median
from conformance.report.locale.finding_text import finding_text
from conformance.report.locale.terms import duration, money

TITLES: Mapping[Change, Text] = {
    Change.BROKE: Text("Regressions", "退化"),
    Change.UNSURE: Text("Now inconclusive", "变为无法判定"),
    Change.FIXED: Text("Fixed", "已修复"),
    Change.STILL: Text("Still failing", "仍未通过"),
    Change.SETTLED: Text("New verdict", "新得出判定"),
    Change.UNJUDGED: Text("No verdict any more", "不再有判定"),
    Change.NEW: Text("Only in the newer run", "仅见于较新的运行"),
    Change.GONE: Text("Only in the older run", "仅见于较早的运行"),
}
"""Section titles, the most important first."""

REPORTED = (Change.BROKE, Change.UNSURE, Change.FIXED)
"""Changes shown with evidence; the others are listed by name."""

EXPECTED, THEN, NOW = Text("expected", "预期"), Text("before", "之前"), Text("now", "现在")

MULTIPLE = 3
"""Ratio from which a change is shown as a multiple instead of a percentage."""

_DEVIATING = frozenset({Verdict.FAIL, Verdict.WARN})


@dataclass(frozen=True, slots=True)
class Section:
    """The checks with one kind of change."""

    change: Change
    title: Text
    changes: tuple[Changed, ...]

    @property
    def is_reported(self) -> bool:
        """Return whether its checks are shown with evidence."""
        return self.change in REPORTED


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of both runs; ``by`` is the relative change, empty if unknown."""

    name: Text
    was: Text
    now: Text
    by: str


def sections_of(result: Differences) -> tuple[Section, ...]:
    """Return the non-empty sections."""
    made = (Section(change, title, result.of(change)) for change, title in TITLES.items())
    return tuple(section for section in made if section.changes)


def groups_of(section: Section) -> tuple[tuple[Changed, ...], ...]:
    """Group the checks of a section by old and new verdict, the largest group first."""
    groups: dict[tuple[Verdict | None, Verdict | None], list[Changed]] = {}
    for changed in section.changes:
        verdicts = tuple(one.shown if one else None for one in (changed.was, changed.now))
        groups.setdefault((verdicts[0], verdicts[1]), []).append(changed)
    return tuple(sorted((tuple(group) for group in groups.values()), key=lambda group: -len(group)))


def title_of(finding: Finding) -> Text:
    """Return a check's title."""
    return Text(finding.title, finding.title_zh)


def evidence_of(changed: Changed) -> tuple[tuple[Text, Text], ...]:
    """Return labelled evidence for a change: expected, before, now."""
    return tuple((name, finding_text(words)) for name, words in _evidence(changed) if words)


def _evidence(changed: Changed) -> Iterator[tuple[Text, str]]:
    was, now = changed.was, changed.now
    judged = now if now and now.verdict in _DEVIATING else was
    yield EXPECTED, (judged.expected if judged else None) or ""
    for name, finding in ((THEN, was), (NOW, now)):
        yield name, (finding.seen or finding.message) if finding else ""


def lines_of(result: Differences) -> tuple[Line, ...]:
    """Return cost and latency as one line per figure."""
    was, now = result.figures
    made = [
        *(_line(name, _of(was.cost, get), _of(now.cost, get), _number) for name, get in _COSTS),
        _money_line(was.money, now.money),
        *(_line(name, get(was), get(now), duration) for name, get in _TIMES),
    ]
    return tuple(line for line in made if line is not None)


def _money_line(was: Money | None, now: Money | None) -> Line | None:
    """Compare amounts; those in different currencies have no relative change."""
    if was is None and now is None:
        return None
    by = ""
    if was and now and was.currency == now.currency and was.amount:
        by = _by(float(now.amount / was.amount))
    then, present = (_UNKNOWN if one is None else money(one) for one in (was, now))
    return Line(Text("Money, by each run's prices", "金额（按各次运行的价格）"), then, present, by)


def _of(cost: Cost | None, get: Callable[[Cost], int | None]) -> int | None:
    return get(cost) if cost else None


def _line(
    name: Text, was: float | None, now: float | None, show: Callable[[float], Text]
) -> Line | None:
    if was is None and now is None:
        return None
    by = _by(now / was) if was and now is not None else ""
    then, present = (_UNKNOWN if one is None else show(one) for one in (was, now))
    return Line(name, then, present, by)


def _by(ratio: float) -> str:
    """Format a ratio as a percentage, or as a multiple if it is large."""
    return f"{ratio - 1:+.0%}" if ratio < MULTIPLE else f"×{ratio:,.0f}"


def _number(count: float) -> Text:
    return same(f"{count:,.0f}")


def _seconds(measured: Median | None) -> float | None:
    return measured.seconds if measured else None


_UNKNOWN = Text("unknown", "未知")

_COSTS: tuple[tuple[Text, Callable[[Cost], int | None]], ...] = (
    (Text("Requests", "请求数"), lambda cost: cost.requests),
    (Text("Prompt tokens", "输入 token"), lambda cost: cost.prompt_tokens),
    (Text("Completion tokens", "输出 token"), lambda cost: cost.completion_tokens),
    (
        Text("Maximum tokens without reported usage", "未返回用量时的 token 上限"),
        lambda cost: cost.estimated_tokens or None,
    ),
)
_TIMES: tuple[tuple[Text, Callable[[Figures], float | None]], ...] = (
    (Text("Duration", "用时"), lambda of: of.elapsed),
    (Text("Non-streaming response, median", "非流式响应，中位数"), lambda of: _seconds(of.plain)),
    (
        Text("First chunk of a stream, median", "流式首个数据块，中位数"),
        lambda of: _seconds(of.first_chunk),
    ),
)


def measured_on(result: Differences) -> Text | None:
    """Describe the requests that latencies are based on, or None if there are none."""
    was, now = result.figures
    counts = [
        median.count if median else 0
        for figures in (was, now)
        for median in (figures.plain, figures.first_chunk)
    ]
    if not any(counts):
        return None
    return Text(
        "Latencies cover only requests that both runs sent: {plain_then} and {plain_now} "
        "non-streaming responses, {streams_then} and {streams_now} streams.",
        "延迟只统计两次运行都发出的请求：非流式响应分别为 {plain_then} 和 {plain_now} 个，"
        "流式分别为 {streams_then} 和 {streams_now} 个。",
    ).format(
        plain_then=counts[0], streams_then=counts[1], plain_now=counts[2], streams_now=counts[3]
    )
