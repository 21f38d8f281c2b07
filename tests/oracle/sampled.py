"""Was every token chosen as it must be? What was sampled, held against the arithmetic of chance."""

from collections.abc import Sequence

from tests.oracle import chance
from tests.oracle.asked import Asked
from tests.oracle.model import Floats
from tests.oracle.vocabulary import Vocabulary, render
from tests.oracle.written import Candidate

IMPOSSIBLE = 1e-9
"""Without a known seed: no token is drawn that is one of those which together are this unlikely."""
COLD = 1e-6
"""Below this temperature nothing is drawn but the likeliest, or what rounding may take for it."""


def check_sampled(
    asked: Asked, candidate: Candidate, draws: Sequence[float] | None, vocabulary: Vocabulary
) -> None:
    """Hold each token against `draws`, its random numbers; None where no seed was given."""
    sampled = candidate.sampled
    assert vocabulary.end not in sampled[:-1], "something comes after the end of the text"
    if vocabulary.end not in sampled:
        assert len(sampled) == asked.max_tokens, "it ends neither by itself nor at its limit"
    rows = candidate.rows[len(candidate.prompt.read) - 1 :]
    for place, token in enumerate(sampled):
        logits, tolerance = rows[place].logits, rows[place].tolerance
        preferred = chance.preferences(logits, asked, sampled[:place], vocabulary.unspoken)
        told = f"token {place}, {render(vocabulary.spellings[token])!r},"
        if asked.temperature < COLD:
            likeliest = preferred[token] > preferred.max() - tolerance
            assert likeliest, f"{told} is not the likeliest"
        elif draws is None:
            possible = may_be_drawn(preferred, asked, token, tolerance)
            assert possible, f"{told} cannot be drawn"
        else:
            right = is_drawn(preferred, asked, token, draws[place], tolerance)
            assert right, f"{told} is not what the seed draws"


def may_be_drawn(preferred: Floats, asked: Asked, token: int, tolerance: float) -> bool:
    """Whether a token is in the nucleus, or so near its border that rounding may put it there."""
    likely = chance.probabilities(preferred, asked.temperature)
    likelier = preferred > preferred[token] + tolerance
    before = likely[likelier].sum()
    inside = not likelier.any() or before < asked.top_p + _slack(asked, tolerance)
    return bool(inside and likely[~likelier].sum() > IMPOSSIBLE)


def is_drawn(preferred: Floats, asked: Asked, token: int, draw: float, tolerance: float) -> bool:
    """Whether a number draws a token, wherever rounding may put the border of the nucleus."""
    likely = chance.probabilities(preferred, asked.temperature)
    slack = _slack(asked, tolerance)
    for top_p in (asked.top_p, asked.top_p - slack, asked.top_p + slack):
        kept = chance.nucleus(likely, top_p) if asked.top_p < 1 else likely
        first, end = chance.drawn_between(kept, token)
        if kept[token] and first - slack <= draw < end + slack:
            return True
    return False


def _slack(asked: Asked, tolerance: float) -> float:
    """How far a sum of probabilities may be off: dividing by a low temperature widens the error."""
    return tolerance / min(1.0, asked.temperature)
