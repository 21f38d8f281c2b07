"""Many sequences in one batch: shared prompts, fair turns and independence."""

from typing import Any

import numpy as np
import pytest

from reference_server.engine.choice import Choice, ChoiceRequest
from reference_server.engine.constraint import BrokenConstraintError, Mask
from reference_server.engine.parameters import SamplingParameters
from reference_server.engine.request import EngineRequest, Generation, Update
from reference_server.engine.scheduler import Scheduler
from reference_server.engine.tokenizer import Tokenizer
from tests.reference_server.scripted import ScriptedBackend


def generation(max_tokens: int = 4, candidates: int = 1, **extra: Any) -> Generation:
    return Generation(
        model_ids=(65, 66),
        choice=ChoiceRequest((65, 66), None, max_tokens),
        sampling=SamplingParameters(),
        candidates=candidates,
        seed=0,
        **extra,
    )


def engine_request(*generations: Generation, live: bool = False) -> EngineRequest:
    return EngineRequest(generations or (generation(),), live)


def backend_for(tokenizer: Tokenizer, text: str = "abSTOP世界you") -> ScriptedBackend:
    return ScriptedBackend(tokenizer.encode(text), tokenizer.size)


def run(scheduler: Scheduler, *tickets: EngineRequest) -> list[list[Update]]:
    """The updates of every turn until nothing is left to do."""
    for each in tickets:
        scheduler.add(each)
    turns = []
    while not scheduler.idle:
        turns.append(scheduler.step())
        assert len(turns) < 1000
    return turns


def texts(turns: list[list[Update]], owner: EngineRequest) -> dict[tuple[int, int], str]:
    choices: dict[tuple[int, int], Choice] = {}
    for update in (u for turn in turns for u in turn if u.request is owner):
        choice = choices.setdefault((update.prompt, update.candidate), Choice())
        choice.chunks.extend(update.chunks)
    assert all(choice.finish for choice in choices.values())
    return {place: choice.text for place, choice in choices.items()}


def test_prompt_is_read_once_for_all_candidates(tiny: Tokenizer) -> None:
    backend = backend_for(tiny)
    request = engine_request(generation(candidates=5))
    found = texts(run(Scheduler(backend, tiny), request), request)
    assert found == {(0, i): "abSTOP世界" for i in range(5)}
    assert backend.prefills == 1
    assert backend.widest == 5
    assert not backend.open_handles


def test_running_sequences_are_limited_by_rows(tiny: Tokenizer) -> None:
    backend = backend_for(tiny)
    request = engine_request(*(generation(candidates=3, prompt_index=i) for i in range(4)))
    assert len(texts(run(Scheduler(backend, tiny, rows=2), request), request)) == 12
    assert backend.widest == 2


def test_small_request_finishes_before_a_large_one(tiny: Tokenizer) -> None:
    large, small = engine_request(generation(candidates=100)), engine_request()
    turns = run(Scheduler(backend_for(tiny), tiny, rows=2), large, small)
    finished = next(i for i, turn in enumerate(turns) if any(u.request is small for u in turn))
    assert finished < 6 < len(turns)


def test_long_request_yields_rows_to_short_ones(tiny: Tokenizer) -> None:
    """All rows are taken for 1,000 turns: one of them pauses for as long as the short one needs."""
    backend = ScriptedBackend(tiny.encode("abSTOP"), tiny.size, context=1002)
    scheduler = Scheduler(backend, tiny, rows=4)
    long, short = engine_request(generation(1000, candidates=128)), engine_request(generation(3))
    scheduler.add(long)
    scheduler.step()
    assert scheduler.running == 4
    scheduler.add(short)
    turns = [scheduler.step() for _ in range(3)]
    assert [u.request for turn in turns for u in turn] == [short]
    assert len(backend.open_handles) == 4
    long.cancelled = True
    scheduler.step()
    assert not backend.open_handles
    assert scheduler.idle


def test_paused_sequence_resumes_at_its_position(tiny: Tokenizer) -> None:
    backend = backend_for(tiny)
    scheduler = Scheduler(backend, tiny, rows=2)
    long = engine_request(generation(60, candidates=4))
    shorts = [engine_request(generation(2), generation(2, prompt_index=1)) for _ in range(8)]
    scheduler.add(long)
    turns = []
    for short in shorts:
        turns.append(scheduler.step())
        scheduler.add(short)
    turns += run(scheduler)
    assert texts(turns, long) == texts(run(Scheduler(backend, tiny), long), long)
    assert all(len(texts(turns, short)) == 2 for short in shorts)
    assert backend.widest <= 4
    assert not backend.open_handles


def test_requests_share_the_rows_evenly(tiny: Tokenizer) -> None:
    scheduler = Scheduler(ScriptedBackend([70], tiny.size, context=1002), tiny, rows=6)
    long = [engine_request(generation(100, candidates=9), live=True) for _ in range(3)]
    scheduler.add(long[0])
    scheduler.step()
    for other in long[1:]:
        scheduler.add(other)
    turns = [scheduler.step() for _ in range(150)]
    chunks = [sum(u.request is each for turn in turns[-10:] for u in turn) for each in long]
    assert chunks == [20, 20, 20]


def test_cached_prompts_are_limited_to_twice_the_rows(tiny: Tokenizer) -> None:
    """However many requests wait: what was read of a prompt is large."""
    backend = backend_for(tiny)
    scheduler = Scheduler(backend, tiny, rows=2)
    tickets = [engine_request(generation(candidates=3)) for _ in range(50)]
    for each in tickets:
        scheduler.add(each)
    finished: set[EngineRequest] = set()
    while not scheduler.idle:
        for update in scheduler.step():
            if update.candidate == 2:
                finished.add(update.request)
        assert backend.prefills - len(finished) <= 4
    assert finished == set(tickets)


def test_response_is_independent_of_other_requests(tiny: Tokenizer) -> None:
    def sampled(neighbours: int) -> str:
        # A flat distribution, so that only the random numbers decide.
        backend = ScriptedBackend([70], tiny.size)
        warm = SamplingParameters(temperature=2, logit_bias=((70, -30.0),))
        one = Generation((65,), ChoiceRequest((65,), None, 12), warm, 1, seed=5)
        request = engine_request(one)
        others = [engine_request(generation(candidates=3)) for _ in range(neighbours)]
        return texts(run(Scheduler(backend, tiny, rows=8), *others, request), request)[0, 0]

    assert sampled(0) == sampled(1) == sampled(7)


def test_live_request_gets_chunks_and_others_the_whole(tiny: Tokenizer) -> None:
    live, non_streaming = engine_request(live=True), engine_request()
    turns = run(Scheduler(backend_for(tiny), tiny), live, non_streaming)
    assert len([u for turn in turns for u in turn if u.request is live]) == 5
    assert len([u for turn in turns for u in turn if u.request is non_streaming]) == 1
    assert texts(turns, live) == texts(turns, non_streaming)


def test_cancelled_request_leaves_in_the_next_turn(tiny: Tokenizer) -> None:
    backend = backend_for(tiny)
    scheduler = Scheduler(backend, tiny, rows=2)
    gone, stays = engine_request(generation(50, candidates=9)), engine_request()
    scheduler.add(gone)
    scheduler.step()
    assert len(backend.open_handles) == 2
    gone.cancelled = True
    turns = run(scheduler, stays)
    assert texts(turns, stays) == {(0, 0): "abSTOP世界"}
    assert not any(u.request is gone for turn in turns for u in turn)
    assert not backend.open_handles


def test_scored_prompt_uses_no_row(tiny: Tokenizer) -> None:
    backend = backend_for(tiny)
    choice = ChoiceRequest((65, 66, 67), None, 0, echo=True)
    request = Generation(
        (65, 66, 67), choice, SamplingParameters(), 1, 0, alternatives=1, score_prompt=True
    )
    (update,) = run(Scheduler(backend, tiny), engine_request(request))[0]
    entries = Choice(list(update.chunks)).entries
    assert [entry.logprob is None for entry in entries] == [True, False, False]
    assert backend.widest == 0


def test_special_tokens_except_the_end_are_never_sampled(tiny: Tokenizer) -> None:
    backend = ScriptedBackend([1, 2, 3], tiny.size + 8)  # and neither are ids without a spelling
    request = engine_request(generation(20, candidates=8))
    found = texts(run(Scheduler(backend, tiny), request), request)
    assert not any("<|" in text for text in found.values())


def test_scheduler_reports_every_request_after_a_fault(tiny: Tokenizer) -> None:
    backend = backend_for(tiny)
    backend.fault = RuntimeError("the model is gone")
    scheduler = Scheduler(backend, tiny, rows=1)
    running, waiting = engine_request(), engine_request()
    for each in (running, waiting):
        scheduler.add(each)
    with pytest.raises(RuntimeError):
        scheduler.step()
    failed = scheduler.fail_all()
    assert {update.request for update in failed} == {running, waiting}
    assert all(update.failed for update in failed)
    assert scheduler.idle
    assert not backend.open_handles


def test_fault_during_a_step_closes_every_sequence_once(tiny: Tokenizer) -> None:
    """The first sequence of the batch has just ended when the second cannot be sampled."""
    backend = backend_for(tiny)
    scheduler = Scheduler(backend, tiny, rows=3)
    ends, breaks, goes_on = (
        engine_request(generation(3)),
        engine_request(generation(9)),
        engine_request(generation(9)),
    )
    for each in (ends, breaks, goes_on):
        scheduler.add(each)
    scheduler.step()
    broken = scheduler._running[1].sampler
    broken.pick = lambda _: (_ for _ in ()).throw(RuntimeError("no such token"))  # type: ignore[method-assign] # breaks one of three
    with pytest.raises(RuntimeError, match="no such token"):
        scheduler.step()
    assert {update.request for update in scheduler.fail_all()} == {ends, breaks, goes_on}
    assert not backend.open_handles


class Breaking:
    """A constraint that becomes too complex after its first token."""

    def __init__(self, size: int) -> None:
        self._mask = np.ones(size, np.bool_)
        self._taken = 0

    def follower(self) -> "Breaking":
        return Breaking(len(self._mask))

    def allowed(self) -> Mask:
        if self._taken:
            raise BrokenConstraintError("too complex")
        return self._mask

    def advance(self, token: int) -> None:
        self._taken += token >= 0


def test_broken_constraint_fails_its_own_request(tiny: Tokenizer) -> None:
    backend = backend_for(tiny)
    broken = engine_request(generation(candidates=2, grammar=Breaking(tiny.size)))
    other = engine_request()
    turns = run(Scheduler(backend, tiny), broken, other)
    updates = [update for turn in turns for update in turn]
    assert {update.failed for update in updates if update.request is broken} == {True}
    assert texts(turns, other) == {(0, 0): "abSTOP世界"}
    assert not backend.open_handles
