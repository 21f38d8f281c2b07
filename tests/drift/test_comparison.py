"""Comparisons say what was seen, what chance allows, and what would have been seen."""

import random
from dataclasses import replace

import pytest

from conformance.drift import DriftFileError, Outcome, compare
from conformance.drift.comparison import LEVEL, TOLERANCE
from conformance.drift.recording import Recording
from tests.drift.recordings import a_recording, noisy, texts
from tests.lanes import by_default


def seen(old: Recording, new: Recording, seed: int = 0) -> Outcome:
    return compare(old, new, seed=seed, with_power=False).outcome


def test_equal_answers_show_no_difference() -> None:
    rng = random.Random(1)
    result = compare(noisy(rng, 0), noisy(rng, 0))
    assert (result.outcome, result.distance, result.noise) == (Outcome.NO_DIFFERENCE, 0, 0)
    assert result.detectable is not None
    assert TOLERANCE < result.detectable < 1e-3


def test_rounding_of_other_software_is_no_difference() -> None:
    rng = random.Random(2)
    assert seen(noisy(rng, 0), noisy(rng, 0, TOLERANCE * 0.9)) is Outcome.NO_DIFFERENCE
    assert seen(noisy(rng, 0), noisy(rng, 0, TOLERANCE * 5)) is Outcome.DIFFERS


def test_noise_hides_only_small_shifts() -> None:
    rng = random.Random(3)
    assert seen(noisy(rng, 0.05), noisy(rng, 0.05, 0.001)) is Outcome.NO_DIFFERENCE
    assert seen(noisy(rng, 0.05), noisy(rng, 0.05, 0.2)) is Outcome.DIFFERS


def test_stated_effect_is_detected() -> None:
    rng = random.Random(4)
    stated = compare(noisy(rng, 0.01), noisy(rng, 0.01)).detectable
    assert stated is not None
    found = [seen(noisy(rng, 0.01), noisy(rng, 0.01, stated), seed) for seed in range(20)]
    assert found.count(Outcome.DIFFERS) >= 14


@pytest.mark.parametrize("count", by_default([100], [100, 10_000]))
def test_false_alarms_are_rare(count: int) -> None:
    rng = random.Random(5)
    found = [seen(noisy(rng, 0.01), noisy(rng, 0.01), seed) for seed in range(count)]
    assert found.count(Outcome.DIFFERS) <= max(1, count * 2 * LEVEL)


def test_other_texts_are_a_difference() -> None:
    rng = random.Random(6)
    usual = {"x": 0.5, "y": 0.5}
    assert seen(texts(rng, usual), texts(rng, {"z": 1.0})) is Outcome.DIFFERS
    assert seen(texts(rng, usual), texts(rng, usual)) is Outcome.NO_DIFFERENCE


def test_long_reference_shows_smaller_changes_of_texts() -> None:
    usual, changed = {"x": 0.5, "y": 0.5}, {"x": 0.95, "y": 0.05}

    def found(rounds: int) -> int:
        rng = random.Random(7)
        pairs = [(texts(rng, usual, rounds), texts(rng, changed)) for _ in range(6)]
        return sum(seen(*pair, seed) is Outcome.DIFFERS for seed, pair in enumerate(pairs))

    assert found(16) > found(4)


def test_unlisted_token_counts_as_last_listed() -> None:
    old = a_recording(lambda _: {"a": -1.0, "b": -2.0})
    new = a_recording(lambda _: {"a": -1.0, "c": -2.0})
    assert compare(old, new, with_power=False).distance == 0


def test_few_answers_tell_nothing() -> None:
    rng = random.Random(8)
    whole = noisy(rng, 0)
    one_each = replace(whole, answers=whole.answers[:5])
    assert seen(one_each, noisy(rng, 0, 1.0)) is Outcome.TOO_FEW
    assert seen(replace(whole, answers=()), whole) is Outcome.TOO_FEW


def test_other_prompts_cannot_be_compared() -> None:
    rng = random.Random(9)
    with pytest.raises(DriftFileError, match="different prompts"):
        compare(noisy(rng, 0), a_recording(lambda _: {"a": -1.0, "b": -2.0}, prompts=("y",)))
    with pytest.raises(DriftFileError, match="record both alike"):
        compare(noisy(rng, 0), texts(rng, {"x": 1.0}))


def test_two_long_recordings_are_refused() -> None:
    rng = random.Random(10)
    with pytest.raises(DriftFileError, match="fewer --rounds"):
        compare(texts(rng, {"x": 1.0}, 24), texts(rng, {"x": 1.0}, 24))


def test_seed_decides_the_result() -> None:
    rng = random.Random(11)
    old, new = noisy(rng, 0.05), noisy(rng, 0.05, 0.02)
    first, second = (compare(old, new, seed=3, with_power=False) for _ in range(2))
    assert first == second
