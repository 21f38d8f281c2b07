"""Compare two recordings: what was seen, what chance allows, and what would have been seen."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import fsum, sqrt

from conformance.drift.permutation import Pair, Row, deals_of, least_p_value, p_value
from conformance.drift.recording import Answer, DriftFileError, Method, Recording

LEVEL = 0.0005
"""The probability, at most, of reporting a difference where answers are exchangeable."""

MOST_ENUMERATED = 25_000
"""Ways to deal out the answers to one prompt, all of which are tried: 4 against 24 have 20,475."""

TOLERANCE = 2e-5
"""Nats by which mean log probabilities may differ without being a difference.

Two ways to compute one model in float32 differ in the last bits, always in the same direction, so
that repeating does not help: onnxruntime and torch on the bundled model by 1.3e-6 on average."""

SIMULATED, NEEDED = 20, 18
"""Simulated comparisons for each size of an effect, and how many have to report a difference."""

SIMULATED_DEALS = 3_999
SHIFTS = tuple(2e-5 * 2.0**i for i in range(20))
"""Shifts that are tried, in nats: up to 10."""

SHARES = tuple(i / 20 for i in range(1, 21))
"""Shares of replaced texts that are tried."""


class Outcome(StrEnum):
    """What a comparison says."""

    DIFFERS = "differs"
    NO_DIFFERENCE = "no-difference"
    TOO_FEW = "too-few"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of comparing two recordings.

    Attributes:
        outcome: whether they differ.
        method: what was compared.
        p: the p-value of the permutation test; 1 if there are too few answers.
        distance: the mean absolute difference, over tokens and prompts: of log probabilities in
            nats, or of the share of texts (twice the total variation, divided by the number of
            different texts).
        noise: the standard deviation of repeated answers within the recordings, in the same unit.
        detectable: the least effect that 18 of 20 simulated comparisons with this noise report: a
            shift of every log probability in nats, or the share of answers that become another
            text. None if there is a difference, too few answers, no such effect, or nobody asked.
        prompts: prompts that both recordings answer.
        answers: the number of answers in the older and the newer recording.
    """

    outcome: Outcome
    method: Method
    p: float
    distance: float
    noise: float
    detectable: float | None
    prompts: int
    answers: tuple[int, int]


def compare(
    old: Recording,
    new: Recording,
    *,
    seed: int = 0,
    tolerance: float = TOLERANCE,
    with_power: bool = True,
) -> Comparison:
    """Compare two recordings.

    Args:
        old: one recording.
        new: the other one; which is which changes nothing but the order in the result.
        seed: of everything that is drawn.
        tolerance: differences of mean log probabilities up to this, in nats, do not count.
        with_power: whether to compute what would have been seen, which takes a second.

    Raises:
        DriftFileError: they asked different questions, or both have too many answers.
    """
    _assert_comparable(old, new)
    pairs = pairs_of(old, new)
    if any(deals_of(pair) > MOST_ENUMERATED for pair in pairs):
        raise DriftFileError(
            "both recordings have so many rounds that they cannot be compared; record one of them "
            "with fewer --rounds"
        )
    allowed = tolerance if old.method is Method.LOGPROBS else 0.0
    rng = random.Random(seed)  # noqa: S311 - a simulation, not a secret
    answers = (len(old.answers), len(new.answers))
    if not pairs or least_p_value(pairs) > LEVEL / 5:
        return Comparison(
            Outcome.TOO_FEW,
            old.method,
            1.0,
            _distance(pairs),
            noise_in(pairs),
            None,
            len(pairs),
            answers,
        )
    p = p_value(pairs, rng, tolerance=allowed)
    differs = p <= LEVEL
    return Comparison(
        Outcome.DIFFERS if differs else Outcome.NO_DIFFERENCE,
        old.method,
        p,
        _distance(pairs),
        noise_in(pairs),
        detectable(pairs, old.method, rng, allowed) if with_power and not differs else None,
        len(pairs),
        answers,
    )


def _assert_comparable(old: Recording, new: Recording) -> None:
    if old.method is not new.method:
        raise DriftFileError(
            f"one recording has {old.method.value}, the other {new.method.value}; record both alike"
        )
    if old.prompts != new.prompts or old.temperature != new.temperature:
        raise DriftFileError(
            "the recordings have different prompts or temperatures; record both with the same "
            "version of this suite, and the same file of border inputs if there is one"
        )


def pairs_of(old: Recording, new: Recording) -> list[Pair]:
    """Return the answers to each prompt that both recordings answer, as numbers."""
    pairs = []
    for prompt in range(len(old.prompts)):
        before = [answer for answer in old.answers if answer.prompt == prompt]
        after = [answer for answer in new.answers if answer.prompt == prompt]
        if before and after:
            names = sorted({name for answer in (*before, *after) for name in answer.scores})
            pairs.append(
                Pair(
                    tuple(_row(answer, names, old.method) for answer in before),
                    tuple(_row(answer, names, old.method) for answer in after),
                )
            )
    return pairs


def _row(answer: Answer, names: Sequence[str], method: Method) -> Row:
    """Write an answer as numbers; an unlisted token is at most as probable as the last listed."""
    missing = min(answer.scores.values()) if method is Method.LOGPROBS else 0.0
    return tuple(answer.scores.get(name, missing) for name in names)


def _distance(pairs: Sequence[Pair]) -> float:
    return fsum(distance_of(pair) for pair in pairs) / len(pairs) if pairs else 0.0


def distance_of(pair: Pair) -> float:
    """Return the distance between the groups as they are."""
    gaps = [
        abs(fsum(before) / len(before) - fsum(after) / len(after))
        for before, after in zip(
            zip(*pair.old, strict=True), zip(*pair.new, strict=True), strict=True
        )
    ]
    return fsum(gaps) / len(gaps)


def noise_in(pairs: Sequence[Pair]) -> float:
    """Return the standard deviation of answers within their group, over tokens and prompts."""
    squares, free = 0.0, 0
    for pair in pairs:
        for group in (pair.old, pair.new):
            for column in zip(*group, strict=True):
                middle = fsum(column) / len(column)
                squares += fsum((value - middle) ** 2 for value in column)
                free += len(column) - 1
    return sqrt(squares / free) if free else 0.0


def detectable(
    pairs: Sequence[Pair], method: Method, rng: random.Random, tolerance: float
) -> float | None:
    """Return the least effect that simulated comparisons with this noise report, or None."""
    of_logprobs = method is Method.LOGPROBS
    change = _shifted if of_logprobs else _replaced
    sizes = SHIFTS if of_logprobs else SHARES

    def is_seen(effect: float) -> bool:
        seen = missed = 0
        while seen < NEEDED and missed <= SIMULATED - NEEDED:
            drawn = [change(pair, effect, rng) for pair in pairs]
            p = p_value(drawn, rng, tolerance=tolerance, most=SIMULATED_DEALS)
            seen, missed = (seen + 1, missed) if p <= LEVEL else (seen, missed + 1)
        return seen >= NEEDED

    if not is_seen(sizes[-1]):
        return None
    low, high = 0, len(sizes) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if is_seen(sizes[middle]) else (middle + 1, high)
    return sizes[high]


def _shifted(pair: Pair, effect: float, rng: random.Random) -> Pair:
    """Draw both groups from what varies within them, and shift each token of the second."""
    noise = [row for group in (pair.old, pair.new) for row in _around_zero(group)]
    width = len(pair.old[0])
    shift = [rng.choice((-effect, effect)) for _ in range(width)]
    old = tuple(rng.choice(noise) for _ in pair.old)
    new = tuple(
        tuple(value + by for value, by in zip(rng.choice(noise), shift, strict=True))
        for _ in pair.new
    )
    return Pair(old, new)


def _around_zero(group: Sequence[Row]) -> list[Row]:
    """Return rows without their mean; few rows vary less around their own mean than around it."""
    means = [fsum(column) / len(group) for column in zip(*group, strict=True)]
    widened = sqrt(len(group) / (len(group) - 1)) if len(group) > 1 else 1.0
    return [
        tuple((value - mean) * widened for value, mean in zip(row, means, strict=True))
        for row in group
    ]


def _replaced(pair: Pair, effect: float, rng: random.Random) -> Pair:
    """Draw both groups from all texts, and replace a share of the second by a text of its own."""
    texts = [*pair.old, *pair.new]
    unseen = (*(0.0 for _ in pair.old[0]), 1.0)
    old = tuple((*rng.choice(texts), 0.0) for _ in pair.old)
    new = tuple(unseen if rng.random() < effect else (*rng.choice(texts), 0.0) for _ in pair.new)
    return Pair(old, new)
