"""Text to token ids and token ids to bytes, for any ``tokenizer.json``.

Choices are built from bytes, because a token can be a part of a character. The bytes of a token are
derived from its spelling in the vocabulary. Tokenizers spell bytes in two ways:

- byte-level BPE (GPT-2, Llama 3, Qwen): one printable character per byte,
- SentencePiece with byte fallback (Llama 2, Gemma): ``▁`` for a space and ``<0xE4>`` for a byte.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer as HuggingFaceTokenizer

DOCUMENT_MARKS = ("<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "<s>")
FIM_MARKS = (
    ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
    ("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
    ("<fim-prefix>", "<fim-suffix>", "<fim-middle>"),
    ("▁<PRE>", "▁<SUF>", "▁<MID>"),
    ("<PRE>", "<SUF>", "<MID>"),
    ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),
)
_BYTE_FALLBACK = re.compile(r"<0x([0-9A-Fa-f]{2})>")


@dataclass(frozen=True)
class FillInTheMiddle:
    """The special tokens of infilling: before the prefix, the suffix and the middle."""

    prefix: int
    suffix: int
    middle: int

    def arrange(self, before: Sequence[int], after: Sequence[int]) -> tuple[int, ...]:
        """Prefix, suffix, middle: the order in which such models are usually trained."""
        return (self.prefix, *before, self.suffix, *after, self.middle)


class Tokenizer:
    """A vocabulary as the engine needs it. Raises OSError or ValueError if it cannot be read."""

    size: int
    """All token ids are below it."""
    special: frozenset[int]
    """Ids without text: special tokens, and gaps in the vocabulary."""
    opening: tuple[int, ...]
    """Special tokens that the model expects before every text; most models have none."""
    prefix: str
    """Text that the tokenizer puts before every text: a space in Llama 2, usually nothing."""
    end_ids: frozenset[int]
    """Special tokens that end a text."""
    document_start: int
    """The token that begins a document, for a prompt without text."""

    def __init__(self, folder: Path) -> None:
        path = folder / "tokenizer.json"
        if not path.is_file():
            raise ValueError(
                "it has no tokenizer.json (transformers writes one: AutoTokenizer.save_pretrained)"
            )
        description = path.read_text("utf-8")
        try:
            self._description: dict[str, Any] = json.loads(description)
            self._inner = HuggingFaceTokenizer.from_str(description)
        except Exception as error:  # the library raises no more specific error
            raise ValueError(f"its tokenizer.json cannot be read: {error}") from error
        self._inner.no_padding()
        self._inner.no_truncation()
        ids = set(self._inner.get_vocab(with_added_tokens=True).values())
        self.size = max(ids) + 1
        added = self._inner.get_added_tokens_decoder()
        self._literal = {token: mark.content for token, mark in added.items()}
        marks = {token for token, mark in added.items() if mark.special}
        self.special = frozenset(marks | (set(range(self.size)) - ids))
        self.opening = self._opening()
        self.prefix = self.text(self.encode("a")).removesuffix("a")
        self.end_ids = self._end_ids(folder)
        self.document_start = self._document_start(folder)

    @cached_property
    def fill_in_the_middle(self) -> FillInTheMiddle | None:
        """The special tokens for infilling, or None if the model has none."""
        for marks in FIM_MARKS:
            prefix, suffix, middle = (self._inner.token_to_id(mark) for mark in marks)
            if prefix is not None and suffix is not None and middle is not None:
                return FillInTheMiddle(prefix, suffix, middle)
        return None

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids of a text; special tokens spelled out in it are recognised, none are added."""
        return tuple(self._inner.encode(text, add_special_tokens=False).ids)

    def encode_batch(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """`encode` for many texts at once."""
        encodings = self._inner.encode_batch_fast(list(texts), add_special_tokens=False)
        return [tuple(encoding.ids) for encoding in encodings]

    def token_bytes(self, token: int) -> bytes:
        """The text of a token: whole characters, or part of one."""
        return self._bytes[token]

    def text(self, ids: Sequence[int]) -> str:
        """The text of a token sequence, with U+FFFD for invalid UTF-8."""
        return b"".join(map(self.token_bytes, ids)).decode("utf-8", "replace")

    @cached_property
    def _bytes(self) -> list[bytes]:
        spell = _byte_level if "ByteLevel" in json.dumps(self._decoder) else _sentence_piece
        spellings = [self._inner.id_to_token(token) or "" for token in range(self.size)]
        return [
            self._literal[token].encode() if token in self._literal else spell(spelling)
            for token, spelling in enumerate(spellings)
        ]

    @cached_property
    def longest(self) -> int:
        """Bytes of the longest token."""
        return max(map(len, self._bytes))

    @property
    def _decoder(self) -> Any:
        return [self._description.get("decoder"), self._description.get("pre_tokenizer")]

    def _opening(self) -> tuple[int, ...]:
        """The tokens that the tokenizer's template puts before a text, as in transformers."""
        encoding = self._inner.encode("a", add_special_tokens=True)
        count = encoding.special_tokens_mask.index(0) if 0 in encoding.special_tokens_mask else 0
        return tuple(encoding.ids[:count])

    def _end_ids(self, folder: Path) -> frozenset[int]:
        """The ids that end a text, from the checkpoint's configuration or else by name."""
        stated = self._stated(folder, "eos_token_id")
        return frozenset(stated or self._named())

    def _document_start(self, folder: Path) -> int:
        """The last token before a text, else the configured one, else one known by name."""
        stated = self._stated(folder, "bos_token_id")
        known = [*self.opening[-1:], *stated, *self._named(), *sorted(self.end_ids)]
        if not known:
            raise ValueError("its tokenizer has no token to begin a document with")
        return known[0]

    def _stated(self, folder: Path, key: str) -> list[int]:
        """The ids of this vocabulary under a key of the checkpoint's configuration."""
        for name in ("generation_config.json", "config.json"):
            path = folder / name
            config = json.loads(path.read_text("utf-8")) if path.exists() else {}
            stated = config.get(key)
            ids = stated if isinstance(stated, list) else [stated]
            if known := [token for token in ids if token is not None and token < self.size]:
                return known
        return []

    def _named(self) -> list[int]:
        """The special tokens known by name, in the order of `DOCUMENT_MARKS`."""
        ids = (self._inner.token_to_id(mark) for mark in DOCUMENT_MARKS)
        return [token for token in ids if token is not None]


def _stand_ins() -> dict[str, int]:
    """GPT-2's table: printable bytes stand for themselves, the others for U+0100 and above."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = (byte for byte in range(256) if byte not in printable)
    return {chr(b): b for b in printable} | {chr(0x100 + i): b for i, b in enumerate(others)}


_STAND_INS = _stand_ins()


def _byte_level(spelling: str) -> bytes:
    # A spelling with any other character stands for itself, as in the library's decoder.
    if all(character in _STAND_INS for character in spelling):
        return bytes(_STAND_INS[character] for character in spelling)
    return spelling.encode()


def _sentence_piece(spelling: str) -> bytes:
    fallback = _BYTE_FALLBACK.fullmatch(spelling)
    return bytes([int(fallback[1], 16)]) if fallback else spelling.replace("▁", " ").encode()
