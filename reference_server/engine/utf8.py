"""Bytes in pieces to whole characters, and where in the text each piece begins."""

import codecs


class CharacterStream:
    """Decodes a growing byte string; a character is let out when its last byte has come.

    Bytes that are not UTF-8 become U+FFFD as soon as it is certain that they are not.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.length = 0
        """Characters let out so far."""

    @property
    def begun(self) -> bytes:
        """The bytes of a character that began and may still be completed; empty between two."""
        return self._decoder.getstate()[0]

    def feed(self, chunk: bytes) -> tuple[str, int]:
        """Add a piece.

        Returns the characters it completes and the index of the character that its first byte
        belongs to, counted from the beginning of the stream.
        """
        start = self.length
        if not self.begun:
            return self._decode(chunk), start
        text = self._decode(chunk[:1])
        if len(text) + bool(self.begun) > 1:
            # The byte did not go on with the character begun before, it broke it off: U+FFFD
            # stands for what was there, and the byte begins (or is) the next.
            start += 1
        return text + self._decode(chunk[1:]), start

    def finish(self) -> str:
        """What is left at the end: one U+FFFD for a character that was cut, or nothing."""
        text = self._decoder.decode(b"", final=True)
        self.length += len(text)
        return text

    def _decode(self, chunk: bytes) -> str:
        text = self._decoder.decode(chunk)
        if self.begun[:1] == b"\xed" and self.begun[1:] >= b"\xa0":
            # Half of a surrogate, which UTF-8 has none of: Python would wait for its third byte.
            text += self._decoder.decode(b"", final=True)
        self.length += len(text)
        return text
