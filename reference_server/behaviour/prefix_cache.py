"""A server that reports how many tokens of a prompt it had computed before.

The numbers are those of a cache of whole blocks: a prompt that was received before is cached up to
its last complete block, and never whole, because its last token has to be computed for the first
one of the completion. vLLM has blocks of 16 tokens (``--block-size``), SGLang of one
(``--page-size``). The relay learns the tokens of a prompt from the first response to it, so the
prompts of a batch count once each was sent alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reference_server.behaviour.builders import usage
from reference_server.behaviour.messages import Body
from reference_server.behaviour.of_requests import prompts_of
from reference_server.behaviour.rewrite import Rewrite

BLOCK_TOKENS = 16

Tell = Callable[[Body, Body, list[int]], Body]
"""What changes in ``usage``: ``(request, usage, cached tokens of each prompt)``."""


class PrefixCache:
    """The prompts that were received, with their numbers of tokens."""

    def __init__(self, block_tokens: int = BLOCK_TOKENS) -> None:
        self._block = block_tokens
        self._tokens: dict[str, int] = {}

    def hits(self, request: Body, counted: Body) -> list[int]:
        """The cached tokens of each prompt of a request, which is remembered."""
        prompts = [repr(prompt) for prompt in prompts_of(request)]
        known = [self._tokens.get(prompt, 0) for prompt in prompts]
        if len(prompts) == 1 and not request.get("suffix"):
            self._tokens[prompts[0]] = counted["prompt_tokens"]
        return [max(0, tokens - 1) // self._block * self._block for tokens in known]


def with_cache(tell: Tell, block_tokens: int = BLOCK_TOKENS) -> Rewrite:
    """Report cached tokens in every usage, with a cache of its own."""
    cache = PrefixCache(block_tokens)
    return usage(lambda request, counted: tell(request, counted, cache.hits(request, counted)))


def details(cached: Any) -> Body:
    """The member of ``usage`` that states cached tokens; null if there are none, as in vLLM."""
    return {"prompt_tokens_details": {"cached_tokens": cached} if cached else None}
