"""Exchanges as the page shows them: decoded, laid out, cut, beside the reference's answers.

Nothing here is markup but what :mod:`conformance.reports.html.highlight` makes; the template
escapes every other value, without exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from conformance.language import Text, same
from conformance.model import Exchange, Finding, Run, Verdict
from conformance.reports.case import LONGEST as LONGEST_SEEN
from conformance.reports.curl import curl, key_variable
from conformance.reports.html.beside import differences
from conformance.reports.html.excerpts import Excerpt, excerpt, fair_limit
from conformance.reports.html.gist import WIDEST, attempts, gist
from conformance.reports.html.highlight import cost
from conformance.reports.html.layout import lay_out
from conformance.reports.marking import Spans, merged, pointed_out
from conformance.reports.snippet import snippet
from conformance.reports.visible import cut, line, lines
from conformance.reports.words import duration, size

BUDGETS = {
    "request": 80_000,
    "curl": 80_000,
    "python": 100_000,
    "headers": 60_000,
    "body": 300_000,
    "reference": 120_000,
}
"""Bytes of HTML for each part of all exchanges together."""

LONGEST = {
    "request": 6_000,
    "curl": 4_000,
    "python": 4_000,
    "headers": 4_000,
    "body": 16_000,
    "reference": 8_000,
}
"""Bytes of HTML for a part of one exchange, however much room there is."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What the reference answered to the same request."""

    status: Text
    facts: Text
    body: Excerpt | None


@dataclass(frozen=True, slots=True)
class ExchangeView:
    """One exchange, ready for the template; ``key_env`` is what its command line reads."""

    id: str
    title: str
    gist: str
    status: Text
    facts: Text
    fault: str | None
    attempts: tuple[Text, ...]
    curl: str | None
    python: str | None
    key_env: str | None
    request: Excerpt | None
    headers: Excerpt | None
    body: Excerpt | None
    reference: Reference | None


@dataclass(frozen=True, slots=True)
class _Draft:
    """The parts of an exchange before they are cut.

    ``answer`` is the reference's, where it was asked; ``told`` is what findings say was seen.
    """

    exchange: Exchange
    answer: Exchange | None
    key_env: str | None
    parts: Mapping[str, str]
    told: tuple[str, ...]

    def cost(self, part: str) -> int:
        return cost(self.parts[part])


def views(run: Run, key_env: str | None, share: float = 1) -> dict[str, ExchangeView]:
    """Lay out every exchange of the run, by id, within a share of the page's budget."""
    told = _told(run.findings)
    answers = {comparison.exchange: comparison.answer for comparison in run.comparisons}
    drafts = [
        _draft(
            exchange,
            answers.get(exchange.id),
            run.header.base_url,
            key_env,
            told.get(exchange.id, ()),
        )
        for exchange in run.exchanges
    ]
    limits = {
        part: fair_limit([draft.cost(part) for draft in drafts], int(budget * share), LONGEST[part])
        for part, budget in BUDGETS.items()
    }
    return {draft.exchange.id: _view(draft, limits) for draft in drafts}


def _told(findings: Iterable[Finding]) -> dict[str, tuple[str, ...]]:
    """Gather what deviations say was seen, by the exchanges that show it."""
    told: dict[str, tuple[str, ...]] = {}
    for finding in findings:
        if finding.seen and finding.verdict in {Verdict.FAIL, Verdict.WARN}:
            for key in finding.exchanges:
                told[key] = (*told.get(key, ()), line(cut(finding.seen, LONGEST_SEEN)))
    return told


def _draft(
    exchange: Exchange,
    answer: Exchange | None,
    base_url: str,
    key_env: str | None,
    told: tuple[str, ...],
) -> _Draft:
    headers = [f"{line(name)}: {cut(line(value), WIDEST)}" for name, value in exchange.headers]
    parts = {
        "request": _readable(exchange.request.body, LONGEST["request"]),
        "curl": curl(exchange.request, base_url, key_env) or "",
        "python": snippet(exchange.request, base_url, key_env) or "",
        "headers": "\n".join(headers),
        "body": _readable(exchange.body, LONGEST["body"]),
        "reference": _readable(answer.body, LONGEST["reference"]) if answer else "",
    }
    return _Draft(exchange, answer, key_variable(exchange.request, key_env), parts, told)


def _readable(body: bytes, most: int) -> str:
    """Decode and lay out a body; of a large one only the part that could be shown is looked at."""
    text = body[: most + 1].decode("utf-8", errors="replace")
    # A stream stays as it is: its framing is evidence.
    return lines(lay_out(text) if len(body) <= most else text)


def _view(draft: _Draft, limits: Mapping[str, int]) -> ExchangeView:
    exchange = draft.exchange
    request = exchange.request
    ours, theirs = _differing(draft)

    def marked(body: str) -> Spans:
        return merged((*pointed_out(body, draft.told), *_within(ours, body)), len(ours) + 20)

    return ExchangeView(
        id=exchange.id,
        title=f"{request.method} {request.path}",
        gist=cut(line(gist(request.body)), 200),
        status=_status(exchange),
        facts=_facts(exchange),
        fault=exchange.fault,
        attempts=attempts(exchange) if len(exchange.attempts) > 1 else (),
        curl=_whole(draft, "curl", limits),
        python=_whole(draft, "python", limits),
        key_env=draft.key_env,
        request=_part(draft, "request", limits, len(request.body)),
        headers=_part(draft, "headers", limits, len(draft.parts["headers"])),
        body=_part(draft, "body", limits, len(exchange.body), marked),
        reference=_reference(draft, limits, theirs),
    )


def _differing(draft: _Draft) -> tuple[Spans, Spans]:
    if draft.answer is None:
        return (), ()
    return differences(draft.parts["body"], draft.parts["reference"])


def _within(spans: Spans, text: str) -> Spans:
    """Leave out what lies beyond a text that was cut."""
    return tuple((start, min(end, len(text))) for start, end in spans if start < len(text))


def _reference(draft: _Draft, limits: Mapping[str, int], differing: Spans) -> Reference | None:
    answer = draft.answer
    if answer is None:
        return None
    body = _part(
        draft, "reference", limits, len(answer.body), lambda text: _within(differing, text)
    )
    return Reference(_status(answer), _facts(answer), body)


def _status(exchange: Exchange) -> Text:
    return _NO_ANSWER if exchange.status is None else same(str(exchange.status))


def _facts(exchange: Exchange) -> Text:
    return _FACTS.format(took=duration(exchange.elapsed), size=size(len(exchange.body)))


_FACTS = Text("{took}, {size}", "{took}，{size}")
_NO_ANSWER = Text("no answer", "无回答")


def _whole(draft: _Draft, part: str, limits: Mapping[str, int]) -> str | None:
    """Return lines to be pasted: whole, or not at all."""
    return (draft.parts[part] or None) if draft.cost(part) <= limits[part] else None


def _unmarked(_: str) -> Spans:
    return ()


def _part(
    draft: _Draft,
    part: str,
    limits: Mapping[str, int],
    whole: int,
    marks: Callable[[str], Spans] = _unmarked,
) -> Excerpt | None:
    complete = whole <= LONGEST[part]
    return excerpt(draft.parts[part], limits[part], whole, complete=complete, marks=marks)
