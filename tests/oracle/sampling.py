"""Check every sampled token against the exact probabilities."""

from collections.abc import Sequence

from tests.oracle import probability
from tests.oracle.model import Floats
from tests.oracle.rendering import Candidate
from tests.oracle.request import CompletionRequest
from tests.oracle.vocabulary import Vocabulary, render

IMPOSSIBLE = 1e-9
"""Without a seed: tokens whose total probability is below this must not be sampled."""
COLD = 1e-6
"""Below this temperature only the likeliest token is sampled, within rounding."""


def check_sampled(
    request: CompletionRequest,
    candidate: Candidate,
    draws: Sequence[float] | None,
    vocabulary: Vocabulary,
) -> None:
    """Check each token against its random number in `draws`; None without a seed."""
    sampled = candidate.sampled
    assert vocabulary.end not in sampled[:-1], "something comes after the end of the text"
    if vocabulary.end not in sampled:
        assert len(sampled) == request.max_tokens, "it ends neither by itself nor at its limit"
    rows = candidate.rows[len(candidate.prompt.read) - 1 :]
    for place, token in enumerate(sampled):
        logits, tolerance = rows[place].logits, rows[place].tolerance
        preferred = probability.preferences(logits, request, sampled[:place], vocabulary.unspoken)
        result = f"token {place}, {render(vocabulary.spellings[token])!r},"
        if request.temperature < COLD:
            likeliest = preferred[token] > preferred.max() - tolerance
            assert likeliest, f"{result} is not the likeliest"
        elif draws is None:
            possible = may_be_drawn(preferred, request, token, tolerance)
            assert possible, f"{result} cannot be drawn"
        else:
            right = is_drawn(preferred, request, token, draws[place], tolerance)
            assert right, f"{result} is not what the seed draws"


def may_be_drawn(
    preferred: Floats, request: CompletionRequest, token: int, tolerance: float
) -> bool:
    """Whether a token is in the nucleus, or so near its border that rounding may put it there."""
    likely = probability.probabilities(preferred, request.temperature)
    likelier = preferred > preferred[token] + tolerance
    before = likely[likelier].sum()
    inside = not likelier.any() or before < request.top_p + _slack(request, tolerance)
    return bool(inside and likely[~likelier].sum() > IMPOSSIBLE)


def is_drawn(
    preferred: Floats, request: CompletionRequest, token: int, draw: float, tolerance: float
) -> bool:
    """Whether a number draws a token, wherever rounding may put the border of the nucleus."""
    likely = probability.probabilities(preferred, request.temperature)
    slack = _slack(request, tolerance)
    for top_p in (request.top_p, request.top_p - slack, request.top_p + slack):
        kept = probability.nucleus(likely, top_p) if request.top_p < 1 else likely
        first, end = probability.drawn_between(kept, token)
        if kept[token] and first - slack <= draw < end + slack:
            return True
    return False


def _slack(request: CompletionRequest, tolerance: float) -> float:
    """How far a sum of probabilities may be off: dividing by a low temperature widens the error."""
    return tolerance / min(1.0, request.temperature)
