"""Parts that faults of ``usage`` share: their triggers, and rough ways to count."""

import math
import re

from reference_server.behaviour.messages import Body
from reference_server.behaviour.triggers import ALL_TRIGGERS, Trigger

IN_USAGE = ALL_TRIGGERS - {Trigger.SECOND_CHOICE}
"""All triggers but one: all choices share ``usage``, so the second alone cannot show a fault."""

IN_NON_STREAMING_USAGE = IN_USAGE - {Trigger.STREAM, Trigger.NON_STREAMING}
"""Triggers of what only non-streaming responses have, or only streams."""

COUNTS = ("prompt_tokens", "completion_tokens")


def prompts(request: Body) -> list[str]:
    """The prompts of a request that are text."""
    prompt = request.get("prompt")
    several = prompt if isinstance(prompt, list) else [prompt]
    return [one for one in several if isinstance(one, str)]


def added_up(usage: Body, **changed: int) -> Body:
    """Changed counts, with a total that is adjusted to them."""
    whole = {**usage, **changed}
    return {**changed, "total_tokens": sum(whole[name] for name in COUNTS)}


def by_length(text: str) -> int:
    """One token per four characters, the estimate of software without a tokenizer."""
    return math.ceil(len(text) / 4)


def by_words(text: str) -> int:
    """Count words and punctuation marks, roughly as another family of tokenizers does."""
    return len(re.findall(r"\w+|[^\w\s]", text))
