"""Exchanges for the page: decoded, formatted, truncated, next to reference responses.

Only :mod:`conformance.report.html.highlight` returns markup; the template escapes all other
values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from conformance.language import Text, same
from conformance.model import Exchange, Finding, Header, Run, Verdict
from conformance.report.case import MAX_VALUE_CHARS as MAX_SEEN_CHARS
from conformance.report.curl import curl
from conformance.report.evidence_spans import Spans, merged, pointed_out
from conformance.report.html.excerpts import Excerpt, excerpt, fair_limit, kept_whole
from conformance.report.html.exchange_summary import WIDEST, attempts, fault_of, gist
from conformance.report.html.highlight import cost
from conformance.report.html.layout import lay_out
from conformance.report.html.response_diff import differences
from conformance.report.locale.terms import duration, size
from conformance.report.sanitize import cut, line, lines
from conformance.report.snippet import snippet

BUDGETS = {
    "request": 80_000,
    "curl": 80_000,
    "python": 100_000,
    "headers": 60_000,
    "body": 300_000,
    "reference": 120_000,
}
"""Bytes of HTML per part, for all exchanges together."""

MAX_CHARS = {
    "request": 6_000,
    "curl": 4_000,
    "python": 4_000,
    "headers": 4_000,
    "body": 16_000,
    "reference": 8_000,
}
"""Maximum bytes of HTML per part of one exchange."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference server's response to the same request."""

    status: Text
    facts: Text
    body: Excerpt | None


@dataclass(frozen=True, slots=True)
class ExchangeView:
    """One exchange, ready for the template.

    ``curl`` and ``python`` are None if they do not fit the budget; ``sendable`` tells whether the
    openai package can send such a request.
    """

    id: str
    title: str
    gist: str
    status: Text
    facts: Text
    fault: Text | None
    attempts: tuple[Text, ...]
    curl: str | None
    python: str | None
    sendable: bool
    request: Excerpt | None
    headers: Excerpt | None
    body: Excerpt | None
    reference: Reference | None


@dataclass(frozen=True, slots=True)
class Draft:
    """The parts of an exchange before truncation.

    ``response`` is the reference server's exchange or None, ``findings_by_exchange`` are the actual
    values of findings, ``differing`` are the spans in which both responses differ.
    """

    exchange: Exchange
    response: Exchange | None
    parts: Mapping[str, str]
    findings_by_exchange: tuple[str, ...]

    costs: Mapping[str, int]
    differing: tuple[Spans, Spans]


def drafts(run: Run, key_env: str | None) -> tuple[Draft, ...]:
    """Format every exchange of the run in full.

    Args:
        run: the run.
        key_env: the environment variable that commands read the key from.
    """
    result = _findings_of(run.findings)
    responses = {comparison.exchange: comparison.answer for comparison in run.comparisons}
    return tuple(
        _draft(
            exchange,
            responses.get(exchange.id),
            run.header,
            key_env,
            result.get(exchange.id, ()),
        )
        for exchange in run.exchanges
    )


def views(
    drafts: Iterable[Draft], first: Collection[str], share: float = 1
) -> dict[str, ExchangeView]:
    """Truncate exchanges to a share of the page's budget, and return them by id.

    Args:
        drafts: the exchanges in full.
        first: ids of exchanges that get budget first.
        share: the share of the budget to use.
    """
    budgets = {part: int(budget * share) for part, budget in BUDGETS.items()}
    shown: dict[str, ExchangeView] = {}
    for early in (True, False):
        group = [draft for draft in drafts if (draft.exchange.id in first) is early]
        room = _Room(
            {part: _fair(part, group, budgets[part]) for part in BUDGETS if part not in WHOLE},
            {part: _kept(part, group, budgets[part]) for part in WHOLE},
        )
        shown |= {draft.exchange.id: _view(draft, room) for draft in group}
        for part in BUDGETS:
            budgets[part] -= sum(room.spent(draft, part) for draft in group)
    return shown


WHOLE = frozenset({"curl", "python"})
"""Parts that are shown whole or not at all."""


@dataclass(frozen=True, slots=True)
class _Room:
    """Limits per part, and the ids of exchanges whose whole parts are shown."""

    limits: Mapping[str, int]
    kept: Mapping[str, frozenset[str]]

    def spent(self, draft: Draft, part: str) -> int:
        if part in WHOLE:
            return draft.costs[part] if draft.exchange.id in self.kept[part] else 0
        return min(draft.costs[part], self.limits[part])


def _fair(part: str, drafts: Iterable[Draft], budget: int) -> int:
    return fair_limit([draft.costs[part] for draft in drafts], max(budget, 0), MAX_CHARS[part])


def _kept(part: str, drafts: Iterable[Draft], budget: int) -> frozenset[str]:
    costs = {draft.exchange.id: draft.costs[part] for draft in drafts}
    return kept_whole(costs, budget, MAX_CHARS[part])


def _findings_of(findings: Iterable[Finding]) -> dict[str, tuple[str, ...]]:
    """Collect the actual values of failures by exchange id."""
    result: dict[str, tuple[str, ...]] = {}
    for finding in findings:
        if finding.seen and finding.verdict in {Verdict.FAIL, Verdict.WARN}:
            for key in finding.exchanges:
                result[key] = (*result.get(key, ()), line(cut(finding.seen, MAX_SEEN_CHARS)))
    return result


def _draft(
    exchange: Exchange,
    response: Exchange | None,
    header: Header,
    key_env: str | None,
    result: tuple[str, ...],
) -> Draft:
    headers = [f"{line(name)}: {cut(line(value), WIDEST)}" for name, value in exchange.headers]
    parts = {
        "request": _readable(exchange.request.body, MAX_CHARS["request"]),
        "curl": curl(exchange.request, header.base_url, key_env, header.headers) or "",
        "python": snippet(exchange.request, header.base_url, key_env, header.headers) or "",
        "headers": "\n".join(headers),
        "body": _readable(exchange.body, MAX_CHARS["body"]),
        "reference": _readable(response.body, MAX_CHARS["reference"]) if response else "",
    }
    costs = {name: cost(text) for name, text in parts.items()}
    differing = differences(parts["body"], parts["reference"]) if response else ((), ())
    return Draft(exchange, response, parts, result, costs, differing)


def _readable(body: bytes, most: int) -> str:
    """Decode and format a body; of a large one only the part that could be shown."""
    text = body[: most + 1].decode("utf-8", errors="replace")
    # A stream is not reformatted, because its framing is evidence.
    return lines(lay_out(text) if len(body) <= most else text)


def _view(draft: Draft, room: _Room) -> ExchangeView:
    exchange = draft.exchange
    request = exchange.request
    ours, theirs = draft.differing

    def marked(body: str) -> Spans:
        return merged(
            (*pointed_out(body, draft.findings_by_exchange), *_within(ours, body)), len(ours) + 20
        )

    return ExchangeView(
        id=exchange.id,
        title=f"{request.method} {request.path}",
        gist=cut(line(gist(request.body)), 120),
        status=_status(exchange),
        facts=_facts(exchange),
        fault=fault_of(exchange),
        attempts=attempts(exchange) if len(exchange.attempts) > 1 else (),
        curl=_whole(draft, "curl", room),
        python=_whole(draft, "python", room),
        sendable=bool(draft.parts["python"]),
        request=_part(draft, "request", room, len(request.body)),
        headers=_part(draft, "headers", room, len(draft.parts["headers"])),
        body=_part(draft, "body", room, len(exchange.body), marked),
        reference=_reference(draft, room, theirs),
    )


def _within(spans: Spans, text: str) -> Spans:
    """Clip spans to a truncated text."""
    return tuple((start, min(end, len(text))) for start, end in spans if start < len(text))


def _reference(draft: Draft, room: _Room, differing: Spans) -> Reference | None:
    response = draft.response
    if response is None:
        return None
    body = _part(
        draft, "reference", room, len(response.body), lambda text: _within(differing, text)
    )
    return Reference(_status(response), _facts(response), body)


def _status(exchange: Exchange) -> Text:
    return _NO_RESPONSE if exchange.status is None else same(str(exchange.status))


def _facts(exchange: Exchange) -> Text:
    return _FACTS.format(took=duration(exchange.elapsed), size=size(len(exchange.body)))


_FACTS = Text("{took}, {size}", "{took}，{size}")
_NO_RESPONSE = Text("no response", "无响应")


def _whole(draft: Draft, part: str, room: _Room) -> str | None:
    """Return a part that is shown whole or not at all."""
    return (draft.parts[part] or None) if draft.exchange.id in room.kept[part] else None


def _unmarked(_: str) -> Spans:
    return ()


def _part(
    draft: Draft,
    part: str,
    room: _Room,
    whole: int,
    marks: Callable[[str], Spans] = _unmarked,
) -> Excerpt | None:
    complete = whole <= MAX_CHARS[part]
    return excerpt(draft.parts[part], room.limits[part], whole, complete=complete, marks=marks)
