"""Was every token chosen as it must be? What was sampled, held against the arithmetic of chance."""

from collections.abc import Sequence

from tests.oracle import chance
from tests.oracle.asked import Asked
from tests.oracle.model import Logits
from tests.oracle.vocabulary import Vocabulary, render
from tests.oracle.written import Candidate

LOGIT = 1e-4
"""How near two logits are a tie that 32-bit arithmetic may decide in its own way."""
IMPOSSIBLE = 1e-9
"""Without a known seed: no token is drawn that is one of those which together are this unlikely."""


def check_sampled(
    asked: Asked, candidate: Candidate, draws: Sequence[float] | None, vocabulary: Vocabulary
) -> None:
    """Hold each token against `draws`, its random numbers; None where no seed was given."""
    sampled = candidate.sampled
    assert vocabulary.end not in sampled[:-1], "something comes after the end of the text"
    if vocabulary.end not in sampled:
        assert len(sampled) == asked.max_tokens, "it ends neither by itself nor at its limit"
    rows = candidate.logits[len(candidate.prompt.read) - 1 :]
    for place, token in enumerate(sampled):
        preferred = chance.preferences(rows[place], asked, sampled[:place], vocabulary.unspoken)
        told = f"token {place}, {render(vocabulary.spellings[token])!r},"
        if asked.temperature == 0:
            assert preferred[token] > preferred.max() - LOGIT, f"{told} is not the likeliest"
        elif draws is None:
            assert may_be_drawn(preferred, asked, token), f"{told} cannot be drawn"
        else:
            right = is_drawn(preferred, asked, token, draws[place])
            assert right, f"{told} is not what the seed draws"


def may_be_drawn(preferred: Logits, asked: Asked, token: int) -> bool:
    """Whether a token is in the nucleus, or so near its border that rounding may put it there."""
    likely = chance.probabilities(preferred, asked.temperature)
    likelier = preferred > preferred[token] + LOGIT
    inside = not likelier.any() or likely[likelier].sum() < asked.top_p + slack(asked)
    return bool(inside and likely[~likelier].sum() > IMPOSSIBLE)


def is_drawn(preferred: Logits, asked: Asked, token: int, draw: float) -> bool:
    """Whether a number draws a token, wherever rounding may put the border of the nucleus."""
    likely = chance.probabilities(preferred, asked.temperature)
    for shift in (0.0, -slack(asked), slack(asked)):
        kept = chance.nucleus(likely, asked.top_p + shift) if asked.top_p < 1 else likely
        first, end = chance.drawn_between(kept, token)
        if kept[token] and first - slack(asked) <= draw < end + slack(asked):
            return True
    return False


def slack(asked: Asked) -> float:
    """How far a sum of probabilities may be off: dividing by a low temperature widens the error."""
    return LOGIT / min(1.0, asked.temperature)
