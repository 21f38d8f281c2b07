"""Any causal language model that transformers can load from a folder.

Every sequence is moved on by itself, in a batch of one: torch's kernels give other last bits for
other batch shapes, and a reference must give the same answer whatever runs beside it. It also
leaves the cache to the model, so that any architecture will do. Speed is the bundled model's part.
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
"""Tokens, for a model whose configuration states no limit."""
CACHE_ARGUMENTS = ("cache", "past_key_values")
"""What transformers calls a model's cache, as argument and in its output: `cache` from 5.24 on."""
MAX_LOGIT_ERROR = 1e-3
"""As a share of the logits' range: above what float32 loses, below what a token more would do."""


class TransformersBackend:
    """A `Backend` over a checkpoint's folder.

    Raises OSError or ValueError if it is none, besides whatever transformers raises itself, and
    ValueError for a model that does not predict each token from those before it.
    """

    def __init__(self, folder: Path) -> None:
        quiet: Any = transformers_logging
        quiet.disable_progress_bar()  # stderr is for the log's JSON lines
        quiet.set_verbosity_error()
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, output_loading_info=True, ignore_mismatched_sizes=True
        )
        model, report = loaded
        # transformers makes up what is missing or does not fit, and the answers with it.
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
        """Go on from a copy of the prompt's cache."""
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
        """Whether three tokens score alike when read at once and when read one after another.

        An encoder (BERT, say) loads as a causal model without complaint and answers nonsense.
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
        # An encoder returns none, which `_is_causal` finds.
        return logits, output.get(self._cache_argument)


def cache_argument(model: torch.nn.Module) -> str:
    """Return the keyword by which this model takes its cache, and returns it."""
    parameters = inspect.signature(model.forward).parameters
    return next(name for name in CACHE_ARGUMENTS if name in parameters)
