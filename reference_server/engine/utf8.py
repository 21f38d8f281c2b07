"""Bytes in pieces to whole characters, and where in the text each piece begins."""

import codecs


class CharacterStream:
    """Decodes a growing byte string; a character is let out when its last byte has come.

    Bytes that are not UTF-8 become U+FFFD as soon as it is certain that they are not.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pending = False
        self.length = 0
        """Characters let out so far."""

    def feed(self, piece: bytes) -> tuple[str, int]:
        """Add a piece.

        Returns the characters it completes and the index of the character that its first byte
        belongs to, counted from the beginning of the stream.
        """
        start = self.length
        if not self._pending:
            text = self._decoder.decode(piece)
        else:
            head = self._decoder.decode(piece[:1])
            # Did the first byte go on with the character begun before, or did it break it off?
            # Broken off, U+FFFD stands for what was there, and the byte begins (or is) the next.
            broken = len(head) == 2 or (len(head) == 1 and self._waiting())
            start += broken
            text = head + self._decoder.decode(piece[1:])
        self._pending = self._waiting()
        self.length += len(text)
        return text, start

    def finish(self) -> str:
        """What is left at the end: one U+FFFD for a character that was cut, or nothing."""
        text = self._decoder.decode(b"", final=True)
        self._pending = False
        self.length += len(text)
        return text

    def _waiting(self) -> bool:
        return bool(self._decoder.getstate()[0])
