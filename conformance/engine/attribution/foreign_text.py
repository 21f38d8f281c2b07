"""Text that was added to every answer, or lost from it, explains what compares texts.

The tokens of an answer tell: if its text has all of them and more around them, as an advertisement
or a chat template's mark, or none although there are some, then the text is wrong, not its tokens.
What holds for the simplest request holds for those with a stop sequence, too.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from conformance.checks._shared.characters import join_tokens
from conformance.engine.attribution.evidence import Evidence, explained, request_of
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
    *TEXT_CLAIMS,
    "frequency-penalty.*",
    "presence-penalty.*",
    "text.whitespace-kept",
    "logprobs-arrays.tokens-join-to-text",
    "logprobs.returned",
    "streaming.logprobs-as-plain",
)


def text_is_foreign(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding about a text that was added to every answer, or lost from it."""
    if finding.place in BASIC or finding.effect is Effect.REFUSED:
        return None
    if not any(fnmatchcase(finding.requirement, glob) for glob in CLAIMS):
        return None
    seen = [
        is_changed for one in evidence.everything if (is_changed := _is_changed(one)) is not None
    ]
    # Now and then a text without tokens is no rule.
    if not seen or 2 * sum(seen) <= len(seen):
        return None
    rank = OWNERS.index(finding.requirement) if finding.requirement in OWNERS else len(OWNERS)
    owners = evidence.about(*OWNERS[:rank])
    return explained(next(owners, None), say("text is added to every answer, or lost from it"))


def _is_changed(exchange: RecordedExchange) -> bool | None:
    """Return whether the text of a simple answer has other text around its tokens, or lost it all.

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
    return text != joined and (joined in text or not text)
