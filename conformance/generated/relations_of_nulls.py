"""Null beside what was drawn: as good as a parameter that is not there.

All nulls that a document allows are sent at once, which is one request for all of these checks.
Only where that is answered otherwise, or declined, is each null asked for alone.
"""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks._neutral import NULLABLE
from conformance.checks._refusals import where_served
from conformance.checks.registry import check
from conformance.generated.agreement import Trial
from conformance.generated.engine import hold_property
from conformance.generated.relations import DRAWN
from conformance.generated.strategies import Scene, scenes
from conformance.generated.ways import Texts, Way, every_way, texts
from conformance.judgement import Judgement


@check("relations.null-stop", requirement="stop.null-is-none", **DRAWN)
async def a_null_stop_stops_nothing(api: Api) -> None:
    """Whatever is asked, `stop: null` gives the answer without `stop`.

    无论请求什么，`stop: null` 都给出不带 `stop` 时的响应。
    """
    await hold_null(api, "stop", "§")


@check("relations.null-logprobs", requirement="logprobs.null-is-none", **DRAWN)
async def null_logprobs_change_nothing(api: Api) -> None:
    """Whatever is asked, `logprobs: null` gives the answer without `logprobs`.

    无论请求什么，`logprobs: null` 都给出不带 `logprobs` 时的响应。
    """
    await hold_null(api, "logprobs", 1)


@check("relations.null-seed", requirement="seed.null-is-none", **DRAWN)
async def a_null_seed_changes_nothing(api: Api) -> None:
    """Whatever is asked, `seed: null` gives the greedy answer without `seed`.

    无论请求什么，`seed: null` 都给出不带 `seed` 时的贪心响应。
    """
    await hold_null(api, "seed", 1)


@check("relations.null-suffix", requirement="suffix.null-is-none", **DRAWN)
async def a_null_suffix_changes_nothing(api: Api) -> None:
    """Whatever is asked, `suffix: null` gives the answer without `suffix`.

    无论请求什么，`suffix: null` 都给出不带 `suffix` 时的响应。
    """
    await hold_null(api, "suffix", ".")


@check("relations.null-top-p", requirement="top-p.null-is-default", **DRAWN)
async def a_null_top_p_changes_nothing(api: Api) -> None:
    """Whatever is asked, `top_p: null` gives the greedy answer without `top_p`.

    无论请求什么，`top_p: null` 都给出不带 `top_p` 时的贪心响应。
    """
    await hold_null(api, "top_p", 1)


@check("relations.null-presence", requirement="presence-penalty.null-is-none", **DRAWN)
async def a_null_presence_penalty_changes_nothing(api: Api) -> None:
    """Whatever is asked, `presence_penalty: null` gives the answer without a penalty.

    无论请求什么，`presence_penalty: null` 都给出不带惩罚时的响应。
    """
    await hold_null(api, "presence_penalty", 0)


@check("relations.null-frequency", requirement="frequency-penalty.null-is-none", **DRAWN)
async def a_null_frequency_penalty_changes_nothing(api: Api) -> None:
    """Whatever is asked, `frequency_penalty: null` gives the answer without a penalty.

    无论请求什么，`frequency_penalty: null` 都给出不带惩罚时的响应。
    """
    await hold_null(api, "frequency_penalty", 0)


async def hold_null(api: Api, name: str, served: Any) -> None:
    """Hold that null for a parameter changes nothing, where a value of it is ``served``."""

    async def relation(trial: Trial, scene: Scene, way: Way) -> None:
        without = await texts(trial.api, scene, way)
        nulls = nullable(trial.api)
        if name in nulls and await are_harmless(trial.api, scene, way, nulls, without):
            return

        null: dict[str, Any] = {name: None}

        async def with_null(fresh: bool) -> Texts:
            async with where_served(trial.api, name, served):
                return await texts(trial.api, scene, way, fresh=fresh, **null)

        async def as_without(fresh: bool) -> Texts:
            return await texts(trial.api, scene, way, fresh=fresh)

        await trial.expect_alike(with_null, as_without, "the answer without the parameter")

    await hold_property(api, scenes, relation, every_way(api))


def nullable(api: Api) -> dict[str, None]:
    """Write null for every parameter of which the document allows it."""
    names = [name for name in NULLABLE if api.contract.parameter(name).nullable]
    if "temperature.with-top-p-served" not in api.contract.requirements:
        names = [name for name in names if name != "top_p"]
    return dict.fromkeys(names)


async def are_harmless(
    api: Api, scene: Scene, way: Way, nulls: dict[str, None], without: Texts
) -> bool:
    """Tell whether all nulls at once change nothing."""
    more: dict[str, Any] = dict(nulls)
    try:
        return await texts(api, scene, way, **more) == without
    except Judgement:
        return False
