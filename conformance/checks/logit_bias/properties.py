"""Metamorphic relations of ``logit_bias``."""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.ab_compare import REPEATS
from conformance.checks._shared.characters import REPLACEMENT
from conformance.checks._shared.metamorphic import GENERATED, Texts, choices
from conformance.checks._shared.metamorphic_scores import TOP_LOGPROBS
from conformance.checks._shared.readable_tokens import readable_tokens
from conformance.checks._shared.token_ids import (
    BANNING_BIAS,
    FORCED_TOKENS,
    FORCING_BIAS,
    PROBED_IDS,
    echo_of_ids,
    pieces_of,
    repeated_piece,
)
from conformance.generation.property_runner import Trial, assert_property
from conformance.generation.request_shapes import RequestShape, every_shape
from conformance.generation.strategies import IDS, Scene, scenes, scenes_with
from conformance.judgement import Failure, Inconclusive, NotApplicable, shown
from conformance.message import say
from conformance.model import Effect


@check(
    "relations.ban-bans",
    requirement="logit-bias.bans",
    needs=("echo", "logprobs"),
    **GENERATED,
)
async def banned_tokens_do_not_come(api: Api) -> None:
    """For generated requests, banned tokens are not generated.

    对自动生成的请求，被禁的 token 不再出现。
    """

    async def relation(trial: Trial, scene: Scene, shape: RequestShape) -> None:
        free = await tokens_in(trial.api, scene, shape)
        fragments = pieces_of(await echo_of_ids(trial.api, PROBED_IDS), PROBED_IDS)
        ids = {fragment: token for token, fragment in fragments.items()}
        if not ids:
            raise NotApplicable(say("the endpoint reveals no texts of token ids"))
        banned = sorted(free & ids.keys())
        # One token is always banned, so that the request is part of the estimate.
        bias = {str(ids[fragment]): BANNING_BIAS for fragment in banned or list(ids)[:1]}
        found = await tokens_in(trial.api, scene, shape, logit_bias=bias)
        if not banned:
            raise NotApplicable(say("no token of the response has a known id"))
        if came := sorted(found.intersection(banned)):
            raise Failure(say("no banned token"), shown(came), effect=Effect.IGNORED)

    await assert_property(api, scenes, relation, every_shape(api))


async def tokens_in(api: Api, scene: Scene, shape: RequestShape, **more: Any) -> frozenset[str]:
    """Return the tokens of all choices."""
    found = await choices(api, scene, shape, logprobs=TOP_LOGPROBS, **more)
    return frozenset(token for _, choice in found for token in readable_tokens(choice))


@check("relations.force-forces", requirement="logit-bias.forces", **GENERATED)
async def a_forced_token_fills_every_choice(api: Api) -> None:
    """For any prompts, a token with a bias of 100 fills every choice with the same text.

    无论 prompt 为何，被强制的 token 都以同一文本充满每个 choice。
    """

    async def relation(trial: Trial, generated: tuple[Scene, int], shape: RequestShape) -> None:
        scene, token = generated
        forcing: dict[str, Any] = {
            "max_tokens": FORCED_TOKENS,
            "logit_bias": {str(token): FORCING_BIAS},
        }

        async def forced(fresh: bool) -> Texts:
            found = await choices(trial.api, scene, shape, fresh=fresh, **forcing)
            return tuple(choice.text for _, choice in found)

        found = await forced(False)
        if len(set(found)) == 1:
            if not found[0] or REPLACEMENT in found[0]:
                raise NotApplicable(
                    say(
                        "token {token} has no separate text: {text}",
                        token=token,
                        text=shown(found[0]),
                    )
                )
            if repeated_piece(found[0]) is not None:
                return
        for _ in range(REPEATS if trial.careful else 0):
            again = await forced(True)
            if again != found:
                different = shown([found, again])
                raise Inconclusive(
                    say(
                        "the endpoint's greedy responses are non-deterministic: {texts}",
                        texts=different,
                    )
                )
        expected = say("every choice one fragment, {count} times", count=FORCED_TOKENS)
        raise Failure(expected, shown(found), effect=Effect.IGNORED)

    await assert_property(api, lambda: scenes_with(IDS), relation, every_shape(api))
