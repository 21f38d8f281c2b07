"""What failing requests have in common and served ones do not."""

from __future__ import annotations

from itertools import combinations

import pytest

from conformance.checks._shared.common_traits import (
    Traits,
    explanations,
    groups_of,
    plainest,
)
from conformance.checks.errors.never_answered import MAX_TRIALS
from conformance.checks.errors.shrinking import candidates_of, next_trial

SEVEN = ["best_of", "echo", "frequency_penalty", "logprobs", "n", "stop", "top_p"]


def traits(*names: str) -> Traits:
    return frozenset(f"`{name}`" for name in names)


PAIRS = [frozenset(two) for two in combinations(sorted(traits(*SEVEN)), 2)]


def test_one_trait_explains_all_failures() -> None:
    failing = [traits("stream"), traits("stream", "n"), traits("stream", "stop")]
    groups, unexplained = groups_of(failing, [traits("n", "stop")])
    assert [(group.traits, group.members) for group in groups] == [(traits("stream"), (0, 1, 2))]
    assert unexplained == ()


def test_two_traits_are_told_where_each_is_served() -> None:
    failing = [traits("n", "logprobs", "echo"), traits("n", "logprobs")]
    groups, _ = groups_of(failing, [traits("n", "echo"), traits("logprobs", "echo")])
    assert [group.traits for group in groups] == [traits("n", "logprobs")]


def test_two_causes_make_two_groups() -> None:
    failing = [traits("stream"), traits("echo", "n"), traits("stream", "n")]
    groups, _ = groups_of(failing, [traits("n"), traits("stop")])
    assert [group.traits for group in groups] == [traits("stream"), traits("echo")]


def test_failure_of_what_is_also_served_is_unexplained() -> None:
    groups, unexplained = groups_of([traits("n")], [traits("n", "stop")])
    assert groups == ()
    assert unexplained == (0,)


def test_many_traits_together_stay_one_explanation() -> None:
    one = traits("a", "b", "c", "d")
    served = [one - {name} for name in one]
    groups, _ = groups_of([one], served)
    assert [group.traits for group in groups] == [one]


def test_names_of_parameters_are_plainer_than_values() -> None:
    found = explanations(frozenset({"`n`", "`n: 2`", "`seed: 7`"}), [])
    assert plainest(explanations(frozenset({"`n`", "`n: 2`"}), [traits("stop")])) == traits("n")
    assert frozenset[str]() in found


@pytest.mark.parametrize("guilty", PAIRS, ids=lambda pair: " + ".join(sorted(pair)))
def test_bug_of_two_is_found_among_seven_settings(guilty: Traits) -> None:
    body = dict.fromkeys(SEVEN, 1) | {"model": "m", "prompt": "1", "max_tokens": 1}
    served = [traits(name) for name in SEVEN]
    left = candidates_of([traits(*SEVEN)], served)
    assert len(left) > 20
    for _ in range(MAX_TRIALS):
        trial = next_trial(body, left)
        if trial is None:
            break
        asked = traits(*(trial.keys() & set(SEVEN)))
        fails = guilty <= asked
        left = [one for one in left if (one <= asked) is fails]
        body = trial if fails else body
    assert plainest(left) == guilty


def test_trial_keeps_what_its_parameters_need() -> None:
    body = {
        "model": "m",
        "prompt": "1",
        "max_tokens": 1,
        "stream": True,
        "stream_options": {"include_usage": True},
        "echo": True,
    }
    left = [traits("stream_options"), traits("echo")]
    trial = next_trial(body, left)
    assert trial is not None
    assert "stream" in trial or "stream_options" not in trial


def test_nothing_is_tried_for_one_explanation() -> None:
    assert next_trial({"model": "m", "n": 2}, [traits("n")]) is None
