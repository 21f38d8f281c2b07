"""What compares greedy answers rests on their being greedy.

Where the endpoint samples at temperature 0, two answers differ whatever else was asked for, and a
token is seldom the best one.
"""

from __future__ import annotations

from conformance.engine.attribution.evidence import Evidence, explained
from conformance.engine.attribution.traits import SAMPLED, traits_of
from conformance.message import say
from conformance.model import Effect, Explanation, Finding, Role

OWNER = "temperature.zero-is-greedy"
OF_BEST_TOKENS = frozenset(
    {
        "frequency-penalty.lowers-repeats",
        "logprobs-arrays.greedy-is-top",
        "presence-penalty.lowers-repeats",
    }
)
"""What is said of the tokens of a single greedy answer."""


def greedy_is_sampled(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding that temperature 0 samples, for what compares answers to it.

    Answers that do not differ although they should are no samples.
    """
    if finding.requirement == OWNER or finding.place is not None:
        return None
    compares = Role.CONTROL in finding.roles.values() or finding.requirement in OF_BEST_TOKENS
    requests = evidence.requests_of(finding)
    is_greedy = requests and not any(SAMPLED in traits_of(request) for request in requests)
    if not compares or not is_greedy or finding.effect is not Effect.ALTERED:
        return None
    owner = next((one for one in evidence.about(OWNER) if one.place is None), None)
    return explained(owner, say("the answers to `temperature` 0 are samples"))
