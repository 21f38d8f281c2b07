"""What compares greedy answers rests on their being greedy.

Where the endpoint samples at temperature 0, two answers differ whatever else was asked for, and a
token is seldom the best one. Samples are often equal by chance, so a difference shows nothing of
the parameter that is compared, unless both sides of it came again each time.
"""

from __future__ import annotations

from conformance.engine.attribution.evidence import Evidence, explained, is_invariant
from conformance.engine.attribution.traits import SAMPLED, traits_of
from conformance.judgement import Judgement
from conformance.message import say
from conformance.model import Effect, Explanation, Finding, Role
from conformance.protocol.trace import RecordedExchange

OWNER = "temperature.zero-is-greedy"
OF_CHARACTERS = "streaming.whole-characters"
"""A check compares characters with those of another answer, an invariant looks for broken ones."""

OF_ONE_ANSWER = frozenset(
    {
        "frequency-penalty.lowers-repeats",
        "index.prompt-major",
        "logprobs-arrays.greedy-is-top",
        "presence-penalty.lowers-repeats",
        OF_CHARACTERS,
    }
)
"""What is said of the tokens of a single greedy answer, of which samples make broken characters.

That choices continue their own prompts is read from how they begin, without a role for each answer.
"""

STEADY = 4
"""Equal answers to one request that are no chance, if those to another one differ from them."""


def greedy_is_sampled(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding that temperature 0 samples, for what compares answers to it.

    Answers that do not differ although they should are no samples.
    """
    if finding.requirement == OWNER or finding.place is not None:
        return None
    by_itself = finding.requirement == OF_CHARACTERS and is_invariant(finding)
    of_one = finding.requirement in OF_ONE_ANSWER and not by_itself
    compares = Role.CONTROL in finding.roles.values() or of_one
    requests = evidence.requests_of(finding)
    is_greedy = requests and not any(SAMPLED in traits_of(request) for request in requests)
    if not compares or not is_greedy or finding.effect is not Effect.ALTERED:
        return None
    owner = next((one for one in evidence.about(OWNER) if one.place is None), None)
    if owner is None or _is_steady(evidence, finding):
        return None
    return explained(owner, say("the answers to `temperature` 0 are samples"))


def _is_steady(evidence: Evidence, finding: Finding) -> bool:
    """Return whether each request that is compared has one answer, however often it was sent."""
    compared = (*evidence.judged_by(finding), *evidence.controls_of(finding))
    for request in {exchange.exchange.request.body for exchange in compared}:
        answers = [
            texts
            for exchange in evidence.everything
            if exchange.exchange.request.body == request
            and (texts := _texts_of(exchange)) is not None
        ]
        if len(answers) < STEADY or len(set(answers)) > 1:
            return False
    return bool(compared)


def _texts_of(exchange: RecordedExchange) -> tuple[str, ...] | None:
    try:
        return tuple(exchange.completion.texts)
    except Judgement:
        return None
