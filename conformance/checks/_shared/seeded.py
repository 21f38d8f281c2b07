"""Samples with a seed: the one kind of sample that can be compared exactly.

The second of two equal requests omits members that have their default values. One such pair shows
that a seed is reproducible and that a default is right. Only if they differ, further requests find
out which of the two is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.api import Api
from conformance.checks._shared.requests import non_streaming
from conformance.checks._shared.sampling import STORY, sampled
from conformance.evidence import Evidence
from conformance.judgement import Failure, NotApplicable, Refusal, shown
from conformance.message import Message, say
from conformance.protocol.completion import Completion

SEED = 20240229

SEED_BEYOND_32_BITS = SEED + 2**32
"""A seed with the same lower 32 bits."""

Body = Mapping[str, Any]

MIN_REPEATS = 2
"""How often each of two seeded responses has to be reproduced before they are compared."""


def seeded(seed: int = SEED, **more: Any) -> dict[str, Any]:
    """Return the shared sampled request with a seed."""
    return sampled(seed=seed, **more)


def unsaid(api: Api) -> dict[str, Any]:
    """Return the seeded request without its temperature, if 1 is the default."""
    body = seeded()
    if _in_force(api, "temperature.default-one"):
        del body["temperature"]
    return body


def nulled(api: Api) -> dict[str, Any]:
    """Return the request with the seed 0, and null where the document defines it as the default."""
    body = seeded(0)
    if _in_force(api, "temperature.null-is-default"):
        body["temperature"] = None
    if _in_force(api, "top-p.null-is-default"):
        body["top_p"] = None
    return body


async def sample(api: Api, body: Body, *, fresh: bool = False) -> Completion:
    """Take a sample."""
    return (await api.complete(fresh=fresh, **body)).expect_ok()


async def differs(api: Api, body: Body, other: Body) -> bool:
    """Return whether two seeded requests have different responses, or the second is rejected."""
    try:
        return (await sample(api, body)).texts != (await sample(api, other)).texts
    except Refusal:
        return True


async def is_sampled(api: Api, body: Body) -> bool:
    """Return whether a seeded response is evidently sampled: its text is not the greedy one."""
    if not api.contract.parameter("seed").documented:
        return False
    try:
        return (await sample(api, body)).texts != (await non_streaming(api, STORY)).texts
    except Refusal:
        return False


async def assert_same_sample(api: Api, body: Body, other: Body, expected: Message) -> None:
    """Assert that two equivalent seeded requests have the same sample.

    Raises:
        Failure: they differ, and each is reproduced.
        Refusal: one of them is rejected.
        NotApplicable: samples with the same seed differ, so nothing can be compared.
    """
    samples = [await sample(api, each) for each in (body, other)]
    texts = [one.texts for one in samples]
    if texts[0] == texts[1]:
        return
    for each, first in zip((body, other), texts, strict=True):
        for _ in range(MIN_REPEATS):
            if (await sample(api, each, fresh=True)).texts != first:
                raise NotApplicable(
                    say("samples with the same seed differ, so none can be compared")
                )
    control, probe = (one.exchange for one in samples)
    result = say("{one} vs. {other}", one=shown(texts[1]), other=shown(texts[0]))
    raise Failure(expected, result).shown_by(Evidence((probe,), (control,)))


def _in_force(api: Api, requirement: str) -> bool:
    return (
        requirement in api.contract.requirements
        and api.contract.why_not_in_force(requirement) is None
    )
