"""Answers that belong to another request explain differences that come and go.

Where requests that are served together, or one after the other, get each other's text or settings,
any two answers can differ, whatever is compared. So what is said of a parameter because the same
request had another answer now and then follows from the finding that answers are mixed up. An
answer to another prompt also shows by its bill: the same request was billed otherwise before.
"""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase

from conformance.engine.attribution.evidence import Evidence, explained, request_of
from conformance.engine.attribution.traits import traits_of
from conformance.judgement import Judgement
from conformance.message import as_message, say
from conformance.model import Effect, Explanation, Finding
from conformance.protocol.trace import RecordedExchange

ISOLATION = ("isolation.own-prompt", "isolation.own-settings", "isolation.earlier-requests")
"""The requirements that no request changes the answer to another one."""

COMES_AGAIN = ("temperature.zero-is-greedy", "seed.repeats", "streaming.text-equals-plain")
"""The requirements that compare whole answers without a parameter that changes texts."""

BILLED = ("usage.prompt-grows-with-text", "usage.prompt-counted-once", "usage.prompt-sums-batch")
SOMETIMES = "sometimes {what}"
"""The id of what a check saw if the same greedy request had another answer now and then."""

OK = 200


def answers_are_mixed_up(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding that answers belong to other requests, for what only they show."""
    own = (*ISOLATION, *COMES_AGAIN, *BILLED)
    if finding.effect is Effect.REFUSED or any(fnmatchcase(finding.requirement, g) for g in own):
        return None
    varies, foreign = comes_sometimes(finding), _is_foreign(evidence, finding)
    if not varies and not foreign:
        return None
    for owner in evidence.about(*ISOLATION):
        if all(one.exchange.status == OK for one in evidence.judged_by(owner)):
            return explained(owner, say("its answers are mixed up with those to other requests"))
    for owner in evidence.about(*BILLED) if foreign else ():
        if any(_bills_another(evidence, one) for one in evidence.of(owner)):
            return explained(owner, say("its answers are mixed up with those to other requests"))
    for owner in evidence.about(*COMES_AGAIN) if varies else ():
        if comes_sometimes(owner) and _asks_for_less(evidence, owner, finding):
            return explained(owner, say("the same request has other answers now and then"))
    return None


def comes_sometimes(finding: Finding) -> bool:
    """Return whether a finding rests on different answers to the same greedy request."""
    return finding.seen is not None and as_message(finding.seen).template == SOMETIMES


def _asks_for_less(evidence: Evidence, owner: Finding, finding: Finding) -> bool:
    """Return whether a request with varying answers asks for nothing that the finding's do not."""
    requests = [traits_of(one) for one in evidence.requests_of(finding)]
    return any(evidence.shared_traits(owner) <= traits for traits in requests)


def _is_foreign(evidence: Evidence, finding: Finding) -> bool:
    """Return whether what is judged is billed as another prompt.

    Where answers come and go, one of those that are compared is enough.
    """
    if comes_sometimes(finding):
        return any(_bills_another(evidence, one) for one in evidence.of(finding))
    judged = evidence.judged_by(finding)
    return bool(judged) and all(_bills_another(evidence, one) for one in judged)


def _bills_another(evidence: Evidence, exchange: RecordedExchange) -> bool:
    """Return whether the prompt of a request is usually billed with other tokens than here."""
    own, request = _prompt_tokens(exchange), request_of(exchange)
    if own is None or request is None:
        return False
    prompt = request.raw.get("prompt")
    counts = Counter(
        billed
        for one in evidence.everything
        if (other := request_of(one)) is not None
        and other.raw.get("prompt") == prompt
        and (billed := _prompt_tokens(one)) is not None
    )
    # The same request is billed in two ways, and this is not how its prompt is billed mostly.
    same = {
        _prompt_tokens(one)
        for one in evidence.everything
        if one.exchange.request.body == exchange.exchange.request.body
    } - {None}
    usual, times = counts.most_common(1)[0]
    return len(same) > 1 and own != usual and times > counts[own]


def _prompt_tokens(exchange: RecordedExchange) -> int | None:
    try:
        return exchange.completion.usage.prompt_tokens
    except (Judgement, TypeError):
        return None
