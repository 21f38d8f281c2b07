"""Decide whether a non-deterministic difference is a near-tie or a fault of the endpoint.

A conforming endpoint chooses another token only where two are about equally probable. So the log
probabilities of the greedy response are requested. If one token leads by far at every position up
to the point where the responses diverge, and the difference recurs, the model does not cause it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.api import Api, RetestBudget
from conformance.checks._shared.ab_compare import Ask, Unsettled
from conformance.checks._shared.characters import token_bytes
from conformance.checks._shared.token_scores import Position, alternatives, positions_of
from conformance.judgement import Failure, Inconclusive, Judgement, Refusal, shown
from conformance.message import Message, say
from conformance.model import Exchange
from conformance.protocol.completion import Choice

NEAR_TIE_NATS = 0.5
"""The lead of the best token over the next, in nats, below which either may be chosen."""

CERTAIN_LOGPROB = -1e-6
"""A log probability that greedy sampling has set to certainty, which hides the lead."""

ROUNDS = 9
"""How often each side is requested once more."""

MIN_RETURNS = 2
"""How often the difference has to recur in these rounds."""


@dataclass(frozen=True, slots=True)
class Parting:
    """The point where two responses diverge: after which text, or None if other values differ.

    ``before`` holds the text up to that point: that of the value that differs, and that counted
    from the first value on.
    """

    before: tuple[str, ...] | None


async def settle(doubt: Unsettled, api: Api) -> Judgement:
    """Find out whether a non-deterministic difference can be a near-tie.

    Returns:
        A Failure if it cannot and has recurred, otherwise Inconclusive; with the measurements.
    """
    usual, outlier = usual_and_outlier(doubt.seen)
    try:
        lead = await lead_before(parting_of(usual, outlier), doubt.sides, api, doubt.said)
        if lead is None:
            return Inconclusive(
                say("{doubt}; the margin between the tokens is unknown", doubt=doubt.said)
            )
        if lead < NEAR_TIE_NATS:
            return Inconclusive(
                say(
                    "{doubt}; before they diverge, two tokens are {lead} nats apart, and "
                    "below {near_tie_nats} this is a near-tie",
                    doubt=doubt.said,
                    lead=f"{lead:.2f}",
                    near_tie_nats=NEAR_TIE_NATS,
                )
            )
        recurrences, rounds = await count_recurrences(doubt, usual, api.retest_budget)
    except Inconclusive as unanswered:
        return unanswered
    except (Failure, Refusal) as missing:
        return Inconclusive(
            say(
                "{doubt}; the margin between the tokens is unknown: {missing}",
                doubt=doubt.said,
                missing=missing.said,
            )
        )
    result = say(
        "{odd} instead of {usual}, {returns} times in {rounds} repeats, although one "
        "token leads by {lead} nats or more before they diverge",
        odd=shown(outlier),
        usual=shown(usual),
        returns=recurrences,
        rounds=rounds,
        lead=f"{lead:.1f}",
    )
    if recurrences >= MIN_RETURNS:
        return Failure(doubt.expected, say("sometimes {what}", what=result), effect=doubt.effect)
    return Inconclusive(say("the response is not deterministic: {what}", what=result))


def usual_and_outlier(seen: Sequence[Sequence[Any]]) -> tuple[Any, Any]:
    """Return the most frequent response, and one that differs from it."""
    responses = [response for side in seen for response in side]
    names = Counter(map(repr, responses))
    usual = max(responses, key=lambda response: names[repr(response)])
    return usual, next(response for response in responses if response != usual)


def parting_of(usual: Any, outlier: Any) -> Parting:
    """Find where two responses diverge: texts, or texts within lists and tuples."""
    ones, others = list(_leaves(usual)), list(_leaves(outlier))
    for number, (one, other) in enumerate(zip(ones, others, strict=False)):
        if one == other:
            continue
        if not (isinstance(one, str) and isinstance(other, str)):
            return Parting(None)
        before = one[: _shared(one, other)]
        earlier = "".join(leaf for leaf in ones[:number] if isinstance(leaf, str))
        return Parting((before, earlier + before))
    return Parting(None)


async def lead_before(
    parting: Parting, sides: Iterable[Ask[Any]], api: Api, doubt: Message
) -> float | None:
    """Return the smallest lead of a best token up to a parting, in nats; None if it is unknown.

    ``sides`` send the two requests; ``doubt`` is the message if the retest budget is spent.

    Raises:
        Failure, Refusal, Inconclusive: the endpoint returns no log probabilities here.
    """
    leads: list[float] = []
    for ask in sides:
        if not api.retest_budget.take(2):
            raise Inconclusive(
                say("{doubt}; the limit on repeated requests is reached", doubt=doubt)
            )
        earlier = len(api.exchanges)
        await ask(True)
        for body, events in _bodies(api.exchanges[earlier:]):
            if body.get("temperature") != 0:
                return None
            request = {
                k: v for k, v in body.items() if k not in ("stream", "stream_options", "echo")
            }
            if events is not None and request.get("max_tokens") is None:
                # A stream without a limit was closed; the same without one may never end.
                request["max_tokens"] = events
            response = await api.post({**request, "logprobs": alternatives(api)}, fresh=True)
            rows = rows_up_to(parting, response.expect_ok().choices, _head(body))
            if not rows:
                continue  # a side can send several requests, and this is not the differing one
            lead = lead_in(rows)
            if lead is None:
                return None
            leads.append(lead)
    return min(leads, default=None)


def rows_up_to(parting: Parting, choices: Iterable[Choice], head: str) -> list[Sequence[Position]]:
    """Return the tokens, up to the parting, of the choices that may differ; of all if unknown.

    ``head`` is the echoed text before the completion, which the choices lack.
    """
    if parting.before is None:
        return [positions_of(choice) for choice in choices]
    # Any of several choices may be the differing one.
    befores = {before.removeprefix(head) for before in parting.before}
    return [row for choice in choices if (row := max_lead_up_to(choice, befores))]


def lead_in(rows: Sequence[Sequence[Position]]) -> float | None:
    """Return the smallest lead in some responses; None if it is unknown in one of them."""
    leads = [lead_at(position) for row in rows for position in row]
    if not leads or None in leads or not _is_model_s_own(rows):
        return None
    return min(lead for lead in leads if lead is not None)


def max_lead_up_to(choice: Choice, befores: Iterable[str]) -> list[Position]:
    """Return the tokens up to the parting; none if the choice begins differently."""
    found = [
        up_to(positions_of(choice), text)
        for text in befores
        if choice.text.startswith(text) or text.startswith(choice.text)
    ]
    return max(found, key=len, default=[])


def up_to(positions: Sequence[Position], text: str) -> list[Position]:
    """Return the tokens that make up a text, and the one after it."""
    left, taken = len(text.encode("utf-8", errors="replace")), list[Position]()
    for position in positions:
        taken.append(position)
        left -= len(token_bytes(position.token) or b"")
        if left < 0:
            break
    return taken


def lead_at(position: Position) -> float | None:
    """Return the lead of the best token, in nats; None if fewer than two are listed."""
    best = sorted((position.top or {}).values(), reverse=True)[:2]
    return best[0] - best[1] if len(best) == 2 else None


async def count_recurrences(
    doubt: Unsettled, usual: Any, retest_budget: RetestBudget
) -> tuple[int, int]:
    """Send both requests again, and count the responses that differ from the usual one.

    Returns:
        The number of differing responses, and that of all responses.
    """
    recurrences = request = 0
    for _ in range(ROUNDS):
        for ask in doubt.sides:
            if recurrences >= MIN_RETURNS or not retest_budget.take(1):
                return recurrences, request
            request += 1
            recurrences += await ask(True) != usual
    return recurrences, request


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


def _shared(one: str, other: str) -> int:
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _bodies(exchanges: Sequence[Exchange]) -> list[tuple[Mapping[str, Any], int | None]]:
    """Return the requests, each with the events after which its stream was closed."""
    sent = [(json.loads(one.request.body), one.request.read_events) for one in exchanges]
    return [(body, events) for body, events in sent if isinstance(body, dict)]


def _head(body: Mapping[str, Any]) -> str:
    prompt = body.get("prompt")
    return prompt if body.get("echo") is True and isinstance(prompt, str) else ""


def _is_model_s_own(rows: Sequence[Sequence[Position]]) -> bool:
    """Return whether the leads are the model's, not those after greedy sampling."""
    scores = [position.logprob for row in rows for position in row if position.logprob is not None]
    return any(score < CERTAIN_LOGPROB for score in scores)
