"""Relations between answers that are steered: by a seed, by a bias, by penalties."""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks._characters import REPLACEMENT
from conformance.checks._compare import REPEATS
from conformance.checks._penalties import BOTH, USUAL
from conformance.checks._tokens import readable_tokens
from conformance.checks._vocabulary import (
    BAN,
    FEW,
    FORCE,
    LEARNT,
    echo_of_ids,
    pieces_of,
    repeated_piece,
)
from conformance.checks.registry import check
from conformance.generated.agreement import Trial
from conformance.generated.engine import hold_property
from conformance.generated.relations import DRAWN
from conformance.generated.relations_of_scores import LISTED
from conformance.generated.strategies import IDS, SEEDS, Scene, scenes, scenes_with
from conformance.generated.ways import Texts, Way, choices, every_way, texts
from conformance.judgement import Deviation, Inconclusive, Judgement, NotApplicable, shown
from conformance.model import Effect

SAMPLES = 3
"""Samples that are all different where a seed does not count."""


@check("relations.seed-repeats", requirement="seed.repeats", needs=("temperature",), **DRAWN)
async def a_seed_repeats_its_samples(api: Api) -> None:
    """Whatever the seed and whatever is asked, the same request gets the same samples again.

    无论 seed 与请求为何，同样的请求再次得到同样的采样。
    """

    async def relation(trial: Trial, drawn: tuple[Scene, int], way: Way) -> None:
        scene, seed = drawn
        asked: dict[str, Any] = {"temperature": hottest(trial.api), "seed": seed}
        told = [await texts(trial.api, scene, way, **asked)]
        for _ in range(SAMPLES - 1 if trial.careful else 1):
            told.append(await texts(trial.api, scene, way, fresh=True, **asked))
            if told[-1] == told[0]:
                return
        # A seed is kept as well as may be: only a choice that is another every time has none.
        for samples in zip(*told, strict=True):
            if len(set(samples)) == len(told):
                raise Deviation(
                    "the same samples for the same seed", shown(samples), effect=Effect.IGNORED
                )

    await hold_property(api, lambda: scenes_with(SEEDS), relation, every_way(api))


def hottest(api: Api) -> float:
    """Return the highest documented temperature, at which next to no two samples agree."""
    return api.contract.parameter("temperature").maximum or 1


@check(
    "relations.ban-bans",
    requirement="logit-bias.bans",
    needs=("echo", "logprobs"),
    **DRAWN,
)
async def banned_tokens_do_not_come(api: Api) -> None:
    """Of the tokens of a drawn answer, those whose ids are known do not come when they are banned.

    随机请求的响应中，id 已知的 token 被禁之后不再出现。
    """

    async def relation(trial: Trial, scene: Scene, way: Way) -> None:
        free = await tokens_in(trial.api, scene, way)
        pieces = pieces_of(await echo_of_ids(trial.api, LEARNT), LEARNT)
        ids = {piece: token for token, piece in pieces.items()}
        if not ids:
            raise NotApplicable("the endpoint tells the pieces of no ids")
        banned = sorted(free & ids.keys())
        # One is banned in any case, so that a plan knows what is asked.
        bias = {str(ids[piece]): BAN for piece in banned or list(ids)[:1]}
        found = await tokens_in(trial.api, scene, way, logit_bias=bias)
        if not banned:
            raise NotApplicable("no token of the answer is one whose id the endpoint has told")
        if came := sorted(found.intersection(banned)):
            raise Deviation("no token that is banned", shown(came), effect=Effect.IGNORED)

    await hold_property(api, scenes, relation, every_way(api))


async def tokens_in(api: Api, scene: Scene, way: Way, **more: Any) -> frozenset[str]:
    """Return the tokens of all choices."""
    told = await choices(api, scene, way, logprobs=LISTED, **more)
    return frozenset(token for _, choice in told for token in readable_tokens(choice))


@check("relations.force-forces", requirement="logit-bias.forces", **DRAWN)
async def a_forced_token_fills_every_choice(api: Api) -> None:
    """Whatever the prompts, a forced token fills every choice with one and the same text.

    无论 prompt 为何，被强制的 token 都以同一文本充满每个 choice。
    """

    async def relation(trial: Trial, drawn: tuple[Scene, int], way: Way) -> None:
        scene, token = drawn
        asked: dict[str, Any] = {"max_tokens": FEW, "logit_bias": {str(token): FORCE}}

        async def forced(fresh: bool) -> Texts:
            told = await choices(trial.api, scene, way, fresh=fresh, **asked)
            return tuple(choice.text for _, choice in told)

        found = await forced(False)
        if len(set(found)) == 1:
            if not found[0] or REPLACEMENT in found[0]:
                raise NotApplicable(f"token {token} makes no text of its own: {shown(found[0])}")
            if repeated_piece(found[0]) is not None:
                return
        for _ in range(REPEATS if trial.careful else 0):
            again = await forced(True)
            if again != found:
                raise Inconclusive(
                    f"the endpoint's greedy answers change now and then: {shown([found, again])}"
                )
        expected = f"every choice one piece, {FEW} times"
        raise Deviation(expected, shown(found), effect=Effect.IGNORED)

    await hold_property(api, lambda: scenes_with(IDS), relation, every_way(api))


@check("relations.presence-spares-prompt", requirement="presence-penalty.not-on-prompt", **DRAWN)
async def presence_moves_no_first_token(api: Api) -> None:
    """Whatever the prompt repeats, `presence_penalty` leaves the first token of the answer alone.

    无论 prompt 重复什么，`presence_penalty` 都不影响响应的第一个 token。
    """
    await hold_first_token(api, "presence_penalty")


@check("relations.frequency-spares-prompt", requirement="frequency-penalty.not-on-prompt", **DRAWN)
async def frequency_moves_no_first_token(api: Api) -> None:
    """Whatever the prompt repeats, `frequency_penalty` leaves the first token of the answer alone.

    无论 prompt 重复什么，`frequency_penalty` 都不影响响应的第一个 token。
    """
    await hold_first_token(api, "frequency_penalty")


async def hold_first_token(api: Api, name: str) -> None:
    """Hold that a penalty at its maximum begins the answer as without: nothing was sampled yet.

    Both penalties at once are asked for first: what they leave alone together each leaves alone.
    """

    async def relation(trial: Trial, scene: Scene, way: Way) -> None:
        free = await texts(trial.api, scene, way)
        both: dict[str, Any] = {
            one: highest(trial.api, one) for one in BOTH if is_documented(trial.api, one)
        }
        try:
            if begins(free, await texts(trial.api, scene, way, max_tokens=1, **both)):
                return
        except Judgement:
            pass
        asked: dict[str, Any] = {"max_tokens": 1, name: highest(trial.api, name)}

        async def penalised(fresh: bool) -> Texts:
            return await texts(trial.api, scene, way, fresh=fresh, **asked)

        first = await penalised(False)

        async def as_free(fresh: bool) -> Texts:
            told = await texts(trial.api, scene, way, fresh=fresh)
            return tuple(text[: len(one)] for text, one in zip(told, first, strict=True))

        await trial.expect_alike(penalised, as_free, "the first token that comes without a penalty")

    await hold_property(api, scenes, relation, every_way(api))


def begins(free: Texts, first: Texts) -> bool:
    """Tell whether each text begins with the first token that was told of it."""
    return all(text.startswith(one) for text, one in zip(free, first, strict=True))


def highest(api: Api, name: str) -> float:
    """Return the highest documented penalty, or what documents give that state one."""
    maximum = api.contract.parameter(name).maximum
    return USUAL if maximum is None else maximum


def is_documented(api: Api, name: str) -> bool:
    """Tell whether the document mentions a parameter."""
    return api.contract.parameter(name).documented
