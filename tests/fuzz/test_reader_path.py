"""Mutated responses are judged and reported: no exception, no secret, no control character."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutations import CHANGES, Mutation
from tests.fuzz.reader import REPORTS, assert_reads
from tests.lanes import runs_everything

EXAMPLES, ALL_EXAMPLES = 25, 2_000

MUTATIONS = st.lists(
    st.lists(
        st.builds(Mutation, st.sampled_from(sorted(CHANGES)), st.integers(0, 2**32)), max_size=3
    ),
    min_size=1,
    max_size=7,
)

BROKE: dict[str, list[list[Mutation]]] = {
    "integers beyond floats": [[Mutation("replace_number", 3831)]],
    "deep values": [[Mutation("nest_value", 6)]],
    "impossible dates": [[Mutation("change_header", 180)]],
    "empty events": [[Mutation("add_lines", 6)]],
}
"""Mutations that have found an error before."""


def test_mutated_responses_are_judged_and_reported(pytestconfig: pytest.Config) -> None:
    everything = runs_everything(pytestconfig)

    # Every report of a run takes longer than to judge it: each example renders one.
    @settings(
        max_examples=ALL_EXAMPLES if everything else EXAMPLES,
        derandomize=not everything,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(MUTATIONS, st.sampled_from(REPORTS))
    def holds(mutations: list[list[Mutation]], report: str) -> None:
        assert_reads(mutations, [report])

    holds()


@pytest.mark.parametrize("mutations", BROKE.values(), ids=BROKE.keys())
def test_every_report_of_what_broke_before(mutations: list[list[Mutation]]) -> None:
    assert_reads(mutations, REPORTS)
