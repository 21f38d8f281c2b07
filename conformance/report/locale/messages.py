"""Sentences about a whole run, shared by all reports, in both languages.

Names are in backticks; each report format renders these in its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from conformance.language import Text, join_texts, same
from conformance.model import Conclusion, Cost, Prices, Resumption, State, Verdict, money_of
from conformance.report.locale.terms import (
    CHECK,
    PARAMETER,
    REQUEST,
    TOKEN,
    WARNING,
    Noun,
    counted,
    listing,
    money,
)
from conformance.report.summary_rows import Row
from conformance.report.usage import UsageMismatch

MAX_PARAMETERS, MAX_FIELDS, MAX_UNTESTED_PARAMETERS = 6, 4, 4
"""Maximum number of names in the summary sentence; the tables list all."""

LEFT_OPEN: Mapping[Verdict, Text] = {
    Verdict.ERROR: Text("failed with an internal error", "项因内部错误而失败"),
    Verdict.INCONCLUSIVE: Text("inconclusive", "项无法判定"),
    Verdict.EXPLAINED: Text("explained by another finding", "项由其他发现所致"),
    Verdict.SKIPPED: Text("skipped", "项被跳过"),
}
NOT_COVERED = Text(
    "of the contract's requirements: not covered by the selected checks",
    "条契约要求：不在所选检查的范围内",
)
NOT_REACHED = Text(
    "of the contract's requirements: not reached before the run ended, or without a check",
    "条契约要求：检查之前运行已结束，或没有对应的检查",
)

RECORDED = Noun("recorded exchange", "recorded exchanges", "{n} 次已记录的请求")

_STOP = Text(". ", "。")
_THEN = Text("; ", "；")


def judged_again(recorded_by: str | None, judged_by: str) -> Text | None:
    """State which versions recorded and judged the run; None if they are the same run."""
    if recorded_by is None:
        return None
    return Text(
        "Recorded by suite version {then}, re-evaluated from the record by version {now}; no "
        "requests were sent.",
        "由 {then} 版套件记录，由 {now} 版根据记录重新判定，没有发送任何请求。",
    ).format(then=recorded_by, now=judged_by)


def taken_up(parts: Sequence[Resumption]) -> Text | None:
    """State when a run was resumed and what was taken over; None if it was made in one go."""
    if not parts:
        return None
    last = parts[-1]
    taken = counted(last.exchanges, RECORDED)
    if len(parts) == 1:
        return Text(
            "This run was resumed on {at} with {taken}, which were not sent again.",
            "本次运行于 {at} 继续进行，沿用{taken}，没有再次发送。",
        ).format(at=last.at, taken=taken)
    return Text(
        "This run was resumed {n} times, at last on {at} with {taken}, which were not sent again.",
        "本次运行曾 {n} 次继续进行，最近一次于 {at}，沿用{taken}，没有再次发送。",
    ).format(n=len(parts), at=last.at, taken=taken)


def the_verdict(
    conclusion: Conclusion, counts: Mapping[str, int], *, judged: int, total: int, strict: bool
) -> Text:
    """Summarise a run's conclusion in one sentence.

    Args:
        conclusion: the conclusion.
        counts: number of checks by verdict.
        judged: number of checks that evaluated a response.
        total: number of checks.
        strict: whether warnings count as failures.
    """
    broken = counts["fail"] + (counts["warn"] if strict else 0)
    unsure = counts["inconclusive"] + counts["error"]
    match conclusion:
        case Conclusion.CONFORMING | Conclusion.AS_EXPECTED:
            return _kept(judged, counts["warn"])
        case Conclusion.NOT_CONFORMING:
            doubt = Text("; {n} inconclusive", "；{n} 项无法判定").format(n=unsure)
            return Text(
                "{broken} of {checks} failed{doubt}.",
                "{checks}中有 {broken} 项未通过{doubt}。",
            ).format(
                broken=broken, checks=counted(judged, CHECK), doubt=doubt if unsure else same("")
            )
        case Conclusion.UNDECIDED if unsure:
            found = Text("; {n} failed before", "；此前有 {n} 项未通过").format(n=broken)
            return Text(
                "{n} of {checks} inconclusive{found}; this does not count as a pass.",
                "{checks}中有 {n} 项无法判定{found}，不能视为通过。",
            ).format(n=unsure, checks=counted(total, CHECK), found=found if broken else same(""))
        case Conclusion.UNDECIDED:
            return Text(
                "Preflight failed; no checks were run.",
                "预检失败，没有运行任何检查。",
            )
        case Conclusion.NOTHING_RAN:
            return Text(
                "No check produced a verdict; the endpoint is untested.",
                "没有检查得出判定，该接口未经测试。",
            )
        case Conclusion.INCOMPLETE:
            return Text(
                "The run ended early, after {checks}. "
                "The results so far are below; everything else is untested.",
                "运行在完成{checks}后提前结束。以下是已有的结果，其余未经测试。",
            ).format(checks=counted(total, CHECK))


def _kept(judged: int, lesser: int) -> Text:
    kept = Text("No failures in {checks}.", "{checks}中未发现不符合项。")
    more = Text(" {warnings}.", "另有 {warnings}。").format(warnings=counted(lesser, WARNING))
    result = kept.format(checks=counted(judged, CHECK))
    return join_texts((result, more), same("")) if lesser else result


def the_parameters(rows: Iterable[Row], *, selected: bool = False) -> Text | None:
    """Count the documented parameters that work, and name the others by state.

    Args:
        rows: the parameters.
        selected: whether only some checks were selected, so that untested ones are no news.
    """
    promised = [row for row in rows if row.subject.documented]
    tested = [row for row in promised if row.state not in {State.UNTESTED, State.UNCLEAR}]
    if not tested:
        return None
    # Of what is only accepted nothing is known, for better or worse.
    verified = [row for row in tested if row.state is not State.ACCEPTED]
    served = sum(row.state is State.HONOURED for row in verified)
    every = Text("Supports all {parameters} as promised", "{parameters}全部符合契约")
    some = Text(
        "Supports {served} of {parameters} as promised", "{parameters}中有 {served} 个符合契约"
    )
    partly = Text(
        "Supports {served} of {n} tested parameters as promised",
        "已测试的 {n} 个参数中有 {served} 个符合契约",
    )
    seen = Text(
        "Supports {served} of {n} verified {noun} as promised",
        "已验证的 {n} 个参数中有 {served} 个符合契约",
    )
    if served == len(verified) > 1:
        seen = Text(
            "Supports all {n} verified {noun} as promised", "已验证的 {n} 个参数全部符合契约"
        )
    first = partly if len(tested) < len(promised) else every if served == len(tested) > 1 else some
    first = first if verified == tested else seen
    counts = first.format(
        served=served,
        n=len(verified),
        noun="parameter" if len(verified) == 1 else "parameters",
        parameters=counted(len(promised), PARAMETER),
    )
    result = [counts] if verified else []
    result += _not_served(tested if selected else promised)
    told = Text("{parts}.", "{parts}。").format(parts=join_texts(result, _THEN))
    return Text(told.en[0].upper() + told.en[1:], told.zh)


_DEVIATING: Sequence[tuple[State, Callable[[Row], bool], Text]] = (
    (State.IGNORED, lambda _: True, Text("silently ignores {names}", "忽略 {names} 且不报错")),
    (
        State.ALTERED,
        lambda row: not row.is_lesser and not row.only_unchecked,
        Text("alters {names}", "{names} 有偏差"),
    ),
    (
        State.ALTERED,
        lambda row: not row.is_lesser and row.only_unchecked,
        Text("accepts invalid values of {names}", "接受 {names} 的无效取值"),
    ),
    (
        State.ALTERED,
        lambda row: row.is_lesser,
        Text("deviates from recommendations for {names}", "{names} 与建议不符"),
    ),
    (State.REFUSED, lambda row: not row.passed, Text("refuses {names}", "拒绝 {names}")),
    (
        State.REFUSED,
        lambda row: row.passed,
        Text("refuses some uses of {names}", "拒绝 {names} 的部分用法"),
    ),
)
_UNVERIFIED: Sequence[tuple[State, Text]] = (
    (
        State.ACCEPTED,
        Text("accepts {names} (effect not verified)", "接受 {names}（未验证其效果）"),
    ),
    (State.UNCLEAR, Text("{names} unclear", "{names} 不明确")),
)


def _not_served(promised: Sequence[Row]) -> Iterator[Text]:
    for state, applies, words in _DEVIATING:
        names = [f"`{row.subject.name}`" for row in promised if row.state is state and applies(row)]
        if names:
            yield _named(words, names)
    for state, words in _UNVERIFIED:
        names = [f"`{row.subject.name}`" for row in promised if row.state is state]
        if names:
            yield _named(words, names)
    untested = [f"`{row.subject.name}`" for row in promised if row.state is State.UNTESTED]
    if len(untested) > MAX_UNTESTED_PARAMETERS:
        yield Text("{n} not tested", "{n} 个未测试").format(n=len(untested))
    elif untested:
        yield Text("{names} not tested", "{names} 未测试").format(names=listing(untested))


def _named(words: Text, names: Sequence[str]) -> Text:
    """Put names into a sentence; Chinese has no space after a count of those left out."""
    text = words.format(names=listing(names, MAX_PARAMETERS))
    return Text(text.en, text.zh.replace(" 个 ", " 个"))


def the_fields(rows: Iterable[Row]) -> Text | None:
    """Name the incorrect response fields; None if there are none."""
    broken = [
        f"`{row.subject.name}`"
        for row in rows
        if row.state in {State.ALTERED, State.IGNORED} and not row.is_lesser
    ]
    if not broken:
        return None
    return Text("Incorrect response fields: {names}.", "有误的响应字段：{names}。").format(
        names=listing(broken, MAX_FIELDS)
    )


def usage_sentence(mismatches: Iterable[UsageMismatch]) -> Text | None:
    """Compare reported with counted tokens; None if no mismatch is known."""
    result = [
        _overbilled(mismatch) if mismatch.stated > mismatch.counted else _underbilled(mismatch)
        for mismatch in mismatches
    ]
    if not result:
        return None
    return Text("Incorrect usage: {parts}.", "用量有误：{parts}。").format(
        parts=join_texts(result, _THEN)
    )


_COUNTED = {
    "prompt": Text("prompt tokens", "输入 token"),
    "completion": Text("completion tokens", "输出 token"),
}


def _overbilled(mismatch: UsageMismatch) -> Text:
    return Text(
        "{what} overreported by {share} % ({reported:,} reported, {counted:,} counted)",
        "{what} 多报 {share}%（上报 {reported:,}，实际 {counted:,}）",
    ).format(**_filled(mismatch))


def _underbilled(mismatch: UsageMismatch) -> Text:
    return Text(
        "{what} underreported by {share} % ({reported:,} reported, {counted:,} counted)",
        "{what} 少报 {share}%（上报 {reported:,}，实际 {counted:,}）",
    ).format(**_filled(mismatch))


def _filled(mismatch: UsageMismatch) -> dict[str, object]:
    share = abs(mismatch.stated - mismatch.counted) / mismatch.counted * 100
    return {
        "share": f"{share:,.0f}" if share >= 1 else "<1",
        "what": _COUNTED[mismatch.kind],
        "reported": mismatch.stated,
        "counted": mismatch.counted,
    }


FEW_REPEATS = 10
"""Repeats of a run that finds nothing to retest, at most."""


def the_cost(cost: Cost | None, sent: int, repeats: int = 0, prices: Prices | None = None) -> Text:
    """Format what a run spent as one line.

    Args:
        cost: the total, or None if the run ended before it was computed.
        sent: number of recorded requests.
        repeats: how many of them repeat another; a few do in every run, and are not told.
        prices: what tokens cost, if the user stated it.
    """
    if cost is None:
        return Text(
            "{requests} recorded, tokens not totalled", "已记录 {requests}，token 未汇总"
        ).format(requests=counted(sent, REQUEST))
    guessed = cost.estimated_tokens
    read = Text("{n:,} prompt", "输入 {n:,}").format(n=cost.prompt_tokens)
    if cost.cached_tokens:
        some = Text("{read}, of them {n:,} cached", "{read}，其中已缓存 {n:,}")
        read = some.format(read=read, n=cost.cached_tokens)
    parts = [
        read,
        Text("{n:,} generated", "输出 {n:,}").format(n=cost.completion_tokens),
    ]
    if guessed:
        bound = Text("up to {n:,} without reported usage", "未返回用量的至多 {n:,}")
        parts.append(bound.format(n=guessed))
    if guessed == cost.tokens:
        parts = [Text("no usage reported", "未返回用量")] if guessed else []
    result = Text(" ({parts})", "（{parts}）").format(parts=join_texts(parts, Text(", ", "，")))
    requests = counted(cost.requests, REQUEST)
    if repeats > FEW_REPEATS:
        some = Text("{requests} ({n} of them repeats)", "{requests}（其中 {n} 次为重复）")
        requests = some.format(requests=requests, n=repeats)
    spent = (
        Text(", {money}", "，{money}").format(money=money(money_of(cost, prices))) if prices else ""
    )
    return Text(
        "{requests}, {bound}{tokens}{details}{spent}", "{requests}，{bound}{tokens}{details}{spent}"
    ).format(
        requests=requests,
        bound=Text("at most ", "至多 ") if guessed else same(""),
        tokens=counted(cost.tokens, TOKEN),
        details=result if parts else same(""),
        spent=spent,
    )
