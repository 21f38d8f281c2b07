"""What a day may cost, and what is left of it; pure.

A run begins only if what it costs against a conforming endpoint is left, and gets what is left as
its own limit. So a limit of a day holds even if every request costs as much as it can.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Self

from conformance.contract import LIVING
from conformance.engine.selection import EXTENSIONS, PRICES, Options
from conformance.model import Cost, Limits, Prices, money_of
from conformance.model.cost import PER_TOKENS
from conformance.targets.watching import DailyLimits
from conformance.watch.reading import amount_of, count_of


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent on a day, ``2026-12-01``; money by currency."""

    day: str = ""
    requests: int = 0
    tokens: int = 0
    money: Mapping[str, Decimal] = field(default_factory=dict, hash=False)

    def on(self, day: str) -> Self:
        """Return what was spent on a day: nothing, if it is another one."""
        return self if day == self.day else type(self)(day)

    def plus(self, cost: Cost, prices: Prices | None) -> Self:
        """Add the cost of a run."""
        money = dict(self.money)
        if prices is not None:
            added = money_of(cost, prices)
            money[added.currency] = money.get(added.currency, Decimal(0)) + added.amount
        return type(self)(self.day, self.requests + cost.requests, self.tokens + cost.tokens, money)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it; amounts are strings."""
        money = {currency: str(amount) for currency, amount in self.money.items()}
        return {
            "day": self.day, "requests": self.requests, "tokens": self.tokens, "money": money,
        }  # fmt: skip

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`as_json` made.

        Raises:
            ArithmeticError, KeyError, TypeError, ValueError: it is something else.
        """
        money = {str(key): amount_of(amount) for key, amount in values["money"].items()}
        requests, tokens = count_of(values["requests"]), count_of(values["tokens"])
        return cls(str(values["day"]), requests, tokens, money)


def together(spent: Iterable[Spent], day: str) -> Spent:
    """Return what several targets spent on a day."""
    total = Spent(day)
    for one in spent:
        today = one.on(day)
        money = dict(total.money)
        for currency, amount in today.money.items():
            money[currency] = money.get(currency, Decimal(0)) + amount
        total = Spent(day, total.requests + today.requests, total.tokens + today.tokens, money)
    return total


def most_of(limits: Limits, prices: Prices | None, day: str) -> Spent:
    """Return the most that a run within limits can spend."""
    tokens = limits.tokens or 0
    money = {prices.currency: _dearest(prices) * tokens / PER_TOKENS} if prices else {}
    return Spent(day, limits.requests or 0, tokens, money)


def left_of(daily: DailyLimits, spent: Spent, prices: Prices | None) -> Limits:
    """Return what is left of a day's limits, in requests and tokens; None is no limit.

    Money is counted in the dearest tokens of the target; the reader of the settings has made sure
    that a target with a limit in money has prices in its currency.
    """
    requests = None if daily.requests is None else max(0, daily.requests - spent.requests)
    tokens = None if daily.tokens is None else max(0, daily.tokens - spent.tokens)
    dearest = _dearest(prices) if prices else Decimal(0)
    if daily.money is not None and dearest:
        amount = daily.money.amount - spent.money.get(daily.money.currency, Decimal(0))
        affordable = max(0, int(amount * PER_TOKENS / dearest))
        tokens = affordable if tokens is None else min(tokens, affordable)
    return Limits(requests, tokens)


def _dearest(prices: Prices) -> Decimal:
    return max(prices.input, prices.output, prices.of_cached)


def allowed(options: Options, contract: str, left: Iterable[Limits]) -> Limits | None:
    """Return the limits of a run; None if not enough is left for one.

    Args:
        options: those of the run.
        contract: the name of its contract.
        left: what is left of each limit of the day.
    """
    ceiling = options.ceiling
    price = PRICES[options.tier]
    more = EXTENSIONS[options.tier] if contract in LIVING else (0, 0)
    requests, tokens = ceiling.requests, ceiling.tokens
    for one in left:
        requests = _least(requests, one.requests)
        tokens = _least(tokens, one.tokens)
    needed = (_least(price.requests + more[0], ceiling.requests),
              _least(price.tokens + more[1], ceiling.tokens))  # fmt: skip
    is_enough = (requests or 0) >= (needed[0] or 0) and (tokens or 0) >= (needed[1] or 0)
    return Limits(requests, tokens) if is_enough else None


def _least(one: int | None, other: int | None) -> int | None:
    return min((n for n in (one, other) if n is not None), default=None)
