"""Three counts say the same: the tokens listed, the tokens billed and the limit of the request.

Where one of the three differs from two that agree, it is the wrong one, and every finding about
the other two that rests on their comparison is explained by the finding about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
from conformance.engine.attribution.traits import traits_of
from conformance.judgement import Judgement
from conformance.message import as_message, say
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
COMPARES_PROMPT_BILLS = frozenset({*PROMPT_BILLED, "usage.stream-equals-plain"})
"""Requirements that an answer counts its prompt as another one does."""

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

TOLERATED = 1
"""Tokens by which a bill and the entries of a prompt may differ, such as a token for its start."""


def another_count_is_wrong(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding about the count that is wrong where this one compares two."""
    if finding.place in BASIC or finding.effect is Effect.REFUSED:
        return None
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
    """Return the explanation by a wrong limit, bill or echo of generated tokens."""
    claim = finding.requirement
    counts = list(counts_of(evidence))
    limit_is_wrong = any(one.listed == one.billed != one.limit for one in counts)
    bill_is_wrong = is_bill_wrong(counts)
    several = any_several(evidence.requests_of(finding))
    alone = all(other is finding for other in evidence.about("max-tokens.limits-answer"))
    rests_on_bill = (
        claim in RESTS_ON_BILLED_END and bill_is_wrong and _is_near_limit(evidence, finding, counts)
    ) or (
        claim in RESTS_ON_BILLED
        and not limit_is_wrong
        and (bill_is_wrong or (several and alone) or _is_billed_alike(evidence, finding))
    )
    reasons = (
        (
            limit_is_wrong and claim in RESTS_ON_LIMIT and not _is_beyond_limit(counts, finding),
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
        (rests_on_bill, BILLED, say("the tokens are counted wrong, not generated wrong")),
        (
            claim in BILLED and _lacks_count(evidence, finding),
            ("usage.present",),
            say("the usage lacks the count"),
        ),
    )
    for holds, owners, why in reasons:
        able = (one for one in evidence.about(*owners) if one is not finding and is_own(one))
        owner = next(able, None)
        if holds and owner is not None:
            return explained(owner, why)
    return None


def is_bill_wrong(counts: Iterable[Counts]) -> bool:
    """Return whether as many tokens are listed as the limit allows, and others are billed."""
    return any(one.listed == one.limit != one.billed for one in counts)


def _of_the_prompt(evidence: Evidence, finding: Finding) -> Explanation | None:
    if finding.requirement == BY_TOKENIZER:
        # The endpoint's own counts contradict each other, which needs no tokenizer to be seen.
        others = evidence.about(*PROMPT_BILLED, "usage.stream-equals-plain")
        owner = next((one for one in others if evidence.can_own(one, finding)), None)
        return explained(owner, say("the tokens of the prompt are counted wrong"))
    if finding.requirement in COMPARES_PROMPT_BILLS:
        owner = _of_its_controls(evidence, finding)
        if owner is not None:
            return explained(owner, say("it is compared with a count that is wrong itself"))
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


def _of_its_controls(evidence: Evidence, finding: Finding) -> Finding | None:
    """Return the finding that the counts are wrong that this one takes as right.

    They are those of its controls: all of these ask for what makes a count wrong, and what they are
    compared with does not.
    """
    controls = [traits_of(one.request) for one in evidence.controls_of(finding)]
    probes = [traits_of(one.request) for one in evidence.probes_of(finding)]
    for owner in evidence.about(*PROMPT_BILLED):
        needs = evidence.shared_traits(owner)
        if owner is finding or not needs or not controls or not is_own(owner):
            continue
        if all(needs <= one for one in controls) and not any(needs <= one for one in probes):
            return owner
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


def _is_near_limit(evidence: Evidence, finding: Finding, counts: Iterable[Counts]) -> bool:
    """Return whether each answer would reach its limit if its tokens were counted right."""
    missed = max((abs(one.billed - one.listed) for one in counts), default=0)
    for exchange in evidence.judged_by(finding):
        try:
            billed = exchange.completion.usage.completion_tokens
            if billed + missed < exchange.request.limit * exchange.request.choices:
                return False
        except (Judgement, TypeError):
            continue
    return True


def _is_billed_alike(evidence: Evidence, finding: Finding) -> bool:
    """Return whether a longer answer to the same prompt is billed the same number of tokens.

    So the limit has an effect, and the bill does not tell it.
    """
    for short in evidence.judged_by(finding):
        for long in evidence.everything:
            try:
                one, other = short.completion.only, long.non_streaming.only
                same = short.request.raw.get("prompt") == long.request.raw.get("prompt")
                counts = [each.completion.usage.completion_tokens for each in (short, long)]
            except (Judgement, TypeError):
                continue
            is_longer = len(one.text) < len(other.text) and other.text.startswith(one.text)
            if same and is_longer and one.finish_reason == "length" and counts[0] == counts[1]:
                return True
    return False


def _is_beyond_limit(counts: Iterable[Counts], finding: Finding) -> bool:
    """Return whether a bill of a prompt differs by more tokens than the limit is missed by."""
    if not _compares_prompt_bill(finding):
        return False
    missed = max((abs(one.listed - one.limit) for one in counts), default=0)
    seen = str(as_message(finding.seen).arguments.get("value", "")) if finding.seen else ""
    return seen.lstrip("-").isdigit() and abs(int(seen)) > missed + TOLERATED


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
class Counts:
    """Numbers of generated tokens of one answer that its limit ended."""

    listed: int
    billed: int
    limit: int


def counts_of(evidence: Evidence) -> Iterator[Counts]:
    """Yield the counts of each answer that tells all of them."""
    for exchange in evidence.everything:
        try:
            counts = _of_answer(exchange)
        except (Judgement, TypeError):
            continue
        if counts is not None:
            yield counts


def _of_answer(exchange: RecordedExchange) -> Counts | None:
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
    return Counts(listed, completion.usage.completion_tokens, request.limit * request.choices)
