"""Responses with content encodings that nobody asked for; :mod:`tests.hostile.sizes` has bombs."""

from __future__ import annotations

import gzip
import json
import zlib

from tests.hostile.server import Call, behaviour, completion, head

BODY = json.dumps(completion()).encode()


@behaviour("gzip-unasked")
def gzip_unasked(call: Call) -> None:
    """A correct completion, compressed all the same."""
    call.respond(gzip.compress(BODY, mtime=0), {"Content-Encoding": "gzip"})


@behaviour("encoding-twice-in-capitals")
def encoding_twice_in_capitals(call: Call) -> None:
    """Two headers, with ``identity`` and an empty element among their values."""
    raw = gzip.compress(zlib.compress(BODY), mtime=0)
    named = "Content-Encoding: Identity, DEFLATE\r\ncontent-encoding: , X-GZip\r\n"
    start = head({"Content-Length": str(len(raw))}).removesuffix(b"\r\n")
    call.write(start + named.encode() + b"\r\n" + raw)


@behaviour("brotli-unasked")
def brotli_unasked(call: Call) -> None:
    call.respond(b"\x8b\x03\x80{}\x03", {"Content-Encoding": "br"})


@behaviour("gzip-of-lies")
def gzip_of_lies(call: Call) -> None:
    """A body in plain JSON that claims to be compressed."""
    call.respond(BODY, {"Content-Encoding": "gzip"})


@behaviour("gzip-cut")
def gzip_cut(call: Call) -> None:
    call.respond(gzip.compress(BODY, mtime=0)[:-3], {"Content-Encoding": "gzip"})


@behaviour("gzip-and-more")
def gzip_and_more(call: Call) -> None:
    call.respond(gzip.compress(BODY, mtime=0) + b"more", {"Content-Encoding": "gzip"})


@behaviour("gzip-of-nothing")
def gzip_of_nothing(call: Call) -> None:
    """No body, which has no content encoding either."""
    call.write(head({"Content-Encoding": "gzip"}, 204))
