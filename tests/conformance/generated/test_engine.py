"""Hypothesis inside the run's event loop: what it draws, shrinks, spends, and leaves behind."""

from __future__ import annotations

import asyncio
import random
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from conformance.api import Api
from conformance.checks._compare import REPEATS
from conformance.generated.agreement import Trial
from conformance.generated.engine import SHRINKING, hold_property
from conformance.generated.strategies import one_of
from conformance.judgement import (
    Absence,
    BudgetSpent,
    Deviation,
    Inconclusive,
    Judgement,
    NotApplicable,
    Refusal,
    Thing,
)
from conformance.model import Exchange, Request
from conformance.wire.sharing import Sharing
from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.pieces import choices, declines
from tests.conformance.generated.endpoints import OPENAI, an_api, finding_of, findings_of, held
from tests.fake_server import MODEL, FakeServer
from tests.near_ties import NEAR_TIES

ONE_WAY: Sequence[None] = (None,)
LETTERS = "abcdefghijklmnop"


async def ask(trial: Trial, letter: str, _: None = None) -> None:
    """Ask one small thing about what was drawn."""
    (await trial.api.complete(prompt=letter, max_tokens=1, temperature=0)).expect_ok()


def drawn_with(seed: int, *, examples: int = 1) -> list[str]:
    endpoint = FakeServer()
    held(
        endpoint,
        lambda api: hold_property(api, lambda: one_of(LETTERS), ask, ONE_WAY, examples=examples),
        seed=seed,
    )
    return [body["prompt"] for body in endpoint.bodies]


def test_a_property_asks_for_as_many_examples_as_it_may() -> None:
    assert [len(drawn_with(seed, examples=3)) for seed in range(4)] == [3] * 4


def test_the_same_seed_draws_the_same_and_another_draws_otherwise() -> None:
    drawn = [drawn_with(seed) for seed in range(8)]
    assert drawn == [drawn_with(seed) for seed in range(8)]
    assert len({letter for (letter,) in drawn}) > 3


# ── what a failure comes to ──────────────────────────────────────────────────────────────────────


async def from_d_on(trial: Trial, letter: str, _: None = None) -> None:
    """Fail for all letters but the first three."""
    await ask(trial, letter)
    if letter >= "d":
        raise Deviation("a letter before d", letter)


@pytest.mark.parametrize("seed", range(6))
def test_a_failure_is_told_of_the_smallest_request(seed: int) -> None:
    async def longer_than_two(trial: Trial, text: str, _: None) -> None:
        await ask(trial, text)
        if len(text) > 2:
            raise Deviation("a short text", text)

    endpoint = FakeServer()
    texts = ["a" * length for length in range(1, 17)]
    with pytest.raises(Deviation) as told:
        held(
            endpoint,
            lambda api: hold_property(
                api, lambda: one_of(texts[2:] + texts[:2]), longer_than_two, ONE_WAY, examples=4
            ),
            seed=seed,
        )
    assert told.value.seen == "aaa"
    assert told.value.expected == (
        "a short text; the smallest request that shows it:"
        ' {"prompt": "aaa", "max_tokens": 1, "temperature": 0}'
    )
    assert told.value.features == {"model", "prompt", "max_tokens", "temperature"}


def test_what_shows_the_failure_comes_last() -> None:
    endpoint = FakeServer()
    api = an_api(endpoint)
    with pytest.raises(Deviation) as told:
        asyncio.run(hold_property(api, lambda: one_of("ponmdefg"), from_d_on, ONE_WAY))
    last = next(body for body in reversed(endpoint.bodies))
    assert api.exchanges[-1].request.body.decode().find(f'"prompt":"{told.value.seen}"') > 0
    assert last["model"] == MODEL


def test_shrinking_ends_when_its_share_is_spent() -> None:
    async def always(trial: Trial, numbers: tuple[str, ...], _: None) -> None:
        await ask(trial, "".join(numbers))
        raise Deviation("nothing", "something")

    def many() -> Any:
        return st.tuples(*[one_of(LETTERS)] * 12)

    endpoint = FakeServer()
    with pytest.raises(Deviation):
        held(endpoint, lambda api: hold_property(api, many, always, ONE_WAY))
    assert 2 <= len(endpoint.requests) <= 1 + SHRINKING + 1


def test_another_sentence_that_breaks_on_the_way_down_is_not_taken_for_the_first() -> None:
    async def two_faults(trial: Trial, letter: str, _: None) -> None:
        await ask(trial, letter)
        raise Deviation("no a" if letter == "a" else "no other", letter)

    with pytest.raises(Deviation, match="expected no other"):
        held(
            FakeServer(),
            lambda api: hold_property(api, lambda: one_of("abcdefgh"), two_faults, ONE_WAY),
            seed=3,
        )


class Ways:
    """Counts in which ways a property was asked for."""

    def __init__(self, declined: str = "", failing: str = "") -> None:
        self.declined, self.failing = declined, failing
        self.asked: list[str] = []

    async def __call__(self, trial: Trial, letter: str, way: str) -> None:
        self.asked.append(way)
        await ask(trial, letter + way)
        if way in self.declined:
            raise Refusal(400, "no", frozenset({"n"}))
        if way in self.failing:
            raise Deviation("a way that works", way)


def test_what_is_declined_leaves_the_next_way() -> None:
    ways = Ways(declined="1")
    held(FakeServer(), lambda api: hold_property(api, lambda: one_of(LETTERS), ways, "123"))
    assert ways.asked == ["1", "2"]


def test_the_refusal_of_the_simplest_way_is_told() -> None:
    ways = Ways(declined="123")
    with pytest.raises(Refusal):
        held(FakeServer(), lambda api: hold_property(api, lambda: one_of(LETTERS), ways, "123"))
    assert ways.asked == ["1", "2", "3"]


def test_a_failure_is_told_of_the_simplest_way_that_fails() -> None:
    ways = Ways(failing="111 2")
    with pytest.raises(Deviation) as told:
        held(FakeServer(), lambda api: hold_property(api, lambda: one_of("a"), ways, ("111", "2")))
    assert told.value.seen == "2"


@pytest.mark.parametrize(
    "judgement",
    [
        Refusal(400, "no", frozenset()),
        NotApplicable("nothing to judge"),
        Inconclusive("answered 503"),
        BudgetSpent("budget spent"),
        Absence(Thing.TEXT, "text", "none"),
        LookupError("our own fault"),
    ],
    ids=lambda judgement: type(judgement).__name__,
)
def test_what_is_no_deviation_ends_a_property_at_once(judgement: Exception) -> None:
    async def relation(trial: Trial, letter: str, _: None) -> None:
        await ask(trial, letter)
        raise judgement

    endpoint = FakeServer()
    with pytest.raises(type(judgement)) as told:
        held(
            endpoint,
            lambda api: hold_property(api, lambda: one_of(LETTERS), relation, ONE_WAY, examples=4),
        )
    assert told.value is judgement
    assert len(endpoint.requests) == 1


def test_without_hypothesis_a_property_says_what_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(NotApplicable, match=r"pip install .*\[generated\]"):
        held(FakeServer(), lambda api: hold_property(api, lambda: one_of("a"), ask, ONE_WAY))


# ── in a run ─────────────────────────────────────────────────────────────────────────────────────


def property_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("property")]


class Silent:
    """A transport that never answers."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def send(self, request: Request) -> Exchange:
        self.asked.set()
        await asyncio.Event().wait()
        raise AssertionError(request)


def test_a_property_that_is_cancelled_leaves_no_thread_behind() -> None:
    async def main() -> list[threading.Thread]:
        silent = Silent()
        api = Api(Sharing(silent.send), OPENAI, MODEL)
        task = asyncio.create_task(
            hold_property(api, lambda: one_of(LETTERS), ask, ONE_WAY, examples=4)
        )
        await silent.asked.wait()
        (thread,) = property_threads()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(thread.join, 60)
        return property_threads()

    assert asyncio.run(main()) == []


def test_properties_side_by_side_find_what_each_finds_alone() -> None:
    change = choices(lambda _, of: [{**c, "text": f"{c['text']}!"} for c in of])
    together = findings_of(change, seed=5)
    for check_id in ("relations.stream-as-plain", "relations.scores-join"):
        alone = finding_of(check_id, FakeServer(change), seed=5)
        assert (together[check_id].verdict, together[check_id].message) == (
            alone.verdict,
            alone.message,
        )


def test_nothing_is_written_and_nothing_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    found = findings_of(choices(lambda _, of: [{**c, "text": "no"} for c in of]))
    assert any(finding.expected for finding in found.values())
    assert list(tmp_path.iterdir()) == []
    assert tuple(capfd.readouterr()) == ("", "")


def test_random_numbers_go_on_as_if_nothing_had_been_drawn() -> None:
    random.seed(20)
    before = random.getstate()
    findings_of("none")
    assert random.getstate() == before


# ── differences that may be nobody's fault ───────────────────────────────────────────────────────


class Answers:
    """Two ways of asking for the same: what is shared comes first of a list, then what is fresh."""

    def __init__(self, left: Sequence[str], right: Sequence[str]) -> None:
        self._sides = (left, iter(left[1:])), (right, iter(right[1:]))

    async def relation(self, trial: Trial, prompt: str, _: None) -> None:
        async def told(side: int, fresh: bool) -> str:
            await trial.api.complete(fresh=fresh, prompt=prompt, max_tokens=2, temperature=0)
            shared, more = self._sides[side]
            return next(more) if fresh else shared[0]

        await trial.expect_alike(partial(told, 0), partial(told, 1), "the same")


def outcome(
    left: str, right: str, *, change: Behaviour | str = "none", wavering: bool = False
) -> Judgement:
    """Ask twice for the same, and differ: steadily, or the first time alone."""
    times = REPEATS + 12
    answers = Answers([left, *[right if wavering else left] * times], [right] * times)
    with pytest.raises(Judgement) as told:
        held(
            FakeServer(change),
            lambda api: hold_property(
                api, lambda: one_of(("1, 2, 3,",)), answers.relation, ONE_WAY
            ),
        )
    return told.value


def test_a_steady_difference_at_a_wide_lead_is_a_deviation() -> None:
    # The imagined model counts on with a lead of 1.5 nats and more.
    found = outcome(" 4,", " 9,")
    assert isinstance(found, Deviation)
    assert found.seen == '" 4," against " 9,", both repeated'


def test_a_steady_difference_at_a_near_tie_is_inconclusive() -> None:
    found = outcome(" 4,", " 9,", change=NEAR_TIES)
    assert isinstance(found, Inconclusive)
    assert "0.30 nats from each other" in str(found)


def test_a_steady_difference_where_no_lead_is_told_is_inconclusive() -> None:
    silent = declines(lambda asked: asked.get("logprobs") is not None)
    found = outcome(" 4,", " 9,", change=silent)
    assert isinstance(found, Inconclusive)
    assert "how close the tokens were cannot be told: refused with 400" in str(found)


def test_a_difference_that_does_not_come_back_is_inconclusive() -> None:
    assert isinstance(outcome(" 4,", " 9,", wavering=True), Inconclusive)
