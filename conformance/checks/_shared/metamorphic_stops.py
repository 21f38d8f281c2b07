"""Metamorphic relation: a stop sequence cuts the text that comes without it."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks._shared.metamorphic import Texts, expect_same_responses, texts
from conformance.checks._shared.stop_candidates import UNMATCHED_SEQUENCES, before
from conformance.generation.property_runner import Trial, assert_property
from conformance.generation.request_shapes import RequestShape, every_shape
from conformance.generation.strategies import Cut, cuts
from conformance.judgement import NotApplicable
from conformance.message import say


async def assert_stop_cuts(api: Api, *, stream: bool) -> None:
    """Assert that each choice ends where the text without ``stop`` first has the sequence."""

    async def relation(trial: Trial, cut: Cut, shape: RequestShape) -> None:
        sequence = stop_sequence_of(await texts(trial.api, cut.scene, shape), cut)
        stop = [*UNMATCHED_SEQUENCES[: cut.decoys], sequence] if cut.decoys else sequence

        async def stopped(fresh: bool) -> Texts:
            return await texts(trial.api, cut.scene, shape, stream=stream, fresh=fresh, stop=stop)

        async def cut_free(fresh: bool) -> Texts:
            free = await texts(trial.api, cut.scene, shape, fresh=fresh)
            return tuple(before(text, sequence) for text in free)

        await expect_same_responses(
            trial, stopped, cut_free, say("the text without `stop`, up to the stop sequence")
        )

    await assert_property(api, cuts, relation, every_shape(api))


def stop_sequence_of(free: Texts, cut: Cut) -> str:
    """Cut a stop sequence from the longest of some texts.

    Raises:
        NotApplicable: all texts are empty.
    """
    text = max(free, key=len)
    if not text:
        raise NotApplicable(say("the completions of the generated prompts are empty"))
    start = cut.place * len(text) // 8
    return text[start : start + cut.length]
