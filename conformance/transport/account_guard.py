"""An account guard: end a run whose key, balance or route is gone, which is no request's fault.

An answer such as 401 in mid-run is either about its request, or about every request from now on.
One request that was served before tells which: if it is still served, the answer is handed to the
check; if it is refused twice, the run is over. The answer is held back until then, so no check
judges it. At an endpoint that refuses nothing in this way, no request is added.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import Enum, auto
from itertools import count

from conformance.judgement import BudgetSpent, EndedEarly, Inconclusive, Judgement
from conformance.message import Message, say
from conformance.model import Exchange, Request
from conformance.protocol.account import (
    cause_of,
    is_own_refusal,
    is_rate_limit,
    said,
    signature_of,
)
from conformance.protocol.account_wordings import Cause
from conformance.protocol.response import TRANSIENT_STATUSES
from conformance.transport.coalesce import Sender
from conformance.transport.retry import MAX_WAIT_SECONDS, requested_wait

PAUSE_SECONDS = 1.0
"""Delay before the second confirmation, unless the answer asks for another one."""

RATE_PAUSE_SECONDS = 10.0
"""The same if the answer speaks of a rate limit: some limit the rate with 403."""

MANY_SPECIFIC = 10
"""Answers found to be about their requests, after which not each new one is confirmed."""

MAX_IN_A_ROW = 3
"""Known answers in a row, without one served, of which the last is confirmed again."""

MAX_EXPLAINED_IN_A_ROW = 10
"""The same for answers to requests with a parameter that has been refused in this way before."""

ALIKE_IN_A_ROW = 6
"""Refusals in the same words to different requests, without one served, of which the last is
confirmed whatever it says: no list has all wordings of an empty account."""

MAX_QUOTED_CHARS = 100


class _Outcome(Enum):
    SPECIFIC = auto()  # the answer is about its request
    PASSED = auto()  # it was about all requests, and no longer is


class AccountGuard:
    """Confirms answers about the account, the route or a gatekeeper before checks see them.

    Attributes:
        ended: when and why the run ended early, in one sentence; None if it did not.
    """

    def __init__(
        self,
        model: str,
        on_end: Callable[[Exchange], None] = lambda _: None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] | None = None,
    ) -> None:
        """Guard the requests of one run.

        Args:
            model: the model of the run.
            on_end: called with the first answer that was withheld, when the run ends.
            clock: replaces time in tests.
            sleep: replaces time in tests.
        """
        self.ended: Message | None = None
        self._model, self._on_end = model, on_end
        self._clock, self._sleep = clock, sleep or asyncio.sleep
        self._started = clock()
        self._probe: Request | None = None
        self._confirming = asyncio.Lock()
        # Logical time: a confirmation says nothing about an answer that arrived after it was sent.
        self._moments = count(1)
        self._served_at = 0
        self._passed_at = 0
        # Signatures of answers about their requests, with the parameters that each may be about.
        self._specific: dict[object, list[frozenset[str]]] = {}
        self._found_specific = 0
        self._in_a_row = 0
        self._alike: tuple[object, int] = None, 0

    def arm(self, probe: Request) -> None:
        """Begin to confirm, with a request that was served."""
        self._probe = probe

    def around(self, send: Sender) -> Sender:
        """Return a guarded sender, which raises ``EndedEarly`` from the end of the run on."""

        async def guarded(request: Request) -> Exchange:
            first = await self._sent(request, send)
            outcome = await self._judged(first, send)
            if outcome is None or (outcome is _Outcome.SPECIFIC and not self._is_odd(first)):
                return first
            try:
                second = await self._sent(request, send)
            except BudgetSpent:
                raise Inconclusive(_unclear(first)) from None
            again = await self._judged(second, send)
            # A block that comes and goes says nothing about the request.
            if again is _Outcome.PASSED or (again and outcome is _Outcome.PASSED):
                raise Inconclusive(_unclear(second))
            return second

        return guarded

    async def _sent(self, request: Request, send: Sender) -> Exchange:
        await self._wait_for_confirmation()
        return await send(request)

    def _is_odd(self, exchange: Exchange) -> bool:
        """Return whether a request is sent again, because it is hardly the cause.

        Some relays reject a valid key now and then.
        """
        return cause_of(exchange, self._model) in {Cause.KEY, Cause.QUOTA, Cause.GATEKEEPER}

    async def _wait_for_confirmation(self) -> None:
        """Wait while an answer is confirmed, so that few requests are sent to a closed account."""
        if self._confirming.locked():
            async with self._confirming:
                pass
        if self.ended is not None:
            raise EndedEarly(self.ended)

    async def _judged(self, exchange: Exchange, send: Sender) -> _Outcome | None:
        """Return what an answer turns out to be; None if it is nothing to confirm."""
        probe = self._probe
        if probe is None:
            return None
        if cause_of(exchange, self._model) is None:
            has_ended = self.ended is not None and is_own_refusal(exchange)
            if has_ended or self._is_alike(exchange):
                return await self._confirmed(exchange, probe, send)
            if exchange.status == 200:
                self._in_a_row = 0
            return None
        if self.ended is None and self._is_known(exchange, probe):
            return None
        outcome = await self._confirmed(exchange, probe, send)
        if outcome is _Outcome.SPECIFIC:
            self._remember(exchange, probe)
        return outcome

    async def _confirmed(self, exchange: Exchange, probe: Request, send: Sender) -> _Outcome:
        """Send the probe, at most twice; answers that wait for the same confirmation share it."""
        arrived = next(self._moments)
        async with self._confirming:
            if self.ended is not None:
                raise EndedEarly(self.ended)
            if self._passed_at > arrived:
                return _Outcome.PASSED
            if self._served_at > arrived:
                return _Outcome.SPECIFIC
            words = signature_of(exchange)
            refused: list[tuple[Exchange, Cause]] = []
            for again in (False, True):
                if again:
                    await self._sleep(_pause([answer for answer, _ in refused]))
                sent = next(self._moments)
                try:
                    answer = await send(probe)
                except Judgement:  # the budget is spent, or the circuit is open
                    raise Inconclusive(_unclear(exchange)) from None
                cause = cause_of(answer, self._model)
                if cause is None and is_own_refusal(answer) and signature_of(answer) == words:
                    cause = Cause.ALIKE
                if cause is not None:
                    refused.append((answer, cause))
                elif not _is_passing(answer):
                    self._served_at, self._in_a_row = sent, 0
                    if refused:
                        self._passed_at = sent
                        return _Outcome.PASSED
                    return _Outcome.SPECIFIC
            if len(refused) < 2:
                raise Inconclusive(_unclear(exchange))
            self.ended = self._sentence(exchange, *refused[-1])
            self._on_end(exchange)
            raise EndedEarly(self.ended, exchange)

    @staticmethod
    def first_withheld(sentence: str) -> str | None:
        """Return the id of the exchange that ended a run, from :attr:`ended`; None if not that."""
        found = re.match(r"since request (\w{1,20}), ", sentence)
        return found[1] if found else None

    def _sentence(self, first: Exchange, answer: Exchange, cause: Cause) -> Message:
        words = said(answer, MAX_QUOTED_CHARS)
        last = first.attempts[-1] if first.attempts else None
        since = last.started + last.elapsed if last else self._clock() - self._started
        return say(
            "since request {id}, {seconds} s into the run, the endpoint answers "
            "{status} ({cause}): {body}; before that it served the same request",
            id=first.id,
            seconds=f"{since:.1f}",
            status=answer.status,
            cause=cause.said,
            body=words,
        )

    def _is_known(self, exchange: Exchange, probe: Request) -> bool:
        """Return whether an answer need not be confirmed, because its like was."""
        self._in_a_row += 1
        known = self._specific.get(signature_of(exchange))
        if known is None:
            return False
        parts = _parts(exchange.request) - _parts(probe)
        for number, common in enumerate(known):
            if common & parts:
                known[number] = common & parts
                return self._in_a_row < MAX_EXPLAINED_IN_A_ROW
        return self._found_specific >= MANY_SPECIFIC and self._in_a_row < MAX_IN_A_ROW

    def _is_alike(self, exchange: Exchange) -> bool:
        """Return whether an answer is the last of many refusals in the same words."""
        if not is_own_refusal(exchange):
            if exchange.status == 200:
                self._alike = None, 0
            return False
        words = signature_of(exchange)
        known, count = self._alike
        count = count + 1 if words == known else 1
        self._alike = words, count % ALIKE_IN_A_ROW
        return count == ALIKE_IN_A_ROW

    def _remember(self, exchange: Exchange, probe: Request) -> None:
        parts = _parts(exchange.request) - _parts(probe)
        known = self._specific.setdefault(signature_of(exchange), [])
        if not any(common & parts for common in known):
            known.append(parts)
        self._found_specific += 1


def _unclear(exchange: Exchange) -> Message:
    return say("answered {status}: {body}", status=exchange.status, body=said(exchange))


def _is_passing(answer: Exchange) -> bool:
    """Return whether an answer neither serves nor refuses: no response, a rate limit, a 5xx."""
    status = answer.status
    return status is None or status in TRANSIENT_STATUSES or status >= 500


def _pause(refused: list[Exchange]) -> float:
    if not refused:
        return PAUSE_SECONDS
    asked = requested_wait(refused[-1].headers, datetime.now(UTC))
    if asked is None:
        return RATE_PAUSE_SECONDS if is_rate_limit(refused[-1]) else PAUSE_SECONDS
    return min(max(asked, PAUSE_SECONDS), MAX_WAIT_SECONDS)


def _parts(request: Request) -> frozenset[str]:
    """Return the parts of a request that an answer can be about, such as its parameters."""
    parts = {f"header {name.lower()}" for name, _ in request.headers}
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return frozenset({*parts, "body"})
    parts |= {name for name, value in body.items() if value is not None}
    model, prompt = body.get("model"), body.get("prompt")
    return frozenset({*parts, f"model {model!r}", f"prompt {type(prompt).__name__}"})
