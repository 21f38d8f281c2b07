"""What the engine needs from a language model, whatever runs it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Prefilled:
    """A prompt that was read once, from which any number of sequences can continue."""

    logits: Floats
    """[prompt tokens, vocabulary]: row i scores the token after token i."""
    length: int
    """Prompt tokens."""
    cache: Any
    """Keys and values in the backend's own format; never changed."""


class Backend(Protocol):
    """A model that reads prompts and then extends many sequences by one token each at a time.

    Not thread-safe. A row's logits must depend only on the row's own tokens, to the last bit,
    whatever else is in the batch: therefore responses are the same under any load.
    """

    @property
    def vocabulary(self) -> int:
        """Width of the logits; may exceed the tokenizer's."""
        ...

    @property
    def context(self) -> int:
        """The maximum length of a sequence in tokens, prompt and completion together."""
        ...

    def prefill(self, ids: Sequence[int]) -> Prefilled:
        """Read a prompt of 1 to `context` tokens."""
        ...

    def open(self, prompt: Prefilled) -> int:
        """Begin a sequence after a prompt; returns its handle."""
        ...

    def step(self, handles: Sequence[int], ids: Sequence[int]) -> Sequence[Floats]:
        """Add one token to each of these sequences, all of them open and different.

        Returns for each the logits [vocabulary] of the next token, valid until the next step.
        """
        ...

    def close(self, handle: int) -> None:
        """Discard a sequence."""
        ...
