"""Decoding by definition, from all bytes at once, to compare incremental decoding with."""

from itertools import product

# Every lead takes one of these as its second byte, and any of them as its third and fourth.
_ENDINGS = [bytes(e) for size in (1, 2, 3) for e in product((0x80, 0x90, 0xA0), repeat=size)]


def unfinished(data: bytes) -> int:
    """How many bytes at the end are the beginning of a character that could still be completed."""
    for size in range(min(3, len(data)), 0, -1):
        if any(_is_one_character(data[-size:] + ending) for ending in _ENDINGS):
            return size
    return 0


def complete(data: bytes) -> str:
    """The characters that no further byte can change."""
    return data[: len(data) - unfinished(data)].decode("utf-8", "replace")


def owners(data: bytes) -> list[int]:
    """For every byte the index of the character that it belongs to."""
    found: list[int] = []
    index = 0
    while len(found) < len(data):
        rest = data[len(found) :]
        try:
            whole, broken = rest.decode(), 0
        except UnicodeDecodeError as error:
            whole, broken = rest[: error.start].decode(), error.end - error.start
        for character in whole:
            found += [index] * len(character.encode())
            index += 1
        found += [index] * broken
        index += broken > 0
    return found


def raw(token: str) -> bytes:
    """The bytes of a token as `logprobs` names it."""
    if not token.startswith("bytes:"):
        return token.encode()
    return bytes(int(part, 16) for part in token.removeprefix("bytes:\\x").split("\\x"))


def _is_one_character(data: bytes) -> bool:
    try:
        return len(data.decode()) == 1
    except UnicodeDecodeError:
        return False
