"""The parts of an answer in the order of reading, and which part a requirement is about."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from fnmatch import fnmatchcase

from conformance.message import NOTHING, as_message
from conformance.model import Effect, Finding


class Part(IntEnum):
    """A part of an answer, in the order of reading."""

    ANSWER = -1
    """That there is an answer at all."""
    BODY = 0
    CHOICES = 1
    INDEX = 2
    END = 3
    """How a stream ends."""
    TEXT = 4
    STREAMED = 5
    """That a stream has the text of a plain answer."""
    FINISH = 6
    SCORES = 7
    OFFSETS = 8
    EFFECT = 9
    """What a parameter does."""
    USAGE = 10
    SUM = 11
    """What a usage says by itself, whatever the text is."""
    CONSTANT = 12
    """What all chunks of a stream have in common, whatever else they have."""


PARTS: Mapping[str, Part] = {
    "envelope.strict-json": Part.BODY,
    "headers.content-encoding": Part.BODY,
    "errors.good-input-*": Part.ANSWER,
    "errors.few-left-unanswered": Part.ANSWER,
    "streaming.framing": Part.END,
    "streaming.error-framed": Part.END,
    "streaming.done-last": Part.END,
    "streaming.one-finish-per-choice": Part.END,
    "streaming.text-equals-plain": Part.STREAMED,
    "streaming.whole-characters": Part.STREAMED,
    "streaming.logprobs-as-plain": Part.SCORES,
    "streaming.identity-constant": Part.CONSTANT,
    "streaming.created-constant": Part.CONSTANT,
    "prompt.strings": Part.CHOICES,
    "prompt.token-arrays": Part.CHOICES,
    "prompt.tokens": Part.CHOICES,
    "n.count": Part.CHOICES,
    "n.default-one": Part.CHOICES,
    "index.*": Part.INDEX,
    "envelope.choices": Part.CHOICES,
    "text.*": Part.TEXT,
    "echo.off-by-default": Part.TEXT,
    "echo.scored-equals-generated": Part.SCORES,
    "finish-reason.*": Part.FINISH,
    "logprobs.*": Part.SCORES,
    "logprobs-arrays.*": Part.SCORES,
    "text-offset.*": Part.OFFSETS,
    "stop.no-token-listed-behind": Part.OFFSETS,
    "usage.present": Part.SUM,
    "usage.total-is-sum": Part.SUM,
    "usage.*": Part.USAGE,
    "stream-options.include-usage": Part.USAGE,
    "stream-options.no-usage-unasked": Part.SUM,
    "stream-options.other-chunks-null": Part.SUM,
}
"""What a requirement is about, if that is no parameter's effect."""

EFFECTS = (
    "prompt.*",
    "suffix.*",
    "max-tokens.*",
    "temperature.*",
    "top-p.*",
    "n.*",
    "best-of.*",
    "stop.*",
    "streaming.*",
    "stream-options.*",
    "presence-penalty.*",
    "frequency-penalty.*",
    "logit-bias.*",
    "echo.*",
    "seed.*",
    "user.*",
)
"""Requirements that are about the effect of a parameter."""

_TO_TEXT = frozenset({Part.BODY, Part.CHOICES, Part.INDEX, Part.END})
READ_BEFORE: Mapping[Part, frozenset[Part]] = {
    Part.ANSWER: frozenset(),
    Part.BODY: frozenset(),
    Part.CHOICES: frozenset({Part.BODY}),
    Part.INDEX: frozenset({Part.BODY, Part.CHOICES}),
    Part.END: frozenset({Part.BODY, Part.CHOICES, Part.INDEX}),
    Part.TEXT: _TO_TEXT,
    Part.STREAMED: _TO_TEXT | {Part.TEXT},
    Part.FINISH: _TO_TEXT | {Part.STREAMED},
    Part.SCORES: _TO_TEXT | {Part.TEXT, Part.STREAMED},
    Part.OFFSETS: _TO_TEXT | {Part.TEXT, Part.STREAMED, Part.SCORES},
    Part.EFFECT: _TO_TEXT | {Part.TEXT, Part.STREAMED, Part.FINISH, Part.SCORES},
    Part.USAGE: _TO_TEXT | {Part.STREAMED, Part.FINISH},
    Part.SUM: frozenset({Part.ANSWER}),
    Part.CONSTANT: frozenset({Part.ANSWER, Part.END}),
}
"""The parts that have to be right before anything can be said of a part."""


COUNTED = frozenset({"prompt_tokens", "completion_tokens", "total_tokens"})
"""What a count of the usage is called where a finding says which value it saw."""


OF_OPTIONS = "stream-options.include-usage"
"""That a stream has usage if it is asked for, and the same text as without."""


def part_claimed(finding: Finding) -> Part | None:
    """Return the part of an answer that a finding's claim compares; None if it is none.

    That a request is refused is known without any part.
    A check of a parameter's effect that counts the tokens billed reads no text and no scores, and
    one of the number of choices may miss a finish reason.
    """
    if finding.effect is Effect.REFUSED:
        return None
    part = part_of(finding.requirement)
    seen = as_message(finding.seen) if finding.seen is not None else NOTHING
    name = str(seen.arguments.get("name", ""))
    if part is Part.EFFECT and name in COUNTED:
        return Part.USAGE
    if finding.requirement == OF_OPTIONS and "other" in seen.arguments:
        return Part.EFFECT
    if part in {Part.EFFECT, Part.CHOICES} and name.startswith("finish_reason"):
        return Part.FINISH
    return part


def part_of(requirement: str) -> Part | None:
    """Return the part of an answer that a requirement is about; None if it is about none."""
    for glob, part in PARTS.items():
        if fnmatchcase(requirement, glob):
            return part
    if any(fnmatchcase(requirement, glob) for glob in EFFECTS):
        return Part.EFFECT
    return None
