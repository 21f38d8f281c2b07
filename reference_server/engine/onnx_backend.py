"""The bundled model on onnxruntime: a graph that reads and extends a cache in place.

The inputs and outputs of the graph are described in `reference_server/training/decoder.py`.

A row's logits are the same to the last bit, whatever else is decoded. A matrix product computes
each row separately and sums in an order that depends only on the row's width, on any number of
threads; attention is computed separately for each row and head, over the row's own length and not
over all slots. (A test checks that.) What does make a difference is how many tokens of one row are
read together: a prompt is therefore read alone and always in the same portions.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from reference_server.engine.backend import Floats, Prefilled
from reference_server.engine.cache import Cache

GRAPH = "decoder.onnx"
PREFILL_TOKENS = 256
"""Prompt tokens read in one run: limits the memory for attention scores."""
MAX_SERIAL_TOKENS = 8
"""Up to this many tokens, a run is fastest on one core."""


class OnnxBackend:
    """A `Backend` over the folder's ``decoder.onnx`` and ``config.json``."""

    def __init__(self, folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        # A small step consists of many tiny operations: distributing them costs more than it saves.
        self._alone = _session(folder, threads=1)
        self._shared = _session(folder, threads=0)
        self.context: int = config["max_position_embeddings"]
        self.vocabulary: int = config["vocab_size"]
        self._cache = Cache(
            config["num_hidden_layers"],
            config["num_key_value_heads"],
            self.context,
            config["head_dim"],
        )
        self._run: _Run | None = None
        """The last step's graph, reused while rows and memory are the same."""
        self._handles = 0

    def prefill(self, ids: Sequence[int]) -> Prefilled:
        """Read a prompt, `PREFILL_TOKENS` tokens at a time."""
        history = self._cache.unfilled(1, len(ids))
        logits = np.empty((1, len(ids), self.vocabulary), np.float32)
        for start in range(0, len(ids), PREFILL_TOKENS):
            part = slice(start, start + PREFILL_TOKENS)
            run = self._bind(history, logits[:, part])
            run.ids[0] = ids[part]
            run([start])
        return Prefilled(logits[0], len(ids), history)

    def open(self, prompt: Prefilled) -> int:
        """Give the sequence a row of the cache."""
        self._handles += 1
        self._cache.add(self._handles, prompt.cache)
        return self._handles

    def step(self, handles: Sequence[int], ids: Sequence[int]) -> list[Floats]:
        """One run for all. Raises ValueError for a sequence that has the length of the context."""
        rows = self._cache.gather(handles)
        run = self._run
        if run is None or run.memory is not self._cache.memory or len(run.ids) != len(rows):
            logits = np.empty((len(rows), 1, self.vocabulary), np.float32)
            run = self._run = self._bind(self._cache.memory, logits)
        for row, token in zip(rows, ids, strict=True):
            run.ids[row, 0] = token
        lengths = self._cache.lengths
        run(lengths[: len(rows)])
        for row in rows:
            lengths[row] += 1
        return [run.logits[row, 0] for row in rows]

    def close(self, handle: int) -> None:
        """Free the sequence's row."""
        self._cache.remove(handle)
        self._run = None  # it would keep a reference to the memory

    @property
    def cache_bytes(self) -> int:
        """Bytes held for the open sequences."""
        return self._cache.nbytes

    def _bind(self, memory: Floats, logits: Floats) -> "_Run":
        size = logits.shape[0] * logits.shape[1]
        return _Run(self._alone if size <= MAX_SERIAL_TOKENS else self._shared, memory, logits)


class _Run:
    """The graph bound to its memory, so that repeated calls need no binding."""

    def __init__(self, session: Any, memory: Floats, logits: Floats) -> None:
        """For the first rows of a cache's memory, as many as in `logits`.

        ``logits`` is [rows, time, vocabulary] and is overwritten by every call.
        """
        self.ids: NDArray[np.int64] = np.zeros(logits.shape[:2], np.int64)
        """[rows, time], to be set before a call."""
        self.logits = logits
        self._last_slots = np.empty(len(logits), np.int32)
        self._longest = np.empty((), np.int32)
        self._session = session
        self.memory = memory
        self._binding = session.io_binding()
        self._input("input_ids", self.ids)
        self._input("last_slots", self._last_slots)
        self._input("longest", self._longest)
        self._output("logits", logits)
        for place, plane in enumerate(memory[:, : len(logits)]):
            name = f"{'values' if place % 2 else 'keys'}.{place // 2}"
            self._input(name, plane)
            self._output(f"new_{name}", plane)

    def __call__(self, lengths: Sequence[int]) -> None:
        """Read `ids` after histories of these lengths."""
        time = self.ids.shape[1]
        self._last_slots[:] = lengths
        self._last_slots += time - 1
        self._longest.fill(max(lengths) + time)
        self._session.run_with_iobinding(self._binding)

    def _input(self, name: str, array: NDArray[Any]) -> None:
        self._binding.bind_input(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)

    def _output(self, name: str, array: NDArray[Any]) -> None:
        self._binding.bind_output(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)


def _session(folder: Path, threads: int) -> Any:
    """The graph, loaded; ``threads`` 0 lets onnxruntime use every core."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that spin while they wait would take the cores from the HTTP server.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        str(folder / GRAPH), options, providers=["CPUExecutionProvider"]
    )
