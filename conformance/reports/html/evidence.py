"""Exchanges as the page shows them: decoded, laid out, cut to size. What is cut is said.

A page has a budget of bytes, whatever an endpoint sends, and spends it where it helps: small bodies
are whole, and large ones share what is left. Nothing here escapes; the template does that for every
value, without exception.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import escape

from conformance.language import Text, same
from conformance.model import Attempt, Exchange, Finding, Run, Verdict
from conformance.reports.case import LONGEST as LONGEST_SEEN
from conformance.reports.curl import curl, key_variable
from conformance.reports.difference import Pieces
from conformance.reports.html.layout import lay_out
from conformance.reports.marking import pointed_out
from conformance.reports.visible import cut, line, lines
from conformance.reports.words import duration, size

BUDGETS = {"request": 150_000, "curl": 150_000, "headers": 150_000, "body": 550_000}
"""Bytes of HTML for each part of all exchanges together: a page stays under 1.5 MB."""

LONGEST = {"request": 6_000, "curl": 4_000, "headers": 4_000, "body": 16_000}
"""Bytes of HTML for a part of one exchange, however much room there is."""

WIDEST_HEADER = 300


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A body made readable, in pieces that findings speak of or do not.

    ``left_out`` says what is not shown, and where to find it.
    """

    pieces: Pieces
    left_out: Text | None


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
    key_env: str | None
    request: Excerpt | None
    headers: Excerpt | None
    body: Excerpt | None


@dataclass(frozen=True, slots=True)
class _Draft:
    """The parts of an exchange before they are cut, and what they would cost in full.

    ``told`` is what findings say was seen in it.
    """

    exchange: Exchange
    request: str
    curl: str
    key_env: str | None
    headers: str
    body: str
    told: tuple[str, ...]

    def text(self, part: str) -> str:
        return str(getattr(self, part))

    def cost(self, part: str) -> int:
        return cost(self.text(part))


def views(run: Run, key_env: str | None) -> dict[str, ExchangeView]:
    """Lay out every exchange of the run, by id, within the page's budget."""
    told = _told(run.findings)
    drafts = [
        _draft(exchange, run.header.base_url, key_env, told.get(exchange.id, ()))
        for exchange in run.exchanges
    ]
    limits = {
        part: fair_limit([draft.cost(part) for draft in drafts], budget, LONGEST[part])
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


def cost(text: str) -> int:
    """Count the bytes a text takes in the page."""
    return len(escape(text).encode())


def fair_limit(costs: Sequence[int], budget: int, most: int) -> int:
    """Find how much each may cost so that all fit: the small ones whole, the large ones alike."""
    left = budget
    for place, each in enumerate(sorted(costs)):
        share = left // (len(costs) - place)
        if each > share:
            return min(share, most)
        left -= each
    return most


def _draft(exchange: Exchange, base_url: str, key_env: str | None, told: tuple[str, ...]) -> _Draft:
    headers = [
        f"{line(name)}: {cut(line(value), WIDEST_HEADER)}" for name, value in exchange.headers
    ]
    return _Draft(
        exchange,
        request=_readable(exchange.request.body, LONGEST["request"]),
        curl=curl(exchange.request, base_url, key_env) or "",
        key_env=key_variable(exchange.request, key_env),
        headers="\n".join(headers),
        body=_readable(exchange.body, LONGEST["body"]),
        told=told,
    )


def _readable(body: bytes, most: int) -> str:
    """Decode and lay out a body; of a large one only the part that could be shown is looked at."""
    text = body[: most + 1].decode("utf-8", errors="replace")
    # A stream stays as it is: its framing is evidence.
    return lines(lay_out(text) if len(body) <= most else text)


def _view(draft: _Draft, limits: Mapping[str, int]) -> ExchangeView:
    exchange = draft.exchange
    request, body = exchange.request, exchange.body
    return ExchangeView(
        id=exchange.id,
        title=f"{request.method} {request.path}",
        gist=cut(line(_gist(request.body)), 200),
        status=same(str(exchange.status)) if exchange.status is not None else _NO_ANSWER,
        facts=_FACTS.format(took=duration(exchange.elapsed), size=size(len(body))),
        fault=exchange.fault,
        attempts=_attempts(exchange) if len(exchange.attempts) > 1 else (),
        curl=draft.curl if draft.cost("curl") <= limits["curl"] else None,
        key_env=draft.key_env,
        request=_excerpt(draft, "request", limits, len(request.body)),
        headers=_excerpt(draft, "headers", limits, len(draft.headers)),
        body=_excerpt(draft, "body", limits, len(body)),
    )


def _gist(body: bytes) -> str:
    """Say in a line what a request asks; what tells requests apart comes before the prompt."""
    text = body[:_GIST_READS].decode("utf-8", errors="replace")
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(asked, dict):
        return text
    rest = {key: value for key, value in asked.items() if key not in {"model", "prompt"}}
    if "prompt" in asked:
        rest["prompt"] = asked["prompt"]
    return ", ".join(f"{key}: {_short(value)}" for key, value in rest.items())


def _short(value: object) -> str:
    """Write a value as JSON, short enough to leave room for the next."""
    return cut(json.dumps(value, ensure_ascii=False), 60)


_GIST_READS = 20_000
"""Bytes of a request that its line is made from; a body that is longer is shown as it starts."""


def _attempts(exchange: Exchange) -> tuple[Text, ...]:
    """Tell each try in a line: when it was sent, how long it took, what came of it."""
    return tuple(
        _ATTEMPT.format(
            started=duration(attempt.started),
            elapsed=duration(attempt.elapsed),
            what=cut(line(", ".join(_came_of(attempt))), 2 * WIDEST_HEADER),
        )
        for attempt in exchange.attempts
    )


_FACTS = Text("{took}, {size}", "{took}，{size}")
_NO_ANSWER = Text("no answer", "无回答")
_ATTEMPT = Text(
    "{started} into the run, after {elapsed}: {what}",
    "运行开始后 {started}，历时 {elapsed}：{what}",
)
_SHORTENED = Text(
    "Shortened; all {size} of it are in run.ndjson.", "已截短；完整的 {size} 在 run.ndjson 中。"
)


def _came_of(attempt: Attempt) -> Iterator[str]:
    """Tell a fault or a status, and of an answer that was not taken for one what it said."""
    yield str(attempt.fault or attempt.status)
    if attempt.retry_after is not None:
        yield f"Retry-After: {cut(attempt.retry_after, WIDEST_HEADER)}"
    if attempt.body:
        yield cut(attempt.body.decode("utf-8", errors="replace"), WIDEST_HEADER)


def _excerpt(draft: _Draft, part: str, limits: Mapping[str, int], whole: int) -> Excerpt | None:
    text = draft.text(part)
    if not text:
        return None
    shown = _cut_to_cost(text, limits[part])
    complete = len(shown) == len(text) and whole <= LONGEST[part]
    note = None if complete else _SHORTENED.format(size=size(whole))
    return Excerpt(pointed_out(shown, draft.told if part == "body" else ()), note)


def _cut_to_cost(text: str, limit: int) -> str:
    """Keep as much of the text's beginning as fits; halving steps, as escaping is not even."""
    if cost(text) <= limit:
        return text
    kept, step = 0, len(text)
    while step:
        if kept + step <= len(text) and cost(text[: kept + step]) <= limit:
            kept += step
        else:
            step //= 2
    return text[:kept]
