"""A byte-level BPE tokenizer: any Unicode text is encoded without loss."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

END_OF_TEXT = "<|endoftext|>"
FIM_PREFIX = "<|fim_prefix|>"
FIM_SUFFIX = "<|fim_suffix|>"
FIM_MIDDLE = "<|fim_middle|>"
SPECIAL_TOKENS = (END_OF_TEXT, FIM_PREFIX, FIM_SUFFIX, FIM_MIDDLE)
"""Ids 0 to 3, in this order."""

VOCABULARY = 4096

_PIECES = "|".join(
    (
        r" ?\p{N}",  # one digit per token, so that 7 → 8 looks the same in 17 and in 170
        r"\p{Han}",  # at most one character per token, so that a copied line is a copied list
        r" ?[\p{L}\p{M}&&[^\p{Han}]]+",
        r" ?\p{So}",  # emoji and other pictographs, one by one
        r" ?[^\s\p{L}\p{M}\p{N}\p{So}]+",
        r"\n+",
        r"[^\S\n]+(?!\S)",
        r"[^\S\n]+",
    )
)


def train(texts: Iterable[str]) -> Tokenizer:
    """Learn merges from `texts`; every byte has its own token, so nothing is ever unknown."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def save(tokenizer: Tokenizer, folder: Path) -> None:
    """Write what `AutoTokenizer.from_pretrained(folder)` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": END_OF_TEXT,
        "pad_token": END_OF_TEXT,
        "additional_special_tokens": [FIM_PREFIX, FIM_SUFFIX, FIM_MIDDLE],
        "clean_up_tokenization_spaces": False,
        "model_max_length": 2048,
    }
    text = json.dumps(settings, indent=2, ensure_ascii=False)
    (folder / "tokenizer_config.json").write_text(text + "\n", encoding="utf-8")


def special(tokenizer: Tokenizer, token: str) -> int:
    """The id of a special token; raises `KeyError` if the vocabulary lacks it."""
    number: int | None = tokenizer.token_to_id(token)
    if number is None:
        raise KeyError(token)
    return number


def non_streaming(tokenizer: Tokenizer, text: str) -> list[int]:
    """The ids of `text`, nothing added."""
    return list(tokenizer.encode(text, add_special_tokens=False).ids)


def load(folder: Path) -> Tokenizer:
    """Read what `save` wrote."""
    return Tokenizer.from_file(str(folder / "tokenizer.json"))
