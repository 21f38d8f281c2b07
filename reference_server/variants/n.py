"""Servers that generate one choice, or few."""

from __future__ import annotations

from reference_server.behaviour.builders import rejects
from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.of_requests import is_above, is_several
from reference_server.behaviour.registry import variant


@variant("no-n", refuses="n best_of")
def no_n() -> Behaviour:
    """One choice is generated per prompt: an ``n`` or ``best_of`` above 1 is rejected."""
    return rejects(
        lambda request: is_several(request.get("n")) or is_several(request.get("best_of")),
        "Only n = 1 is supported.",
        param="n",
    )


@variant("few-choices", refuses="n best_of")
def few_choices() -> Behaviour:
    """At most four choices are generated per prompt; a higher number is rejected."""
    return rejects(
        lambda request: any(is_above(request.get(name), 4) for name in ("n", "best_of")),
        "n and best_of must be at most 4.",
        param="n",
    )


@variant("two-choices", refuses="n best_of")
def two_choices() -> Behaviour:
    """At most two choices are generated per prompt, as many as a small server runs at once."""
    return rejects(
        lambda request: any(is_above(request.get(name), 2) for name in ("n", "best_of")),
        "Field 'n': Value must be between 1 <= value <= 2.",
        param="n",
    )


@variant("no-greedy-copies", refuses="n best_of")
def no_greedy_copies() -> Behaviour:
    """Several choices at temperature 0 are rejected, because they would be equal."""
    return rejects(
        lambda request: (
            request.get("temperature") == 0
            and (is_several(request.get("n")) or is_several(request.get("best_of")))
        ),
        "n must be 1 when using greedy sampling.",
        param="n",
    )
