"""Where the balance of an account is told, beside the endpoint that spends it."""

from __future__ import annotations

from dataclasses import dataclass, field

TOKENS = "tokens"
"""The unit of a balance in tokens; any other unit is the code of a currency."""


@dataclass(frozen=True, slots=True)
class BalanceSource:
    """Where a vendor tells what is left of an account, or what was spent.

    Attributes:
        path: the path on the target's host, such as ``/user/balance``.
        pointer: the JSON Pointer (RFC 6901) of the number in the response.
        unit: :data:`TOKENS`, or the code of a currency.
        rises: whether the number is what was spent, and not what is left.
        api_key: the key for it, if that is another one than the target's; never recorded.
    """

    path: str
    pointer: str
    unit: str
    rises: bool = False
    api_key: str | None = field(default=None, repr=False)
