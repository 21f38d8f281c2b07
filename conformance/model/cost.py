"""What requests cost: requests and tokens, and money by the prices that a user states.

Money is exact decimal arithmetic; reports round it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

PER_TOKENS = 1_000_000
"""The number of tokens that a price is for, as vendors state theirs."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The maximum requests and tokens of a run; None is no limit."""

    requests: int | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run spent: requests sent, and tokens as the endpoint's usage reports them.

    ``estimated_tokens`` is the upper bound for responses without usable usage. ``cached_tokens``
    are those of ``prompt_tokens`` that usage reports as cached; 0 in records of older versions.
    """

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated_tokens: int = 0
    cached_tokens: int = 0

    @property
    def tokens(self) -> int:
        """The sum of all tokens."""
        return self.prompt_tokens + self.completion_tokens + self.estimated_tokens


@dataclass(frozen=True, slots=True)
class Prices:
    """What an endpoint charges for a million tokens.

    Attributes:
        input: of prompts.
        output: of completions.
        currency: the code of the currency, such as ``USD``.
        cached: of prompts that a cache already had; None if they cost what others cost.
    """

    input: Decimal
    output: Decimal
    currency: str
    cached: Decimal | None = None

    @property
    def of_cached(self) -> Decimal:
        """The price of cached tokens."""
        return self.input if self.cached is None else self.cached


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of money; ``is_bound`` tells that it is the most that was or can be spent."""

    amount: Decimal
    currency: str
    is_bound: bool = False


def money_of(cost: Cost, prices: Prices) -> Money:
    """Return what a run cost, by the usage that the endpoint reported.

    Tokens without reported usage are an upper bound, and may all have been the dearest ones.
    """
    parts = (
        (cost.prompt_tokens - cost.cached_tokens) * prices.input,
        cost.cached_tokens * prices.of_cached,
        cost.completion_tokens * prices.output,
        cost.estimated_tokens * max(prices.input, prices.output, prices.of_cached),
    )
    amount = sum(parts, Decimal(0)) / PER_TOKENS
    return Money(amount, prices.currency, is_bound=cost.estimated_tokens > 0)


def most_money_of(prompt_tokens: int, completion_tokens: int, prices: Prices) -> Money:
    """Return what tokens cost at most, however many of a prompt's are cached."""
    dearest = max(prices.input, prices.of_cached)
    amount = (prompt_tokens * dearest + completion_tokens * prices.output) / PER_TOKENS
    return Money(amount, prices.currency, is_bound=True)
