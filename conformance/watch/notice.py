"""A notice: what is told about one target after one run, as data and as text; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from conformance.language import Language, Text
from conformance.report.sanitize import cut, line
from conformance.watch.memory import ENDPOINT, Kind, News

MAX_LISTED = 20
"""News of one kind that a text lists; the record has all of them."""

MAX_TEXT_CHARS = 300
"""Characters of a text of somebody else in a notice."""

NO_REASON = Text("", "")

Titles = Mapping[str, Text]


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told.

    Attributes:
        id: the same for the same news, however often it is made.
        target, base_url, model, contract, tier: what was tested.
        at: ISO 8601, UTC.
        news: the changes; empty if it is about the budget.
        reason: why nothing could be judged, or which limit is reached, in both languages; it may
            contain text of the endpoint.
    """

    id: str
    target: str
    base_url: str
    model: str
    contract: str
    tier: str
    at: str
    news: tuple[News, ...] = ()
    reason: Text = NO_REASON

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`as_json` made.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        news = tuple(News(Kind(one["kind"]), str(one["check"])) for one in values["news"])
        reason = Text(**values["reason"])
        return cls(**{**values, "news": news, "reason": reason})


_COUNTED: Mapping[Kind, tuple[str, str, str]] = {
    Kind.UNJUDGED: ("cannot be judged", "cannot be judged", "无法判定"),
    Kind.REGRESSION: ("{n} regression", "{n} regressions", "{n} 项退化"),
    Kind.RECOVERY: ("{n} recovery", "{n} recoveries", "{n} 项恢复"),
    Kind.UNSTABLE: ("{n} unstable check", "{n} unstable checks", "{n} 项不稳定"),
    Kind.JUDGED: ("can be judged again", "can be judged again", "恢复可判定"),
}
_HEADS: Mapping[Kind, Text] = {
    Kind.REGRESSION: Text("Regressions:", "退化："),
    Kind.RECOVERY: Text("Recoveries:", "恢复："),
    Kind.UNSTABLE: Text(
        "Unstable, no more notices until the same for a day:", "不稳定，保持一天不变之前不再通知："
    ),
}
_OF_BUDGET = Text("limit of the day reached", "已达每日上限")
_MORE = Text("and {n} more", "以及另外 {n} 项")
_HEAD = Text("{target}: {what}", "{target}：{what}")
_ABOUT = Text(
    "{model} at {url}, contract {contract}, {tier} tier, {at}",
    "{url} 的 {model}，契约 {contract}，档位 {tier}，{at}",
)


def subject_of(notice: Notice, language: Language) -> str:
    """Return a notice in one line, such as ``zero: 2 regressions, 1 recovery``."""
    parts = [_counted(kind, notice.news, language) for kind in _COUNTED]
    what = [part for part in parts if part] or [_OF_BUDGET.of(language)]
    comma = "，" if language is Language.CHINESE else ", "
    head = _HEAD.of(language)
    return head.format(target=line(notice.target), what=comma.join(what))


def _counted(kind: Kind, news: Sequence[News], language: Language) -> str:
    of_kind = [one for one in news if one.kind is kind]
    if not of_kind:
        return ""
    one, many, zh = _COUNTED[kind]
    template = zh if language is Language.CHINESE else one if len(of_kind) == 1 else many
    return template.format(n=len(of_kind))


def text_of(
    notice: Notice,
    language: Language,
    titles: Titles,
    foreign: Callable[[str], str] = lambda text: text,
) -> str:
    """Return a notice as lines of text.

    Args:
        notice: the notice.
        language: its language.
        titles: the sentences of checks, by id.
        foreign: escapes what others wrote: names, addresses, and text of the endpoint.
    """
    rows = [subject_of(notice, language)]
    if reason := notice.reason.of(language):
        rows.append(foreign(_short(reason)))
    for kind, head in _HEADS.items():
        checks = [one.check for one in notice.news if one.kind is kind]
        if checks:
            rows += ["", head.of(language), *_listed(checks, language, titles, foreign)]
    if notice.base_url:
        about = _ABOUT.of(language).format(
            model=foreign(_short(notice.model)),
            url=foreign(_short(notice.base_url)),
            contract=foreign(_short(notice.contract)),
            tier=notice.tier,
            at=notice.at,
        )
        rows += ["", about]
    return "\n".join(rows)


def _listed(
    checks: Sequence[str], language: Language, titles: Titles, foreign: Callable[[str], str]
) -> list[str]:
    rows = []
    for check in checks[:MAX_LISTED]:
        if check == ENDPOINT:
            rows.append("- " + _ANSWERS.of(language))
            continue
        title = titles[check].of(language) if check in titles else ""
        rows.append(foreign(_short(f"- {check}: {title}" if title else f"- {check}")))
    if len(checks) > MAX_LISTED:
        rows.append(_MORE.of(language).format(n=len(checks) - MAX_LISTED))
    return rows


_ANSWERS = Text("whether the endpoint can be judged", "接口能否判定")


def _short(text: str) -> str:
    """Return text of somebody else on one line, and not too long."""
    return cut(line(text), MAX_TEXT_CHARS)
