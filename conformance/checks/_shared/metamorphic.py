"""Metamorphic relations: what the response to one request implies about the response to another.

The prompts of directed checks leave a model little choice. A generated prompt may end at a
near-tie, where a conforming endpoint may choose one token for a single prompt and another one in a
batch, every time. A reproduced difference therefore counts here only if the best token leads
clearly up to the point where the responses diverge.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.api import Api
from conformance.checks._shared.ab_compare import Ask, Unsettled, expect_agreement
from conformance.checks._shared.characters import solid
from conformance.checks._shared.nondeterminism import NEAR_TIE_NATS, lead_before, parting_of, settle
from conformance.checks._shared.requests import choices_of, collect_stream
from conformance.evidence import compared, noted
from conformance.generation.property_runner import Trial
from conformance.generation.request_shapes import RequestShape
from conformance.generation.strategies import Scene
from conformance.judgement import Failure, Feature, Inconclusive, Refusal, shown
from conformance.message import Message, say
from conformance.model import Effect, Stage
from conformance.protocol.completion import Choice, Completion

GENERATED: dict[str, Any] = {"tier": "deep", "stage": Stage.GENERATED}
"""Arguments of ``@check`` for a metamorphic relation."""

Texts = tuple[str, ...]
"""The texts of the choices in order, without a partial character at the end."""


async def completion(
    api: Api,
    scene: Scene,
    shape: RequestShape,
    *,
    stream: bool = False,
    fresh: bool = False,
    **more: Any,
) -> Completion:
    """Send a scene in one shape.

    Args:
        api: sends the request.
        scene: the prompts and ``max_tokens``.
        shape: which prompts are sent, and for how many choices.
        stream: whether to request a stream; its chunks are joined into one completion.
        fresh: whether to send the request even if the run has sent it before.
        more: further members of the body.

    Raises:
        Judgement: the response is no completion.
    """
    body = shape.body(scene, **more)
    if stream:
        return collect_stream(await api.stream(fresh=fresh, **body))
    return (await api.complete(fresh=fresh, **body)).expect_ok()


async def choices(
    api: Api,
    scene: Scene,
    shape: RequestShape,
    *,
    stream: bool = False,
    fresh: bool = False,
    **more: Any,
) -> Sequence[tuple[str, Choice]]:
    """Send a scene in one shape, and return each choice after its prompt.

    The arguments are those of :func:`completion`.

    Raises:
        Missing: the number of choices is not the requested one.
        Judgement: the response is no completion.
    """
    response = await completion(api, scene, shape, stream=stream, fresh=fresh, **more)
    prompts = shape.prompts_of(scene)
    thing = (
        Feature.N_CHOICES if shape.n > 1 else Feature.BATCH if shape.is_batch else Feature.CHOICES
    )
    found = choices_of(response, len(prompts) * shape.n, thing)
    return [(prompts[place // shape.n], choice) for place, choice in enumerate(found)]


async def texts(
    api: Api,
    scene: Scene,
    shape: RequestShape,
    *,
    stream: bool = False,
    fresh: bool = False,
    **more: Any,
) -> Texts:
    """Send a scene in one shape, and return the texts of the choices.

    The arguments are those of :func:`completion`.

    Raises:
        Judgement: as :func:`choices`.
    """
    found = await choices(api, scene, shape, stream=stream, fresh=fresh, **more)
    return tuple(solid(choice.text) for _, choice in found)


async def texts_alone(api: Api, scene: Scene, shape: RequestShape, *, fresh: bool = False) -> Texts:
    """Send the prompts of a shape one by one, and return each text ``shape.n`` times.

    Raises:
        Judgement: as :func:`choices`.
    """
    singles = [
        (await texts(api, scene, RequestShape((place,)), fresh=fresh))[0] for place in shape.prompts
    ]
    return tuple(text for text in singles for _ in range(shape.n))


async def expect_same_responses(
    trial: Trial,
    left: Ask[Any],
    right: Ask[Any],
    expected: Message,
    *,
    effect: Effect = Effect.ALTERED,
) -> None:
    """Expect two ways to request a greedy completion to have the same result.

    Args:
        trial: whether a difference has to pass the A/A control.
        left: the way that is judged.
        right: the way that it is compared with.
        expected: the sentence of the relation, for the report.
        effect: what the endpoint did with the parameter if the relation is broken.

    Raises:
        Failure: they differ; after the A/A control, if this is a careful trial.
        Inconclusive: the difference may be a near-tie.
    """
    with noted() as lefts:
        first = await left(False)
    trial.request = trial.api.exchanges[-1].request
    with noted() as rights:
        second = await right(False)
    if first == second:
        return
    difference = say("{one} vs. {other}", one=shown(first), other=shown(second))
    if not trial.careful:
        raise Failure(expected, difference, effect=effect).shown_by(compared(lefts, rights))
    try:
        await expect_agreement(left, right, expected, effect=effect)
    except Unsettled as doubt:
        raise (await settle(doubt, trial.api)).shown_by(doubt.evidence) from None
    except Failure:
        await _expect_no_near_tie(trial.api, (left, right), (first, second), difference)
        raise


async def _expect_no_near_tie(
    api: Api, sides: tuple[Ask[Any], Ask[Any]], seen: tuple[Any, Any], difference: Message
) -> None:
    """Expect the best token to lead clearly up to the point where two responses diverge.

    Raises:
        Inconclusive: it does not, or the lead cannot be read.
    """
    try:
        lead = await lead_before(parting_of(*seen), sides, api, difference)
    except (Failure, Refusal) as missing:
        raise Inconclusive(
            say(
                "{difference}; the margin between the tokens is unknown: {missing}",
                difference=difference,
                missing=missing.said,
            )
        ) from None
    if lead is None:
        raise Inconclusive(
            say("{difference}; the margin between the tokens is unknown", difference=difference)
        )
    if lead < NEAR_TIE_NATS:
        raise Inconclusive(
            say(
                "{difference}; before they diverge, two tokens are {lead} nats apart, "
                "and below {near_tie_nats} this is a near-tie",
                difference=difference,
                lead=f"{lead:.2f}",
                near_tie_nats=NEAR_TIE_NATS,
            )
        )
