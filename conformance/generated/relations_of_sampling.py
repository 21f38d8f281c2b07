"""Relations between answers that are steered: by a seed, by a bias, by penalties."""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks._asking import plain
from conformance.checks._characters import is_whole
from conformance.checks._penalties import BOTH, USUAL
from conformance.checks._tokens import readable_tokens
from conformance.checks._vocabulary import BAN, FORCE
from conformance.checks.registry import check
from conformance.generated.agreement import Trial
from conformance.generated.engine import hold_property
from conformance.generated.relations import DRAWN
from conformance.generated.strategies import (
    SEEDS,
    Ids,
    Scene,
    pairs_of_ids,
    scenes,
    scenes_with,
)
from conformance.generated.ways import Texts, Way, every_way, texts
from conformance.judgement import Deviation, Judgement, NotApplicable, expect, shown
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


@check("relations.ban-bans", requirement="logit-bias.bans", needs=("echo", "logprobs"), **DRAWN)
async def a_ban_turns_the_answer(api: Api) -> None:
    """A token that goes on with a drawn prompt of token ids does not come when it is banned.

    接续随机词元 id 的 prompt 的那个词元，被禁之后不再出现。
    """

    async def relation(trial: Trial, ids: Ids, _: None) -> None:
        pieces, piece = await continued(trial.api, ids)
        asked: dict[str, Any] = {"max_tokens": 1, "logit_bias": {str(pieces[piece]): BAN}}
        banned = await plain(trial.api, ids.prompt, **asked)
        expect(
            banned.text, "text of one token, its best banned", effect=Effect.IGNORED
        ).differs_from(piece)

    await hold_property(api, pairs_of_ids, relation, (None,))


@check(
    "relations.force-forces", requirement="logit-bias.forces", needs=("echo", "logprobs"), **DRAWN
)
async def a_force_turns_the_answer(api: Api) -> None:
    """Of two drawn token ids the one that would not come next comes when it is forced.

    在两个随机词元 id 中，本不会接着出现的那个，被强制之后便出现。
    """

    async def relation(trial: Trial, ids: Ids, _: None) -> None:
        pieces, piece = await continued(trial.api, ids)
        other = next(one for one in pieces if one != piece)
        asked: dict[str, Any] = {"max_tokens": 1, "logit_bias": {str(pieces[other]): FORCE}}
        forced = await plain(trial.api, ids.prompt, **asked)
        # The blank before a first word is the server's own affair here.
        expect(forced.text.lstrip(), "text of one token, forced", effect=Effect.IGNORED).equals(
            other.lstrip()
        )

    await hold_property(api, pairs_of_ids, relation, (None,))


async def continued(api: Api, ids: Ids) -> tuple[dict[str, int], str]:
    """Learn the pieces of two ids from their echo, and which of them goes on with the prompt.

    Returns:
        The id of each piece, and the piece that was generated behind the prompt.

    Raises:
        NotApplicable: the pieces cannot be learnt, or neither goes on with the prompt.
        Refusal: prompts of ids, or log probabilities of an echo, are not served.
    """
    if "tokens" not in api.contract.parameter("prompt").forms:
        raise NotApplicable("this document does not mention prompts of token ids")
    sent = len(ids.prompt)
    answer = await plain(api, ids.prompt, max_tokens=1, echo=True, logprobs=1)
    tokens = readable_tokens(answer.only)[-sent - 1 :]
    one, other = tokens[:2]
    if len(tokens) != sent + 1 or tokens[:sent] != [one, other] * (sent // 2) or one == other:
        raise NotApplicable("the echo does not tell the pieces of the ids")
    if tokens[-1] not in (one, other) or not (is_whole(one) and is_whole(other)):
        raise NotApplicable("the endpoint goes on with another token than those of the prompt")
    return {one: ids.one, other: ids.other}, tokens[-1]


@check("relations.presence-spares-prompt", requirement="presence-penalty.not-on-prompt", **DRAWN)
async def presence_moves_no_first_token(api: Api) -> None:
    """Whatever the prompt repeats, `presence_penalty` leaves the first token of the answer alone.

    无论 prompt 重复什么，`presence_penalty` 都不影响回答的第一个词元。
    """
    await hold_first_token(api, "presence_penalty")


@check("relations.frequency-spares-prompt", requirement="frequency-penalty.not-on-prompt", **DRAWN)
async def frequency_moves_no_first_token(api: Api) -> None:
    """Whatever the prompt repeats, `frequency_penalty` leaves the first token of the answer alone.

    无论 prompt 重复什么，`frequency_penalty` 都不影响回答的第一个词元。
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
