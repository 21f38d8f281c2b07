"""Workers with a server each: real runs, and what happens when one of them goes away."""

from __future__ import annotations

import multiprocessing
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.model import Tier
from conformance.selftest.trials import ALIKE, Dialect, Trial
from conformance.selftest.workers import WorkerError, outcomes_of
from tests.selftest.builders import a_fault, a_variant

TOTAL = a_fault("total-mismatch", area="usage", requirements=("usage.total-is-sum",))
SMOKE = (
    Trial(Dialect("reference"), Tier.SMOKE, "openai", "reference"),
    Trial(Dialect("zero"), Tier.SMOKE, "zero", "zero"),
    Trial(TOTAL, Tier.SMOKE, "openai", "reference"),
)

LEAVES = """
import http.server, os

class Leaves(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        os._exit(1)

server = http.server.HTTPServer(("127.0.0.1", 0), Leaves)
print(f"Listening on http://127.0.0.1:{server.server_port}/v1", flush=True)
server.serve_forever()
"""
KILLS_ITS_WORKER = """
import os, signal

print("Listening on http://127.0.0.1:9/v1", flush=True)
os.kill(os.getppid(), signal.SIGKILL)
"""
DOES_NOT_START = "import sys; sys.exit('port 80 is taken')"


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_each_trial_comes_to_an_outcome_against_what_the_server_shows() -> None:
    outcomes = {outcome.trial: outcome for outcome in outcomes_of(SMOKE, jobs=2)}
    assert outcomes.keys() == set(SMOKE)
    reference, zero, faulty = (outcomes[trial] for trial in SMOKE)
    assert (reference.because, zero.because, faulty.because) == (None, None, None)
    assert reference.false_alarms == zero.false_alarms == ()
    assert len(reference.remarks) > len(zero.remarks) / 2 > 10
    assert faulty.found
    assert not faulty.besides
    assert all(0 < o.cost.requests <= 25 and o.cost.tokens > 0 for o in outcomes.values())


def test_a_few_checks_suffice_where_they_find_the_fault() -> None:
    (outcome,) = outcomes_of([replace(SMOKE[-1], complete=False)], jobs=1)
    assert outcome.found
    assert outcome.cost is None


def test_all_checks_are_run_where_a_few_do_not_find_what_they_have_to() -> None:
    other = replace(TOTAL, requirements=("stop.string",))
    base = Trial(other, Tier.SMOKE, "openai", "reference", complete=False)
    hidden = replace(base, modifier="stream")
    outcomes = {o.trial: o for o in outcomes_of([base, hidden], jobs=1)}
    assert not any(outcome.found for outcome in outcomes.values())
    assert "usage.total-is-sum" in outcomes[base].besides
    assert outcomes[base].cost is not None
    # This tier need not find what hides.
    assert outcomes[hidden].cost is None
    request = {remark.requirement for remark in outcomes[hidden].remarks}
    assert request == {"stop.string", *ALIKE["stream"]}


def test_what_was_rejected_is_named() -> None:
    # The live instruct model declines echo with logprobs, which no run at this tier may mind.
    trial = Trial(Dialect("openai"), Tier.STANDARD, "openai", "openai")
    (outcome,) = outcomes_of([trial], jobs=1)
    assert outcome.false_alarms == ()
    rejected = [r.declined for r in outcome.remarks if r.verdict == "refused"]
    assert rejected
    assert all({"echo", "logprobs"} <= names or "best_of" in names for names in rejected)


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        (LEAVES, "the bundled server ended during the run against crlf"),
        (KILLS_ITS_WORKER, "a selftest worker process ended (exit code -9)"),
        (DOES_NOT_START, "the bundled reference server did not start: port 80 is taken"),
    ],
)
def test_a_worker_or_a_server_that_goes_away_is_reported_in_a_sentence(
    program: str, sentence: str
) -> None:
    trial = Trial(a_variant(), Tier.SMOKE, "openai", "reference")
    with pytest.raises(WorkerError) as caught:
        list(outcomes_of([trial], jobs=1, command=python(program)))
    assert str(caught.value) == sentence


def test_who_stops_early_leaves_no_process_behind() -> None:
    with closing(outcomes_of(SMOKE * 9, jobs=2)) as made:
        next(made)
        workers = [worker.pid for worker in multiprocessing.active_children() if worker.pid]
        servers = [pid for worker in workers for pid in children_of(worker)]
        assert len(workers) == 2
        assert servers
    assert not [pid for pid in (*workers, *servers) if Path(f"/proc/{pid}").exists()]


def children_of(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    return [int(child) for child in listed.split()]
