"""Tokens at temperature 1, by default, and at the maximum are as frequent as reported.

The endpoint's own log probabilities are compared with many samples of one position, in every
shape of request. The positions come from its own texts: those where another temperature would show
most.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.api import Api, in_parallel
from conformance.checks import check
from conformance.checks._shared.characters import is_whole, solid
from conformance.checks._shared.p_values import LISTED_ALTERNATIVES, MIN_ALTERNATIVES, listed_at
from conformance.checks._shared.request_shapes import ShapeQueue
from conformance.checks._shared.requests import collect_stream
from conformance.checks._shared.sampling import OPEN_PROMPTS, hottest, sampled
from conformance.checks._shared.sampling_test import Place, log_chance, typical_log_chance
from conformance.checks._shared.significance import SHARES, chance
from conformance.checks._shared.token_scores import positions_of
from conformance.judgement import Failure, NotApplicable, Refusal, shown
from conformance.message import Message, say
from conformance.model import Effect
from conformance.protocol.completion import Choice, Completion

SAMPLES = 128
"""Choices of one request; each is one token."""

TEXTS, TOKENS = 6, 24
"""Number and length of the texts in which a position is searched."""

EXTRA_ROUNDS = 2
"""Additional rounds if all choices are one token, which may be duplicates."""


@dataclass(frozen=True, slots=True)
class SamplingShape:
    """A request shape for sampling; ``parts`` are tried if the endpoint rejects the whole."""

    name: Message
    stream: bool = False
    batch: bool = False
    echo: bool = False
    chinese: bool = False
    parts: tuple[SamplingShape, ...] = ()


STREAM = SamplingShape(say("streams"), stream=True)

CHINESE = SamplingShape(say("responses to Chinese text"), chinese=True)

BATCH = SamplingShape(say("batches"), batch=True)

ECHO = SamplingShape(say("responses with echo"), echo=True)

SHAPES = (
    SamplingShape(say("non-streaming responses")),
    SamplingShape(
        say("streamed responses to Chinese text"),
        stream=True,
        chinese=True,
        parts=(STREAM, CHINESE),
    ),
    SamplingShape(say("batches with echo"), batch=True, echo=True, parts=(BATCH, ECHO)),
)

MAX_SHAPES = 5
"""The non-streaming one and all parts of the others."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A prompt, and the reported distribution of the next token."""

    prompt: str
    place: Place


@dataclass(frozen=True, slots=True)
class Frequencies:
    """The expected temperature, and another from which the positions must distinguish it.

    Each request shape is sampled in ``rounds`` rounds, which are judged separately and together.
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
    """At temperature 1, token frequencies match the reported log probabilities.

    temperature 为 1 时，各 token 出现的频率与其对数概率相符。
    """
    await assert_frequencies_in_every_shape(
        api, Frequencies("temperature.law", 1, 0.3), {"temperature": 1}
    )


@check(
    "temperature.default-law",
    requirement="temperature.default-one",
    tier="deep",
    needs=("temperature", "n", "logprobs"),
)
async def the_default_is_one(api: Api) -> None:
    """Without `temperature`, token frequencies are those of temperature 1.

    未设置 `temperature` 时，各 token 出现的频率与 temperature 为 1 时相同。
    """
    await assert_frequencies_in_every_shape(api, Frequencies("temperature.default-law", 1, 0.3), {})


@check(
    "temperature.maximum-law",
    requirement="temperature.scales-randomness",
    tier="deep",
    needs=("temperature", "n", "logprobs"),
    sees_effect=True,
)
async def the_maximum_flattens_frequencies(api: Api) -> None:
    """At the highest temperature, token frequencies are those that this temperature implies.

    在最高的 temperature 下，各 token 出现的频率与该 temperature 相符。
    """
    hot = hottest(api)
    if hot <= 1:
        raise NotApplicable(say("this document states no temperature above 1"))
    await assert_frequencies_in_every_shape(
        api, Frequencies("temperature.maximum-law", hot, 1, rounds=2), {"temperature": hot}
    )


async def assert_frequencies_in_every_shape(
    api: Api, law: Frequencies, request: Mapping[str, Any]
) -> None:
    """Assert that token frequencies in every request shape follow a temperature.

    Raises:
        Deviation: in one shape they do not.
        NotApplicable: that many choices are rejected, or no position is informative enough.
    """
    samples = min(SAMPLES, int(api.contract.parameter("n").maximum or SAMPLES))
    ascii_spot, chinese = await in_parallel(
        best_spot(api, OPEN_PROMPTS[:2], law, samples),
        best_spot(api, OPEN_PROMPTS[2:], law, samples),
    )
    inspected = 0
    turns = ShapeQueue(SHAPES)
    for shape in turns:
        spot = chinese if shape.chinese else ascii_spot
        if spot is None:
            turns.take_apart(shape)
            continue
        try:
            taken = await tokens_in_rounds(
                api, shape, spot.prompt, samples, request, rounds=law.rounds
            )
            if is_one(taken[0]):
                taken += await tokens_in_rounds(
                    api, shape, spot.prompt, samples, request, rounds=EXTRA_ROUNDS
                )
        except (Failure, Refusal):
            # Other checks judge many choices and this request shape.
            turns.take_apart(shape)
            continue
        inspected += 1
        # Duplicates of one sample do not depend on the temperature.
        if all(map(is_one, taken)) and len(set(map(tuple, taken))) > 1:
            continue
        together = [token for tokens in taken for token in tokens]
        for tokens in [*taken, together] if len(taken) > 1 else taken:
            assert_frequencies(law, shape.name, spot, tokens)
    if not inspected:
        raise NotApplicable(
            say(
                "no {samples} choices at a position that depends on the temperature",
                samples=samples,
            )
        )


def assert_frequencies(law: Frequencies, shape: str, spot: Spot, tokens: Sequence[str]) -> None:
    """Assert that the token frequencies at a position follow a temperature."""
    share = SHARES[law.check_id] / (MAX_SHAPES * (law.rounds + EXTRA_ROUNDS + 1))
    found = log_chance(spot.place, tokens, law.temperature)
    if found <= math.log(share):
        usual = typical_log_chance(spot.place, law.temperature, law.other, len(tokens))
        counts = {token: tokens.count(token) for token in spot.place.listed}
        said = {token: round(p, 3) for token, p in spot.place.listed.items()}
        raise Failure(
            say(
                "token frequencies at temperature {temperature} that match the "
                "probabilities {chances}",
                temperature=law.temperature,
                chances=shown(said),
            ),
            say(
                "in {way} {counts} of {all}, which has a chance of {chance} at most "
                "(reported below {share}; at temperature {other} a chance of {usual} "
                "would be usual)",
                way=shape,
                counts=shown(counts),
                all=len(tokens),
                chance=chance(found),
                share=f"{share:.0e}",
                other=law.other,
                usual=chance(usual),
            ),
            effect=Effect.ALTERED,
        )


async def best_spot(
    api: Api, prompts: Sequence[str], law: Frequencies, samples: int
) -> Spot | None:
    """Return the most informative position after a prompt, from sampled texts."""
    spots: list[Spot] = []
    bodies = (
        {**sampled(prompt, n=TEXTS, logprobs=LISTED_ALTERNATIVES), "max_tokens": TOKENS}
        for prompt in prompts
    )
    completions = await in_parallel(*(completed(api, body) for body in bodies))
    for prompt, completion in zip(prompts, completions, strict=True):
        spots += [spot for choice in completion.choices for spot in spots_of(prompt, choice)]
    best = min(
        spots,
        key=lambda spot: typical_log_chance(spot.place, law.temperature, law.other, samples),
        default=None,
    )
    if best is None:
        return None
    # As a prompt, its text may have other tokens: only the next token counts.
    again = {**sampled(best.prompt, logprobs=LISTED_ALTERNATIVES), "max_tokens": 1}
    response = (await api.complete(**again)).expect_ok()
    return next(iter(spots_of(best.prompt, response.only)), None)


async def completed(api: Api, body: Mapping[str, Any]) -> Completion:
    """Return the completion of a request.

    Raises:
        Deviation, Refusal: it is not served.
    """
    return (await api.complete(**body)).expect_ok()


async def tokens_in_rounds(
    api: Api,
    shape: SamplingShape,
    prompt: str,
    samples: int,
    request: Mapping[str, Any],
    *,
    rounds: int,
) -> list[list[str]]:
    """Sample the token after a prompt in several rounds, concurrently.

    Raises:
        Deviation, Refusal: not all samples are returned.
    """
    return await in_parallel(
        *(tokens_in(api, shape, prompt, samples, request) for _ in range(rounds))
    )


async def tokens_in(
    api: Api, shape: SamplingShape, prompt: str, samples: int, request: Mapping[str, Any]
) -> list[str]:
    """Sample the token after a prompt, in one request shape.

    Raises:
        Deviation, Refusal: not all samples are returned.
    """
    body: dict[str, Any] = {"prompt": prompt, "max_tokens": 1, "n": samples, **request}
    if shape.batch:
        body |= {"prompt": [prompt, prompt], "n": samples // 2}
    if shape.echo:
        body |= {"echo": True}
    if shape.stream:
        choices = collect_stream(await api.stream(fresh=True, **body)).choices
    else:
        choices = (await api.complete(fresh=True, **body)).expect_ok().choices
    # If the token is the first part of a character, the rest of it may follow.
    texts = [solid(choice.text) for choice in choices]
    return [text.removeprefix(prompt) if "echo" in body else text for text in texts]


def is_one(tokens: Sequence[str]) -> bool:
    """Return whether all samples are the same token."""
    return len(set(tokens)) == 1


def spots_of(prompt: str, choice: Choice) -> list[Spot]:
    """Return the positions of a choice whose alternatives can be distinguished in the text.

    Tokens of the prompt are left out: a server may discourage repeating them.
    """
    spots: list[Spot] = []
    written = prompt
    for position in positions_of(choice):
        listed = {t: p for t, p in listed_at(position).items() if t.strip() not in written}
        if len(listed) >= MIN_ALTERNATIVES:
            spots.append(Spot(written, Place(listed)))
        if not is_whole(position.token):
            break
        written += position.token
    return spots
