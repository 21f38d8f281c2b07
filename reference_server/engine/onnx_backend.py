"""The bundled model on onnxruntime: a graph that decodes a batch of rows with different histories.

The graph's inputs and outputs (see `reference_server/training/decoder.py`): `input_ids`
[rows, time], `past_lengths` [rows] and `past` [layers, 2, rows, kv_heads, slots, head_dim] give
`logits` [rows, time, vocabulary] and `present`, the keys and values of the new tokens alone.

To the last bit the same logits for a row, whatever else is decoded: onnxruntime's kernels compute
each row of a batch by itself, so the number of rows changes nothing (a test holds it to that), but
the number of cache slots does, since it decides in which order a softmax is summed. So sequences
are pooled by the size class of their own length, and a prompt is always read alone.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from reference_server.engine.backend import Floats, Prefilled

GRAPH = "decoder.onnx"
CHUNK = 256
"""Prompt tokens read in one run: bounds the memory that attention scores take."""
SMALLEST_CLASS = 64
"""Cache slots of the pool for the shortest sequences; each further class has twice as many."""
SMALL_RUN = 8
"""Up to this many tokens a run is quickest on one core."""


@dataclass
class _Pool:
    """Sequences of one size class, each in a row of one cache."""

    past: Floats
    """[layers, 2, rows, kv_heads, slots, head_dim]"""
    lengths: NDArray[np.int64]
    """Slots in use, by row."""
    rows: dict[int, int] = field(default_factory=dict)
    """Sequence handle → row."""

    @property
    def capacity(self) -> int:
        return len(self.lengths)

    @property
    def slots(self) -> int:
        return int(self.past.shape[4])

    def add(self, handle: int, cache: Floats) -> None:
        """Copy in a cache of shape [layers, 2, kv_heads, tokens, head_dim]."""
        if len(self.rows) == self.capacity:
            self._resize(self.capacity * 2)
        row = next(row for row in range(self.capacity) if row not in self.rows.values())
        length = cache.shape[3]
        self.past[:, :, row, :, :length] = cache
        self.lengths[row] = length
        self.rows[handle] = row

    def remove(self, handle: int) -> Floats:
        """Give up a row; returns a view of its cache, good until the pool is next changed."""
        row = self.rows.pop(handle)
        cache = self.past[:, :, row, :, : self.lengths[row]]
        self.lengths[row] = 0
        if len(self.rows) * 4 <= self.capacity > 1:
            self._resize(self.capacity // 2)
        return cache

    def _resize(self, capacity: int) -> None:
        kept = list(self.rows.values())
        shape = list(self.past.shape)
        shape[2] = capacity
        past, lengths = np.zeros(shape, np.float32), np.zeros(capacity, np.int64)
        past[:, :, : len(kept)] = self.past[:, :, kept]
        lengths[: len(kept)] = self.lengths[kept]
        self.past, self.lengths = past, lengths
        self.rows = {handle: row for row, handle in enumerate(self.rows)}


class OnnxBackend:
    """A `Backend` over the folder's ``decoder.onnx`` and ``config.json``."""

    def __init__(self, folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        # A small step is hundreds of tiny operations: sharing them out costs more than it saves.
        self._alone = _session(folder, threads=1)
        self._shared = _session(folder, threads=0)
        self.context: int = config["max_position_embeddings"]
        self.vocabulary: int = config["vocab_size"]
        self._layers: int = config["num_hidden_layers"]
        self._heads: int = config["num_key_value_heads"]
        self._width: int = config["head_dim"]
        self._pools: dict[int, _Pool] = {}
        self._home: dict[int, _Pool] = {}
        self._handles = 0

    def prefill(self, ids: Sequence[int]) -> Prefilled:
        """Read a prompt, `CHUNK` tokens at a time."""
        cache = self._empty(1, len(ids))
        logits = np.empty((len(ids), self.vocabulary), np.float32)
        for start in range(0, len(ids), CHUNK):
            part = np.array([ids[start : start + CHUNK]], np.int64)
            past = np.ascontiguousarray(cache[:, :, :, :, :start])
            output, present = self._run(part, np.array([start], np.int64), past)
            end = start + part.shape[1]
            logits[start:end] = output[0]
            cache[:, :, :, :, start:end] = present
        return Prefilled(logits, len(ids), cache[:, :, 0])

    def open(self, prompt: Prefilled) -> int:
        """Give the sequence a row of its size class."""
        self._handles += 1
        self._place(self._handles, prompt.cache)
        return self._handles

    def step(self, handles: Sequence[int], ids: Sequence[int]) -> Floats:
        """One run per size class."""
        logits = np.empty((len(handles), self.vocabulary), np.float32)
        places: dict[int, list[int]] = {}
        for place, handle in enumerate(handles):
            pool = self._with_room(handle)
            places.setdefault(pool.slots, []).append(place)
        for slots, members in places.items():
            pool = self._pools[slots]
            rows = [pool.rows[handles[place]] for place in members]
            tokens = np.zeros((pool.capacity, 1), np.int64)
            tokens[rows, 0] = [ids[place] for place in members]
            output, present = self._run(tokens, pool.lengths, pool.past)
            logits[members] = output[rows, 0]
            lengths = pool.lengths[rows]
            # On both sides: indices apart from each other put their dimension first.
            pool.past[:, :, rows, :, lengths] = present[:, :, rows, :, 0]
            pool.lengths[rows] = lengths + 1
        return logits

    def close(self, handle: int) -> None:
        """Free the sequence's row."""
        self._home.pop(handle).remove(handle)

    def _with_room(self, handle: int) -> _Pool:
        """The sequence's pool, after moving it up a class if it has no slot left."""
        pool = self._home[handle]
        if pool.lengths[pool.rows[handle]] == pool.slots:
            self._place(handle, pool.remove(handle))
        return self._home[handle]

    def _place(self, handle: int, cache: Floats) -> None:
        slots = SMALLEST_CLASS
        while slots <= cache.shape[3]:
            slots *= 2
        if slots not in self._pools:
            self._pools[slots] = _Pool(self._empty(1, slots), np.zeros(1, np.int64))
        self._pools[slots].add(handle, cache)
        self._home[handle] = self._pools[slots]

    def _empty(self, rows: int, slots: int) -> Floats:
        return np.zeros((self._layers, 2, rows, self._heads, slots, self._width), np.float32)

    def _run(
        self, ids: NDArray[np.int64], lengths: NDArray[np.int64], past: Floats
    ) -> tuple[Floats, Floats]:
        session = self._alone if ids.size <= SMALL_RUN else self._shared
        logits, present = session.run(
            ["logits", "present"], {"input_ids": ids, "past_lengths": lengths, "past": past}
        )
        return logits, present


def _session(folder: Path, threads: int) -> Any:
    """The graph, loaded; ``threads`` 0 lets onnxruntime use every core."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that spin while they wait would take the cores from the HTTP side.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        str(folder / GRAPH), options, providers=["CPUExecutionProvider"]
    )
