"""Responses whose values are too many, too deep, too long or of a kind that breaks arithmetic.

Each fits the bytes that an answer may have, so that only their content can do harm.
"""

from __future__ import annotations

import json
from typing import Any

from tests.hostile.server import Call, behaviour, completion, head

ROOM = 250_000
"""Bytes of a body, just less than any answer may have."""


def _filled(piece: str, room: int = ROOM) -> str:
    """Return a piece as often as it fits."""
    return piece * (room // len(piece.encode()))


def _with(call: Call, member: str, raw: str) -> None:
    """Respond with raw JSON as one member of an otherwise correct completion."""
    whole = json.dumps(completion(**{member: "<here>"}))
    call.respond(whole.replace('"<here>"', raw).encode())


def _stream(call: Call, raw: str) -> None:
    call.write(
        head({"Content-Type": "text/event-stream", "Content-Length": str(len(raw.encode()))})
        + raw.encode()
    )


@behaviour("empty-choices")
def empty_choices(call: Call) -> None:
    """Twenty thousand choices, none of which has any member."""
    _with(call, "choices", "[" + _filled("{},") + "{}]")


@behaviour("small-objects")
def small_objects(call: Call) -> None:
    """Objects take the most memory for each byte."""
    _with(call, "extra", "[" + _filled('{"":0},') + "0]")


@behaviour("short-strings")
def short_strings(call: Call) -> None:
    _with(call, "extra", "[" + _filled('"ab",') + "0]")


@behaviour("valid-choices")
def valid_choices(call: Call) -> None:
    """Hundreds of correct choices for a request for one."""
    size = len(json.dumps(completion([" 13"]))) - len(json.dumps(completion([])))
    call.respond_ok(**completion([" 13"] * (ROOM // (size + 2))))


@behaviour("long-tokens")
def long_tokens(call: Call) -> None:
    """Parallel arrays of thousands of tokens for one token of text."""
    count = ROOM // 40
    logprobs = {
        "tokens": ["a"] * count,
        "token_logprobs": [-0.5] * count,
        "top_logprobs": [{"a": -0.5}] * count,
        "text_offset": list(range(count)),
    }
    choice = {"text": "a", "index": 0, "logprobs": logprobs, "finish_reason": "length"}
    call.respond_ok(choices=[choice])


@behaviour("many-keys")
def many_keys(call: Call) -> None:
    """Usage with thousands of counts."""
    _with(call, "usage", json.dumps({f"{number}": 1 for number in range(ROOM // 12)}))


@behaviour("many-alternatives")
def many_alternatives(call: Call) -> None:
    """One token with thousands of alternatives."""
    top: dict[str, float] = {f"{number}": -1.5 for number in range(ROOM // 16)}
    logprobs: dict[str, Any] = {
        "tokens": ["a"],
        "token_logprobs": [-0.5],
        "top_logprobs": [top],
        "text_offset": [0],
    }
    choice = {"text": "a", "index": 0, "logprobs": logprobs, "finish_reason": "length"}
    call.respond_ok(choices=[choice])


@behaviour("deep-arrays")
def deep_arrays(call: Call) -> None:
    """Deep enough to exhaust the stack of a reader that recurses."""
    _with(call, "extra", "[" * (ROOM // 2) + "]" * (ROOM // 2))


@behaviour("medium-depth")
def medium_depth(call: Call) -> None:
    """Deep enough to be read, and to exhaust the stack when it is written again."""
    _with(call, "choices", "[" * 900 + "]" * 900)


@behaviour("long-integers")
def long_integers(call: Call) -> None:
    """Integers that no float holds, wherever a number belongs."""
    long = "9" * 4_000
    raw = json.dumps(
        completion(created="<n>", usage={"prompt_tokens": "<n>", "total_tokens": "<n>"})
    )
    call.respond(raw.replace('"<n>"', long).encode())


@behaviour("infinite-numbers")
def infinite_numbers(call: Call) -> None:
    """Numbers that every JSON reader takes for infinity."""
    raw = json.dumps(
        completion(created="<n>", usage={"prompt_tokens": "<n>", "total_tokens": "<n>"})
    )
    call.respond(raw.replace('"<n>"', "1e999").encode())


@behaviour("long-text")
def long_text(call: Call) -> None:
    call.respond_ok(_filled("word "))


@behaviour("control-characters")
def control_characters(call: Call) -> None:
    """A text that JSON writes with six characters for each byte."""
    call.respond(b"\x01" * ROOM)


@behaviour("not-utf-8")
def not_utf_8(call: Call) -> None:
    """Bytes of which each becomes a replacement character of three."""
    call.respond(b"\xff" * ROOM)


@behaviour("wide-text")
def wide_text(call: Call) -> None:
    """One character beyond the basic plane makes every other one take four bytes."""
    call.respond_ok(_filled("a") + "😀")


@behaviour("empty-events")
def empty_events(call: Call) -> None:
    _stream(call, _filled("data: {}\n\n"))


@behaviour("invalid-events")
def invalid_events(call: Call) -> None:
    _stream(call, _filled("data: {\n\n"))


@behaviour("bare-events")
def bare_events(call: Call) -> None:
    """The shortest event that there is."""
    _stream(call, _filled("data:\n\n"))


@behaviour("stray-lines")
def stray_lines(call: Call) -> None:
    """Lines that are no part of an event stream."""
    _stream(call, "data: {}\n\n" + _filled("ab\n"))


@behaviour("growing-stream")
def growing_stream(call: Call) -> None:
    """A correct stream of many chunks of logprobs, which readers join again and again."""
    choice = {
        "text": "a",
        "index": 0,
        "logprobs": {
            "tokens": ["a"],
            "token_logprobs": [-0.5],
            "top_logprobs": [None],
            "text_offset": [0],
        },
        "finish_reason": None,
    }
    chunk = f"data: {json.dumps(completion(choices=[choice], usage=None))}\n\n"
    _stream(call, _filled(chunk) + "data: [DONE]\n\n")


@behaviour("one-byte-reads")
def one_byte_reads(call: Call) -> None:
    """A body that arrives in thousands of reads of one byte."""
    whole = json.dumps(completion(["word " * 500])).encode()
    call.write(head({"Content-Type": "application/json", "Transfer-Encoding": "chunked"}))
    for byte in whole:
        call.write(b"1\r\n%c\r\n" % byte)
    call.write(b"0\r\n\r\n")


@behaviour("large-headers")
def large_headers(call: Call) -> None:
    """Headers of nearly as many bytes as the client reads."""
    more = {f"X-{number}": "v" * 60 for number in range(700)}
    raw = json.dumps(completion()).encode()
    call.write(
        head({"Content-Type": "application/json", "Content-Length": str(len(raw)), **more}) + raw
    )


@behaviour("large-errors")
def large_errors(call: Call) -> None:
    """An error whose message, code and type are as long as a response may be."""
    long = _filled("word ", ROOM // 4)
    error = {"message": long, "type": long, "param": long, "code": long}
    call.respond(json.dumps({"error": error}).encode(), status=200 if call.number == 1 else 400)


@behaviour("long-model-ids")
def long_model_ids(call: Call) -> None:
    """The model is not served; the list of those that are has long ids."""
    if call.target.endswith("/models"):
        ids = [{"id": f"{number}" * 4_000} for number in range(12)]
        call.respond({"object": "list", "data": ids})
    else:
        call.respond({"error": {"message": "the model does not exist"}}, status=404)
