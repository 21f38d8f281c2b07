"""What is asked: the prompts, and the requests that are made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.drift.recording import LOWEST, MAX_TOKEN_CHARS, Method, is_number
from conformance.protocol.completion import Completion

LISTED = 5
"""Log probabilities to request: the most that the documents promise."""

ROUNDS = 4
"""Answers to each prompt, by default."""

PROMPTS: tuple[str, ...] = ("x", "The", "1 2 3 4", "def main(", "今天")
"""Short prompts of several kinds, because a change may show in one kind of text only.

They are part of the format: recordings with other prompts cannot be compared with these."""

BORDER_TEMPERATURE = 0.1
"""Where greedy answers never vary, a low temperature shows the same: two tokens whose logits differ
by less than a few times the temperature both appear."""

BORDERS = len(PROMPTS)
TRIES = 3
"""Requests for each candidate, as in arXiv 2602.11083."""

_HEADS = ("", "The ", "In ", "I ", "A ", "My ", "It is ", "We ")
_WORDS = (
    "red", "sun", "book", "tree", "how", "cat", "left", "first", "cold", "sea", "day", "new",
    "old", "king", "house", "fire", "long", "white", "game", "time", "road", "bird", "green",
    "night", "stone", "word", "hand", "ship", "music", "moon", "train", "city", "bread", "two",
    "winter", "apple", "paper", "star", "water", "girl",
)  # fmt: skip
CANDIDATES = tuple(f"{head}{word}" for word in _WORDS for head in _HEADS)
"""Short prompts among which border inputs are looked for, in this order."""


def request_for(prompt: str, method: Method, temperature: float) -> dict[str, Any]:
    """Return the parameters of a request for one token."""
    asked: dict[str, Any] = {"prompt": prompt, "max_tokens": 1, "temperature": temperature}
    return {**asked, "logprobs": LISTED} if method is Method.LOGPROBS else asked


ROUNDED_UP = 1e-3
"""Nats above 0 that rounding may make of a log probability; what is higher is none."""


def temperature_of(method: Method) -> float:
    """Return the temperature of a method's requests.

    Log probabilities are requested at 1, where they are the same before and after the temperature
    is applied; servers differ in which of both they list.
    """
    return 1.0 if method is Method.LOGPROBS else BORDER_TEMPERATURE


def scores_in(completion: Completion, method: Method) -> Mapping[str, float] | None:
    """Return what an answer says; None if it lists no log probabilities that can be read.

    Raises:
        Judgement: the completion cannot be read.
    """
    if method is Method.TEXTS:
        return {completion.text[:MAX_TOKEN_CHARS]: 1.0}
    choice = completion.only
    if not choice.has_logprobs:
        return None
    positions = choice.logprobs.raw.get("top_logprobs")
    listed = positions[0] if isinstance(positions, list) and positions else None
    if not isinstance(listed, Mapping):
        return None
    scores = {
        name[:MAX_TOKEN_CHARS]: max(LOWEST, float(score))
        for name, score in listed.items()
        if is_number(score) and score <= ROUNDED_UP
    }
    # Some servers add the token that was drawn to those that were requested.
    likeliest = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))[:LISTED]
    return dict(likeliest) if len(likeliest) > 1 else None
