"""One sentence about a finding, from its data: what was sent, what came, what was promised.

    `temperature: 2.1` was served (status 200); the document allows 0 to 2
    `n: 3` returned 1 choice, 3 promised; in 4 of 4 responses

The sentence is for readers who see nothing else: it has no JSON, no lists of texts and no nulls,
which are in the evidence. Names are in backticks. Each kind of finding has a function in ``KINDS``
that returns None for the others; the last resort is the title of the check.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from conformance.language import Text, same
from conformance.model import Exchange, Finding, Level, Place, Subject, Verdict
from conformance.report import templates
from conformance.report.facts import Facts
from conformance.report.locale.finding_text import finding_text
from conformance.report.named_value import deviation_of
from conformance.report.sanitize import line
from conformance.report.sent import subject_value
from conformance.report.templates import alternatives, made_from, number
from conformance.report.unreadable import unreadable
from conformance.report.wording import (
    Observed,
    capitalised,
    head_of,
    joined,
    pair_of,
    phrase,
    text_in,
    unspaced,
    value_of,
)

MAX_CHARS = 200
"""Maximum characters of a sentence."""


def sentence_of(finding: Finding, exchanges: Sequence[Exchange], subject: Subject | None) -> Text:
    """Say in one sentence what a finding found; at most 200 characters in either language.

    Args:
        finding: the finding.
        exchanges: its exchanges, in the order in which it lists them.
        subject: the parameter or field that it is about, if the contract has it.
    """
    facts = Facts(finding, exchanges, subject)
    for found in _candidates(facts):
        told = Text(capitalised(line(found.en)), unspaced(line(found.zh)))
        if max(len(told.en), len(told.zh)) <= MAX_CHARS:
            return told
    return facts.title


def _candidates(facts: Facts) -> Iterable[Text]:
    """Yield sentences, the most particular first; each is shorter than the one before."""
    tally = _tally(facts.observed)
    for kind in KINDS:
        told = kind(facts)
        if told is None:
            continue
        yield told if tally is None else _TALLIED.format(told=told, tally=tally)
        yield told
    yield _BROKEN.format(title=facts.title) if facts.finding.seen else facts.title


def _tally(found: Observed) -> Text | None:
    if found.among is None:
        return _TWICE if found.reproduced else None
    told = _AMONG.format(count=found.among.count, total=found.among.total)
    shared = [finding_text(trait) for trait in found.among.traits]
    known = [Text(trait.en, trait.zh or trait.en) for trait in shared]
    readable = known and all(trait.zh != trait.en or "`" in trait.en for trait in known)
    return _SHARED.format(told=told, traits=joined(known)) if readable else told


# ── kinds ────────────────────────────────────────────────────────────────────────────────────────

_STATUSES = (
    templates.STATUS,
    templates.STATUS_AND_BODY,
    templates.STATUS_EACH_TIME,
    templates.STATUS_BESIDE_OTHERS,
)
_SCHEMAS = (templates.SCHEMA_OF_RESPONSE, templates.SCHEMA_OF_CHUNK, templates.SCHEMA_OF_ERROR)
_NAME = re.compile(r"[\w.-]+")
_RANGE = re.compile(r"(-?[\d.]+) to (-?[\d.]+)")


def _unserved(facts: Facts) -> Text | None:
    """A request was rejected although it is valid."""
    found = made_from(facts.seen or facts.finding.message, templates.REFUSED)
    status = number(found["status"]) if found else None
    if status is None or facts.finding.verdict not in {Verdict.FAIL, Verdict.WARN, Verdict.REFUSED}:
        return None
    facts = replace(facts, exchanges=_with_status(facts, status, ""))
    sent = facts.the_request(_A_REQUEST)
    if facts.finding.verdict is Verdict.REFUSED:
        return _WAS_REFUSED.format(sent=sent, status=status)
    return _beside(facts, _WAS_REFUSED.format(sent=sent, status=status), facts.title)


def _status(facts: Facts) -> Text | None:
    wanted = made_from(facts.expected, templates.STATUS)
    came = made_from(facts.seen, *_STATUSES)
    got = number(came["status"]) if came else None
    if wanted is None or came is None or got is None:
        return None
    facts = replace(facts, exchanges=_with_status(facts, got, str(came.get("body", ""))))
    allowed = alternatives(wanted["status"])
    # An error under status 200 has the wrong status, and is not served.
    is_served = got == 200 and facts.finding.place is not Place.STATUS
    if is_served and all(status.startswith("4") for status in allowed):
        return _served(facts, got)
    those = same(" / ".join(allowed)) if len(allowed) <= 3 else _A_4XX
    sent = facts.the_request(_THE_REQUEST)
    told = _ANSWERED.format(sent=sent, got=got, allowed=those)
    return _beside(facts, told, facts.title)


def _beside(facts: Facts, told: Text, promise: Text) -> Text:
    """Add what was to come instead, which only a *must* promises."""
    words = _PROMISED if facts.finding.level is Level.MUST else _EXPECTED
    return words.format(told=told, promise=promise)


def _with_status(facts: Facts, status: int, body: str) -> Sequence[Exchange]:
    """Return the exchange that has the status and the body that were seen; all if none has."""
    alike = [exchange for exchange in facts.exchanges if exchange.status == status]
    start = body.rstrip("…")[:80].encode(errors="replace")
    same_body = [exchange for exchange in alike if exchange.body.startswith(start)]
    return (same_body or alike)[-1:] or facts.exchanges


def _served(facts: Facts, status: int) -> Text:
    """A request was served although it has to be rejected."""
    told = _WAS_SERVED.format(sent=facts.the_request(_sent_without(facts)), status=status)
    bounds = _range_left(facts)
    if bounds is not None:
        return _ALLOWS.format(told=told, low=bounds[0], high=bounds[1])
    return _beside(facts, told, facts.title)


def _sent_without(facts: Facts) -> Text:
    name = facts.finding.subject
    body = facts.probe.request.body.lstrip() if facts.probe else b""
    is_parameter = facts.subject is not None and facts.subject.kind == "parameter"
    if body.startswith(b"{") and is_parameter and f'"{name}"'.encode() not in body:
        return _WITHOUT.format(name=name)
    return _THE_REQUEST


def _range_left(facts: Facts) -> tuple[str, str] | None:
    """Return the documented range if the value that was sent is outside of it."""
    value = subject_value(facts.finding, facts.probe) if facts.probe else None
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    known = _RANGE.search(facts.subject.promise) if facts.subject else None
    if known is None or not isinstance(value, int | float) or isinstance(value, bool):
        return None
    low, high = float(known[1]), float(known[2])
    return None if low <= value <= high else (known[1], known[2])


def _choices(facts: Facts) -> Text | None:
    promised, came = _count(facts.expected), _count(facts.seen)
    if promised is None or came is None or not _counts_choices(facts.expected):
        return None
    sent = facts.the_request(_THE_REQUEST)
    count = _ONE_CHOICE if came == 1 else _N_CHOICES.format(n=came)
    return _RETURNED.format(sent=sent, count=count, promised=promised)


def _counts_choices(message: str) -> bool:
    return made_from(message, templates.CHOICES, templates.ONE_CHOICE) is not None


def _count(message: str) -> int | None:
    """Return a number of choices, which may be said without its unit."""
    if made_from(message, templates.ONE_CHOICE) is not None:
        return 1
    counted = made_from(message, templates.CHOICES)
    return number(counted["count"] if counted else message)


def _absent(facts: Facts) -> Text | None:
    """A member is missing, or has the wrong type."""
    if (name := _missing_member(facts.seen)) is not None:
        return _IS_ABSENT.format(name=name)
    lacking = made_from(facts.seen, templates.NO_MEMBERS)
    names = lacking["a"] if lacking else None
    if made_from(facts.expected, templates.MEMBERS_OF_ERROR) is not None and isinstance(
        names, tuple
    ):
        return _ERROR_LACKS.format(names=joined([same(f"`{name}`") for name in names]))
    violation = made_from(facts.seen, templates.VIOLATION)
    if violation and made_from(facts.expected, *_SCHEMAS) is not None:
        return _MISFIT.format(name=violation["path"])
    return None


def _missing_member(seen: str) -> str | None:
    """Return the path of a member that is missing, written as Python writes a string."""
    violation = made_from(seen, templates.VIOLATION)
    if violation is not None:
        inner = made_from(violation["message"], templates.ABSENT_MEMBER)
        path, member = violation["path"], inner["member"] if inner else None
    else:
        found = made_from(seen, templates.ABSENT, templates.ABSENT_MEMBER) or {}
        path, member = found.get("path", ""), found.get("member")
    if not isinstance(member, str) or not _NAME.fullmatch(member.strip("'")):
        return None
    name = member.strip("'")
    return f"{path}.{name}" if path else name


def _value(facts: Facts) -> Text | None:
    """A named value is not what was promised: ``usage.total_tokens = 3``."""
    found = deviation_of(facts.expected, facts.seen)
    if found is None:
        return None
    told, is_whole = found
    return _with(facts, told if is_whole else _beside(facts, told, facts.promise))


def _compared(facts: Facts) -> Text | None:
    """Two responses differ: ``"a" vs. "b"``."""
    different = made_from(facts.seen, templates.DIFFERENT)
    if different is None and not facts.seen.startswith("[["):
        return None
    found = pair_of(str(different["one"]), str(different["other"])) if different else None
    if found is None:
        return _with(facts, _beside(facts, _DIFFERS, facts.promise))
    told = _NOT.format(one=found[0], other=found[1])
    return _with(facts, _beside(facts, told, facts.promise))


def _sampled(facts: Facts) -> Text | None:
    equal = made_from(facts.seen, templates.EQUAL_SAMPLES, templates.EQUAL_SHUFFLED)
    sometimes = made_from(facts.seen, templates.SOMETIMES)
    outliers = made_from(sometimes["what"], templates.OUTLIERS) if sometimes else None
    if equal:
        told = _ALL_EQUAL.format(n=equal["draws"])
    elif outliers:
        told = _SOME_OTHER.format(n=outliers["returns"], all=outliers["rounds"])
    else:
        return None
    return _with(facts, _beside(facts, told, facts.promise))


def _scored(facts: Facts) -> Text | None:
    found = made_from(facts.seen, templates.NOT_BEST)
    first = made_from(found["first"], templates.BETTER_ONE) if found else None
    if found is None or first is None:
        return None
    told = _NOT_BEST.format(n=found["count"], first=first["number"])
    return _with(facts, _beside(facts, told, facts.promise))


def _unreadable(facts: Facts) -> Text | None:
    told = unreadable(facts.expected, facts.seen)
    return _with(facts, told) if told else None


def _plain(facts: Facts) -> Text | None:
    """Neither of both is JSON: say them as they are."""
    if facts.finding.seen is None or facts.finding.expected is None:
        return None
    came = _text_in(facts.seen) or phrase(facts.seen) or head_of(facts.seen)
    if came is None:
        return None
    return _with(facts, _beside(facts, _CAME.format(came=came), facts.promise))


def _text_in(seen: str) -> Text | None:
    text = text_in(seen)
    return value_of(seen) if text is not None and not set(text[:40]) & set("{}[]<") else None


def _short(facts: Facts) -> Text | None:
    if facts.finding.seen is None:
        return None
    return _with(facts, _BROKEN.format(title=facts.title))


def _message(facts: Facts) -> Text | None:
    """There is only a message: why nothing was judged, or an internal error."""
    message = facts.finding.message
    if facts.finding.seen is not None or not message:
        return None
    told = phrase(message) or head_of(message)
    if facts.finding.verdict in {Verdict.INCONCLUSIVE, Verdict.ERROR}:
        return _UNDECIDED.format(told=told or facts.title)
    return told


def _with(facts: Facts, told: Text) -> Text:
    """Say what was sent first, unless the sentence is about many responses."""
    if not facts.sent or facts.observed.among is not None:
        return told
    return _WITH.format(sent=joined(facts.sent), told=told)


KINDS: Sequence[Callable[[Facts], Text | None]] = (
    _unserved,
    _status,
    _choices,
    _absent,
    _value,
    _compared,
    _sampled,
    _scored,
    _unreadable,
    _plain,
    _message,
    _short,
)
"""The kinds of findings, the most particular first."""

# ── words ────────────────────────────────────────────────────────────────────────────────────────

_PROMISED = Text("{told}; promised: {promise}", "{told}；契约要求：{promise}")
_EXPECTED = Text("{told}; expected: {promise}", "{told}；预期：{promise}")
_BROKEN = Text("not kept: {title}", "未兑现：{title}")
_TALLIED = Text("{told}; {tally}", "{told}；{tally}")
_AMONG = Text("in {count} of {total} responses", "{total} 个响应中有 {count} 个如此")
_SHARED = Text("{told}, those with {traits}", "{told}，即带有 {traits} 的响应")
_TWICE = Text("the same when repeated", "重复请求结果相同")
_WITH = Text("with {sent}, {told}", "发送 {sent} 时，{told}")
_A_REQUEST = Text("a valid request", "有效的请求")
_THE_REQUEST = Text("the request", "该请求")
_WITHOUT = Text("a request without `{name}`", "没有 `{name}` 的请求")
_A_4XX = Text("a 4xx", "4xx")
_WAS_REFUSED = Text("{sent} was rejected (status {status})", "{sent} 被拒绝（状态码 {status}）")
_WAS_SERVED = Text("{sent} was served (status {status})", "{sent} 被接受（状态码 {status}）")
_ALLOWS = Text("{told}; the document allows {low} to {high}", "{told}；文档允许 {low} 到 {high}")
_ANSWERED = Text(
    "{sent} was answered with status {got}, not {allowed}",
    "{sent} 得到状态码 {got}，而不是 {allowed}",
)
_RETURNED = Text(
    "{sent} returned {count}, {promised} promised", "{sent} 返回 {count}，契约要求 {promised} 个"
)
_ONE_CHOICE = Text("1 choice", "1 个 choice")
_N_CHOICES = Text("{n} choices", "{n} 个 choice")
_IS_ABSENT = Text("`{name}` is missing from the response", "响应中缺少 `{name}`")
_ERROR_LACKS = Text("the error lacks {names}", "错误信息中缺少 {names}")
_MISFIT = Text(
    "`{name}` does not have the type or value that the contract promises",
    "`{name}` 的类型或取值与契约不符",
)
_NOT = Text("the response has {one}, not {other}", "响应为 {one}，而不是 {other}")
_DIFFERS = Text("the response is another one", "响应不同")
_ALL_EQUAL = Text("all {n} samples are equal", "{n} 个样本全都相同")
_SOME_OTHER = Text("{n} of {all} repeats differ", "{all} 次重复中有 {n} 次不同")
_NOT_BEST = Text(
    "{n} tokens are not the best ones, token {first} first",
    "有 {n} 个 token 不是最优，首先是第 {first} 个",
)
_CAME = Text("got {came}", "得到：{came}")
_UNDECIDED = Text("not judged: {told}", "未能判定：{told}")
