"""What the engine asks of a language model, whatever runs it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Prefilled:
    """A prompt that was read once and can be gone on from any number of times."""

    logits: Floats
    """[prompt tokens, vocabulary]: row i scores what follows token i."""
    length: int
    """Prompt tokens."""
    cache: Any
    """Keys and values in the backend's own form; never changed once made."""


class Backend(Protocol):
    """A model that reads prompts and then moves many sequences on, one token each at a time.

    Not safe for use by several threads at once. What a row's logits are must depend on the row's
    own tokens alone, to the last bit, whatever else is in the batch: that is what makes an answer
    the same under any load.
    """

    @property
    def vocabulary(self) -> int:
        """Width of the logits; may exceed the tokenizer's."""
        ...

    @property
    def context(self) -> int:
        """The most tokens a sequence can have, prompt and completion together."""
        ...

    def prefill(self, ids: Sequence[int]) -> Prefilled:
        """Read a prompt of 1 to `context` tokens."""
        ...

    def open(self, prompt: Prefilled) -> int:
        """Begin a sequence after a prompt; returns its handle."""
        ...

    def step(self, handles: Sequence[int], ids: Sequence[int]) -> Sequence[Floats]:
        """Add one token to each of these sequences, all of them open, none named twice.

        Returns for each the logits [vocabulary] of what follows, good until the next step.
        """
        ...

    def close(self, handle: int) -> None:
        """Forget a sequence."""
        ...
