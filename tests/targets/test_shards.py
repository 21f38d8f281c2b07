"""Shards divide targets by their names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from conformance.targets.parsing import TypedError
from conformance.targets.shards import MAX_SHARDS, Shard, read_shard

NAMES = [f"vendor-{number}" for number in range(400)]


@given(some.text(), some.integers(1, 50))
def test_every_name_is_in_one_shard(name: str, count: int) -> None:
    assert sum(Shard(number, count).holds(name) for number in range(1, count + 1)) == 1


def test_shards_are_about_equal() -> None:
    for number in (1, 2, 3, 4):
        assert 70 <= sum(map(Shard(number, 4).holds, NAMES)) <= 130


def test_shards_never_change() -> None:
    """Machines with other versions of the suite agree."""
    names = ("zero", "gpt-ge", "aocheng", "数据")
    assert [name for name in names if Shard(1, 2).holds(name)] == ["zero", "aocheng"]


def test_shard_is_read_as_it_is_written() -> None:
    assert str(read_shard(" 3/4 ")) == "3/4"
    assert read_shard(f"1/{MAX_SHARDS}") == Shard(1, MAX_SHARDS)


@pytest.mark.parametrize(
    "typed", ["", "1", "1/", "a/b", "1/2/3", "-1/2", "0/3", "4/3", "1/0", "1/1001"]
)
def test_nonsense_is_refused(typed: str) -> None:
    with pytest.raises(TypedError, match="must have"):
        read_shard(typed)
