"""Properties of ``seed``: samples are repeated, and a stream has the samples without ``stream``.

Seeds that endpoints often mishandle (zero, negative, beyond 32 bits) are combined with batches,
several choices and echoes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.api import Api, in_parallel
from conformance.checks import check
from conformance.checks._shared.characters import solid
from conformance.checks._shared.metamorphic import GENERATED, Texts, texts
from conformance.checks._shared.metamorphic_nulls import assert_null_is_absent
from conformance.checks._shared.requests import collect_stream
from conformance.generation.property_runner import Trial, assert_property
from conformance.generation.request_shapes import RequestShape, every_shape
from conformance.generation.strategies import SEEDS, Scene, scenes_with
from conformance.judgement import BudgetSpent, Failure, Judgement, NotApplicable, Refusal, shown
from conformance.message import say
from conformance.model import Effect
from conformance.protocol.completion import Completion

SAMPLES = 3
"""Samples to compare: without a seed, all of them differ."""

START, CHINESE_START = "Once upon a time", "今天早上，我"
"""Prompts with many likely continuations."""

SAMPLE_TOKENS = 8
"""``max_tokens`` of a sample: enough that two unseeded samples practically never agree."""

REPEATS = 2
"""How often each of two differing samples is requested again."""

MIN_UNREPEATED_REQUESTS = 4
"""Requests with a sample that does not always repeat, before that is a deviation."""


@check("relations.seed-repeats", requirement="seed.repeats", needs=("temperature",), **GENERATED)
async def a_seed_repeats_its_samples(api: Api) -> None:
    """For any seed and request, the same request gets the same samples again.

    无论 seed 与请求为何，同样的请求再次得到同样的采样。
    """

    async def relation(trial: Trial, generated: tuple[Scene, int], shape: RequestShape) -> None:
        scene, seed = generated
        sampled: dict[str, Any] = {"temperature": hottest(trial.api), "seed": seed}
        found = [await texts(trial.api, scene, shape, **sampled)]
        for _ in range(SAMPLES - 1 if trial.careful else 1):
            found.append(await texts(trial.api, scene, shape, fresh=True, **sampled))
            if found[-1] == found[0]:
                return
        # Determinism is best effort; only a choice that differs every time ignores the seed.
        for samples in zip(*found, strict=True):
            if len(set(samples)) == len(found):
                raise Failure(
                    say("the same samples for the same seed"), shown(samples), effect=Effect.IGNORED
                )

    await assert_property(api, lambda: scenes_with(SEEDS), relation, every_shape(api))


def hottest(api: Api) -> float:
    """Return the highest documented temperature, at which samples practically never agree."""
    return api.contract.parameter("temperature").maximum or 1


@check("relations.null-seed", requirement="seed.null-is-none", **GENERATED)
async def a_null_seed_changes_nothing(api: Api) -> None:
    """For any request, `seed: null` gives the same greedy response as omitting it.

    对任意请求，`seed: null` 都给出不带 `seed` 时的贪心响应。
    """
    await assert_null_is_absent(api, "seed", 1)


@dataclass(frozen=True)
class SeededRequest:
    """A sampled request, sent with and without ``stream``."""

    seed: int
    prompt: str | Sequence[str] = START
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> Mapping[str, Any]:
        """The body without ``model`` and ``stream``."""
        sampled = {"prompt": self.prompt, "max_tokens": SAMPLE_TOKENS, "temperature": 1}
        return {**sampled, "seed": self.seed, **self.more}

    def is_documented(self, api: Api) -> bool:
        """Return whether the contract documents all members of the body."""
        forms = api.contract.parameter("prompt").forms
        known = all(api.contract.parameter(name).documented for name in self.more)
        return known and (isinstance(self.prompt, str) or "strings" in forms)


REQUESTS = (
    SeededRequest(7),
    SeededRequest(2**40, START, {"n": 2, "echo": True}),
    SeededRequest(-7, START, {"n": 2, "echo": True}),
    SeededRequest(0, (START, CHINESE_START)),
    SeededRequest(-7, CHINESE_START, {"logprobs": 0}),
)


@check(
    "interactions.seeded-streams",
    requirement="seed.repeats",
    needs=("temperature", "stream"),
    **GENERATED,
)
async def a_seeded_stream_has_the_non_streaming_sample(api: Api) -> None:
    """With a seed, a stream has the same sample as the non-streaming response.

    使用 seed 时，流与非流式响应为同一样本，批次、多个 choice 与回显时亦然。
    """
    unrepeated = []
    for request in REQUESTS:
        if not request.is_documented(api):
            continue
        samples = await in_parallel(*(sample(api, request, stream) for stream in (False, True)))
        found = [one for one in samples if not isinstance(one, Judgement)]
        refusals = [one for one in samples if isinstance(one, Refusal)]
        # A request that is rejected in both ways is judged where its parts are sent alone.
        if found and refusals:
            await assert_seed_served(api, request, refusals[0])
        if len(found) == 2 and found[0] != found[1]:
            await assert_seed_repeats(api, request, *found)
            unrepeated.append(request)
    if len(unrepeated) >= MIN_UNREPEATED_REQUESTS:
        raise Failure(
            say("the same sample for the same seed"),
            say(
                "different samples in some repeats of {number} requests, such as {request}",
                number=len(unrepeated),
                request=shown(unrepeated[0].body),
            ),
            effect=Effect.IGNORED,
        )
    if unrepeated:
        raise NotApplicable(say("samples with the same seed differ, so none can be compared"))


async def assert_seed_served(api: Api, request: SeededRequest, refusal: Refusal) -> None:
    """Find out why a request is rejected with ``stream`` or without, and served the other way.

    Raises:
        Deviation: with another seed it is served in both ways.
        Refusal: it is not, so the combination is rejected and not the seed.
    """
    usual = replace(request, seed=REQUESTS[0].seed)
    samples = [await sample(api, usual, stream) for stream in (False, True)]
    if any(isinstance(one, Refusal) for one in samples):
        raise refusal
    raise Failure(
        say("seed {seed} accepted like {other}", seed=request.seed, other=usual.seed),
        refusal.said,
        effect=Effect.REFUSED,
    )


async def sample(
    api: Api, request: SeededRequest, stream: bool, *, fresh: bool = False
) -> Texts | Judgement:
    """Return the texts of a sample, or why there is none."""
    try:
        if stream:
            return _texts(collect_stream(await api.stream(fresh=fresh, **request.body)))
        return _texts((await api.complete(fresh=fresh, **request.body)).expect_ok())
    except BudgetSpent:
        raise
    except Judgement as judgement:
        return judgement.with_traceback(None)


def _texts(response: Completion) -> Texts:
    return tuple(solid(choice.text) for choice in response.choices)


async def assert_seed_repeats(
    api: Api, request: SeededRequest, non_streaming: Texts, streamed: Texts
) -> None:
    """Request two differing samples again, to find out whether both are repeated.

    Returns if at least one of them comes again only sometimes.

    Raises:
        Deviation: both are always repeated, or one of them is different every time.
        Judgement: a request is not served any more.
    """
    samples = {False: [non_streaming], True: [streamed]}
    for stream, found in samples.items():
        for _ in range(REPEATS):
            again = await sample(api, request, stream, fresh=True)
            if isinstance(again, Judgement):
                raise again
            found.append(again)
    for found in samples.values():
        if len(set(found)) == len(found):
            raise Failure(
                say("the same text for seed {seed} again", seed=request.seed),
                say(
                    "{texts} for {request}",
                    texts=shown(found, limit=400),
                    request=shown(request.body),
                ),
                effect=Effect.IGNORED,
            )
    if all(len(set(found)) == 1 for found in samples.values()):
        raise Failure(
            say("the same sample with and without streaming"),
            say(
                "{streamed} vs. {plain} for {request}",
                streamed=shown(streamed),
                plain=shown(non_streaming),
                request=shown(request.body),
            ),
        )
