"""The property runner: what it generates, shrinks, spends and leaves behind."""

from __future__ import annotations

import asyncio
import gc
import random
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from conformance.api import Api
from conformance.checks._shared.ab_compare import REPEATS
from conformance.checks._shared.metamorphic import expect_same_responses
from conformance.generation.property_runner import MAX_SHRINKING_REQUESTS, Trial, assert_property
from conformance.generation.strategies import one_of
from conformance.judgement import (
    BudgetSpent,
    Failure,
    Feature,
    Inconclusive,
    Judgement,
    Missing,
    NotApplicable,
    Refusal,
)
from conformance.model import Exchange, Request
from conformance.transport.coalesce import RequestCoalescer
from reference_server.behaviour.builders import choices, rejects
from reference_server.behaviour.messages import Behaviour
from tests.fake_server import MODEL, FakeServer
from tests.generation.endpoints import OPENAI, an_api, finding_of, findings_of, held
from tests.near_ties import NEAR_TIES

ONE_SHAPE: Sequence[None] = (None,)
LETTERS = "abcdefghijklmnop"


async def send(trial: Trial, letter: str, _: None = None) -> None:
    """Send one small request for a case."""
    (await trial.api.complete(prompt=letter, max_tokens=1, temperature=0)).expect_ok()


def generated_with(seed: int, *, examples: int = 1) -> list[str]:
    endpoint = FakeServer()
    held(
        endpoint,
        lambda api: assert_property(
            api, lambda: one_of(LETTERS), send, ONE_SHAPE, examples=examples
        ),
        seed=seed,
    )
    return [body["prompt"] for body in endpoint.bodies]


def test_every_example_is_requested() -> None:
    assert [len(generated_with(seed, examples=3)) for seed in range(4)] == [3] * 4


def test_seed_decides_what_is_generated() -> None:
    generated = [generated_with(seed) for seed in range(8)]
    assert generated == [generated_with(seed) for seed in range(8)]
    assert len({letter for (letter,) in generated}) > 3


# ── failures ──────────────────────────────────────────────────────────────────────


async def from_d_on(trial: Trial, letter: str, _: None = None) -> None:
    """Fail for all letters but the first three."""
    await send(trial, letter)
    if letter >= "d":
        raise Failure("a letter before d", letter)


@pytest.mark.parametrize("seed", range(6))
def test_smallest_request_is_reported(seed: int) -> None:
    async def longer_than_two(trial: Trial, text: str, _: None) -> None:
        await send(trial, text)
        if len(text) > 2:
            raise Failure("a short text", text)

    endpoint = FakeServer()
    texts = ["a" * length for length in range(1, 17)]
    with pytest.raises(Failure) as raised:
        held(
            endpoint,
            lambda api: assert_property(
                api, lambda: one_of(texts[2:] + texts[:2]), longer_than_two, ONE_SHAPE, examples=4
            ),
            seed=seed,
        )
    assert raised.value.seen == "aaa"
    assert raised.value.expected == (
        "a short text; smallest failing request:"
        ' {"prompt": "aaa", "max_tokens": 1, "temperature": 0}'
    )


def test_deciding_exchanges_come_last() -> None:
    endpoint = FakeServer()
    api = an_api(endpoint)
    with pytest.raises(Failure) as raised:
        asyncio.run(assert_property(api, lambda: one_of("ponmdefg"), from_d_on, ONE_SHAPE))
    last = next(body for body in reversed(endpoint.bodies))
    assert api.exchanges[-1].request.body.decode().find(f'"prompt":"{raised.value.seen}"') > 0
    assert last["model"] == MODEL


def test_shrinking_has_a_request_limit() -> None:
    async def always(trial: Trial, numbers: tuple[str, ...], _: None) -> None:
        await send(trial, "".join(numbers))
        raise Failure("nothing", "something")

    def many() -> Any:
        return st.tuples(*[one_of(LETTERS)] * 12)

    endpoint = FakeServer()
    with pytest.raises(Failure):
        held(endpoint, lambda api: assert_property(api, many, always, ONE_SHAPE))
    assert 2 <= len(endpoint.requests) <= 1 + MAX_SHRINKING_REQUESTS + 1


def test_shrinking_keeps_to_the_first_sentence() -> None:
    async def two_faults(trial: Trial, letter: str, _: None) -> None:
        await send(trial, letter)
        raise Failure("no a" if letter == "a" else "no other", letter)

    with pytest.raises(Failure, match="expected no other"):
        held(
            FakeServer(),
            lambda api: assert_property(api, lambda: one_of("abcdefgh"), two_faults, ONE_SHAPE),
            seed=3,
        )


class Shapes:
    """A relation that records the shapes it was tried in."""

    def __init__(self, rejected: str = "", failing: str = "") -> None:
        self.rejected, self.failing = rejected, failing
        self.sent: list[str] = []

    async def __call__(self, trial: Trial, letter: str, shape: str) -> None:
        self.sent.append(shape)
        await send(trial, letter + shape)
        if shape in self.rejected:
            raise Refusal(400, "no", frozenset({"n"}))
        if shape in self.failing:
            raise Failure("a shape that works", shape)


def test_refused_shape_leaves_the_next() -> None:
    shapes = Shapes(rejected="1")
    held(FakeServer(), lambda api: assert_property(api, lambda: one_of(LETTERS), shapes, "123"))
    assert shapes.sent == ["1", "2"]


def test_refusal_of_the_simplest_shape_is_raised() -> None:
    shapes = Shapes(rejected="123")
    with pytest.raises(Refusal):
        held(FakeServer(), lambda api: assert_property(api, lambda: one_of(LETTERS), shapes, "123"))
    assert shapes.sent == ["1", "2", "3"]


def test_simplest_failing_shape_is_reported() -> None:
    shapes = Shapes(failing="111 2")
    with pytest.raises(Failure) as raised:
        held(
            FakeServer(),
            lambda api: assert_property(api, lambda: one_of("a"), shapes, ("111", "2")),
        )
    assert raised.value.seen == "2"


@pytest.mark.parametrize(
    "judgement",
    [
        Refusal(400, "no", frozenset()),
        NotApplicable("nothing to judge"),
        Inconclusive("answered 503"),
        BudgetSpent("budget spent"),
        Missing(Feature.TEXT, "text", "none"),
        LookupError("our own fault"),
    ],
    ids=lambda judgement: type(judgement).__name__,
)
def test_other_judgements_end_the_property(judgement: Exception) -> None:
    async def relation(trial: Trial, letter: str, _: None) -> None:
        await send(trial, letter)
        raise judgement

    endpoint = FakeServer()
    with pytest.raises(type(judgement)) as raised:
        held(
            endpoint,
            lambda api: assert_property(
                api, lambda: one_of(LETTERS), relation, ONE_SHAPE, examples=4
            ),
        )
    assert raised.value is judgement
    assert len(endpoint.requests) == 1


# ── in a run ─────────────────────────────────────────────────────────────────────────────────────


def property_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("property")]


class Silent:
    """A transport that never answers."""

    def __init__(self) -> None:
        self.sent = asyncio.Event()

    async def send(self, request: Request) -> Exchange:
        self.sent.set()
        await asyncio.Event().wait()
        raise AssertionError(request)


def test_cancelled_property_leaves_no_thread() -> None:
    async def main() -> list[threading.Thread]:
        silent = Silent()
        api = Api(RequestCoalescer(silent.send), OPENAI, MODEL)
        task = asyncio.create_task(
            assert_property(api, lambda: one_of(LETTERS), send, ONE_SHAPE, examples=4)
        )
        await silent.sent.wait()
        (thread,) = property_threads()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(thread.join, 60)
        return property_threads()

    assert asyncio.run(main()) == []


def test_waiting_property_lets_others_draw() -> None:
    async def main() -> int:
        silent, endpoint = Silent(), FakeServer()
        api = Api(RequestCoalescer(silent.send), OPENAI, MODEL)
        waiting = asyncio.create_task(
            assert_property(api, lambda: one_of(LETTERS), send, ONE_SHAPE, examples=4)
        )
        await silent.sent.wait()
        await assert_property(an_api(endpoint), lambda: one_of(LETTERS), send, ONE_SHAPE)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return len(endpoint.bodies)

    assert asyncio.run(main()) == 1


def test_objects_are_frozen_only_while_drawing() -> None:
    frozen: list[int] = []

    async def look(trial: Trial, letter: str, _: None) -> None:
        frozen.append(gc.get_freeze_count())
        await send(trial, letter)

    # A run of another test that was closed early may still be drawing in its own thread.
    for _ in range(300):
        if not gc.get_freeze_count():
            break
        time.sleep(0.1)
    before = gc.get_freeze_count()
    held(FakeServer(), lambda api: assert_property(api, lambda: one_of(LETTERS), look, ONE_SHAPE))
    assert min(frozen) > before == gc.get_freeze_count()


def test_concurrent_properties_find_the_same() -> None:
    change = choices(lambda _, of: [{**c, "text": f"{c['text']}!"} for c in of])
    together = findings_of(change, seed=5)
    for check_id in ("relations.stream-as-plain", "relations.scores-join"):
        alone = finding_of(check_id, FakeServer(change), seed=5)
        assert (together[check_id].verdict, together[check_id].message) == (
            alone.verdict,
            alone.message,
        )


def test_nothing_is_written_or_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    found = findings_of(choices(lambda _, of: [{**c, "text": "no"} for c in of]))
    assert any(finding.expected for finding in found.values())
    assert list(tmp_path.iterdir()) == []
    assert tuple(capfd.readouterr()) == ("", "")


def test_random_state_is_restored() -> None:
    random.seed(20)
    before = random.getstate()
    findings_of("none")
    assert random.getstate() == before


# ── near-ties and non-determinism ───────────────────────────────────────────────────────


class TwoSides:
    """Two sides of a relation: each has its shared text first, then the texts of fresh requests."""

    def __init__(self, left: Sequence[str], right: Sequence[str]) -> None:
        self._sides = (left, iter(left[1:])), (right, iter(right[1:]))

    async def relation(self, trial: Trial, prompt: str, _: None) -> None:
        async def text(side: int, fresh: bool) -> str:
            await trial.api.complete(fresh=fresh, prompt=prompt, max_tokens=2, temperature=0)
            shared, more = self._sides[side]
            return next(more) if fresh else shared[0]

        await expect_same_responses(trial, partial(text, 0), partial(text, 1), "the same")


def outcome(
    left: str, right: str, *, change: Behaviour | str = "none", unreproduced: bool = False
) -> Judgement:
    """Return the judgement of two differing sides, reproduced or seen once."""
    times = REPEATS + 12
    sides = TwoSides([left, *[right if unreproduced else left] * times], [right] * times)
    with pytest.raises(Judgement) as raised:
        held(
            FakeServer(change),
            lambda api: assert_property(
                api, lambda: one_of(("1, 2, 3,",)), sides.relation, ONE_SHAPE
            ),
        )
    return raised.value


def test_reproduced_difference_is_a_failure() -> None:
    # The in-memory model continues to count with a lead of at least 1.5 nats.
    found = outcome(" 4,", " 9,")
    assert isinstance(found, Failure)
    assert found.seen == '" 4," vs. " 9," (both reproduced)'


def test_near_tie_is_inconclusive() -> None:
    found = outcome(" 4,", " 9,", change=NEAR_TIES)
    assert isinstance(found, Inconclusive)
    assert "two tokens are 0.30 nats apart" in str(found)


def test_unknown_lead_is_inconclusive() -> None:
    silent = rejects(lambda body: body.get("logprobs") is not None)
    found = outcome(" 4,", " 9,", change=silent)
    assert isinstance(found, Inconclusive)
    assert "the margin between the tokens is unknown: refused with 400" in str(found)


def test_unreproduced_difference_is_inconclusive() -> None:
    assert isinstance(outcome(" 4,", " 9,", unreproduced=True), Inconclusive)
