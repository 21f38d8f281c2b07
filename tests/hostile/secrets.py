"""Responses that show the key that came with the request, in every disguise."""

from __future__ import annotations

import base64
import html
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.hostile.server import Call, behaviour, completion


def _styled(character: str, upper: int, lower: int, digit: int | None) -> str:
    """Return a letter or digit in another style, given where that has its A, a and 0.

    All three are U+FF01 for full width, which has all of ASCII.
    """
    if upper == 0xFF01:
        return chr(ord(character) - 0x21 + upper) if character != " " else "\u3000"
    for first, start in (("A", upper), ("a", lower), ("0", digit)):
        size = 10 if first == "0" else 26
        if start is not None and 0 <= ord(character) - ord(first) < size:
            return chr(ord(character) - ord(first) + start)
    return character


FORMS: dict[str, Callable[[str], str]] = {
    "raw": lambda key: key,
    "upper": str.upper,
    "reversed": lambda key: key[::-1],
    "percent": lambda key: "".join(f"%{byte:02X}" for byte in key.encode()),
    "percent-often": lambda key: "".join(f"%{'25' * 50}{byte:02x}" for byte in key.encode()),
    "unicode": lambda key: "".join(f"\\u{ord(character):04x}" for character in key),
    "backslashes": lambda key: "".join("\\" * 9 + f"u{ord(each):04x}" for each in key),
    "octal": lambda key: "".join(f"\\{byte:03o}" for byte in key.encode()),
    "short-octal": lambda key: "".join(f"\\{byte:o}" for byte in key.encode()),
    "long-unicode": lambda key: "".join(f"\\U{ord(character):08x}" for character in key),
    "entities": lambda key: "".join(f"&#{ord(character)};" for character in key),
    "hex-entities": lambda key: "".join(f"&#x000{ord(character):X}" for character in key),
    "named-entities": lambda key: html.escape(html.escape(key)),
    "mixed": lambda key: "".join(f"%5Cu{ord(character):04x}" for character in key),
    "hex": lambda key: key.encode().hex(),
    "hex-colons": lambda key: key.encode().hex(":").upper(),
    "hex-list": lambda key: ", ".join(f"0x{byte:02x}" for byte in key.encode()),
    "padded-codes": lambda key: " ".join(f"{byte:03}" for byte in key.encode()),
    "codes": lambda key: " ".join(str(byte) for byte in key.encode()),
    "base64": lambda key: base64.b64encode(f"user:{key}!".encode()).decode(),
    "base64-lines": lambda key: base64.encodebytes(key.encode() * 3).decode(),
    "base64-url": lambda key: base64.urlsafe_b64encode(key.encode()).decode().rstrip("="),
    "base64-twice": lambda key: base64.b64encode(base64.b64encode(b"xy" + key.encode())).decode(),
    "base32": lambda key: base64.b32encode(f"abc{key}".encode()).decode().lower(),
    "hex-reversed": lambda key: key[::-1].encode().hex(),
    "reversed-hex": lambda key: key.encode().hex(" ")[::-1],
    "octal-list": lambda key: " ".join(f"{byte:o}" for byte in key.encode()),
    "octal-padded": lambda key: ", ".join(f"{byte:03o}" for byte in key.encode()),
    "octal-prefixed": lambda key: ", ".join(f"0o{byte:o}" for byte in key.encode()),
    "base64-reversed": lambda key: base64.b64encode(f"a{key[::-1]}b".encode()).decode(),
    "reversed-base64": lambda key: base64.b64encode(f"ab{key}".encode()).decode()[::-1],
    "full-width": lambda key: "".join(_styled(each, 0xFF01, 0xFF01, 0xFF01) for each in key),
    "bold": lambda key: "".join(_styled(each, 0x1D400, 0x1D41A, 0x1D7CE) for each in key),
    "circled": lambda key: "".join(_styled(each, 0x24B6, 0x24D0, None) for each in key),
    "spaced": " ".join,
    "zero-width": "\u200b".join,
    "lines": "\n".join,
    "utf-16": "\0".join,
}
"""Functions from a key to what shows it."""


def pieces(key: str, size: int = 2) -> list[str]:
    """Return the key, a few characters at a time."""
    return [key[start : start + size] for start in range(0, len(key), size)]


def _events(key: str) -> Iterator[dict[str, Any]]:
    for part in pieces(key):
        yield completion([part])


def _logprobs(tokens: list[str]) -> dict[str, Any]:
    return {
        "tokens": tokens,
        "token_logprobs": [-0.5] * len(tokens),
        "top_logprobs": [{token: -0.5, "~": -2.0} for token in tokens],
        "text_offset": list(range(len(tokens))),
    }


SPLITS: dict[str, Callable[[str], bytes]] = {
    "events": lambda key: b"".join(
        b"data: %s\n\n" % json.dumps(event).encode() for event in _events(key)
    ),
    "raw-events": lambda key: b"".join(b"data: %s\n\n" % part.encode() for part in pieces(key)),
    "choices": lambda key: json.dumps(completion(pieces(key, 9))).encode(),
    "interleaved": lambda key: b"".join(
        b"data: %s\n\n" % json.dumps({"choices": [{"text": text, "index": index}]}).encode()
        for part in pieces(key)
        for index, text in ((0, part), (1, "zz"))
    ),
    "tokens": lambda key: json.dumps(
        completion(choices=[{"text": "", "index": 0, "logprobs": _logprobs(pieces(key))}])
    ).encode(),
    "one-by-one": lambda key: json.dumps({"error": {"message": list(key)}}).encode(),
    "escaped": lambda key: json.dumps(
        {"list": [{"text": "".join(f"%{ord(each):02x}" for each in part)} for part in pieces(key)]}
    ).encode(),
    "in-the-middle-of-an-escape": lambda key: json.dumps(
        {"list": ["%", *pieces("%".join(f"{ord(each):02x}" for each in key), 3)]}
    ).encode(),
    "pretty": lambda key: json.dumps({"list": pieces(key, 3)}, indent=2).encode(),
    "broken": lambda key: b'{"a": [' + json.dumps({"list": pieces(key, 3)}).encode() + b'], "b',
}
"""Functions from a key to a body that shows it in pieces, which nothing but a reader joins."""


@behaviour("key-in-every-form")
def key_in_every_form(call: Call) -> None:
    """An error message with the key in all forms, and in headers."""
    key = call.key or ""
    shown = " | ".join(form(key) for form in FORMS.values())
    headers = {"X-Key": key, "X-Basic": FORMS["base64"](key), f"X-{key}": "1"}
    call.respond(
        {"error": {"message": shown, "type": "t", "code": key, "param": None}}, headers, 400
    )


@behaviour("key-in-pieces")
def key_in_pieces(call: Call) -> None:
    """A completion or a stream whose texts are the key."""
    key = call.key or "no-key"
    if call.is_streamed:
        call.stream(list(_events(key)))
    else:
        tokens = _logprobs(pieces(key))
        choices = [{"text": key[:30], "index": 0, "logprobs": tokens, "finish_reason": "stop"}]
        choices.append({"text": key[30:], "index": 1, "logprobs": None, "finish_reason": "stop"})
        call.respond(completion(choices=choices))


@behaviour("key-in-raw-events")
def key_in_raw_events(call: Call) -> None:
    """Streams of events that are the key, two characters at a time, and not JSON."""
    key = call.key or "no-key"
    if call.is_streamed:
        call.stream(b"data: %s\n\n" % part.encode() for part in pieces(key))
    else:
        call.respond({"error": {"message": list(key), "type": pieces(key, 5)}}, status=400)


@behaviour("key-in-the-status-line")
def key_in_the_status_line(call: Call) -> None:
    """The key where no parser expects it."""
    call.write(f"HTTP/1.1 {call.key} {call.key}\r\n{call.key}\r\n\r\n".encode())


@behaviour("key-in-a-redirect")
def key_in_a_redirect(call: Call) -> None:
    """A redirect whose location contains the key."""
    call.respond(b"", {"Location": f"http://127.0.0.1:9/{call.key}"}, 307)


_SEEN: set[str] = set()


@behaviour("keys-of-all")
def keys_of_all(call: Call) -> None:
    """A gateway that shows everybody the keys of everybody; it waits for the second one."""
    _SEEN.add(call.key or "no-key")
    for _ in range(100):
        if len(_SEEN) > 1:
            break
        time.sleep(0.02)
    call.respond({"error": {"message": f"known: {sorted(_SEEN)}"}}, status=400)
