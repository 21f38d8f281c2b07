"""A balance of tokens, as vendors serve one for an account; off unless ``--balance`` is given.

``GET /v1/balance`` tells the tokens that are left and spent. What a stream costs whose client
closes the connection depends on the rule, because vendors differ there. Some bill what was
generated until then, and some nothing; that the whole response is billed was reported for Sub2API:
https://github.com/Wei-Shaw/sub2api/issues/4408
"""

from collections.abc import MutableMapping
from enum import StrEnum

from reference_server.completions.schema import CompletionRequest
from reference_server.completions.service import StreamPart

GRANTED_TOKENS = 1_000_000


class Rule(StrEnum):
    """What a stream costs that its client left."""

    GENERATED = "generated"
    """The prompt, and what was generated until the server noticed."""
    WHOLE = "whole"
    """The prompt, and as many tokens as the request allows."""
    NOTHING = "nothing"
    """Nothing at all."""


class Balance:
    """The tokens of one account."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._spent = 0

    def charge(self, usage: MutableMapping[str, int]) -> None:
        """Charge a response that was sent to its end."""
        self._spent += usage["total_tokens"]

    def charge_left(self, request: CompletionRequest, prompt_tokens: int, generated: int) -> None:
        """Charge a stream whose client closed the connection."""
        if self._rule is Rule.GENERATED:
            self._spent += prompt_tokens + generated
        elif self._rule is Rule.WHOLE:
            choices = len(request.prompts) * request.n
            self._spent += prompt_tokens + choices * (request.max_tokens or 0)

    def told(self) -> dict[str, object]:
        """The body of the response."""
        return {
            "object": "balance",
            "unit": "tokens",
            "left": GRANTED_TOKENS - self._spent,
            "spent": self._spent,
        }


class Bill:
    """What one stream costs so far."""

    def __init__(self, balance: Balance | None, request: CompletionRequest) -> None:
        self._balance = balance
        self._request = request
        self._prompt_tokens = 0
        self._generated: dict[int, int] = {}

    def add(self, part: StreamPart) -> None:
        """Count a part that is about to be sent."""
        self._prompt_tokens = part.prompt_tokens or self._prompt_tokens
        for index, chunk in part.chunks:
            self._generated[index] = max(chunk.tokens, self._generated.get(index, 0))

    def settle(self, usage: MutableMapping[str, int] | None) -> None:
        """Charge the stream; ``usage`` is None if the client left before its end."""
        if self._balance is None:
            return
        if usage is not None:
            self._balance.charge(usage)
        else:
            generated = sum(self._generated.values())
            self._balance.charge_left(self._request, self._prompt_tokens, generated)
