"""Text that was added to every answer, or lost from it, explains what compares texts.

The tokens of an answer tell: if its text has all of them and more around them, as an advertisement
or a chat template's mark, or none although there are some, then the text is wrong, not its tokens.
What holds for the simplest request holds for those with a stop sequence, too.
"""

from __future__ import annotations

from enum import Enum
from fnmatch import fnmatchcase

from conformance.checks._shared.characters import join_tokens, solid
from conformance.engine.attribution.evidence import Evidence, explained, request_of
from conformance.engine.attribution.parts import Part, part_claimed
from conformance.engine.attribution.places import BASIC
from conformance.judgement import Judgement
from conformance.message import say
from conformance.model import Effect, Explanation, Finding
from conformance.protocol.trace import RecordedExchange

TEXT_CLAIMS = (
    "stop.*",
    "streaming.stop-never-leaks",
    "streaming.held-text-released",
    "echo.off-by-default",
    "echo.own-prompt-in-batch",
    "echo.prompt-then-completion",
    "echo.scored-equals-generated",
    "echo.zero-tokens-scores-prompt",
    "streaming.echo-once",
    "max-tokens.*",
    "text-offset.*",
    "suffix.*",
    "prompt.batch-as-singles",
    "usage.completion-counts-text",
    "logit-bias.*",
    "stream-options.include-obfuscation",
)
SPECIAL = frozenset(
    {
        "best_of",
        "echo",
        "frequency_penalty",
        "logit_bias",
        "n",
        "presence_penalty",
        "stop",
        "suffix",
    }
)
"""Parameters that change the text of a greedy answer, or what stands before and behind it."""

OWNERS = (
    "envelope.strict-json",
    "text.no-special-tokens",
    "text.present",
    "echo.off-by-default",
    "prompt.string",
    "logprobs-arrays.tokens-join-to-text",
    "text.whole-characters",
    "text.whitespace-kept",
)
CLAIMS = (
    "text.whole-characters",
    "streaming.whole-characters",
    "interactions.kept-together",
    *TEXT_CLAIMS,
    "frequency-penalty.*",
    "presence-penalty.*",
    "text.whitespace-kept",
    "logprobs-arrays.tokens-join-to-text",
    "logprobs.returned",
    "streaming.logprobs-as-plain",
)


class Change(Enum):
    """What was done to the text of an answer, as its tokens tell."""

    NONE = "none"
    BEFORE = "text in front of it, or all of it lost"
    BEHIND = "text behind it"
    CUT = "its end is lost"


def text_is_foreign(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding about a text that was added to every answer, or lost from it."""
    if finding.place in BASIC or finding.effect is Effect.REFUSED:
        return None
    if not any(fnmatchcase(finding.requirement, glob) for glob in CLAIMS):
        return None
    # Tokens that are billed do not depend on the text, unless they are compared with it.
    billed = finding.subject == "usage" or part_claimed(finding) is Part.USAGE
    if billed and finding.requirement != "usage.completion-counts-text":
        return None
    seen = [change for one in evidence.everything if (change := _change_of(one)) is not None]
    if fnmatchcase(finding.requirement, "text-offset.*"):
        # What stands behind the tokens moves none of them.
        seen = [Change.NONE if change is Change.BEHIND else change for change in seen]
    if finding.effect is Effect.IGNORED:
        # What is there although it should not be is not at the lost end.
        seen = [Change.NONE if change is Change.CUT else change for change in seen]
    # Now and then a text without tokens is no rule.
    if not seen or 2 * sum(change is not Change.NONE for change in seen) <= len(seen):
        return None
    rank = OWNERS.index(finding.requirement) if finding.requirement in OWNERS else len(OWNERS)
    owners = evidence.about(*OWNERS[:rank])
    return explained(next(owners, None), say("text is added to every answer, or lost from it"))


def _change_of(exchange: RecordedExchange) -> Change | None:
    """Return what a simple answer has around its tokens, or that it lost their text.

    None if the answer is not a simple one with tokens.
    """
    request = request_of(exchange)
    if request is None or request.raw.get("logprobs") is None or request.has(*SPECIAL):
        return None
    try:
        choices = exchange.non_streaming.choices
        joined, known = join_tokens(choices[0].logprobs.tokens)
        text = choices[0].text
    except (Judgement, TypeError):
        return None
    if not known or not joined or choices[0].finish_reason != "length":
        return None
    if text == joined:
        return Change.NONE
    if text and joined not in text:
        is_cut = joined.startswith(text) and len(text) < len(solid(joined))
        return Change.CUT if is_cut else Change.NONE
    return Change.BEHIND if text.startswith(joined) else Change.BEFORE
