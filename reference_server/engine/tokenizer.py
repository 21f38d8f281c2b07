"""Text to token ids and token ids to bytes, for any ``tokenizer.json``.

Choices are put together from bytes, because a token may hold a part of a character. The bytes of a
token are read off its spelling in the vocabulary; how tokenizers spell bytes:

- byte-level BPE (GPT-2, Llama 3, Qwen): one printable stand-in character per byte,
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
    ("<PRE>", "<SUF>", "<MID>"),
)
_BYTE_FALLBACK = re.compile(r"<0x([0-9A-Fa-f]{2})>")


@dataclass(frozen=True)
class FillInTheMiddle:
    """The three marks that tell a model what is before the gap, what after, and where to write."""

    prefix: int
    suffix: int
    middle: int

    def arrange(self, before: Sequence[int], after: Sequence[int]) -> tuple[int, ...]:
        """Prefix, suffix, middle: the order in which such models are trained most often."""
        return (self.prefix, *before, self.suffix, *after, self.middle)


class Tokenizer:
    """A vocabulary as the engine needs it. Raises OSError or ValueError where none can be read."""

    def __init__(self, folder: Path) -> None:
        path = folder / "tokenizer.json"
        description = path.read_text("utf-8")
        self._inner = HuggingFaceTokenizer.from_str(description)
        self._inner.no_padding()
        self._inner.no_truncation()
        self.size: int = self._inner.get_vocab_size(with_added_tokens=True)
        added = self._inner.get_added_tokens_decoder()
        self._literal = {token: mark.content for token, mark in added.items()}
        self.special = frozenset(token for token, mark in added.items() if mark.special)
        self._description: dict[str, Any] = json.loads(description)
        self.end_ids = self._end_ids(folder)
        self.document_start = self._document_start()

    @cached_property
    def fill_in_the_middle(self) -> FillInTheMiddle | None:
        """The marks for infilling, or None for a model that was not trained for it."""
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
        """What a token adds to a text: whole characters, or a part of one."""
        return self._bytes[token]

    def text(self, ids: Sequence[int]) -> str:
        """The text of a token sequence, U+FFFD for what is not UTF-8."""
        return b"".join(map(self.token_bytes, ids)).decode("utf-8", "replace")

    @cached_property
    def _bytes(self) -> list[bytes]:
        spell = _byte_level if "ByteLevel" in json.dumps(self._decoder) else _sentence_piece
        spellings = [self._inner.id_to_token(token) or "" for token in range(self.size)]
        return [
            self._literal[token].encode() if token in self._literal else spell(spelling)
            for token, spelling in enumerate(spellings)
        ]

    @property
    def _decoder(self) -> Any:
        return [self._description.get("decoder"), self._description.get("pre_tokenizer")]

    def _end_ids(self, folder: Path) -> frozenset[int]:
        """The ids that end a text: as the checkpoint's configuration says, else by name."""
        for name in ("generation_config.json", "config.json"):
            path = folder / name
            config = json.loads(path.read_text("utf-8")) if path.exists() else {}
            ends = config.get("eos_token_id")
            if ends is not None:
                return frozenset(ends if isinstance(ends, list) else [ends])
        named = (self._inner.token_to_id(mark) for mark in DOCUMENT_MARKS)
        return frozenset(token for token in named if token is not None)

    def _document_start(self) -> int:
        for mark in DOCUMENT_MARKS:
            token: int | None = self._inner.token_to_id(mark)
            if token is not None:
                return token
        if self.end_ids:
            return min(self.end_ids)
        raise ValueError("the tokenizer has no token to begin a document with")


def _stand_ins() -> dict[str, int]:
    """GPT-2's table: printable bytes stand for themselves, the others for U+0100 and up."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = (byte for byte in range(256) if byte not in printable)
    return {chr(b): b for b in printable} | {chr(0x100 + i): b for i, b in enumerate(others)}


_STAND_INS = _stand_ins()


def _byte_level(spelling: str) -> bytes:
    return bytes(_STAND_INS[character] for character in spelling)


def _sentence_piece(spelling: str) -> bytes:
    fallback = _BYTE_FALLBACK.fullmatch(spelling)
    return bytes([int(fallback[1], 16)]) if fallback else spelling.replace("▁", " ").encode()
