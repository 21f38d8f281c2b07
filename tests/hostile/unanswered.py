"""Valid requests that get no whole response, and endpoints that reject whatever is sent."""

from __future__ import annotations

import json
import time

from tests.hostile.server import Call, behaviour, completion, head

SILENCE_SECONDS = 20.0
"""Longer than any test waits."""

STREAM = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}


def _is_slow_kind(call: Call) -> bool:
    return (call.json.get("n") or 1) > 1


def _serve(call: Call) -> None:
    """Respond with as many choices as were asked for."""
    prompt = call.json.get("prompt")
    prompts = len(prompt) if isinstance(prompt, list) else 1
    texts = [" 13"] * (prompts * (call.json.get("n") or 1))
    if call.is_streamed:
        call.stream([completion(texts)])
    else:
        call.respond(completion(texts))


@behaviour("choices-hang")
def choices_hang(call: Call) -> None:
    """A request for several choices gets no byte."""
    if _is_slow_kind(call):
        time.sleep(SILENCE_SECONDS)
    else:
        _serve(call)


@behaviour("streams-without-end")
def streams_without_end(call: Call) -> None:
    """A stream lacks its last HTTP chunk, and its connection is closed."""
    if not call.is_streamed:
        _serve(call)
        return
    event = b"data: %s\n\ndata: [DONE]\n\n" % json.dumps(completion()).encode()
    call.write(head(STREAM) + b"%x\r\n%s\r\n" % (len(event), event))
    call.connection.close()


@behaviour("rejects-everything")
def rejects_everything(call: Call) -> None:
    """Every request is rejected with the same body."""
    call.respond({"error": {"message": "Invalid parameter value"}}, status=400)
