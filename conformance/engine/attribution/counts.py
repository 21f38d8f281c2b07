"""Three counts say the same: the tokens listed, the tokens billed and the limit of the request.

Where one of the three differs from two that agree, it is the wrong one, and every finding about
the other two that rests on their comparison is explained by the finding about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from conformance.engine.attribution.evidence import (
    Evidence,
    all_echoed,
    any_several,
    explained,
    of_token_ids,
    request_of,
)
from conformance.engine.attribution.places import BASIC, WHY, is_own
from conformance.judgement import Judgement
from conformance.message import say
from conformance.model import Effect, Explanation, Finding, Place
from conformance.protocol.cached_tokens import cached_tokens
from conformance.protocol.trace import RecordedExchange

LIMIT = ("max-tokens.limits-answer", "max-tokens.*")
BILLED = (
    "usage.completion-at-limit",
    "usage.completion-sums-choices",
    "usage.completion-counts-text",
    "usage.present",
)
PROMPT_BILLED = (
    "usage.prompt-grows-with-text",
    "usage.prompt-counted-once",
    "usage.prompt-sums-batch",
)
TOKEN_PROMPTS = ("prompt.tokens", "prompt.token-arrays", "prompt.tokens-equal-text")
BY_TOKENIZER = "usage.prompt-by-tokenizer"
RESTS_ON_CACHED = frozenset(
    {*PROMPT_BILLED, BY_TOKENIZER, "usage.stream-equals-plain", "usage.cached-within-prompt"}
)
RESTS_ON_LIMIT = frozenset(
    {
        "usage.completion-at-limit",
        "usage.completion-sums-choices",
        "usage.completion-counts-text",
        "usage.echo-not-completion",
        "logprobs-arrays.one-entry-per-token",
        "echo.logprobs-cover-prompt",
        "finish-reason.length-at-limit",
        "finish-reason.stop-at-natural-end",
        "logit-bias.forces",
        "temperature.range-served",
        "frequency-penalty.not-on-prompt",
        "presence-penalty.not-on-prompt",
    }
)
RESTS_ON_BILLED = frozenset(
    {"max-tokens.limits-answer", "max-tokens.zero-with-echo", "echo.zero-tokens-scores-prompt"}
)
RESTS_ON_BILLED_END = frozenset({"finish-reason.stop-at-natural-end"})
RESTS_ON_FINISH = frozenset(
    {
        "usage.completion-at-limit",
        "usage.completion-sums-choices",
        "logprobs-arrays.one-entry-per-token",
    }
)
FINISH = (
    "finish-reason.stop-at-sequence",
    "finish-reason.stop-at-natural-end",
    "finish-reason.per-choice",
)
ECHO_BILLED = ("usage.echo-not-completion",)
RESTS_ON_ECHO_BILLED = frozenset({"max-tokens.zero-with-echo", "echo.zero-tokens-scores-prompt"})
MISSING_ENTRIES = frozenset({Place.LOGPROBS, Place.ARRAYS, Place.PROMPT_SCORES})
RESTS_ON_PROMPT_BILLED = frozenset(
    {
        "prompt.tokens",
        "prompt.token-arrays",
        "prompt.verbatim",
        "echo.logprobs-cover-prompt",
    }
)


def another_count_is_wrong(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding about the count that is wrong where this one compares two."""
    if finding.place in BASIC or finding.effect is Effect.REFUSED:
        return None
    if finding.requirement == "interactions.kept-together" and finding.subject == "usage":
        # Settings that are combined count wrong where one of them alone does.
        alone = (one for one in evidence.about("usage.*") if is_own(one))
        return explained(
            next(alone, None), say("the tokens are counted wrong, not generated wrong")
        )
    return (
        _of_the_cache(evidence, finding)
        or _of_the_completion(evidence, finding)
        or _of_the_prompt(evidence, finding)
    )


def _of_the_cache(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the explanation by cached tokens that are left out of the prompt's, or added to them.

    It is one only where tokens were cached for a prompt that the finding is about.
    """
    rests_on_it = finding.requirement in RESTS_ON_CACHED
    if not rests_on_it or not any(map(_cached, evidence.of(finding))):
        return None
    owner = next(evidence.about("usage.cached-in-prompt"), None)
    return explained(owner, say("cached tokens change the count of the prompt's tokens"))


def _cached(exchange: RecordedExchange) -> int:
    """Return how many tokens of the prompts an answer says were cached; 0 if it says nothing."""
    try:
        return cached_tokens(exchange.completion.usage.raw) or 0
    except Judgement:
        return 0


def _of_the_completion(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the explanation by a wrong limit, bill, finish reason or echo of generated tokens."""
    claim = finding.requirement
    counts = list(_counts(evidence))
    limit_is_wrong = any(one.listed == one.billed != one.limit for one in counts)
    bill_is_wrong = any(one.listed == one.limit != one.billed for one in counts)
    several = any_several(evidence.requests_of(finding))
    alone = all(other is finding for other in evidence.about("max-tokens.limits-answer"))
    rests_on_bill = (claim in RESTS_ON_BILLED_END and bill_is_wrong) or (
        claim in RESTS_ON_BILLED and not limit_is_wrong and (bill_is_wrong or (several and alone))
    )
    reasons = (
        (
            limit_is_wrong and claim in RESTS_ON_LIMIT,
            LIMIT,
            say("its answers are longer or shorter"),
        ),
        (
            # The entries cover the prompt, and the tokens of the completion are billed wrong, too.
            bill_is_wrong and _compares_prompt_bill(finding),
            BILLED,
            say("the tokens are counted wrong, not generated wrong"),
        ),
        (
            claim in RESTS_ON_ECHO_BILLED,
            ECHO_BILLED,
            say("the echo is counted as generated tokens"),
        ),
        (
            claim in RESTS_ON_FINISH and not bill_is_wrong and _seems_cut(evidence, finding),
            FINISH,
            say("its finish reasons name the limit where something else ended the text"),
        ),
        (rests_on_bill, BILLED, say("the tokens are counted wrong, not generated wrong")),
        (
            claim in BILLED and _lacks_count(evidence, finding),
            ("usage.present",),
            say("the usage lacks the count"),
        ),
    )
    for holds, owners, why in reasons:
        able = (one for one in evidence.about(*owners) if one is not finding and is_own(one))
        # A finish reason is wrong in its own answers; a limit or a bill is wrong everywhere.
        near = owners is FINISH
        owner = next((one for one in able if not near or evidence.can_own(one, finding)), None)
        if holds and owner is not None:
            return explained(owner, why)
    return None


def _of_the_prompt(evidence: Evidence, finding: Finding) -> Explanation | None:
    if finding.requirement == BY_TOKENIZER:
        # The endpoint's own counts contradict each other, which needs no tokenizer to be seen.
        others = evidence.about(*PROMPT_BILLED, "usage.stream-equals-plain")
        owner = next((one for one in others if evidence.can_own(one, finding)), None)
        return explained(owner, say("the tokens of the prompt are counted wrong"))
    billed = _prompt_billed(evidence)
    if finding.requirement in RESTS_ON_PROMPT_BILLED:
        return explained(billed, say("the tokens of the prompt are counted wrong"))
    if finding.requirement in PROMPT_BILLED and all_echoed(evidence.judged_requests(finding)):
        # It compares the bill with the entries of the echoed prompt.
        lacking = explained(_lacks_entries(evidence), WHY[Place.PROMPT_SCORES])
        if lacking is not None:
            return lacking
    if finding.requirement in PROMPT_BILLED and of_token_ids(evidence.requests_of(finding)):
        owner = None if billed else next(evidence.about(*TOKEN_PROMPTS), None)
        return explained(owner, say("the prompts of token ids are read wrong, not counted wrong"))
    return None


def _prompt_billed(evidence: Evidence) -> Finding | None:
    """Return the finding that the tokens of prompts are counted wrong, also those of texts.

    What is said of echoes alone compares the bill with their entries, of which some may be missing.
    """
    lacking = _lacks_entries(evidence) is not None
    return next(
        (
            owner
            for owner in evidence.about(*PROMPT_BILLED)
            if not of_token_ids(evidence.requests_of(owner))
            and not (lacking and all_echoed(evidence.judged_requests(owner)))
        ),
        None,
    )


def _lacks_entries(evidence: Evidence) -> Finding | None:
    """Return the finding that echoed prompts have no entries."""
    owners = evidence.about("echo.logprobs-cover-prompt")
    return next((owner for owner in owners if owner.place in MISSING_ENTRIES), None)


def _compares_prompt_bill(finding: Finding) -> bool:
    """Return whether a claim about echoed prompts compares the bill with all of their entries."""
    compared = "prompt_tokens" in (finding.seen or "")
    return finding.requirement == "echo.logprobs-cover-prompt" and not finding.place and compared


def _seems_cut(evidence: Evidence, finding: Finding) -> bool:
    """Return whether each answer counts fewer tokens than the limit that is said to have cut it."""
    counted = []
    for exchange in evidence.judged_by(finding):
        try:
            request, completion = exchange.request, exchange.completion
            limit = request.limit * request.choices
            counted.append(completion.usage.completion_tokens < limit)
        except Judgement:
            continue
    return bool(counted) and all(counted)


def _lacks_count(evidence: Evidence, finding: Finding) -> bool:
    """Return whether the usage of each answer lacks the tokens of the completion."""
    usages = []
    for exchange in evidence.of(finding):
        try:
            usages.append(exchange.completion.usage.raw)
        except Judgement:
            continue
    return bool(usages) and all("completion_tokens" not in usage for usage in usages)


@dataclass(frozen=True, slots=True)
class _Counts:
    """Numbers of generated tokens of one answer that its limit ended."""

    listed: int
    billed: int
    limit: int


def _counts(evidence: Evidence) -> Iterator[_Counts]:
    for exchange in evidence.everything:
        try:
            counts = _counts_of(exchange)
        except (Judgement, TypeError):
            continue
        if counts is not None:
            yield counts


def _counts_of(exchange: RecordedExchange) -> _Counts | None:
    """Return the three counts of an answer; None if one of them is not told."""
    request = request_of(exchange)
    if request is None or request.logprobs is None or request.echo or request.stops:
        return None
    completion = exchange.completion
    if any(choice.finish_reason != "length" for choice in completion.choices):
        return None
    if len(completion.choices) != request.choices:
        return None
    listed = sum(len(choice.logprobs.tokens) for choice in completion.choices)
    return _Counts(listed, completion.usage.completion_tokens, request.limit * request.choices)
