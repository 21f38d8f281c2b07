"""Decode UTF-8 in parts, with the offset of each part in the text."""

import codecs


class CharacterStream:
    """Decodes a growing byte string; a character is released with its last byte.

    Invalid bytes become U+FFFD as soon as it is certain that they are invalid.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.length = 0
        """The number of characters released."""

    @property
    def begun(self) -> bytes:
        """The bytes of an incomplete character; empty between two characters."""
        return self._decoder.getstate()[0]

    def feed(self, chunk: bytes) -> tuple[str, int]:
        """Add bytes.

        Returns the characters that they complete and the index of the character that the first byte
        belongs to, counted from the beginning of the stream.
        """
        start = self.length
        if not self.begun:
            return self._decode(chunk), start
        text = self._decode(chunk[:1])
        if len(text) + bool(self.begun) > 1:
            # The byte did not continue the incomplete character: U+FFFD replaces what was there,
            # and the byte begins (or is) the next.
            start += 1
        return text + self._decode(chunk[1:]), start

    def finish(self) -> str:
        """The remainder at the end: one U+FFFD for a character that was cut, or nothing."""
        text = self._decoder.decode(b"", final=True)
        self.length += len(text)
        return text

    def _decode(self, chunk: bytes) -> str:
        text = self._decoder.decode(chunk)
        if self.begun[:1] == b"\xed" and self.begun[1:] >= b"\xa0":
            # Half of a surrogate pair is invalid in UTF-8; Python would wait for its third byte.
            text += self._decoder.decode(b"", final=True)
        self.length += len(text)
        return text
