"""What must come back to a greedy request, told from the plainest answer to each of its prompts.

A greedy answer is what the model says to a prompt, cut by the limit and by the stop sequences, with
the prompt before it where that is echoed, as often as choices were asked for. So one unstopped
answer to each prompt foretells the answer to every combination of settings that leave the model's
choice alone. Pure: no request is made here, and what cannot be told for sure is None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from conformance.checks._shared.characters import join_tokens, solid
from conformance.checks._shared.requests import MAX_TOKENS
from conformance.checks._shared.token_scores import scores_of, tokens_of
from conformance.completion import Choice, Completion
from conformance.generated.interactions_rows import Prompt, Row
from conformance.judgement import Judgement

T = TypeVar("T")

Source = tuple[Prompt, str | None]
"""A prompt and the suffix that goes with it: what a greedy answer is decided by."""


@dataclass(frozen=True)
class Base:
    """The plainest answer to a prompt: greedy, of :data:`LIMIT` tokens at most, not stopped.

    Attributes:
        text: what was said.
        finish_reason: why it ended.
        tokens: its tokens as listed, or None where none are.
        scores: their log probabilities, or None.
        prompt_tokens: of the prompt, as billed, or None.
        completion_tokens: of the answer, as billed, or None.
    """

    text: str
    finish_reason: object
    tokens: Sequence[str] | None = None
    scores: Sequence[float | None] | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    def within(self, limit: int) -> str | None:
        """Return the whole characters of the first tokens; None where that cannot be told."""
        if limit >= MAX_TOKENS:
            return solid(self.text)
        if limit == 0:
            return ""
        if self.tokens is None:
            return None
        joined, known = join_tokens(self.tokens[:limit])
        text = solid(joined)
        # Some list the token that ended the answer, which is no part of the text.
        if not known or not (self.text.startswith(text) or text.startswith(self.text)):
            return None
        return min(text, solid(self.text), key=len)

    def is_cut_by(self, limit: int) -> bool | None:
        """Tell whether an answer of so many tokens ends at its limit; None where nobody can."""
        if self.finish_reason == "length":
            return limit <= MAX_TOKENS
        if self.tokens is None or limit == len(self.tokens):
            return None
        return limit < len(self.tokens)


Bases = Mapping[Source, Base]


@dataclass(frozen=True)
class Expected:
    """What one choice of a row has to be; None is what cannot be told.

    Attributes:
        prompt: the prompt that it continues.
        text: the whole characters behind an echoed prompt.
        finish_reason: why it ends.
        tokens: how many tokens it is billed for.
        stopped: whether a stop sequence ends it.
    """

    prompt: Prompt
    text: str | None = None
    finish_reason: object = None
    tokens: int | None = None
    stopped: bool = False


def expected_of(row: Row, bases: Bases) -> list[Expected]:
    """Tell each choice of the answer to a row, those of the first prompt first."""
    return [
        choice
        for prompt in row.prompts
        for choice in [expected_choice(row, prompt, bases)] * row.asked.n
    ]


def expected_choice(row: Row, prompt: Prompt, bases: Bases) -> Expected:
    """Tell the choices that continue one prompt of a row."""
    base = bases.get((prompt, row.suffix))
    if base is None:
        return Expected(prompt)
    text = base.within(row.limit)
    if text is None:
        return Expected(prompt)
    cut = min((text.partition(stop)[0] for stop in row.asked.stops if stop), key=len, default=text)
    if cut != text:
        return Expected(prompt, cut, "stop", stopped=True)
    if row.asked.stops and base.text != solid(base.text):
        # A sequence may match behind the character that was cut.
        return Expected(prompt, text)
    at_limit = base.is_cut_by(row.limit)
    if at_limit is None:
        return Expected(prompt, text)
    reason = "length" if at_limit else base.finish_reason
    tokens = row.limit if at_limit else base.completion_tokens
    return Expected(prompt, text, reason, tokens)


def base_of(answer: Completion) -> Base:
    """Read the plainest answer to a prompt.

    Raises:
        Deviation: it has no text.
    """
    choice = answer.only
    return Base(
        text=choice.text,
        finish_reason=choice.finish_reason,
        tokens=_read(choice, tokens_of),
        scores=_read(choice, scores_of),
        prompt_tokens=_billed(answer, "prompt_tokens"),
        completion_tokens=_billed(answer, "completion_tokens"),
    )


def _read(choice: Choice, read: Callable[[Choice], T]) -> T | None:
    """Read a part of a choice that may be missing, which is judged elsewhere."""
    try:
        return read(choice) if choice.has_logprobs else None
    except Judgement:
        return None


def _billed(answer: Completion, name: str) -> int | None:
    try:
        return int(getattr(answer.usage, name))
    except Judgement:
        return None
