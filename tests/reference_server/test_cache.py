"""Rows of keys and values that come, grow, move and go."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_server.engine.backend import Floats
from reference_server.engine.cache import FEWEST_SLOTS, Cache

CONTEXT = 200


def history(cache: Cache, length: int, mark: float) -> Floats:
    """A sequence whose every number tells whose it is and in which slot."""
    filled = cache.unfilled(1, length)
    filled[:] = mark + np.arange(length)[:, None] / 1000
    return filled


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.integers(1, CONTEXT - 1)),
            st.tuples(st.just("remove"), st.integers(0, 50)),
            st.tuples(st.just("extend"), st.integers(1, 90)),
        ),
        max_size=40,
    )
)
def test_every_sequence_keeps_its_own_numbers(actions: list[tuple[str, int]]) -> None:
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
            for _ in range(number):
                if max(expected.values()) == CONTEXT:
                    break
                cache.make_room()
                for each, slot in expected.items():
                    cache.memory[:, cache.row(each), :, slot] = each + slot / 1000
                    expected[each] = slot + 1
                cache.lengths[:] += 1
        assert len(cache) == len(expected)
        assert sorted(cache.row(each) for each in expected) == list(range(len(expected)))
        for each, length in expected.items():
            row = cache.row(each)
            assert cache.lengths[row] == length
            wanted = history(cache, length, each)[:, 0]
            assert np.array_equal(cache.memory[:, row, :, :length], wanted)


def test_it_grows_by_doubling_and_is_given_back_at_the_end() -> None:
    cache = Cache(layers=1, heads=2, context=CONTEXT, width=4)
    assert cache.nbytes == 0
    shapes = []
    for handle, length in enumerate([3, 3, 3, 70, 150]):
        cache.add(handle, history(cache, length, 0))
        shapes.append(cache.nbytes // (2 * 2 * 4 * 4))
    assert shapes == [
        FEWEST_SLOTS,
        2 * FEWEST_SLOTS,
        4 * FEWEST_SLOTS,
        4 * 2 * FEWEST_SLOTS,
        8 * CONTEXT,
    ]
    for handle in range(5):
        cache.remove(handle)
    assert cache.nbytes == 0


def test_memory_is_replaced_only_when_a_sequence_has_filled_it() -> None:
    cache = Cache(layers=1, heads=1, context=CONTEXT, width=1)
    cache.add(0, history(cache, FEWEST_SLOTS - 1, 0))
    assert not cache.make_room()
    cache.lengths[0] += 1
    assert cache.make_room()
    assert cache.memory.shape[3] == 2 * FEWEST_SLOTS
    cache.lengths[0] = 2 * FEWEST_SLOTS
    assert cache.make_room()
    assert cache.memory.shape[3] == CONTEXT, "up to the context"
    cache.lengths[0] = CONTEXT
    assert not cache.make_room(), "and no further"
