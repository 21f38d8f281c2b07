"""Recordings made up for tests: normal noise around a model's log probabilities."""

import random
from collections.abc import Callable

from conformance.drift import Answer, Method, Recording
from conformance.drift.questions import PROMPTS

TOKENS = ("a", "b", "c", "d", "e")


def a_recording(
    scores: Callable[[int], dict[str, float]],
    *,
    rounds: int = 4,
    prompts: tuple[str, ...] = PROMPTS,
    method: Method = Method.LOGPROBS,
) -> Recording:
    """A complete recording; ``scores`` makes an answer to the prompt of an index."""
    return Recording(
        base_url="http://fake.example/v1",
        model="tiny",
        started_at="2026-12-01T08:00:00+00:00",
        suite_version="0.1.0",
        method=method,
        temperature=1.0,
        prompts=prompts,
        rounds=rounds,
        answers=tuple(
            Answer(prompt, turn, scores(prompt))
            for turn in range(rounds)
            for prompt in range(len(prompts))
        ),
    )


def noisy(rng: random.Random, noise: float, shift: float = 0.0) -> Recording:
    """Log probabilities with normal noise, every second token shifted up, the others down."""
    return a_recording(
        lambda prompt: {
            token: -1.0 - prompt - place + rng.gauss(0, noise) + shift * (-1) ** place
            for place, token in enumerate(TOKENS)
        }
    )


def texts(rng: random.Random, weights: dict[str, float], rounds: int = 4) -> Recording:
    """Texts drawn at random."""

    def draw(_: int) -> dict[str, float]:
        return {rng.choices(list(weights), list(weights.values()))[0]: 1.0}

    return a_recording(draw, rounds=rounds, method=Method.TEXTS)
