"""Compare what an account was charged with the reported usage, over a run and one aborted stream.

The vendor's balance is read before the run, after it, and after one stream whose connection is
closed early. It is told in steps, maybe late, and others may spend from it; so what comes of it are
notes with their uncertainty, and never a verdict. Responses of the balance are not recorded, since
they may hold personal data; only the numbers are.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from conformance.api import Api
from conformance.checks._shared.prompts import COUNTING
from conformance.judgement import Judgement
from conformance.message import Message, say, verbatim
from conformance.model import Cost, Prices, Request, Target, money_of, most_money_of
from conformance.model.balance import TOKENS, BalanceSource
from conformance.protocol.trace import RecordedExchange
from conformance.transport.client import Client

WAIT_SECONDS = 1.0
"""Between two readings after a charge."""

MAX_READINGS = 8
"""Readings until two in a row agree, so that a charge that is booked late is seen."""

ABORT_TOKENS = 128
"""``max_tokens`` of the stream that is aborted: far more than is received of it."""

ABORT_EVENTS = 4
"""Events after which the connection is closed."""

CLEAR_STEPS = 4
"""Steps of the balance that the limit of that stream has to be worth, to tell anything by it."""

MAX_NUMBER_CHARS = 40
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")


class BalanceError(Exception):
    """The balance cannot be read; ``said`` says why."""

    def __init__(self, said: Message) -> None:
        self.said = said
        super().__init__(said)


@dataclass(frozen=True, slots=True)
class Reading:
    """A balance, and the smallest step in which it is written."""

    value: Decimal
    step: Decimal


class Account:
    """Reads the balance of a target's account.

    Args:
        target: a target with a balance.
        source: where it is.
        timeout: seconds for a request.
        sleep: replaces time in tests.
    """

    def __init__(
        self,
        target: Target,
        source: BalanceSource,
        *,
        timeout: float,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        parts = urlsplit(target.base_url)
        origin = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
        self.source = source
        self._target = replace(target, base_url=origin, api_key=source.api_key or target.api_key)
        self._timeout = timeout
        self._sleep = sleep

    async def read(self) -> Reading:
        """Return the balance.

        Raises:
            BalanceError: it cannot be read.
        """
        async with Client(self._target, timeout=self._timeout) as client:
            exchange = await client.send(Request("GET", self.source.path))
        if exchange.fault is not None:
            raise BalanceError(exchange.fault)
        if exchange.status != 200:
            raise BalanceError(say("status {status}", status=exchange.status or 0))
        return reading_of(exchange.body, self.source.pointer)

    async def settled(self) -> Reading:
        """Return the balance once two readings in a row agree, or the last one.

        Raises:
            BalanceError: it cannot be read.
        """
        before = await self.read()
        for _ in range(MAX_READINGS - 1):
            await self._sleep(WAIT_SECONDS)
            now = await self.read()
            if now.value == before.value:
                return now
            before = now
        return before

    def charged(self, before: Reading, after: Reading) -> Decimal:
        """Return what was charged between two readings."""
        change = after.value - before.value
        return change if self.source.rises else -change


def reading_of(body: bytes, pointer: str) -> Reading:
    """Read a balance from the body of a response.

    Raises:
        BalanceError: the body is not JSON, or has no number there.
    """
    try:
        found: Any = json.loads(body, parse_float=_written, parse_int=_written)
    except (ValueError, RecursionError):
        raise BalanceError(say("the response is not JSON")) from None
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        elif isinstance(found, dict) and name in found:
            found = found[name]
        else:
            raise BalanceError(say("the response has nothing at {pointer}", pointer=pointer))
    if not isinstance(found, str) or len(found) > MAX_NUMBER_CHARS or not _NUMBER.fullmatch(found):
        raise BalanceError(say("what is at {pointer} is no number", pointer=pointer))
    value = Decimal(found)
    exponent = value.as_tuple().exponent
    return Reading(value, Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0))


def _written(number: str) -> str:
    """Keep a number as it is written: its last digit is the step of the balance."""
    return number


@dataclass(frozen=True, slots=True)
class _Span:
    """What something costs in the unit of the balance: at least and at most."""

    least: Decimal
    most: Decimal


class Reconciliation:
    """Reads the balance around a run, and collects what can be said of it.

    Attributes:
        notes: sentences for readers, in order.
    """

    def __init__(self, account: Account, prices: Prices | None) -> None:
        self.notes: list[Message] = []
        self._account = account
        self._prices = prices
        self._before: Reading | None = None
        self._spent = Cost()

    async def begin(self, spent: Cost) -> None:
        """Read the balance before the run; ``spent`` is what was spent until now."""
        self._spent = spent
        self._before = await self._read()

    async def end(
        self, api: Api, trace: Sequence[RecordedExchange], spent: Callable[[], Cost]
    ) -> None:
        """Read the balance after the run, then around one aborted stream."""
        if self._before is None:
            return
        after = await self._settled()
        if after is None:
            return
        step = max(self._before.step, after.step)
        charged = self._account.charged(self._before, after)
        self.notes.append(self._of_the_run(charged, step, _less(spent(), self._spent)))
        prompt_tokens = _prompt_tokens(trace)
        if prompt_tokens is None:
            return
        try:
            response = await api.stream(
                fresh=True,
                read_events=ABORT_EVENTS,
                prompt=COUNTING,
                max_tokens=ABORT_TOKENS,
                temperature=0,
            )
            response.expect_response()
        except Judgement:
            return
        if response.exchange.status != 200 or not response.is_stream:
            return
        ended = await self._settled()
        if ended is not None:
            charged = self._account.charged(after, ended)
            self.notes.append(self._of_the_stream(charged, step, prompt_tokens))

    async def _read(self) -> Reading | None:
        return await self._attempted(self._account.read)

    async def _settled(self) -> Reading | None:
        return await self._attempted(self._account.settled)

    async def _attempted(self, read: Callable[[], Awaitable[Reading]]) -> Reading | None:
        try:
            return await read()
        except BalanceError as error:
            self.notes.append(say("The balance could not be read: {why}.", why=error.said))
            return None

    def _of_the_run(self, charged: Decimal, step: Decimal, cost: Cost) -> Message:
        """Say what the run was charged, beside what it should have been."""
        span, paid, around = self._worth(cost), self._amount(charged), self._amount(step)
        if span is None:
            return say(
                "The balance says {charged} for this run. Without prices in its currency, it "
                "cannot be compared with the reported usage.",
                charged=paid,
            )
        usage = self._amount(span.least)
        if span.most > span.least:
            least, most = _digits(span.least), self._amount(span.most)
            usage = say("{least} to {most}", least=least, most=most)
        if charged > span.most + step:
            return say(
                "The balance says {charged} for this run, and the reported usage {usage}: {more} "
                "more than that, give or take {step}. Others who use the account, and earlier "
                "requests that were booked late, would look the same.",
                charged=paid,
                usage=usage,
                more=self._amount(charged - span.most),
                step=around,
            )
        if charged < span.least - step:
            return say(
                "The balance says {charged} for this run, and the reported usage {usage}: {less} "
                "less than that, give or take {step}. Requests that are booked later would look "
                "the same.",
                charged=paid,
                usage=usage,
                less=self._amount(span.least - charged),
                step=around,
            )
        return say(
            "The balance says {charged} for this run, and the reported usage {usage}; give or take "
            "{step}, they agree.",
            charged=paid,
            usage=usage,
            step=around,
        )

    def _of_the_stream(self, charged: Decimal, step: Decimal, prompt_tokens: int) -> Message:
        """Say what a stream of which some events were received was charged."""
        prompt, whole = (self._most(prompt_tokens, n) for n in (0, ABORT_TOKENS))
        left = say(
            "A stream that was left after {events} events cost {charged} by the balance",
            events=ABORT_EVENTS,
            charged=self._amount(charged),
        )
        if prompt is None or whole is None:
            return say("{left}.", left=left)
        around = self._amount(step)
        limit: dict[str, int | str] = {"limit": ABORT_TOKENS}
        limit |= {"whole": self._amount(whole), "step": around}
        if whole - prompt <= CLEAR_STEPS * step:
            return say(
                "What a stream costs that its client leaves cannot be told: all of its {limit} "
                "tokens are worth {whole} with the prompt, and the balance has steps of {step}.",
                **limit,
            )
        if charged > whole + step:
            return say(
                "{left}, more than its whole limit of {limit} tokens ({whole}, give or take "
                "{step}). Others who use the account would look the same.",
                left=left,
                **limit,
            )
        if charged >= whole - step:
            return say(
                "{left}, as much as its whole limit of {limit} tokens ({whole}, give or take "
                "{step}).",
                left=left,
                **limit,
            )
        if charged < prompt - step:
            return say(
                "{left}, not even its prompt ({prompt}, give or take {step}). A charge that is "
                "booked later would look the same.",
                left=left,
                prompt=self._amount(prompt),
                step=around,
            )
        return say(
            "{left}: its prompt ({prompt}) or more, and less than its whole limit of {limit} "
            "tokens ({whole}, give or take {step}).",
            left=left,
            prompt=self._amount(prompt),
            **limit,
        )

    def _amount(self, amount: Decimal) -> Message:
        """Write an amount with its unit."""
        if self._account.source.unit != TOKENS:
            return verbatim(f"{_digits(amount)} {self._account.source.unit}")
        return say("1 token") if amount == 1 else say("{count} tokens", count=_digits(amount))

    def _worth(self, cost: Cost) -> _Span | None:
        if self._account.source.unit == TOKENS:
            known = cost.prompt_tokens + cost.completion_tokens
            return _Span(Decimal(known), Decimal(cost.tokens))
        if self._prices is None or self._prices.currency != self._account.source.unit:
            return None
        known_cost = replace(cost, estimated_tokens=0)
        return _Span(money_of(known_cost, self._prices).amount, money_of(cost, self._prices).amount)

    def _most(self, prompt_tokens: int, completion_tokens: int) -> Decimal | None:
        if self._account.source.unit == TOKENS:
            return Decimal(prompt_tokens + completion_tokens)
        if self._prices is None or self._prices.currency != self._account.source.unit:
            return None
        return most_money_of(prompt_tokens, completion_tokens, self._prices).amount


def _prompt_tokens(trace: Sequence[RecordedExchange]) -> int | None:
    """Return how many tokens the endpoint counts for the prompt of the aborted stream."""
    return next(_counts_of(trace), None)


def _counts_of(trace: Sequence[RecordedExchange]) -> Iterator[int]:
    for exchange in trace:
        try:
            if exchange.request.prompts == (COUNTING,) and exchange.request.best_of == 1:
                yield exchange.usage.prompt_tokens
        except Judgement:
            continue


def _less(cost: Cost, before: Cost) -> Cost:
    return Cost(
        cost.requests - before.requests,
        cost.prompt_tokens - before.prompt_tokens,
        cost.completion_tokens - before.completion_tokens,
        cost.estimated_tokens - before.estimated_tokens,
        cost.cached_tokens - before.cached_tokens,
    )


def _digits(amount: Decimal) -> str:
    """Write an amount without an exponent and without zeros at its end."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
