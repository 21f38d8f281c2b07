"""Thousands of simulated conforming servers against the statistical checks.

Their models are drawn: from ones that can say anything to ones that say one thing with a
probability of 0.9999. They truncate to what they list, ban tokens that they list, report little, or
round. None may be reported; each decision is also tested on faulty servers.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from conformance.checks._shared.p_values import LISTED_ALTERNATIVES, log_chance_of
from conformance.checks._shared.request_shapes import MIN_SUBOPTIMAL_TOKENS, is_suboptimal
from conformance.checks._shared.sampling_test import Place, log_chance
from conformance.checks._shared.significance import SHARES, log_chance_of_equal_rows
from conformance.checks._shared.token_scores import positions_of
from conformance.checks.best_of.directed import assert_chosen
from conformance.judgement import Failure
from conformance.protocol.completion import Choice

Distribution = dict[str, float]
"""A model's probabilities of some tokens."""

VOCABULARY = [f"t{number} " for number in range(40)]
TEXT = 16


@dataclass(frozen=True)
class Server:
    """A correct server: what its model says at each place, and what it samples from.

    ``takes`` turns the model's probabilities into those that are sampled at temperature 1: banned
    tokens and truncation leave the odds of the others alone. ``listed`` is how many it reports.
    """

    places: tuple[Distribution, ...]
    takes: Callable[[Distribution], Distribution]
    listed: int
    digits: int

    def sample(self, chance: random.Random, temperature: float = 1) -> list[str]:
        """One token for each place."""
        return [draw(self.takes(place), chance, temperature) for place in self.places]

    def choice(self, tokens: list[str]) -> Choice:
        """A sample with its log probabilities, as the server reports them."""
        scores, tops = [], []
        for token, place in zip(tokens, self.places, strict=True):
            best = sorted(place, key=lambda name: -place[name])[: self.listed]
            shown = dict.fromkeys([*best, token])
            tops.append({name: self._score(place[name]) for name in shown})
            scores.append(self._score(place[token]))
        result: Mapping[str, Any] = {
            "tokens": tokens,
            "token_logprobs": scores,
            "top_logprobs": tops,
            "text_offset": list(range(len(tokens))),
        }
        raw = {"text": "".join(tokens), "logprobs": result, "finish_reason": "length"}
        return Choice(raw, "choices[0]")

    def _score(self, probability: float) -> float:
        return round(math.log(max(probability, 1e-40)), self.digits)


def draw(of: Distribution, chance: random.Random, temperature: float = 1) -> str:
    weights = [p ** (1 / temperature) if p else 0.0 for p in of.values()]
    return chance.choices(list(of), weights)[0]


def model(chance: random.Random) -> Distribution:
    """A distribution of any entropy, from next to none to all there is."""
    sharpness = 10 ** chance.uniform(-1.0, 1.3)
    weights = [math.exp(sharpness * chance.gauss(0, 1)) for _ in VOCABULARY]
    return {token: weight / sum(weights) for token, weight in zip(VOCABULARY, weights, strict=True)}


def kept(of: Distribution, count: int) -> Distribution:
    best = sorted(of, key=lambda token: -of[token])[:count]
    return {token: of[token] for token in best}


def without(of: Distribution, banned: str) -> Distribution:
    return {token: p for token, p in of.items() if token != banned}


def a_server(chance: random.Random) -> Server:
    """A correct server of any kind."""
    places = tuple(model(chance) for _ in range(TEXT))
    if chance.random() < 0.2:  # a model that was trained onto one answer
        certain = 10 ** -chance.uniform(1, 4)
        places = tuple(
            {**dict.fromkeys(VOCABULARY, certain / 39), token: 1 - certain}
            for token in chance.choices(VOCABULARY, k=TEXT)
        )
    count = chance.choice([LISTED_ALTERNATIVES, 10, 40])
    banned = chance.choice(VOCABULARY)
    takes = chance.choice(
        [dict, lambda of: kept(of, count), lambda of: kept(without(of, banned), count)]
    )
    return Server(
        places,
        takes,
        chance.choice([1, 2, LISTED_ALTERNATIVES, LISTED_ALTERNATIVES, LISTED_ALTERNATIVES]),
        chance.choice([2, 6]),
    )


def repeated(server: Server, chance: random.Random) -> float:
    """Four samples that are all equal, by the bound of the first; 0 where they differ."""
    samples = [server.sample(chance) for _ in range(4)]
    if any(one != other for one, other in pairwise(samples)):
        return 0.0
    return 3 * log_chance_of([server.choice(samples[0])])


def law(
    server: Server, chance: random.Random, request: float = 1, taken: float | None = None
) -> float:
    """The counts of 128 samples at one position, tested for a temperature."""
    place = server.places[0]
    listed = kept(place, LISTED_ALTERNATIVES)
    tokens = [draw(server.takes(place), chance, taken or request) for _ in range(128)]
    return log_chance(Place(listed), tokens, request)


def rows(server: Server, chance: random.Random) -> float:
    """Eight pairs of samples, each of two equal ones, where no log probabilities are served."""
    pairs = [["".join(server.sample(chance)) for _ in range(2)] for _ in range(8)]
    if any(one != other for one, other in pairs):
        return 0.0
    return log_chance_of_equal_rows(pairs)


LENIENT = max(SHARES.values())


DECISIONS: dict[str, Callable[[Server, random.Random], float]] = {
    "repeated samples": repeated,
    "equal rows": rows,
    "the law at 1": law,
    "the law at 2": lambda server, chance: law(server, chance, request=2),
    "the law at a half": lambda server, chance: law(server, chance, request=0.5),
}


@pytest.mark.parametrize("name", DECISIONS)
def test_conforming_servers_are_not_reported(name: str, simulated_servers: int) -> None:
    chance = random.Random(20)
    found = [DECISIONS[name](a_server(chance), chance) for _ in range(simulated_servers)]
    assert min(found) > math.log(LENIENT)
    # The bound itself: a chance below p comes in no more than p of all correct servers.
    for p in (0.1, 0.01):
        assert sum(log <= math.log(p) for log in found) <= p * simulated_servers


def off(server: Server, tokens: list[str]) -> int:
    return sum(map(is_suboptimal, positions_of(server.choice(tokens))))


def test_greedy_choices_of_conforming_servers_are_not_suboptimal(simulated_servers: int) -> None:
    chance = random.Random(21)
    for _ in range(simulated_servers):
        server = a_server(chance)
        greedy = [
            max(taken, key=lambda name: taken[name]) for taken in map(server.takes, server.places)
        ]
        assert off(server, greedy) < MIN_SUBOPTIMAL_TOKENS
        assert off(server, server.sample(chance, temperature=0.05)) < MIN_SUBOPTIMAL_TOKENS


def best_of(server: Server, chance: random.Random, candidates: int) -> list[int]:
    """How many of twenty ordinary samples lie above the second best of some candidates."""

    def score(tokens: list[str]) -> float:
        scores = server.choice(tokens).logprobs.token_logprobs
        return math.fsum(scores[:4])

    rounds = []
    for _ in range(3):
        ordinary = [score(server.sample(chance)) for _ in range(20)]
        chosen = sorted((score(server.sample(chance)) for _ in range(candidates)), reverse=True)[1]
        rounds.append(sum(one > chosen for one in ordinary))
    return rounds


def test_conforming_best_choices_are_not_reported(simulated_servers: int) -> None:
    chance = random.Random(22)
    for _ in range(simulated_servers // 20):
        server = a_server(chance)
        assert_chosen({"a": best_of(server, chance, 20), "b": best_of(server, chance, 20)})


PEAKED, FLAT = (0.6, 0.1, 0.06, 0.03, 0.02), (0.3, 0.2, 0.1, 0.06, 0.04)

POWER = {
    "temperature 2 taken for 1": (2, 1, PEAKED),
    "temperature 1 taken for 0.3": (1, 0.3, FLAT),
    "temperature 1 taken for 2": (1, 2, PEAKED),
    "temperature 0.5 taken for 1": (0.5, 1, PEAKED),
}


@pytest.mark.parametrize("name", POWER)
def test_wrong_temperature_is_found_with_sufficient_power(name: str) -> None:
    request, taken, listed = POWER[name]
    chance = random.Random(23)
    rest = [(1 - sum(listed)) / 35] * 35
    place = dict(zip(VOCABULARY, [*listed, *rest], strict=True))
    server = Server((place,), dict, LISTED_ALTERNATIVES, 6)
    found = [law(server, chance, request, taken) <= math.log(LENIENT) for _ in range(40)]
    assert sum(found) >= 20


@pytest.mark.parametrize("places", [4, 16])
def test_repeats_of_an_open_model_are_found(places: int) -> None:
    chance = random.Random(24)
    flat = dict(zip(VOCABULARY, [0.3, 0.2, 0.1, 0.05, 0.05, *[0.3 / 35] * 35], strict=True))
    server = Server((flat,) * places, dict, LISTED_ALTERNATIVES, 6)
    found = [3 * log_chance_of([server.choice(server.sample(chance))]) for _ in range(40)]
    assert sum(log <= math.log(LENIENT) for log in found) >= (20 if places == 4 else 40)


@pytest.mark.parametrize("candidates", [2, 3])
def test_choice_among_few_is_found(candidates: int) -> None:
    chance = random.Random(25)
    reported = 0
    for _ in range(40):
        server = Server(tuple(model(chance) for _ in range(TEXT)), dict, LISTED_ALTERNATIVES, 6)
        try:
            assert_chosen({"a": best_of(server, chance, candidates)})
        except Failure:
            reported += 1
    assert reported >= 20
