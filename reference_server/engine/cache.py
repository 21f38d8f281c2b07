"""Keys and values of the sequences that run, side by side in one array.

Rows are kept without gaps, so that all sequences together are the beginning of the array, and the
array grows by doubling, in rows and in slots, up to the longest sequence's. It is given back when
the last sequence leaves. Whoever reads a row knows its length, so nothing is ever cleared.
"""

import numpy as np
from numpy.typing import NDArray

from reference_server.engine.backend import Floats

FEWEST_SLOTS = 64


class Cache:
    """The histories of sequences, each known by a handle."""

    def __init__(self, layers: int, heads: int, context: int, width: int) -> None:
        """For sequences of up to ``context`` tokens, of each ``heads`` keys and values a layer."""
        self._context = context
        self._unit = (layers * 2, heads, width)
        self._handles: list[int] = []
        """By row."""
        self._rows: dict[int, int] = {}
        """By handle."""
        self._lengths = np.zeros(0, np.int32)
        self._memory = self.unfilled(0, 0)

    def unfilled(self, rows: int, slots: int) -> Floats:
        """An array of [layers * 2, rows, heads, slots, width], keys before values in each layer."""
        planes, heads, width = self._unit
        return np.empty((planes, rows, heads, slots, width), np.float32)

    def __len__(self) -> int:
        return len(self._handles)

    @property
    def nbytes(self) -> int:
        """Bytes set aside."""
        return self._memory.nbytes

    @property
    def memory(self) -> Floats:
        """Every sequence's keys and values: [layers * 2, sequences, heads, slots, width].

        Another array after `add` and `remove`, and where `make_room` says so.
        """
        return self._memory[:, : len(self)]

    @property
    def lengths(self) -> NDArray[np.int32]:
        """Slots in use, by row; to be written to by whoever fills slots."""
        return self._lengths[: len(self)]

    def row(self, handle: int) -> int:
        """Where a sequence is now."""
        return self._rows[handle]

    def add(self, handle: int, history: Floats) -> None:
        """Copy in a sequence: an array of one row, all of its slots in use."""
        row, length = len(self), history.shape[3]
        self._grow(row + 1, length + 1)
        self._memory[:, row, :, :length] = history[:, 0]
        self._lengths[row] = length
        self._handles.append(handle)
        self._rows[handle] = row

    def remove(self, handle: int) -> None:
        """Forget a sequence; the last one takes its row."""
        row, last = self._rows.pop(handle), self._handles.pop()
        if last != handle:
            length = self._lengths[len(self)]
            self._memory[:, row, :, :length] = self._memory[:, len(self), :, :length]
            self._lengths[row] = length
            self._handles[row] = last
            self._rows[last] = row
        if not self._handles:
            self._memory = self.unfilled(0, 0)
            self._lengths = np.zeros(0, np.int32)

    def make_room(self) -> bool:
        """See to it that every sequence has a free slot; True if `memory` had to be replaced.

        A sequence as long as the context gets none.
        """
        before = self._memory
        self._grow(len(self), int(self.lengths.max()) + 1)
        return self._memory is not before

    def _grow(self, rows: int, slots: int) -> None:
        had_rows, had_slots = self._memory.shape[1], self._memory.shape[3]
        slots = min(slots, self._context)
        if rows <= had_rows and slots <= had_slots:
            return
        before, lengths = self._memory, self._lengths
        self._memory = self.unfilled(
            max(had_rows, _power_of_two(rows)),
            max(had_slots, min(self._context, _power_of_two(max(slots, FEWEST_SLOTS)))),
        )
        self._lengths = np.zeros(self._memory.shape[1], np.int32)
        for row, length in enumerate(lengths[: len(self)]):
            self._memory[:, row, :, :length] = before[:, row, :, :length]
            self._lengths[row] = length


def _power_of_two(least: int) -> int:
    return 1 << (least - 1).bit_length()
