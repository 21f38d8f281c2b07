"""Responses whose framing is wrong: more than one, longer or shorter than declared, or no HTTP."""

from __future__ import annotations

import json
import time

from tests.hostile.server import Call, behaviour, completion, head

BODY = json.dumps(completion()).encode()
SECOND = head({"Content-Type": "application/json", "Content-Length": "2"}, 404) + b"{}"


def framed(length: int, *more: tuple[str, str]) -> bytes:
    return head({"Content-Type": "application/json", "Content-Length": str(length), **dict(more)})


def chunked(call: Call, rest: bytes) -> None:
    fields = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    call.write(head(fields) + rest)


@behaviour("glued")
def glued(call: Call) -> None:
    """A second response comes in the same segment as each."""
    if call.is_streamed:
        stream = b"data: %s\n\ndata: [DONE]\n\n" % BODY
        kind = {"Content-Type": "text/event-stream", "Content-Length": str(len(stream))}
        call.write(head(kind) + stream + SECOND)
    else:
        call.write(framed(len(BODY)) + BODY + SECOND)


@behaviour("glued-later")
def glued_later(call: Call) -> None:
    """A second response comes a little later, on the idle connection."""
    call.write(framed(len(BODY)) + BODY)
    time.sleep(0.05)
    call.write(SECOND)


@behaviour("glued-to-chunks")
def glued_to_chunks(call: Call) -> None:
    chunked(call, b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY) + SECOND)


@behaviour("garbage-behind")
def garbage_behind(call: Call) -> None:
    call.write(framed(len(BODY)) + BODY + b"\0garbage\n")


@behaviour("blank-line-behind")
def blank_line_behind(call: Call) -> None:
    call.write(framed(len(BODY)) + BODY + b"\r\n")


@behaviour("length-too-short")
def length_too_short(call: Call) -> None:
    call.write(framed(len(BODY) - 20) + BODY)


@behaviour("length-too-long")
def length_too_long(call: Call) -> None:
    call.write(framed(len(BODY) + 20) + BODY)
    call.connection.close()


@behaviour("two-lengths")
def two_lengths(call: Call) -> None:
    call.write(framed(len(BODY)).replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n") + BODY)


@behaviour("two-framings")
def two_framings(call: Call) -> None:
    more = ("Transfer-Encoding", "chunked")
    call.write(framed(len(BODY), more) + b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))


@behaviour("chunk-too-long")
def chunk_too_long(call: Call) -> None:
    chunked(call, b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY) - 9, BODY))


@behaviour("no-last-chunk")
def no_last_chunk(call: Call) -> None:
    chunked(call, b"%x\r\n%s\r\n" % (len(BODY), BODY))
    call.connection.close()


@behaviour("interim-flood")
def interim_flood(call: Call) -> None:
    while True:
        call.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


@behaviour("interim-twice")
def interim_twice(call: Call) -> None:
    call.write(b"HTTP/1.1 102 Processing\r\n\r\n" * 2)
    call.respond_ok()


@behaviour("http-0.9")
def http_0_9(call: Call) -> None:
    call.write(BODY)
    call.connection.close()


@behaviour("http-1.0-kept")
def http_1_0_kept(call: Call) -> None:
    kept = framed(len(BODY), ("Connection", "keep-alive")).replace(b"HTTP/1.1", b"HTTP/1.0")
    call.write(kept + BODY)
