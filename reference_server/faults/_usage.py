"""What several faults of the bill share: where they can hide, and rough ways to count."""

import math
import re

from reference_server.behaviour.messages import Body
from reference_server.behaviour.triggers import EVERYWHERE, Modifier

IN_USAGE = EVERYWHERE - {Modifier.SECOND_CHOICE}
"""One bill is for all choices, so that a fault of it cannot show in the second one alone."""

IN_NON_STREAMING_USAGE = IN_USAGE - {Modifier.STREAM, Modifier.NON_STREAMING}
"""The modifiers of what only plain answers have, or only streams."""

COUNTS = ("prompt_tokens", "completion_tokens")


def prompts(request: Body) -> list[str]:
    """The prompts of a request that are text."""
    prompt = request.get("prompt")
    several = prompt if isinstance(prompt, list) else [prompt]
    return [one for one in several if isinstance(one, str)]


def added_up(usage: Body, **changed: int) -> Body:
    """Counts that are others, with a total that is right for them."""
    whole = {**usage, **changed}
    return {**changed, "total_tokens": sum(whole[name] for name in COUNTS)}


def by_length(text: str) -> int:
    """Four characters a token: how software counts that has no tokenizer."""
    return math.ceil(len(text) / 4)


def by_words(text: str) -> int:
    """Count words and marks, as a tokenizer of another family roughly would."""
    return len(re.findall(r"\w+|[^\w\s]", text))
