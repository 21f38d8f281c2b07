r"""Text as characters and as bytes: which part of a text a comparison may use.

A byte-level tokenizer can end, or even continue, in the middle of a character. Servers write the
incomplete part in different ways (U+FFFD, nothing, ``bytes:\xe2``, ``<0xE2>``), all of which
conform, so comparisons stop where such a part begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from conformance.judgement import Failure
from conformance.message import say
from conformance.model import Exchange, Place

REPLACEMENT = "\ufffd"
"""What decoders put in place of bytes that are no character."""

_BYTES_PREFIX = "bytes:"

MAX_CACHED_CHARS = 200
"""Characters of a token up to which its bytes are kept."""

_HEX_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
"""A single byte as SentencePiece writes it; no ordinary token looks like it."""

_ESCAPE = re.compile(r"\\x([0-9a-fA-F]{2})")

_SURROGATE = re.compile("[\ud800-\udfff]")

CONTROL_TOKEN = re.compile(
    r"<\|[A-Za-z0-9_]{2,40}\|>|<｜[^｜]{2,24}｜>|\A\s?<s>|</s>|<unk>|\[gMASK\]|\[/?INST\]"
    r"|<(?:bos|eos|pad|(?:start|end)_of_turn)>"
)
"""Control tokens of GPT and Qwen, DeepSeek, Llama and Mistral, GLM, and Gemma. ``<s>`` is an HTML
tag, too, so it counts only at the beginning of a text."""

_CUT_AT_THE_END = re.compile(f"{REPLACEMENT}{{1,3}}\\Z")
"""The rest of a character of up to four bytes that the token limit cut."""


def is_control(token: str) -> bool:
    """Return whether a token is nothing but a control token."""
    return CONTROL_TOKEN.fullmatch(token) is not None


def solid(text: str) -> str:
    """Return the text up to its first incomplete character."""
    return text.partition(REPLACEMENT)[0]


def has_broken_character(text: str) -> bool:
    """Return whether the text has an incomplete character, other than at its end."""
    return REPLACEMENT in _CUT_AT_THE_END.sub("", text) or _SURROGATE.search(text) is not None


def is_whole(token: str) -> bool:
    """Return whether a token, as ``logprobs.tokens`` writes it, consists of whole characters."""
    return bool(token) and not is_part(token) and REPLACEMENT not in token


def is_part(token: str) -> bool:
    r"""Return whether a token is written as bytes: ``bytes:\xe2\x80`` or ``<0xE2>``."""
    return token.startswith(_BYTES_PREFIX) or _HEX_BYTE.fullmatch(token) is not None


def token_bytes(token: str) -> bytes | None:
    r"""Return the bytes of a token as ``logprobs.tokens`` writes it (``bytes:\xe2\x80``).

    None if they are unknown, because the server wrote U+FFFD or nothing for a part of a character.
    """
    # Only tokens of ordinary length are worth the memory of a cache.
    return (_cached_bytes if len(token) <= MAX_CACHED_CHARS else _bytes_of)(token)


def _bytes_of(token: str) -> bytes | None:
    if not token or REPLACEMENT in token:
        return None
    single = _HEX_BYTE.fullmatch(token)
    if single is not None:
        return bytes.fromhex(single[1])
    if not token.startswith(_BYTES_PREFIX):
        return token.encode("utf-8", errors="surrogatepass")
    written = token.removeprefix(_BYTES_PREFIX)
    raw, rest = bytearray(), 0
    for escape in _ESCAPE.finditer(written):
        raw += written[rest : escape.start()].encode("utf-8", errors="surrogatepass")
        raw += bytes.fromhex(escape[1])
        rest = escape.end()
    return bytes(raw + written[rest:].encode("utf-8", errors="surrogatepass"))


_cached_bytes = lru_cache(maxsize=4096)(_bytes_of)


def join_tokens(tokens: Iterable[str]) -> tuple[str, bool]:
    """Join tokens to text, and return whether all of them could be joined.

    The text ends before the first token whose bytes are unknown.
    """
    raw, complete = bytearray(), True
    for token in tokens:
        fragment = token_bytes(token)
        if fragment is None:
            complete = False
            break
        raw += fragment
    return raw.decode("utf-8", errors="replace"), complete


def ends_of(tokens: Iterable[str]) -> tuple[bytes, list[int]]:
    """Join tokens to bytes, and return the offset of the end of each.

    Those from the first token on whose bytes are unknown end where it begins.
    """
    raw, ends, known = bytearray(), [], True
    for token in tokens:
        fragment = token_bytes(token) if known else None
        known = fragment is not None
        raw += fragment or b""
        ends.append(len(raw))
    return bytes(raw), ends


def assert_utf_8(exchange: Exchange) -> None:
    """Assert that a body can be decoded without loss."""
    try:
        exchange.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Failure(
            say("a body in UTF-8"),
            say("{reason} at byte {byte}", reason=error.reason, byte=error.start),
            place=Place.BODY,
        ) from None
