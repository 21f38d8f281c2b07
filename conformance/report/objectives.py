"""What a run says of the user's objectives, in words that all reports share.

They are no part of the verdict: no document promises them.
"""

from __future__ import annotations

from collections.abc import Mapping

from conformance.language import Text, join_texts, same
from conformance.model import (
    CONFIDENCE,
    RATES,
    TIMES,
    Measure,
    Objective,
    ObjectiveResult,
    Run,
    Standing,
)
from conformance.report.locale.terms import duration

OBJECTIVES = Text("Objectives", "目标")
"""The title of the block."""

NOTE = Text(
    "These are your own; no document promises them, and nothing was sent for them. An objective is "
    "met or missed if an exact interval says so with {confidence} confidence.",
    "这些目标由您自己设定：没有文档作出承诺，也没有为此额外发送请求。只有精确区间以 {confidence}的"
    "置信度表明时，才判为达到或未达到。",
).format(confidence=same(f"{CONFIDENCE:.0%}"))


def missed_in_words(run: Run) -> Text | None:
    """Say which objectives were missed; None if none was."""
    missed = [r for r in objectives_of(run) if r.standing is Standing.MISSED]
    if not missed:
        return None
    names = join_texts([wanted_of(one.objective) for one in missed], Text(", ", "、"))
    return Text("Objectives missed: {names}.", "未达到的目标：{names}。").format(names=names)


STANDINGS: Mapping[Standing, Text] = {
    Standing.MISSED: Text("missed", "未达到"),
    Standing.MET: Text("met", "达到"),
    Standing.UNDECIDED: Text("inconclusive", "无法判断"),
}
"""The words, in the order in which reports show them."""


def objectives_of(run: Run) -> tuple[ObjectiveResult, ...]:
    """Return what a run says of its objectives: the missed ones first, then in the user's order."""
    results = run.footer.objectives if run.footer else ()
    order = list(STANDINGS)
    return tuple(sorted(results, key=lambda result: order.index(result.standing)))


def wanted_of(objective: Objective) -> Text:
    """Return what an objective wants, such as ``ttft-p95 ≤ 2.0 s``."""
    is_most = objective.measure in TIMES or objective.measure is Measure.ERRORS
    sign = "≤" if is_most else "≥"
    return Text("{name} {sign} {bound}", "{name} {sign} {bound}").format(
        name=same(objective.name), sign=same(sign), bound=_value(objective, objective.bound)
    )


def sentence_of(result: ObjectiveResult) -> Text:
    """Say what a run saw of an objective."""
    if result.objective.measure not in TIMES | RATES:
        return _of_limit(result)
    if not result.sample or result.low is None or result.high is None:
        return _NOTHING
    objective = result.objective
    counted = _COUNTED[objective.measure].format(
        beyond=same(f"{result.beyond:,}"), sample=same(f"{result.sample:,}")
    )
    parts = [counted]
    if objective.measure in TIMES and result.seen is not None:
        parts.append(
            _PERCENTILE.format(
                percentile=same(str(objective.percentile)), seen=duration(result.seen)
            )
        )
    parts.append(
        _INTERVAL[result.standing].format(
            low=_share(result.low),
            high=_share(result.high),
            tolerated=_share(objective.tolerated),
            least=same(f"{objective.least_sample:,}"),
        )
    )
    return join_texts(parts, Text("; ", "；"))


def _of_limit(result: ObjectiveResult) -> Text:
    if result.seen is None:
        return _NONE_SERVED if result.standing is Standing.MISSED else _NEVER_ASKED
    return _LIMIT[result.standing].format(highest=same(f"{result.seen:,.0f}"))


def _value(objective: Objective, value: float) -> Text:
    if objective.measure in TIMES:
        return duration(value)
    return _share(value) if objective.measure in RATES else same(f"{value:,.0f}")


def _share(value: float) -> Text:
    """Format a share as per cent with as many digits as tell it from 0 and 1."""
    return same(f"{value * 100:.3g}\N{NO-BREAK SPACE}%")


_NOTHING = Text("no such response was recorded", "没有记录到这类响应")
_COUNTED: Mapping[Measure, Text] = {
    Measure.FIRST_TEXT: Text(
        "{beyond} of {sample} streams took longer", "{sample} 个流中有 {beyond} 个更慢"
    ),
    Measure.LATENCY: Text(
        "{beyond} of {sample} responses took longer", "{sample} 个响应中有 {beyond} 个更慢"
    ),
    Measure.GAP: Text(
        "{beyond} of {sample} streams paused longer", "{sample} 个流中有 {beyond} 个停顿更久"
    ),
    Measure.ERRORS: Text(
        "{beyond} of {sample} requests failed", "{sample} 个请求中有 {beyond} 个出错"
    ),
    Measure.AVAILABILITY: Text(
        "{beyond} of {sample} requests got no response, or one of 429, 502, 503 and 504",
        "{sample} 个请求中有 {beyond} 个没有响应，或得到 429、502、503、504",
    ),
}
_PERCENTILE = Text("p{percentile} is {seen}", "p{percentile} 为 {seen}")
_INTERVAL: Mapping[Standing, Text] = {
    Standing.MET: Text("at most {high}, {tolerated} allowed", "至多 {high}，允许 {tolerated}"),
    Standing.MISSED: Text("at least {low}, {tolerated} allowed", "至少 {low}，允许 {tolerated}"),
    Standing.UNDECIDED: Text(
        "between {low} and {high}, {tolerated} allowed; it takes {least} or more to show it met",
        "介于 {low} 与 {high} 之间，允许 {tolerated}；至少需要 {least} 个才能表明达到",
    ),
}
_NEVER_ASKED = Text("no request asked for so much by itself", "没有请求单独要求该范围内的值")
_NONE_SERVED = Text(
    "a request for no more than that was not served, and none was",
    "要求不超过该值的请求未获服务，也没有其他请求成功",
)
_LIMIT: Mapping[Standing, Text] = {
    Standing.MET: Text("the most that was served is {highest}", "成功处理的最大值为 {highest}"),
    Standing.MISSED: Text(
        "a request for no more than that was not served; the most that was served is {highest}",
        "要求不超过该值的请求未获服务；成功处理的最大值为 {highest}",
    ),
    Standing.UNDECIDED: Text(
        "the most that was served is {highest}; no request asked for more by itself",
        "成功处理的最大值为 {highest}；没有请求单独要求更大的值",
    ),
}
