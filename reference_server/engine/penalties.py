"""Bias and penalties: what is added to the logits before a token is chosen.

The formula of the two penalties is the one that OpenAI published:
``logit[j] -= count[j] * frequency_penalty + (count[j] > 0) * presence_penalty``, where only tokens
sampled for this choice count, not those of the prompt. llama.cpp counts the last ``repeat_last_n``
tokens instead, those of the prompt among them. SGLang's repetition penalty counts the sampled
tokens alone, vLLM's also those of the prompt. The repetition penalty is that of CTRL (Keskar et
al., 2019, section 4.1): a logit above 0 is divided by it, another one multiplied.
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence

import numpy as np

from reference_server.engine.backend import Floats
from reference_server.engine.parameters import SamplingParameters


class Penalties:
    """Bias and penalties of one choice."""

    def __init__(
        self,
        parameters: SamplingParameters,
        vocabulary: int,
        forbidden: Iterable[int],
        prompt: Sequence[int],
    ) -> None:
        self._parameters = parameters
        self._penalises = bool(parameters.presence_penalty or parameters.frequency_penalty)
        self._scales = parameters.repetition_penalty != 1
        self._bias = np.zeros(vocabulary, np.float32)
        for id_, bias in parameters.logit_bias:
            self._bias[id_] = bias
        self._bias[list(forbidden)] = -np.inf
        self._stated = dict(parameters.logit_bias)
        window = parameters.penalty_window
        self._recent = None if window is None else deque(prompt, maxlen=window)
        self._counts = Counter(self._recent or ())
        counts_prompt = self._scales and window is None and parameters.repetition_of_prompt
        self._repeated = set(prompt) if counts_prompt else set()
        self._shift = self._bias.copy()
        for token in self._counts:
            self._lower(token)

    def apply(self, logits: Floats) -> Floats:
        """The logits, of shape [vocabulary], with bias and penalties."""
        if not self._scales:
            return logits + self._shift
        scored = logits + self._bias
        repeated = list(self._repeated if self._recent is None else self._counts)
        factor = self._parameters.repetition_penalty
        chosen = scored[repeated]
        scored[repeated] = np.where(chosen > 0, chosen / factor, chosen * factor)
        for token, count in self._counts.items():
            scored[token] -= self._penalty(count)
        return scored

    def count(self, token: int) -> None:
        """A token was chosen."""
        if self._recent is not None:
            self._move(self._recent, token)
        elif self._penalises:
            self._counts[token] += 1
            self._lower(token)
        if self._scales:
            self._repeated.add(token)

    def _move(self, recent: deque[int], token: int) -> None:
        """Let the window of the last tokens advance by one."""
        gone = recent[0] if len(recent) == recent.maxlen else None
        recent.append(token)
        self._counts[token] += 1
        self._lower(token)
        if gone is not None:
            self._counts[gone] -= 1
            if not self._counts[gone]:
                del self._counts[gone]
            self._lower(gone)

    def _lower(self, token: int) -> None:
        if self._bias[token] != -np.inf:
            self._shift[token] = self._stated.get(token, 0.0) - self._penalty(self._counts[token])

    def _penalty(self, count: int) -> float:
        if not count:
            return 0.0
        return count * self._parameters.frequency_penalty + self._parameters.presence_penalty
