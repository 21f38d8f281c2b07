"""Tokens at temperature 1, by default, and at the highest one are as frequent as they should be.

What the endpoint's own log probabilities say is held against many samples of one place, in every
way to ask. The places are taken from what it just wrote: those where another temperature would show
most.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._asking import joined
from conformance.checks._chances import FEWEST, LISTED, listed_at
from conformance.checks._characters import is_whole, solid
from conformance.checks._law import Place, log_chance, typical_log_chance
from conformance.checks._sampling import OPEN_PROMPTS, hottest, sampled
from conformance.checks._scores import positions_of
from conformance.checks._ways import InTurn
from conformance.completion import Choice
from conformance.judgement import Deviation, NotApplicable, Refusal, shown
from conformance.model import Effect
from conformance.significance import SHARES, chance

SAMPLES = 128
"""Choices that are asked for at once; each is one token."""

TEXTS, TOKENS = 6, 24
"""Texts in which a place is looked for, and how long they are."""

AGAIN = 2
"""Rounds that are added where all choices are one token, which may be copies."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to sample a place; ``parts`` are for an endpoint that does not serve all of it."""

    name: str
    stream: bool = False
    batch: bool = False
    echo: bool = False
    chinese: bool = False
    parts: tuple[Way, ...] = ()


STREAM = Way("streams", stream=True)
CHINESE = Way("answers to Chinese", chinese=True)
BATCH = Way("batches", batch=True)
ECHO = Way("echoed answers", echo=True)

WAYS = (
    Way("plain answers"),
    Way("streamed answers to Chinese", stream=True, chinese=True, parts=(STREAM, CHINESE)),
    Way("echoed batches", batch=True, echo=True, parts=(BATCH, ECHO)),
)
MOST_WAYS = 5
"""The plain one and all parts of the others."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A prompt, and what the endpoint says of the token behind it."""

    prompt: str
    place: Place


@dataclass(frozen=True, slots=True)
class Law:
    """The temperature that samples must follow, and another that places are chosen to tell from.

    Each way to ask is tried in so many rounds, which are judged one by one and together.
    """

    check_id: str
    temperature: float
    other: float
    rounds: int = 1


@check(
    "temperature.law",
    requirement="temperature.scales-randomness",
    tier="deep",
    needs=("temperature", "n", "logprobs"),
)
async def tokens_are_as_frequent_as_probable(api: Api) -> None:
    """At temperature 1 tokens are taken as often as their log probabilities say.

    temperature 为 1 时，各 token 出现的频率与其对数概率相符。
    """
    await hold_law(api, Law("temperature.law", 1, 0.3), {"temperature": 1})


@check(
    "temperature.default-law",
    requirement="temperature.default-one",
    tier="deep",
    needs=("temperature", "n", "logprobs"),
)
async def the_default_is_one(api: Api) -> None:
    """Without `temperature` tokens are taken as often as at temperature 1.

    未设置 `temperature` 时，各 token 出现的频率与 temperature 为 1 时相同。
    """
    await hold_law(api, Law("temperature.default-law", 1, 0.3), {})


@check(
    "temperature.maximum-law",
    requirement="temperature.scales-randomness",
    tier="deep",
    needs=("temperature", "n", "logprobs"),
)
async def the_maximum_flattens_frequencies(api: Api) -> None:
    """At the highest temperature the odds between tokens are as much flatter as they should be.

    在最高的 temperature 下，token 之间的概率比变得平缓，且程度恰如其分。
    """
    hot = hottest(api)
    if hot <= 1:
        raise NotApplicable("this document states no temperature above 1")
    await hold_law(api, Law("temperature.maximum-law", hot, 1, rounds=2), {"temperature": hot})


async def hold_law(api: Api, law: Law, asked: Mapping[str, Any]) -> None:
    """Hold that samples in every way follow the law of a temperature.

    Raises:
        Deviation: in one way they do not.
        NotApplicable: so many choices are not served, or no place of the model tells enough.
    """
    samples = min(SAMPLES, int(api.contract.parameter("n").maximum or SAMPLES))
    ascii_spot = await best_spot(api, OPEN_PROMPTS[:2], law, samples)
    chinese = await best_spot(api, OPEN_PROMPTS[2:], law, samples)
    looked = 0
    turns = InTurn(WAYS)
    for way in turns:
        spot = chinese if way.chinese else ascii_spot
        if spot is None:
            turns.take_apart(way)
            continue
        try:
            taken = [
                await tokens_in(api, way, spot.prompt, samples, asked) for _ in range(law.rounds)
            ]
            if is_one(taken[0]):
                taken += [
                    await tokens_in(api, way, spot.prompt, samples, asked) for _ in range(AGAIN)
                ]
        except (Deviation, Refusal):
            # What is wrong with so many choices, or with this way, is judged elsewhere.
            turns.take_apart(way)
            continue
        looked += 1
        # Copies of one sample are no matter of temperature.
        if all(map(is_one, taken)) and len(set(map(tuple, taken))) > 1:
            continue
        together = [token for tokens in taken for token in tokens]
        for tokens in [*taken, together] if len(taken) > 1 else taken:
            hold_frequencies(law, way.name, spot, tokens)
    if not looked:
        raise NotApplicable(f"no {samples} choices of a place that tells of the temperature")


def hold_frequencies(law: Law, way: str, spot: Spot, tokens: Sequence[str]) -> None:
    """Hold that tokens are as frequent at a place as a temperature makes them."""
    share = SHARES[law.check_id] / (MOST_WAYS * (law.rounds + AGAIN + 1))
    found = log_chance(spot.place, tokens, law.temperature)
    if found <= math.log(share):
        usual = typical_log_chance(spot.place, law.temperature, law.other, len(tokens))
        counts = {token: tokens.count(token) for token in spot.place.listed}
        said = {token: round(p, 3) for token, p in spot.place.listed.items()}
        raise Deviation(
            f"tokens as frequent as temperature {law.temperature} makes them of the probabilities"
            f" {shown(said)}",
            f"in {way} {shown(counts)} of {len(tokens)}, which has a chance of {chance(found)} at"
            f" most (accused below {share:.0e}; at temperature {law.other} a chance of"
            f" {chance(usual)} would be usual)",
            effect=Effect.ALTERED,
        )


async def best_spot(api: Api, prompts: Sequence[str], law: Law, samples: int) -> Spot | None:
    """Find the place behind a prompt that tells most, in texts that are sampled for it."""
    spots: list[Spot] = []
    for prompt in prompts:
        asked = {**sampled(prompt, n=TEXTS, logprobs=LISTED), "max_tokens": TOKENS}
        reply = await api.complete(**asked)
        spots += [spot for choice in reply.expect_ok().choices for spot in spots_of(prompt, choice)]
    best = min(
        spots,
        key=lambda spot: typical_log_chance(spot.place, law.temperature, law.other, samples),
        default=None,
    )
    if best is None:
        return None
    # Its text may be cut into other tokens now that it is a prompt: what counts is what comes next.
    again = {**sampled(best.prompt, logprobs=LISTED), "max_tokens": 1}
    answer = (await api.complete(**again)).expect_ok()
    return next(iter(spots_of(best.prompt, answer.only)), None)


async def tokens_in(
    api: Api, way: Way, prompt: str, samples: int, asked: Mapping[str, Any]
) -> list[str]:
    """Take so many samples of the token behind a prompt, in one way to ask.

    Raises:
        Deviation, Refusal: so many do not come.
    """
    body: dict[str, Any] = {"prompt": prompt, "max_tokens": 1, "n": samples, **asked}
    if way.batch:
        body |= {"prompt": [prompt, prompt], "n": samples // 2}
    if way.echo:
        body |= {"echo": True}
    if way.stream:
        choices = joined(await api.stream(fresh=True, **body)).choices
    else:
        choices = (await api.complete(fresh=True, **body)).expect_ok().choices
    # Where the token is the first part of a character, the rest of that may be shown behind it.
    texts = [solid(choice.text) for choice in choices]
    return [text.removeprefix(prompt) if "echo" in body else text for text in texts]


def is_one(tokens: Sequence[str]) -> bool:
    """Tell whether all samples are one token."""
    return len(set(tokens)) == 1


def spots_of(prompt: str, choice: Choice) -> list[Spot]:
    """Return the places of a choice whose tokens can be told from each other, and from the text.

    Tokens that stand in the prompt already are left out: a server may discourage repeating them.
    """
    spots: list[Spot] = []
    written = prompt
    for position in positions_of(choice):
        listed = {t: p for t, p in listed_at(position).items() if t.strip() not in written}
        if len(listed) >= FEWEST:
            spots.append(Spot(written, Place(listed)))
        if not is_whole(position.token):
            break
        written += position.token
    return spots
