"""The model's logits by plain transformers in 64 bits: no cache, no batch, no padding."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForCausalLM

Logits = NDArray[np.float64]


class Model:
    """A causal language model that is asked for whole sequences."""

    def __init__(self, folder: Path) -> None:
        torch.set_num_threads(1)
        self._network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64)
        self.context: int = self._network.config.max_position_embeddings
        # Choices of one prompt often have the same tokens, and each is looked at several times.
        self.logits = lru_cache(maxsize=32)(self._logits)

    @torch.inference_mode()
    def _logits(self, ids: tuple[int, ...]) -> Logits:
        """[tokens, vocabulary]: row i is about what follows token i."""
        logits: Logits = self._network(torch.tensor([ids]), use_cache=False).logits[0].numpy()
        return logits
