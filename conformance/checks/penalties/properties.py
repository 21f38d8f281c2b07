"""Metamorphic relations of ``presence_penalty`` and ``frequency_penalty``."""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.metamorphic import GENERATED, Texts, expect_same_responses, texts
from conformance.checks._shared.metamorphic_nulls import assert_null_is_absent
from conformance.checks.penalties.stimuli import PENALTIES, USUAL_MAXIMUM
from conformance.generation.property_runner import Trial, assert_property
from conformance.generation.request_shapes import RequestShape, every_shape
from conformance.generation.strategies import Scene, scenes
from conformance.judgement import Judgement
from conformance.message import say


@check(
    "relations.presence-spares-prompt", requirement="presence-penalty.not-on-prompt", **GENERATED
)
async def presence_moves_no_first_token(api: Api) -> None:
    """For any prompt, `presence_penalty` does not change the first token of the response.

    无论 prompt 重复什么，`presence_penalty` 都不影响响应的第一个 token。
    """
    await assert_first_token_unchanged(api, "presence_penalty")


@check(
    "relations.frequency-spares-prompt", requirement="frequency-penalty.not-on-prompt", **GENERATED
)
async def frequency_moves_no_first_token(api: Api) -> None:
    """For any prompt, `frequency_penalty` does not change the first token of the response.

    无论 prompt 重复什么，`frequency_penalty` 都不影响响应的第一个 token。
    """
    await assert_first_token_unchanged(api, "frequency_penalty")


async def assert_first_token_unchanged(api: Api, name: str) -> None:
    """Assert that a penalty at its maximum leaves the first token unchanged.

    Nothing has been sampled yet, so nothing can be penalised. Both penalties are sent together
    first; if that leaves the token unchanged, each of them does.
    """

    async def relation(trial: Trial, scene: Scene, shape: RequestShape) -> None:
        free = await texts(trial.api, scene, shape)
        both: dict[str, Any] = {
            one: highest(trial.api, one) for one in PENALTIES if is_documented(trial.api, one)
        }
        try:
            if begins(free, await texts(trial.api, scene, shape, max_tokens=1, **both)):
                return
        except Judgement:
            pass
        highest_alone: dict[str, Any] = {"max_tokens": 1, name: highest(trial.api, name)}

        async def penalised(fresh: bool) -> Texts:
            return await texts(trial.api, scene, shape, fresh=fresh, **highest_alone)

        first = await penalised(False)

        async def as_free(fresh: bool) -> Texts:
            unpenalised = await texts(trial.api, scene, shape, fresh=fresh)
            return tuple(text[: len(one)] for text, one in zip(unpenalised, first, strict=True))

        await expect_same_responses(
            trial, penalised, as_free, say("the first token without a penalty")
        )

    await assert_property(api, scenes, relation, every_shape(api))


def begins(free: Texts, first: Texts) -> bool:
    """Return whether each text begins with its first token."""
    return all(text.startswith(one) for text, one in zip(free, first, strict=True))


def highest(api: Api, name: str) -> float:
    """Return the highest documented penalty, or the usual one if the document states no limit."""
    maximum = api.contract.parameter(name).maximum
    return USUAL_MAXIMUM if maximum is None else maximum


def is_documented(api: Api, name: str) -> bool:
    """Return whether the document mentions a parameter."""
    return api.contract.parameter(name).documented


@check("relations.null-presence", requirement="presence-penalty.null-is-none", **GENERATED)
async def a_null_presence_penalty_changes_nothing(api: Api) -> None:
    """For any request, `presence_penalty: null` gives the same response as omitting it.

    对任意请求，`presence_penalty: null` 都给出不带惩罚时的响应。
    """
    await assert_null_is_absent(api, "presence_penalty", 0)


@check("relations.null-frequency", requirement="frequency-penalty.null-is-none", **GENERATED)
async def a_null_frequency_penalty_changes_nothing(api: Api) -> None:
    """For any request, `frequency_penalty: null` gives the same response as omitting it.

    对任意请求，`frequency_penalty: null` 都给出不带惩罚时的响应。
    """
    await assert_null_is_absent(api, "frequency_penalty", 0)
