"""A model that generates a given script, and a small vocabulary for it."""

from collections.abc import Sequence

import numpy as np
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from reference_server.engine.backend import Floats, Prefilled

END = "<|endoftext|>"
SPECIAL = [END, "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"]
LONGER = ["ab", "abc", "bc", "STOP", "ST", "OP", "世", "界", "😀", "e\u0301", "\n\n", "you", " and"]


def tiny_tokenizer_json() -> str:
    """Four marks, the 256 bytes, and some longer tokens, all made of the bytes by merges."""
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {name: place for place, name in enumerate([*SPECIAL, *alphabet])}
    merges: list[tuple[str, str]] = []
    for word in LONGER:
        spelling = "".join(chunk for chunk, _ in level.pre_tokenize_str(word))
        for end in range(2, len(spelling) + 1):
            if spelling[:end] not in vocabulary:
                vocabulary[spelling[:end]] = len(vocabulary)
                merges.append((spelling[: end - 1], spelling[end - 1]))
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = level
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in SPECIAL])
    return tokenizer.to_str()


class ScriptedBackend:
    """Gives the script's next token a far higher logit than every other, for every sequence.

    Counts what is asked of it, so that tests can tell how it was used.
    """

    def __init__(self, script: Sequence[int], vocabulary: int, context: int = 64) -> None:
        self.vocabulary = vocabulary
        self.context = context
        self.script = list(script)
        self.prefills = 0
        self.widest = 0
        self.fault: Exception | None = None
        """Raised by the next step."""
        self.open_handles: dict[int, int] = {}
        self._handles = 0

    def prefill(self, ids: Sequence[int]) -> Prefilled:
        self.prefills += 1
        return Prefilled(np.stack([self._row(0) for _ in ids]), len(ids), None)

    def open(self, _: Prefilled) -> int:
        self._handles += 1
        self.open_handles[self._handles] = 0
        return self._handles

    def step(self, handles: Sequence[int], ids: Sequence[int]) -> Floats:
        if self.fault:
            raise self.fault
        assert len(handles) == len(ids) == len(set(handles))
        self.widest = max(self.widest, len(handles))
        for handle in handles:
            self.open_handles[handle] += 1
        return np.stack([self._row(self.open_handles[handle]) for handle in handles])

    def close(self, handle: int) -> None:
        del self.open_handles[handle]

    def _row(self, place: int) -> Floats:
        # A gentle slope makes every logit different, so that rankings have one right answer.
        row = np.linspace(0, -1, self.vocabulary, dtype=np.float32)
        row[self.script[place % len(self.script)]] = 30
        return row
