"""Any causal language model that transformers can load from a folder.

Every sequence is decoded in a batch of one: torch's kernels give different last bits for different
batch shapes, and a reference must respond equally under any load. The cache is left to the model,
so that any architecture works. The bundled model's backend is the one optimised for speed.
"""

import copy
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM
from transformers.utils import logging as transformers_logging

from reference_server.engine.backend import Floats, Prefilled

UNSTATED_CONTEXT = 2048
"""Tokens, for a model whose configuration has no limit."""
CACHE_ARGUMENTS = ("cache", "past_key_values")
"""The name of a model's cache in transformers, as argument and output: `cache` since 5.24."""
MAX_LOGIT_ERROR = 1e-3
"""A share of the logits' range: above float32 rounding, below the effect of another token."""


class TransformersBackend:
    """A `Backend` over a checkpoint's folder.

    Raises OSError or ValueError if it cannot be read, any error of transformers, and ValueError for
    a model that is not causal.
    """

    def __init__(self, folder: Path) -> None:
        quiet: Any = transformers_logging
        quiet.disable_progress_bar()  # stderr is reserved for the log's JSON lines
        quiet.set_verbosity_error()
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, output_loading_info=True, ignore_mismatched_sizes=True
        )
        model, report = loaded
        # transformers initialises missing or mismatched weights at random.
        if missing := sorted(report["missing_keys"]):
            raise ValueError(f"{len(missing)} of its weights are missing, such as {missing[0]}")
        if misfits := sorted(name for name, *_ in report["mismatched_keys"]):
            raise ValueError(f"{len(misfits)} weights do not fit its sizes, such as {misfits[0]}")
        self._model: Any = model.float()
        self._cache_argument = cache_argument(self._model)
        config = model.config.get_text_config(decoder=True)
        self.vocabulary: int = config.vocab_size
        self.context: int = getattr(config, "max_position_embeddings", None) or UNSTATED_CONTEXT
        self._caches: dict[int, Any] = {}
        self._handles = 0
        if not self._is_causal():
            raise ValueError(
                "it is no causal language model: what follows a token changes its score"
            )

    def prefill(self, ids: Sequence[int]) -> Prefilled:
        """Read the whole prompt in one run."""
        logits, cache = self._run(ids, None)
        return Prefilled(logits, len(ids), cache)

    def open(self, prompt: Prefilled) -> int:
        """Continue from a copy of the prompt's cache."""
        self._handles += 1
        self._caches[self._handles] = copy.deepcopy(prompt.cache)
        return self._handles

    def step(self, handles: Sequence[int], ids: Sequence[int]) -> list[Floats]:
        """One run per sequence."""
        rows: list[Floats] = []
        for handle, token in zip(handles, ids, strict=True):
            logits, self._caches[handle] = self._run([token], self._caches[handle])
            rows.append(logits[0])
        return rows

    def close(self, handle: int) -> None:
        """Drop the sequence's cache."""
        del self._caches[handle]

    def _is_causal(self) -> bool:
        """Whether three tokens get the same scores read at once and one after another.

        An encoder (such as BERT) loads as a causal model without an error and generates nonsense.
        """
        first, second, third = (token % self.vocabulary for token in range(3))
        whole = self.prefill([first, second, third]).logits
        begun = self.prefill([first, second])
        handle = self.open(begun)
        stepped = self.step([handle], [third])
        self.close(handle)
        apart = np.concatenate([begun.logits, stepped])
        return bool(np.abs(whole - apart).max() <= MAX_LOGIT_ERROR * np.ptp(whole))

    @torch.inference_mode()
    def _run(self, ids: Sequence[int], cache: Any) -> tuple[Floats, Any]:
        output = self._model(
            input_ids=torch.tensor([list(ids)]), use_cache=True, **{self._cache_argument: cache}
        )
        logits: Floats = output.logits[0].numpy()
        # An encoder returns none, which `_is_causal` detects.
        return logits, output.get(self._cache_argument)


def cache_argument(model: torch.nn.Module) -> str:
    """The keyword of the model's cache, which is also the name of its output."""
    parameters = inspect.signature(model.forward).parameters
    return next(name for name in CACHE_ARGUMENTS if name in parameters)
