"""Undo the content codings of a body in bounded memory and time; pure.

The suite asks for ``identity``, and a server may compress all the same. The body is decoded here
and not by the HTTP library, which inflates a whole read before anyone can look at its size: 283
bytes can be 2 GB. Every coding's output is bounded while it is made, so the work is at most
:data:`MAX_CODINGS` times the limit.

Sources: RFC 9110, sections 8.4 (Content-Encoding) and 8.4.1 (the codings); RFC 1950 (zlib), RFC
1951 (raw deflate, which some servers call ``deflate``), RFC 1952 (gzip, members one after another).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

from conformance.message import Message, say

MAX_CODINGS = 3
"""Maximum codings of one body. Servers apply one; a proxy can add another."""

MAX_MEMBERS = 1_000
"""Maximum members of one gzip coding. Servers send one; log files have several."""

PIECE = 64 * 2**10
"""Maximum bytes that are decoded at once, which takes less than a millisecond."""

_SLICE = 4 * 2**10
"""Bytes given to zlib at once. What it does not take it copies, so they are few."""

_GZIP_BITS, _ZLIB_BITS, _RAW_BITS = 31, 15, -15
"""The formats as zlib's window bits name them."""

_MAGIC = b"\x1f\x8b"
"""The first bytes of a gzip member."""

_CODINGS = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate"}


class DecodingError(ValueError):
    """A body cannot be decoded; the message is the end of a sentence about the response."""

    def __init__(self, said: Message) -> None:
        super().__init__(said)
        self.said = said


class TooLargeError(ValueError):
    """The decoded body is larger than the limit."""


class Decoder:
    """Decodes one body while it arrives.

    Args:
        codings: in the order in which they were applied, in lower case.
        limit: maximum bytes of the decoded body.

    Raises:
        DecodingError: a coding is unknown, or there are too many.
    """

    def __init__(self, codings: Sequence[str], limit: int) -> None:
        if len(codings) > MAX_CODINGS:
            raise DecodingError(
                say(
                    "has {count} content encodings, and the suite undoes at most {limit}",
                    count=len(codings),
                    limit=MAX_CODINGS,
                )
            )
        unknown = next((coding for coding in codings if coding not in _CODINGS), None)
        if unknown is not None:
            raise DecodingError(
                say(
                    "has the content encoding {coding}, which the suite cannot decode",
                    coding=repr(unknown[:40]),
                )
            )
        # Compressed data that does not get smaller still grows a little with each coding.
        inner = limit + limit // 16 + 1_000
        self._layers = [
            _Layer(_CODINGS[coding], inner if i else limit) for i, coding in enumerate(codings)
        ][::-1]
        self._left = inner

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decode the next bytes into pieces of at most :data:`PIECE` bytes, some of them empty.

        The caller can pause after each piece.

        Raises:
            DecodingError: the data is invalid.
            TooLargeError: the result of a coding is larger than its limit.
        """
        self._left -= len(data)
        if self._left < 0:
            raise TooLargeError
        return self._through(self._layers, data)

    def finish(self) -> None:
        """End the body, which may also be empty.

        Raises:
            DecodingError: the data is not complete.
        """
        for layer in self._layers:
            layer.finish()

    def _through(self, layers: Sequence[_Layer], data: bytes) -> Iterator[bytes]:
        if not layers:
            yield data
            return
        for piece in layers[0].feed(data):
            yield from self._through(layers[1:], piece)


class _Layer:
    """One coding, ``gzip`` or ``deflate``; ``left`` is the number of bytes it may still make."""

    def __init__(self, coding: str, left: int) -> None:
        self._coding = coding
        self._left = left
        self._held = b""
        self._members = 0
        self._zlib: zlib._Decompress | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _SLICE):
            yield from self._slice(data[start : start + _SLICE])

    def finish(self) -> None:
        if self._held or (self._zlib is not None and not self._zlib.eof):
            raise DecodingError(say("ends in the middle of its {coding} data", coding=self._coding))

    def _slice(self, data: bytes) -> Iterator[bytes]:
        full = False
        while data or full:
            if self._zlib is None or self._zlib.eof:
                data, self._held = self._held + data, b""
                if not self._may_begin(data):
                    self._held = data
                    yield b""
                    return
                self._zlib = zlib.decompressobj(self._bits(data))
            # One byte more than fits shows that there is more.
            most = min(PIECE, self._left + 1)
            try:
                made = self._zlib.decompress(data, most)
            except zlib.error:
                raise DecodingError(
                    say("is not valid {coding} data", coding=self._coding)
                ) from None
            self._left -= len(made)
            if self._left < 0:
                raise TooLargeError
            yield made
            data = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail
            # With a full buffer zlib may have taken all of the data and still hold a part.
            full = len(made) == most and not self._zlib.eof

    def _may_begin(self, data: bytes) -> bool:
        """Return whether the data can be decoded from here; false if two bytes are needed.

        A gzip member may follow another one; nothing may follow deflate data.
        """
        is_next = self._zlib is not None
        if is_next and (self._coding == "deflate" or not _MAGIC.startswith(data[:2])):
            raise DecodingError(
                say("goes on after the end of its {coding} data", coding=self._coding)
            )
        if len(data) < len(_MAGIC):
            return False
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise DecodingError(say("has more than {count} gzip members", count=MAX_MEMBERS))
        return True

    def _bits(self, start: bytes) -> int:
        if self._coding == "gzip":
            return _GZIP_BITS
        # RFC 1950, section 2.2: method 8, and a checksum that makes 31 divide the first two bytes.
        is_zlib = start[0] & 0x0F == 8 and int.from_bytes(start[:2], "big") % 31 == 0
        return _ZLIB_BITS if is_zlib else _RAW_BITS
