"""Ways in which a stream breaks what is promised of it, each as small as can be."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

from conformance.model import Arrival, Exchange
from tests.conformance.checks import rewrites as f
from tests.conformance.checks.rewriting import (
    Body,
    Change,
    chunks_of,
    read,
    with_body,
    with_events,
    with_header,
)


def first_text_twice(_: Body, chunks: list[Body]) -> list[Body]:
    """Send the first piece of text again."""
    where = f.text_chunks(chunks)
    return [*chunks[: where[0]], chunks[where[0]], *chunks[where[0] :]] if where else chunks


def pieces_stripped(part: Body) -> Body:
    """Strip the space before every piece."""
    return {**part, "text": part["text"].lstrip(" ")}


def last_piece_of_second_lost(_: Body, chunks: list[Body]) -> list[Body]:
    """Lose the end of a second choice's text."""
    own = [i for i in f.text_chunks(chunks) if chunks[i]["choices"][0]["index"] == 1]
    return [chunk for i, chunk in enumerate(chunks) if not own or i != own[-1]]


def characters_split(part: Body) -> Body:
    """Put U+FFFD for each byte of a character beyond the Basic Multilingual Plane and Chinese."""
    return {**part, "text": re.sub(r"[^\x00-\x7f]", "\ufffd\ufffd\ufffd", part["text"])}


def characters_halved(_: Body, chunks: list[Body]) -> list[Body]:
    """Send an emoji as two surrogates in two chunks, as UTF-16 has it."""
    told: list[Body] = []
    for chunk in chunks:
        for part in chunk["choices"]:
            text = part["text"]
            if len(text) == 1 and ord(text) > 0xFFFF:
                pair = text.encode("utf-16-be")
                halves = [pair[i : i + 2].decode("utf-16-be", "surrogatepass") for i in (0, 2)]
                told.append({**chunk, "choices": [{**part, "text": halves[0]}]})
                told.append({**chunk, "choices": [{**part, "text": halves[1]}]})
                break
        else:
            told.append(chunk)
    return told


def finish_twice(_: Body, chunks: list[Body]) -> list[Body]:
    """Repeat the chunk with the finish reason, without its text."""
    again = [
        {**c, "choices": [{**p, "text": ""} for p in c["choices"]]}
        for c in chunks
        if any(p["finish_reason"] for p in c["choices"])
    ]
    return [*chunks, *again]


def finish_first(_: Body, chunks: list[Body]) -> list[Body]:
    """Say why a choice ended before its text does."""
    ends = [i for i, c in enumerate(chunks) if any(p["finish_reason"] for p in c["choices"])]
    if not ends or ends[0] == 0:
        return chunks
    return [chunks[ends[0]], *chunks[: ends[0]], *chunks[ends[0] + 1 :]]


def finish_index_zero(part: Body) -> Body:
    """Let every finish reason be that of choice 0."""
    return {**part, "index": 0} if part["finish_reason"] else part


def numbered_ids(_: Body, chunks: list[Body]) -> list[Body]:
    """Give every chunk an id of its own."""
    return [{**chunk, "id": f"{chunk['id']}-{i}"} for i, chunk in enumerate(chunks)]


def aging(_: Body, chunks: list[Body]) -> list[Body]:
    """Give every chunk a time of its own."""
    return [{**chunk, "created": chunk["created"] + i} for i, chunk in enumerate(chunks)]


def model_revealed_late(_: Body, chunks: list[Body]) -> list[Body]:
    """Name another model in the last chunk."""
    return [*chunks[:-1], {**chunks[-1], "model": "another-model"}]


def chat_usage_chunk(_: Body, chunks: list[Body]) -> list[Body]:
    """Append a chunk of the chat endpoint that nobody asked for."""
    bill = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    foreign = {"object": "chat.completion.chunk", "choices": [], "usage": bill}
    return [*chunks, {**chunks[0], **foreign}]


def delta_shaped(part: Body) -> Body:
    """Say it as the chat endpoint does."""
    kept = {name: value for name, value in part.items() if name != "text"}
    return {**kept, "delta": {"content": part["text"]}}


def usage_everywhere(_: Body, chunks: list[Body]) -> list[Body]:
    """Put a bill into every chunk."""
    bill = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return [{**chunk, "usage": chunk.get("usage") or bill} for chunk in chunks]


def no_usage_chunk(_: Body, chunks: list[Body]) -> list[Body]:
    """Leave the bill out."""
    return [chunk for chunk in chunks if not chunk.get("usage")]


def usage_chunk_first(_: Body, chunks: list[Body]) -> list[Body]:
    """Send the bill before the text."""
    return sorted(chunks, key=lambda chunk: not chunk.get("usage"))


def usage_in_last_text(_: Body, chunks: list[Body]) -> list[Body]:
    """Put the bill into the last chunk with choices."""
    billed = [chunk for chunk in chunks if chunk.get("usage")]
    if not billed:
        return chunks
    return [*chunks[:-2], {**chunks[-2], "usage": billed[0]["usage"]}]


def stream_bill_doubled(_: Body, chunks: list[Body]) -> list[Body]:
    """Bill a stream twice."""
    return [
        {**c, "usage": {k: 2 * v for k, v in c["usage"].items()}} if c.get("usage") else c
        for c in chunks
    ]


def gathered(exchange: Exchange) -> Exchange:
    """Take time for every token, and hold a stream back until it is complete."""
    took = 0.01 * ((read(exchange.request.body) or {}).get("max_tokens") or 1)
    attempts = tuple(replace(attempt, elapsed=took) for attempt in exchange.attempts)
    return replace(exchange, attempts=attempts, arrivals=(Arrival(took, len(exchange.body)),))


def of_streamed_scores(change: Callable[[Body], Body]) -> Change:
    """Change the log probabilities in chunks."""
    return f.parts(
        lambda p: {**p, "logprobs": p["logprobs"] and {**p["logprobs"], **change(p["logprobs"])}}
    )


def as_plain(exchange: Exchange) -> Exchange:
    """Answer a request for a stream plainly."""
    chunks = chunks_of(exchange)
    text = "".join(p["text"] for c in chunks for p in c["choices"])
    whole = {"text": text, "index": 0, "logprobs": None, "finish_reason": "length"}
    body = json.dumps({**chunks[0], "choices": [whole], "usage": None})
    return with_header(with_body(exchange, body), "content-type", "application/json")


def with_error_event(exchange: Exchange) -> Exchange:
    """Break off with an event that is an error, not in the envelope."""
    chunks = [json.dumps(chunk) for chunk in chunks_of(exchange)]
    return with_events(exchange, [*chunks[:2], '{"error": "upstream died"}', "[DONE]"])


STREAMS: dict[str, Change] = {
    "stream-ignored": f.in_stream(as_plain),
    "batches-not-streamed": f.drop(
        "stream", when=lambda body: isinstance(body.get("prompt"), list)
    ),
    "plain-answer-streamed": Change(
        raw=lambda e: (
            with_header(
                with_body(e, b"data: " + e.body + b"\n\ndata: [DONE]\n\n"),
                "content-type",
                "text/event-stream",
            )
            if e.status == 200 and e.body.startswith(b"{")
            else e
        )
    ),
    "stream-as-json": f.in_stream(lambda e: with_header(e, "content-type", "application/json")),
    "ndjson": f.in_stream(
        lambda e: with_header(
            with_body(e, e.body.replace(b"data: ", b"").replace(b"\n\n", b"\n")),
            "content-type",
            "application/x-ndjson",
        )
    ),
    "bare-line": f.in_stream(
        lambda e: with_body(e, e.body.replace(b"data: [DONE]", b"upstream closed\n\ndata: [DONE]"))
    ),
    "no-blank-line-at-end": f.in_stream(lambda e: with_body(e, e.body.rstrip() + b"\n")),
    "events-merged": f.in_stream(lambda e: with_body(e, e.body.replace(b"}\n\ndata", b"}\ndata"))),
    "broken-json": f.in_stream(lambda e: with_body(e, e.body.replace(b'"index"', b"index", 1))),
    "missing-done": f.in_stream(lambda e: with_body(e, e.body.replace(b"data: [DONE]\n\n", b""))),
    "done-twice": f.in_stream(lambda e: with_body(e, e.body + b"data: [DONE]\n\n")),
    "done-first": f.in_stream(
        lambda e: with_body(e, b"data: [DONE]\n\n" + e.body.replace(b"data: [DONE]\n\n", b""))
    ),
    "chat-usage-chunk": Change(chunks=chat_usage_chunk),
    "delta": f.parts(delta_shaped),
    "first-token-twice": Change(chunks=first_text_twice),
    "pieces-stripped": f.parts(pieces_stripped),
    "end-of-second-choice-lost": Change(chunks=last_piece_of_second_lost),
    "characters-split": f.parts(characters_split),
    "characters-halved": Change(chunks=characters_halved),
    "no-finish-reason": f.parts(lambda part: {**part, "finish_reason": None}),
    "finish-on-every-chunk": f.parts(lambda part: {**part, "finish_reason": "length"}),
    "finish-twice": Change(chunks=finish_twice),
    "finish-before-text": Change(chunks=finish_first),
    "finish-index-zero": f.parts(finish_index_zero),
    "finish-always-stop-streamed": f.parts(
        lambda part: {**part, "finish_reason": part["finish_reason"] and "stop"}
    ),
    "finish-unknown-streamed": f.parts(
        lambda part: {**part, "finish_reason": part["finish_reason"] and "eos"}
    ),
    "indexes-from-one": f.parts(lambda part: {**part, "index": part["index"] + 1}),
    "indexes-swapped-streamed": f.parts(lambda part: {**part, "index": 1 - part["index"]}),
    "index-missing-streamed": f.parts(lambda part: {k: v for k, v in part.items() if k != "index"}),
    "id-per-chunk": Change(chunks=numbered_ids),
    "created-per-chunk": Change(chunks=aging),
    "model-changes": Change(chunks=model_revealed_late),
    "burst": Change(raw=gathered),
    "error-event": f.in_stream(with_error_event),
    "usage-on-every-chunk": Change(chunks=usage_everywhere),
    "include-usage-ignored": Change(chunks=no_usage_chunk),
    "usage-first": Change(chunks=usage_chunk_first),
    "usage-with-text": Change(chunks=usage_in_last_text),
    "stream-billed-twice": Change(chunks=stream_bill_doubled),
    "stream-options-change-text": Change(
        chunks=lambda asked, chunks: chunks[1:] if asked.get("stream_options") else chunks
    ),
    "stream-options-served-plain": f.drop("stream_options", when=lambda b: not b.get("stream")),
    "stream-options-error-unnamed": f.error(message="no", param=None),
    "special-token-streamed": f.parts(
        lambda part: {**part, "text": part["text"] + "<|im_end|>" * bool(part["finish_reason"])}
    ),
    "created-milliseconds-streamed": Change(
        chunks=lambda _, cs: [{**c, "created": c["created"] * 1000} for c in cs]
    ),
    "id-of-streams-constant": Change(chunks=lambda _, cs: [{**c, "id": "cmpl-1"} for c in cs]),
    "stop-for-second-streamed": f.parts(
        lambda p: {
            **p,
            "finish_reason": p["finish_reason"] and ("stop" if p["index"] else "length"),
        }
    ),
    "logprobs-unasked-streamed": f.parts(
        lambda p: {**p, "logprobs": p["logprobs"] or {"tokens": ["a"], "token_logprobs": [-1.0]}}
    ),
    "stream-alternatives-dropped": of_streamed_scores(
        lambda scores: {"top_logprobs": [None for _ in scores["tokens"]]}
    ),
    "stream-offsets-begin-anew": of_streamed_scores(
        lambda scores: {"text_offset": [0 for _ in scores["tokens"]]}
    ),
    "stream-tokens-stripped": of_streamed_scores(
        lambda scores: {"tokens": [token.strip() for token in scores["tokens"]]}
    ),
    "stream-logprobs-missing": f.parts(lambda part: {**part, "logprobs": None}),
}
