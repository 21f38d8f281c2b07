"""Predicts the response to every test case from one baseline response to each of its prompts.

A greedy completion is the model's continuation of a prompt, cut by the limit and the stop
sequences, after the prompt if it is echoed, and repeated for each requested choice. So one baseline
response to each prompt predicts the responses to all combinations of settings that do not change
the model's choice. Pure: no request is sent here; ``None`` means that a value cannot be predicted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from conformance.checks._shared.characters import REPLACEMENT, join_tokens, solid
from conformance.checks._shared.requests import MAX_TOKENS
from conformance.checks._shared.token_scores import scores_of, tokens_of
from conformance.checks.interactions.cases import Prompt, TestCase
from conformance.judgement import Judgement
from conformance.protocol.completion import Choice, Completion

T = TypeVar("T")

Source = tuple[Prompt, str | None]
"""A prompt and its suffix, which decide a greedy completion."""


@dataclass(frozen=True)
class Baseline:
    """The response to a prompt alone: greedy, at most :data:`MAX_TOKENS` tokens, no stop sequence.

    Attributes:
        text: the completion.
        finish_reason: the reason given.
        tokens: the tokens in ``logprobs``, or None.
        scores: their log probabilities, or None.
        prompt_tokens: from ``usage``, or None.
        completion_tokens: from ``usage``, or None.
    """

    text: str
    finish_reason: object
    tokens: Sequence[str] | None = None
    scores: Sequence[float | None] | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    def within(self, limit: int) -> str | None:
        """Return the complete characters of the first ``limit`` tokens; None if unknown."""
        if limit >= MAX_TOKENS:
            return solid(self.text)
        if limit == 0:
            return ""
        if self.tokens is None:
            return None
        joined, known = join_tokens(self.tokens[:limit])
        text = solid(joined)
        # Some endpoints list the end-of-text token, which is not part of the text.
        if not known or not (self.text.startswith(text) or text.startswith(self.text)):
            return None
        return min(text, solid(self.text), key=len)

    def is_cut_by(self, limit: int) -> bool | None:
        """Return whether a completion ends at this limit; None if that is unknown."""
        if self.finish_reason == "length":
            return limit <= MAX_TOKENS
        if self.tokens is None or limit == len(self.tokens):
            return None
        return limit < len(self.tokens)


Baselines = Mapping[Source, Baseline]


@dataclass(frozen=True)
class Prediction:
    """One choice of the response to a test case; None means that a value cannot be predicted.

    Attributes:
        prompt: the prompt that it continues.
        text: the complete characters after an echoed prompt.
        finish_reason: the reason.
        tokens: its tokens in ``usage``.
        stopped: whether a stop sequence ends it.
    """

    prompt: Prompt
    text: str | None = None
    finish_reason: object = None
    tokens: int | None = None
    stopped: bool = False


def predict(case: TestCase, baselines: Baselines) -> list[Prediction]:
    """Predict each choice of the response to a test case, those of the first prompt first."""
    return [
        choice
        for prompt in case.prompts
        for choice in [predict_choice(case, prompt, baselines)] * case.request.n
    ]


def predict_choice(case: TestCase, prompt: Prompt, baselines: Baselines) -> Prediction:
    """Predict the choices that continue one prompt of a test case."""
    baseline = baselines.get((prompt, case.suffix))
    if baseline is None:
        return Prediction(prompt)
    text = baseline.within(case.max_tokens)
    if text is None:
        return Prediction(prompt)
    cut = min(
        (text.partition(stop)[0] for stop in case.request.stops if stop), key=len, default=text
    )
    if cut != text:
        return Prediction(prompt, cut, "stop", stopped=True)
    rest = baseline.text.removeprefix(solid(baseline.text))
    if rest and not all(
        stop.isascii() and not rest.strip(REPLACEMENT) for stop in case.request.stops
    ):
        # A sequence may match from the character that the limit cut.
        return Prediction(prompt, text)
    at_limit = baseline.is_cut_by(case.max_tokens)
    if at_limit is None:
        return Prediction(prompt, text)
    reason = "length" if at_limit else baseline.finish_reason
    tokens = case.max_tokens if at_limit else baseline.completion_tokens
    return Prediction(prompt, text, reason, tokens)


def baseline_of(response: Completion) -> Baseline:
    """Read a baseline from the response to a prompt alone.

    Raises:
        Failure: the response has no text.
    """
    choice = response.only
    return Baseline(
        text=choice.text,
        finish_reason=choice.finish_reason,
        tokens=_read(choice, tokens_of),
        scores=_read(choice, scores_of),
        prompt_tokens=_usage_of(response, "prompt_tokens"),
        completion_tokens=_usage_of(response, "completion_tokens"),
    )


def _read(choice: Choice, read: Callable[[Choice], T]) -> T | None:
    """Read a part of a choice, or None if it is missing or malformed; other checks judge that."""
    try:
        return read(choice) if choice.has_logprobs else None
    except Judgement:
        return None


def _usage_of(response: Completion, name: str) -> int | None:
    try:
        return int(getattr(response.usage, name))
    except Judgement:
        return None
