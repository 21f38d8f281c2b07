"""Keys and values of the running sequences, in one array.

Rows are contiguous, and those that are read together are moved to the front, so that they form one
array. The array grows by doubling, in rows and in slots, up to the longest sequence, and is freed
when the last sequence ends. Readers know a row's length, so nothing is ever cleared.
"""

from collections.abc import Sequence

import numpy as np

from reference_server.engine.backend import Floats

MIN_SLOTS = 64


class Cache:
    """The cached keys and values of sequences, each identified by a handle."""

    def __init__(self, layers: int, heads: int, context: int, width: int) -> None:
        """For sequences of up to ``context`` tokens with ``heads`` keys and values per layer."""
        self._context = context
        self._unit = (layers * 2, heads, width)
        self._handles: list[int] = []
        """By row."""
        self._rows: dict[int, int] = {}
        """By handle."""
        self.lengths: list[int] = []
        """Slots in use, by row; updated by the code that fills them."""
        self._memory = self.unfilled(0, 0)

    def unfilled(self, rows: int, slots: int) -> Floats:
        """An array of [layers * 2, rows, heads, slots, width], keys before values in each layer."""
        planes, heads, width = self._unit
        return np.empty((planes, rows, heads, slots, width), np.float32)

    def __len__(self) -> int:
        return len(self._handles)

    @property
    def nbytes(self) -> int:
        """Bytes allocated."""
        return self._memory.nbytes

    @property
    def memory(self) -> Floats:
        """[layers * 2, rows, heads, slots, width]; there can be more rows than sequences.

        A different array after `add` or `gather` had to grow it.
        """
        return self._memory

    def add(self, handle: int, history: Floats) -> None:
        """Copy in a sequence: an array of one row, with all slots in use."""
        row, length = len(self), history.shape[3]
        self._grow(row + 1, min(length + 1, self._context))
        self._memory[:, row, :, :length] = history[:, 0]
        self.lengths.append(length)
        self._handles.append(handle)
        self._rows[handle] = row

    def remove(self, handle: int) -> None:
        """Discard a sequence; the last one moves to its row."""
        row = self._rows.pop(handle)
        last, length = self._handles.pop(), self.lengths.pop()
        if last != handle:
            self._memory[:, row, :, :length] = self._memory[:, len(self), :, :length]
            self._put(last, row, length)
        if not self._handles:
            self._memory = self.unfilled(0, 0)

    def gather(self, handles: Sequence[int]) -> list[int]:
        """Move sequences to the front, in any order, and ensure that each has a free slot.

        Returns their rows. Raises ValueError if one of them already has the length of the context.
        """
        count = len(handles)
        behind = [handle for handle in handles if self._rows[handle] >= count]
        if behind:
            wanted = set(handles)
            others = [handle for handle in self._handles[:count] if handle not in wanted]
            for handle, other in zip(behind, others, strict=True):
                self._swap(handle, other)
        longest = max(self.lengths[:count])
        if longest == self._context:
            raise ValueError("a sequence already has the length of the context")
        self._grow(count, longest + 1)
        return [self._rows[handle] for handle in handles]

    def _put(self, handle: int, row: int, length: int) -> None:
        self._handles[row] = handle
        self._rows[handle] = row
        self.lengths[row] = length

    def _swap(self, one: int, other: int) -> None:
        first, second = self._rows[one], self._rows[other]
        length, following = self.lengths[first], self.lengths[second]
        kept = self._memory[:, first, :, :length].copy()
        self._memory[:, first, :, :following] = self._memory[:, second, :, :following]
        self._memory[:, second, :, :length] = kept
        self._put(one, second, length)
        self._put(other, first, following)

    def _grow(self, rows: int, slots: int) -> None:
        had_rows, had_slots = self._memory.shape[1], self._memory.shape[3]
        if rows <= had_rows and slots <= had_slots:
            return
        before = self._memory
        self._memory = self.unfilled(
            max(had_rows, _power_of_two(rows)),
            max(had_slots, min(self._context, _power_of_two(max(slots, MIN_SLOTS)))),
        )
        for row, length in enumerate(self.lengths):
            self._memory[:, row, :, :length] = before[:, row, :, :length]


def _power_of_two(least: int) -> int:
    return 1 << (least - 1).bit_length()
