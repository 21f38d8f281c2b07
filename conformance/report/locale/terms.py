"""Labels of the reports in both languages: verdicts, states, levels, counts, durations.

Whole sentences are in :mod:`conformance.report.locale.messages`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal

from conformance.language import Text, same
from conformance.model import Conclusion, Effect, Level, Money, Role, State, Tier, Verdict

HEADLINES: Mapping[Conclusion, Text] = {
    Conclusion.CONFORMING: Text("Conforming", "符合契约"),
    Conclusion.NOT_CONFORMING: Text("Not conforming", "不符合契约"),
    Conclusion.UNDECIDED: Text("Inconclusive", "无法判定"),
    Conclusion.NOTHING_RAN: Text("No checks ran", "没有运行检查"),
    Conclusion.INCOMPLETE: Text("Incomplete", "运行未完成"),
    Conclusion.AS_EXPECTED: Text("As expected", "仅有已知偏差"),
}
VERDICTS: Mapping[Verdict, Text] = {
    Verdict.PASS: Text("pass", "通过"),
    Verdict.FAIL: Text("fail", "未通过"),
    Verdict.WARN: Text("warn", "警告"),
    Verdict.REFUSED: Text("refused", "被拒绝"),
    Verdict.INCONCLUSIVE: Text("inconclusive", "无法判定"),
    Verdict.EXPLAINED: Text("explained", "由他项所致"),
    Verdict.SKIPPED: Text("skipped", "跳过"),
    Verdict.INFO: Text("info", "仅供参考"),
    Verdict.ERROR: Text("error", "内部错误"),
    Verdict.EXPECTED: Text("expected", "已知偏差"),
}
STATES: Mapping[State, Text] = {
    State.HONOURED: Text("honoured", "符合"),
    State.ACCEPTED: Text("accepted", "已接受"),
    State.ALTERED: Text("altered", "有偏差"),
    State.IGNORED: Text("ignored", "被忽略"),
    State.REFUSED: Text("refused", "被拒绝"),
    State.UNCLEAR: Text("unclear", "不明确"),
    State.UNTESTED: Text("untested", "未测试"),
}
LEVELS: Mapping[Level, Text] = {
    Level.MUST: Text("must", "必须"),
    Level.SHOULD: Text("should", "应当"),
    Level.MAY: Text("may", "可以"),
}
EFFECTS: Mapping[Effect, Text] = {
    Effect.IGNORED: Text("Ignored: it had no effect here.", "被忽略：此处未生效。"),
    Effect.ALTERED: Text(
        "Altered: not applied as specified in the contract.", "有偏差：与契约的规定不一致。"
    ),
    Effect.REFUSED: Text(
        "Refused: the contract promises this feature.", "被拒绝：契约承诺了该功能。"
    ),
}
ROLES: Mapping[Role, Text] = {
    Role.PROBE: Text("probe", "偏差请求"),
    Role.CONTROL: Text("control", "对照"),
    Role.REPEAT: Text("repeat", "重复"),
}
TIERS: Mapping[Tier, Text] = {
    Tier.SMOKE: Text("smoke tier", "smoke 档位"),
    Tier.STANDARD: Text("standard tier", "standard 档位"),
    Tier.DEEP: Text("deep tier", "deep 档位"),
}


@dataclass(frozen=True, slots=True)
class Noun:
    """A counted noun: English singular and plural, and a Chinese pattern with ``{n}``."""

    one: str
    many: str
    zh: str


CHECK = Noun("check", "checks", "{n} 项检查")
WARNING = Noun("warning", "warnings", "{n} 条警告")
DOCUMENT = Noun("other document", "other documents", "{n} 份其他文档")
FIELD = Noun("response field", "response fields", "{n} 个响应字段")
FINDING = Noun("finding", "findings", "{n} 项发现")
MORE_FINDINGS = Noun("more finding", "more findings", "{n} 项其他发现")
MORE_REASONS = Noun("more reason", "more reasons", "{n} 条其他原因")
PARAMETER = Noun("documented parameter", "documented parameters", "文档所列的 {n} 个参数")
REQUEST = Noun("request", "requests", "{n} 次请求")
TOKEN = Noun("token", "tokens", "{n} 个 token")


def counted(count: int, noun: Noun) -> Text:
    """Format a count: ``1 check``, ``1,200 checks``; ``1,200 项检查``."""
    english = f"{count:,} {noun.one if count == 1 else noun.many}"
    return Text(english, noun.zh.format(n=f"{count:,}"))


def plural(count: int, noun: str, many: str | None = None) -> str:
    """Format a count in English: ``1 check``, ``1,200 checks``; ``many`` is an irregular plural."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {many or f'{noun}s'}"


def listed(names: Sequence[str], most: int | None = None) -> str:
    """Join names in English: ``a, b and c``, or ``a, b and 3 more``."""
    return listing(names, most).en


def listing(names: Sequence[str], most: int | None = None) -> Text:
    """Join names: ``a, b and c``; names beyond ``most`` are only counted."""
    if most is not None and len(names) > most:
        kept = names[: most - 1]
        more = len(names) - len(kept)
        return Text(f"{', '.join(kept)} and {more} more", f"{'、'.join(kept)} 等 {len(names)} 个")
    if len(names) < 2:
        return same("".join(names))
    *first, last = names
    return Text(f"{', '.join(first)} and {last}", f"{'、'.join(first)} 和 {last}")


def duration(seconds: float) -> Text:
    """Format seconds as ``320 ms``, ``4.2 s`` or ``2 min 5 s``."""
    if seconds < 1:
        return Text(f"{seconds * 1000:.0f} ms", f"{seconds * 1000:.0f} 毫秒")
    if seconds < 60:
        return Text(f"{seconds:.1f} s", f"{seconds:.1f} 秒")
    minutes, rest = divmod(round(seconds), 60)
    return Text(f"{minutes} min {rest} s", f"{minutes} 分 {rest} 秒")


def size(count: int) -> str:
    """Format a number of bytes as ``B``, ``kB`` or ``MB``."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def money(money: Money) -> Text:
    """Format an amount as ``12.50 USD``, ``0.0042 USD`` or ``at most 0.0042 USD``."""
    text = f"{rounded(money)} {money.currency}"
    return Text(f"at most {text}", f"至多 {text}") if money.is_bound else same(text)


def rounded(money: Money) -> str:
    """Format an amount with two decimals, or three digits that count; a bound is rounded up."""
    amount = money.amount
    if not amount:
        return "0"
    places = max(2, 2 - amount.adjusted())
    rounding = ROUND_CEILING if money.is_bound else ROUND_HALF_EVEN
    return f"{amount.quantize(Decimal(1).scaleb(-places), rounding):,f}"
