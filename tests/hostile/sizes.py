"""Responses that are too large, in bytes, in values or once they are inflated."""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from functools import cache

from tests.hostile.server import Call, behaviour, completion

MIB = 2**20
RAW = -15
"""zlib's window bits for deflate data without a header."""


@cache
def _bomb(layers: int, size: int = 256 * MIB) -> bytes:
    """Return ``size`` spaces, compressed ``layers`` times."""
    spaces = b" " * MIB
    packed = zlib.compressobj(wbits=RAW)
    # Ends at a full byte and is not referred to, so it can be repeated instead of compressed again.
    block = packed.compress(spaces) + packed.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(size // MIB):
        checksum = zlib.crc32(spaces, checksum)
    end = b"\x03\x00" + struct.pack("<II", checksum, size)
    data = gzip.compress(b"", mtime=0)[:10] + block * (size // MIB) + end
    for _ in range(layers - 1):
        data = gzip.compress(data, mtime=0)
    return data


@behaviour("gzip-once")
def gzip_once(call: Call) -> None:
    """256 KB that inflate to 256 MB."""
    call.respond(_bomb(1), {"Content-Encoding": "gzip"})


@behaviour("gzip-twice")
def gzip_twice(call: Call) -> None:
    call.respond(_bomb(2), {"Content-Encoding": "gzip, gzip"})


@behaviour("gzip-thrice")
def gzip_thrice(call: Call) -> None:
    call.respond(_bomb(3), {"Content-Encoding": "gzip, gzip, gzip"})


@behaviour("million-choices")
def million_choices(call: Call) -> None:
    """3 MB of empty choices."""
    whole = json.dumps(completion()).encode()
    call.respond(whole.replace(b'"choices": [', b'"choices": [' + b"{}," * 1_000_000))


@behaviour("eight-megabytes")
def eight_megabytes(call: Call) -> None:
    """Every response has a text of 8 MB."""
    call.respond_ok("word " * (8 * MIB // 5 - 200))


@behaviour("bombs-later")
def bombs_later(call: Call) -> None:
    """One correct response, so that the run begins; all others are bombs."""
    if call.number == 1:
        call.respond_ok()
    else:
        gzip_thrice(call)


@behaviour("large-later")
def large_later(call: Call) -> None:
    """One correct response; all others have 8 MB."""
    if call.number == 1:
        call.respond_ok()
    else:
        eight_megabytes(call)
