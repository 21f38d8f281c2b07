"""The sentences that every report says of a run, in both languages.

They carry names in backticks, which each format turns into its own kind of emphasis.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from conformance.language import Text, joined, same
from conformance.model import Conclusion, Cost, State, Verdict
from conformance.reports.billing import Bill
from conformance.reports.rows import Row
from conformance.reports.words import CHECK, DEVIATION, PARAMETER, REQUEST, TOKEN, counted, listing

MOST_PARAMETERS, MOST_FIELDS, MOST_UNTESTED = 6, 4, 4
"""Names that the verdict's sentence holds at most; the tables below it hold all."""

LEFT_OPEN: Mapping[Verdict, Text] = {
    Verdict.ERROR: Text("failed by the suite's own fault", "项因套件自身的错误而失败"),
    Verdict.INCONCLUSIVE: Text(
        "without an answer that could be judged", "项没有得到可以判定的回答"
    ),
    Verdict.SKIPPED: Text("skipped", "项被跳过"),
}
NOT_CHOSEN = Text(
    "of the contract's sentences: no check of this tier and selection judges them",
    "条契约条文：此级别与所选范围内没有检查判定它们",
)
NOT_REACHED = Text(
    "of the contract's sentences: the run did not come to them, or has no check for them",
    "条契约条文：运行没有进行到那里，或没有对应的检查",
)

_STOP = Text(". ", "。")
_THEN = Text("; ", "；")


def judged_again(recorded_by: str | None, judged_by: str) -> Text | None:
    """Say that a record was judged again, or None where it was not."""
    if recorded_by is None:
        return None
    return Text(
        "Recorded by suite version {then}, judged again from its record by version {now}; nothing "
        "was sent.",
        "由套件 {then} 版记录，由 {now} 版根据记录重新判定，没有发送任何请求。",
    ).format(then=recorded_by, now=judged_by)


def the_verdict(
    conclusion: Conclusion, counts: Mapping[str, int], *, judged: int, total: int, strict: bool
) -> Text:
    """Say in a sentence what a run concludes.

    Args:
        conclusion: what it concludes.
        counts: how many checks came to each verdict.
        judged: how many checks rest on an answer of the endpoint.
        total: how many checks there are in all.
        strict: whether lesser deviations count as broken promises.
    """
    broken = counts["fail"] + (counts["warn"] if strict else 0)
    unsure = counts["inconclusive"] + counts["error"]
    match conclusion:
        case Conclusion.CONFORMING:
            return _kept(judged, counts["warn"])
        case Conclusion.NOT_CONFORMING:
            doubt = Text("; {n} could not judge", "；{n} 项无法判定").format(n=unsure)
            return Text(
                "{broken} of {checks} found a broken promise{doubt}.",
                "{checks}中有 {broken} 项发现承诺未兑现{doubt}。",
            ).format(
                broken=broken, checks=counted(judged, CHECK), doubt=doubt if unsure else same("")
            )
        case Conclusion.UNDECIDED if unsure:
            return Text(
                "{n} of {checks} could not judge; that is no pass.",
                "{checks}中有 {n} 项无法判定，这不算通过。",
            ).format(n=unsure, checks=counted(total, CHECK))
        case Conclusion.UNDECIDED:
            return Text(
                "No check could begin, so nothing is known of this endpoint.",
                "没有检查能够开始，因此对此接口一无所知。",
            )
        case Conclusion.NOTHING_RAN:
            return Text(
                "No check judged anything, so nothing is known of this endpoint.",
                "没有检查作出判定，因此对此接口一无所知。",
            )
        case Conclusion.BROKEN_OFF:
            return Text(
                "The run ended early, after {checks}. "
                "What it had learned is below; it says nothing of the rest.",
                "运行在完成{checks}后提前结束。以下是已得知的内容，其余一概未知。",
            ).format(checks=counted(total, CHECK))


def _kept(judged: int, lesser: int) -> Text:
    kept = Text("No broken promise in {checks}.", "{checks}中没有发现未兑现的承诺。")
    more = Text(" {deviations}.", "另有{deviations}。").format(
        deviations=counted(lesser, DEVIATION)
    )
    told = kept.format(checks=counted(judged, CHECK))
    return joined((told, more), same("")) if lesser else told


def the_parameters(rows: Iterable[Row]) -> Text | None:
    """Say how many documented parameters are served, and name those that are not."""
    promised = [row for row in rows if row.subject.documented]
    if not promised:
        return None
    served = sum(row.state is State.HONOURED for row in promised)
    every = Text("Serves all {parameters} as promised", "{parameters}全部符合承诺")
    some = Text(
        "Serves {served} of {parameters} as promised", "{parameters}中有 {served} 个符合承诺"
    )
    first = every if served == len(promised) > 1 else some
    told = [first.format(served=served, parameters=counted(len(promised), PARAMETER))]
    told += _not_served(promised)
    return Text("{told}.", "{told}。").format(told=joined(told, _THEN))


def _not_served(promised: Sequence[Row]) -> Iterator[Text]:
    kinds: tuple[tuple[State, bool | None, Text], ...] = (
        (State.IGNORED, None, Text("drops {names} without saying so", "悄悄忽略 {names}")),
        (State.ALTERED, None, Text("alters {names}", "改变了 {names} 的行为")),
        (State.REFUSED, False, Text("refuses {names}", "拒绝 {names}")),
        (State.REFUSED, True, Text("refuses some uses of {names}", "拒绝 {names} 的部分用法")),
    )
    for state, partly, words in kinds:
        names = [
            f"`{row.subject.name}`"
            for row in promised
            if row.state is state and partly in {None, row.passed}
        ]
        if names:
            yield words.format(names=listing(names, MOST_PARAMETERS))
    untested = [f"`{row.subject.name}`" for row in promised if row.state is State.UNTESTED]
    if len(untested) > MOST_UNTESTED:
        yield Text("{n} not tested", "{n} 个未测试").format(n=len(untested))
    elif untested:
        yield Text("{names} not tested", "{names} 未测试").format(names=listing(untested))


def the_fields(rows: Iterable[Row]) -> Text | None:
    """Name the response fields that are wrong."""
    broken = [
        f"`{row.subject.name}`" for row in rows if row.state in {State.ALTERED, State.IGNORED}
    ]
    if not broken:
        return None
    return Text("Wrong in its answers: {names}.", "回答中有误的字段：{names}。").format(
        names=listing(broken, MOST_FIELDS)
    )


def the_bill(bills: Iterable[Bill]) -> Text | None:
    """Say what is billed beside what was sent and generated, where the two are known to differ."""
    told = [
        _overbilled(bill) if bill.billed > bill.counted else _underbilled(bill) for bill in bills
    ]
    if not told:
        return None
    return Text("Bills {told}.", "{told}。").format(told=joined(told, _THEN))


_BILLED = {
    "prompt": Text("prompt tokens than were sent", "提示词元"),
    "completion": Text("completion tokens than were generated", "生成词元"),
}


def _overbilled(bill: Bill) -> Text:
    return Text(
        "{share} % more {what} ({billed:,} for {counted:,})",
        "{what}多计费 {share}%（实际 {counted:,}，计费 {billed:,}）",
    ).format(**_filled(bill))


def _underbilled(bill: Bill) -> Text:
    return Text(
        "{share} % fewer {what} ({billed:,} for {counted:,})",
        "{what}少计费 {share}%（实际 {counted:,}，计费 {billed:,}）",
    ).format(**_filled(bill))


def _filled(bill: Bill) -> dict[str, object]:
    share = abs(bill.billed - bill.counted) / bill.counted * 100
    return {
        "share": f"{share:,.0f}" if share >= 1 else "<1",
        "what": _BILLED[bill.kind],
        "billed": bill.billed,
        "counted": bill.counted,
    }


def the_cost(cost: Cost | None, sent: int) -> Text:
    """Put what a run spent into a line.

    Args:
        cost: what it spent, or None where nobody added it up.
        sent: how many requests are on record.
    """
    if cost is None:
        return Text(
            "{requests} on record, tokens not added up", "记录中有 {requests}，词元未汇总"
        ).format(requests=counted(sent, REQUEST))
    guessed = cost.estimated_tokens
    parts = [
        Text("{n:,} prompt", "提示 {n:,}").format(n=cost.prompt_tokens),
        Text("{n:,} generated", "生成 {n:,}").format(n=cost.completion_tokens),
    ]
    if guessed:
        bound = Text("up to {n:,} where no usage was stated", "未给出用量的至多 {n:,}")
        parts.append(bound.format(n=guessed))
    if guessed == cost.tokens:
        parts = [Text("no usage was stated", "未给出用量")] if guessed else []
    told = Text(" ({parts})", "（{parts}）").format(parts=joined(parts, Text(", ", "，")))
    return Text("{requests}, {bound}{tokens}{told}", "{requests}，{bound}{tokens}{told}").format(
        requests=counted(cost.requests, REQUEST),
        bound=Text("at most ", "至多 ") if guessed else same(""),
        tokens=counted(cost.tokens, TOKEN),
        told=told if parts else same(""),
    )
