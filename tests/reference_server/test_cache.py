"""Rows of keys and values are added, grown, moved and removed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_server.engine.backend import Floats
from reference_server.engine.cache import MIN_SLOTS, Cache

CONTEXT = 200


def history(cache: Cache, length: int, mark: float) -> Floats:
    """A sequence whose values identify the sequence and the slot."""
    filled = cache.unfilled(1, length)
    filled[:] = mark + np.arange(length)[:, None] / 1000
    return filled


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.integers(1, CONTEXT - 1)),
            st.tuples(st.just("remove"), st.integers(0, 50)),
            st.tuples(st.just("extend"), st.integers(1, 2**20)),
        ),
        max_size=40,
    )
)
def test_every_sequence_keeps_its_values(actions: list[tuple[str, int]]) -> None:
    cache = Cache(layers=2, heads=1, context=CONTEXT, width=3)
    expected: dict[int, int] = {}
    for handle, (action, number) in enumerate(actions):
        if action == "add":
            cache.add(handle, history(cache, number, handle))
            expected[handle] = number
        elif action == "remove" and expected:
            gone = sorted(expected)[number % len(expected)]
            cache.remove(gone)
            del expected[gone]
        elif expected:
            chosen = [each for place, each in enumerate(expected) if number >> place & 1]
            for _ in range(number % 80 if chosen else 0):
                if max(expected[each] for each in chosen) == CONTEXT:
                    break
                rows = cache.gather(chosen)
                assert sorted(rows) == list(range(len(chosen)))
                for each, row in zip(chosen, rows, strict=True):
                    cache.memory[:, row, :, expected[each]] = each + expected[each] / 1000
                    cache.lengths[row] += 1
                    expected[each] += 1
        assert len(cache) == len(expected)
        for each, length in expected.items():
            if length == CONTEXT:
                with pytest.raises(ValueError, match="already has the length of the context"):
                    cache.gather([each])
                continue
            assert cache.gather([each]) == [0]
            assert cache.lengths[0] == length
            wanted = history(cache, length, each)[:, 0]
            assert np.array_equal(cache.memory[:, 0, :, :length], wanted)


def test_cache_doubles_and_is_freed_at_the_end() -> None:
    cache = Cache(layers=1, heads=2, context=CONTEXT, width=4)
    assert cache.nbytes == 0
    shapes = []
    for handle, length in enumerate([3, 3, 3, 70, 150]):
        cache.add(handle, history(cache, length, 0))
        shapes.append(cache.nbytes // (2 * 2 * 4 * 4))
    assert shapes == [
        MIN_SLOTS,
        2 * MIN_SLOTS,
        4 * MIN_SLOTS,
        4 * 2 * MIN_SLOTS,
        8 * CONTEXT,
    ]
    for handle in range(5):
        cache.remove(handle)
    assert cache.nbytes == 0


def test_memory_is_replaced_only_when_full() -> None:
    cache = Cache(layers=1, heads=1, context=CONTEXT, width=1)
    cache.add(0, history(cache, MIN_SLOTS - 1, 0))
    before = cache.memory
    cache.gather([0])
    assert cache.memory is before
    cache.lengths[0] += 1
    cache.gather([0])
    assert cache.memory.shape[3] == 2 * MIN_SLOTS
    cache.lengths[0] = 2 * MIN_SLOTS
    cache.gather([0])
    assert cache.memory.shape[3] == CONTEXT, "and no further"
