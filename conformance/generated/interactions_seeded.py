"""Samples with a seed, plain and streamed, in several ways: the one kind of sample to compare.

Seeds that endpoints stumble over (zero, negative, beyond 32 bits) are put into batches, copies and
echoes. A stream and a plain answer to the same request have to be one sample.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._asking import joined
from conformance.checks._characters import solid
from conformance.completion import Completion
from conformance.judgement import BudgetSpent, Deviation, Judgement, NotApplicable, Refusal, shown
from conformance.model import Effect, Stage

START, CHINESE_START = "Once upon a time", "今天早上，我"
"""Beginnings that a model can continue in many ways."""

TOKENS = 8
"""Tokens of a sample: enough that two samples next to never agree."""

STEADY = 2
"""How often each of two samples has to come again before they are compared."""

WAVERING = 5
"""Requests whose sample must come and go before that is a finding."""


@dataclass(frozen=True)
class Pair:
    """One sampled request, asked plainly and as a stream."""

    seed: int
    prompt: str | Sequence[str] = START
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> Mapping[str, Any]:
        """The request, but for the model and ``stream``."""
        sampled = {"prompt": self.prompt, "max_tokens": TOKENS, "temperature": 1}
        return {**sampled, "seed": self.seed, **self.more}

    def is_known(self, api: Api) -> bool:
        """Tell whether the contract documents all that it uses."""
        forms = api.contract.parameter("prompt").forms
        known = all(api.contract.parameter(name).documented for name in self.more)
        return known and (isinstance(self.prompt, str) or "strings" in forms)


PAIRS = (
    Pair(7),
    Pair(0),
    Pair(2**40, START, {"n": 2, "echo": True}),
    Pair(-7, START, {"n": 2, "echo": True}),
    Pair(0, (START, CHINESE_START)),
    Pair(7 + 2**32, (START, CHINESE_START)),
    Pair(-7, CHINESE_START, {"logprobs": 0}),
)

Texts = tuple[str, ...]


@check(
    "interactions.seeded-streams",
    requirement="seed.repeats",
    tier="deep",
    needs=("temperature", "stream"),
    stage=Stage.GENERATED,
)
async def a_seeded_stream_is_the_plain_sample(api: Api) -> None:
    """With a seed a stream is the sample of the plain answer, in batches, copies and echoes too.

    使用 seed 时，流与非流式响应为同一样本，批次、多个 choice 与回显时亦然。
    """
    wavering = []
    for pair in PAIRS:
        if not pair.is_known(api):
            continue
        answers = [await sample(api, pair, stream) for stream in (False, True)]
        texts = [answer for answer in answers if not isinstance(answer, Judgement)]
        refusals = [answer for answer in answers if isinstance(answer, Refusal)]
        # What neither of them is served for is judged where it is asked for alone.
        if texts and refusals:
            await hold_seed_served(api, pair, refusals[0])
        if len(texts) == 2 and texts[0] != texts[1]:
            await hold_steady(api, pair, *texts)
            wavering.append(pair)
    if len(wavering) >= WAVERING:
        raise Deviation(
            "a seed to repeat its sample",
            f"others now and then in {len(wavering)} requests, such as {shown(wavering[0].body)}",
            effect=Effect.IGNORED,
        )
    if wavering:
        raise NotApplicable("a seed does not repeat its sample, so none can be compared")


async def hold_seed_served(api: Api, pair: Pair, refusal: Refusal) -> None:
    """Find out why one of two equal requests is refused, a stream or a plain one.

    Raises:
        Deviation: another seed is served in its place.
        Refusal: none is, so that it is the combination that is refused.
    """
    usual = replace(pair, seed=PAIRS[0].seed)
    answers = [await sample(api, usual, stream) for stream in (False, True)]
    if any(isinstance(answer, Refusal) for answer in answers):
        raise refusal
    raise Deviation(
        f"the seed {pair.seed} to be served like {usual.seed}", str(refusal), effect=Effect.REFUSED
    )


async def sample(api: Api, pair: Pair, stream: bool, *, fresh: bool = False) -> Texts | Judgement:
    """Take a sample, plain or streamed."""
    try:
        if stream:
            return _texts(joined(await api.stream(fresh=fresh, **pair.body)))
        return _texts((await api.complete(fresh=fresh, **pair.body)).expect_ok())
    except BudgetSpent:
        raise
    except Judgement as judgement:
        return judgement.with_traceback(None)


def _texts(answer: Completion) -> Texts:
    return tuple(solid(choice.text) for choice in answer.choices)


async def hold_steady(api: Api, pair: Pair, plain: Texts, streamed: Texts) -> None:
    """Hold that two samples which differ are not the endpoint's own each time.

    Raises:
        Deviation: each of them comes again, or one of them is another every time.
    """
    told = {False: [plain], True: [streamed]}
    for stream, texts in told.items():
        for _ in range(STEADY):
            again = await sample(api, pair, stream, fresh=True)
            if isinstance(again, Judgement):
                raise again
            texts.append(again)
    for texts in told.values():
        if len(set(texts)) == len(texts):
            raise Deviation(
                f"the same text for the seed {pair.seed} again",
                f"{shown(texts, limit=400)} for {shown(pair.body)}",
                effect=Effect.IGNORED,
            )
    if all(len(set(texts)) == 1 for texts in told.values()):
        raise Deviation(
            "the same sample, streamed and plain",
            f"{shown(streamed)} against {shown(plain)} for {shown(pair.body)}",
        )
