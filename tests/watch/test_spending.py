"""The limits of a day hold, in requests, tokens and money."""

from __future__ import annotations

from decimal import Decimal

import pytest

from conformance.engine.selection import Options
from conformance.model import Cost, Limits, Money, Prices, Tier
from conformance.targets.watching import DailyLimits
from conformance.watch.spending import Spent, allowed, left_of, most_of, together

PRICES = Prices(Decimal(10), Decimal(30), "USD")
SMOKE = Options(Tier.SMOKE)
DAY = "2026-12-01"


def test_another_day_begins_with_nothing() -> None:
    spent = Spent(DAY).plus(Cost(24, 400, 100), PRICES)
    assert (spent.requests, spent.tokens) == (24, 500)
    assert spent.money == {"USD": Decimal("0.007")}
    assert Spent.from_json(spent.as_json()) == spent
    assert spent.on("2026-12-02") == Spent("2026-12-02")


def test_all_targets_are_added() -> None:
    one = Spent(DAY, 10, 100, {"USD": Decimal(1)})
    old = Spent("2026-11-30", 99, 99, {"USD": Decimal(9)})
    total = together([one, one, old], DAY)
    assert total == Spent(DAY, 20, 200, {"USD": Decimal(2)})


def test_run_gets_what_is_left() -> None:
    left = left_of(DailyLimits(requests=60), Spent(DAY, 30), None)
    assert allowed(SMOKE, "openai", [left, Limits()]) == Limits(30, 3_000)


def test_run_that_does_not_fit_does_not_begin() -> None:
    left = left_of(DailyLimits(requests=60), Spent(DAY, 40), None)
    assert allowed(SMOKE, "openai", [left]) is None
    assert allowed(SMOKE, "openai", [Limits(), Limits(tokens=1_499)]) is None


def test_own_lower_limit_is_enough() -> None:
    few = Options(Tier.SMOKE, limits=Limits(10, 500))
    assert allowed(few, "openai", [Limits(12, 600)]) == Limits(10, 500)


@pytest.mark.parametrize(("spent", "tokens"), [("0", 2_000), ("0.03", 1_000)])
def test_money_becomes_the_dearest_tokens(spent: str, tokens: int) -> None:
    daily = DailyLimits(money=Money(Decimal("0.06"), "USD"))
    left = left_of(daily, Spent(DAY, money={"USD": Decimal(spent)}), PRICES)
    assert left == Limits(None, tokens)
    worst = most_of(Limits(50, tokens), PRICES, DAY)
    assert worst.money["USD"] + Decimal(spent) <= Decimal("0.06")
