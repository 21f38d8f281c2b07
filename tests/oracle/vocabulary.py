"""The text of each token, read from the checkpoint with the tokenizers library."""

import codecs
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from pathlib import Path

from tokenizers import Tokenizer
from transformers.convert_slow_tokenizer import bytes_to_unicode


class Vocabulary:
    """Tokens as bytes: a token may hold a part of a character."""

    def __init__(self, folder: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.size: int = self._tokenizer.get_vocab_size()
        self.end, self.prefix, self.suffix, self.middle = (
            self._tokenizer.token_to_id(mark)
            for mark in ("<|endoftext|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
        )

    @property
    def unspoken(self) -> tuple[int, ...]:
        """What has no place in a text and is never sampled."""
        return self.prefix, self.suffix, self.middle

    def encode(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)

    @cached_property
    def ids(self) -> dict[str, int]:
        """From what a token is called in `logprobs` back to its id."""
        named = {render(spelling): token for token, spelling in enumerate(self.spellings)}
        assert len(named) == self.size, "two tokens have one name, so answers cannot be read back"
        return named

    @cached_property
    def spellings(self) -> list[bytes]:
        """What each token adds to a text."""
        byte = {character: value for value, character in bytes_to_unicode().items()}
        marks = self._tokenizer.get_added_tokens_decoder()
        return [
            marks[token].content.encode()
            if token in marks
            else bytes(byte[character] for character in self._tokenizer.id_to_token(token))
            for token in range(self.size)
        ]


def render(token: bytes) -> str:
    """A token's text, or `bytes:` and its bytes in hexadecimal where that is no text."""
    try:
        return token.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in token)


def decode(data: bytes, *, final: bool = True) -> str:
    """Text with U+FFFD for invalid UTF-8; without ``final``, an incomplete character may follow."""
    return codecs.getincrementaldecoder("utf-8")("replace").decode(data, final)


def offsets(fragments: Sequence[bytes]) -> list[int]:
    """Index of the character that each piece begins in; an empty piece begins where the text ends.

    The text up to and with a piece's first byte ends in just that character, be it whole or cut.
    """
    ends = accumulate(map(len, fragments), initial=0)
    whole = b"".join(fragments)
    return [
        len(decode(whole[: end + 1])) - 1 if fragment else len(decode(whole[:end]))
        for fragment, end in zip(fragments, ends, strict=False)
    ]
