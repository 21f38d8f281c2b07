"""Responses whose framing has no end or is impossible, and responses that arrive in crumbs."""

from __future__ import annotations

import time
from itertools import repeat

from tests.hostile.server import Call, behaviour, head

CHUNKED = head({"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
STATUS = b"HTTP/1.1 200 OK\r\n"


def forever(call: Call, data: bytes) -> None:
    """Send the same bytes until the client leaves."""
    for block in repeat(data):
        call.write(block)


@behaviour("interim-forever")
def interim_forever(call: Call) -> None:
    forever(call, b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 100)


@behaviour("headers-forever")
def headers_forever(call: Call) -> None:
    call.write(STATUS)
    forever(call, b"X-More: 1\r\n" * 1_000)


@behaviour("one-header-forever")
def one_header_forever(call: Call) -> None:
    call.write(STATUS + b"X-Long: ")
    forever(call, b"x" * 10_000)


@behaviour("header-flood")
def header_flood(call: Call) -> None:
    """9,000 headers, which end before the HTTP library has enough."""
    call.write(STATUS + b"a:b\r\n" * 9_000 + b"Content-Length: 2\r\n\r\n{}")


@behaviour("body-forever")
def body_forever(call: Call) -> None:
    call.write(head({"Content-Type": "application/json"}))
    forever(call, b" " * 65_536)


@behaviour("trailer-forever")
def trailer_forever(call: Call) -> None:
    call.write(CHUNKED + b"2\r\n{}\r\n0\r\n")
    forever(call, b"X-More: 1\r\n" * 1_000)


@behaviour("chunk-extension-forever")
def chunk_extension_forever(call: Call) -> None:
    call.write(CHUNKED + b"2;")
    forever(call, b"x" * 10_000)


@behaviour("huge-chunk-size")
def huge_chunk_size(call: Call) -> None:
    """A chunk of 10^30 bytes, of which a few come."""
    call.write(CHUNKED + b"%x\r\n{" % 10**30)


@behaviour("negative-length")
def negative_length(call: Call) -> None:
    call.write(head({"Content-Length": "-5"}) + b"{}")


@behaviour("huge-length-then-silence")
def huge_length_then_silence(call: Call) -> None:
    call.write(head({"Content-Length": str(10**18)}) + b"{")
    call.connection.recv(1)


@behaviour("drip")
def drip(call: Call) -> None:
    """One byte now and then, so that the response never falls silent."""
    call.write(head({"Content-Length": "1000000"}))
    for _ in range(1_000_000):
        call.write(b" ")
        time.sleep(0.05)


@behaviour("one-byte-chunks")
def one_byte_chunks(call: Call) -> None:
    """20,000 chunks of one byte."""
    call.write(CHUNKED + b"1\r\n \r\n" * 20_000 + b"0\r\n\r\n")
