"""The model's logits by plain transformers in 64 bits: no cache, no batch, no padding."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForCausalLM

Floats = NDArray[np.float64]

NEAR = 1e-4
"""A logit of a 32-bit server may be this far from the exact one ..."""
STRAY = 8
"""... or this many times as far as transformers' own in 32 bits, for inputs that magnify errors."""


@dataclass(frozen=True, eq=False)
class Row:
    """What the model makes of one place in a sequence: how likely each token is to come next."""

    logits: Floats
    """[vocabulary]"""
    tolerance: float
    """How far a server's numbers may be from these."""

    @cached_property
    def scores(self) -> Floats:
        """[vocabulary]: log-probabilities."""
        centred = self.logits - self.logits.max()
        return centred - np.log(np.exp(centred).sum())


class Model:
    """A causal language model that scores complete sequences."""

    def __init__(self, folder: Path) -> None:
        torch.set_num_threads(1)
        self._exact, self._rounded = (
            AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
            for dtype in (torch.float64, torch.float32)
        )
        # Choices of one prompt often have the same tokens.
        self.read = lru_cache(maxsize=32)(self._read)

    @torch.inference_mode()
    def _read(self, ids: tuple[int, ...]) -> list[Row]:
        """A row for every token: what may follow it."""
        exact, rounded = (
            network(torch.tensor([ids]), use_cache=False).logits[0].double().numpy()
            for network in (self._exact, self._rounded)
        )
        tolerances = np.maximum(NEAR, STRAY * np.abs(rounded - exact).max(axis=-1))
        return [Row(logits, float(far)) for logits, far in zip(exact, tolerances, strict=True)]
