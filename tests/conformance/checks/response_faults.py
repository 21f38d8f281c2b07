"""Ways in which an endpoint breaks its promises about answers, each as small as can be."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance.model import WRONG_KEY, Arrival, Credentials, Exchange
from tests.conformance.checks.rewriting import (
    Body,
    Change,
    chunks_of,
    read,
    with_body,
    with_events,
    with_header,
)

Choices = list[Body]


def fields(**changed: Any) -> Change:
    """Set members of every plain answer and every chunk; a function makes them from the old one."""

    def change(_: Body, whole: Body) -> Body:
        return {**whole, **{k: v(whole.get(k)) if callable(v) else v for k, v in changed.items()}}

    return Change(plain=change, chunks=lambda asked, chunks: [change(asked, c) for c in chunks])


def usage(change: Callable[[Body, Body], Body]) -> Change:
    """Change the bill of plain answers, and that of streams."""

    def of(asked: Body, whole: Body) -> Body:
        bill = whole.get("usage")
        return {**whole, "usage": {**bill, **change(asked, bill)}} if bill else whole

    return Change(plain=of, chunks=lambda asked, chunks: [of(asked, chunk) for chunk in chunks])


def choices(change: Callable[[Body, Choices], Choices]) -> Change:
    """Change the choices of plain answers."""
    return Change(plain=lambda asked, whole: {**whole, "choices": change(asked, whole["choices"])})


def parts(change: Callable[[Body], Body]) -> Change:
    """Change every choice of every chunk."""

    def of(_: Body, chunks: list[Body]) -> list[Body]:
        return [{**c, "choices": [change(part) for part in c["choices"]]} for c in chunks]

    return Change(chunks=of)


def logprobs(change: Callable[[Body], Body]) -> Change:
    """Change the log probabilities, plain and streamed."""

    def of(choice: Body) -> Body:
        scores = choice.get("logprobs")
        return {**choice, "logprobs": {**scores, **change(scores)}} if scores else choice

    return Change(
        plain=lambda _, whole: {**whole, "choices": [of(c) for c in whole["choices"]]},
        chunks=parts(of).chunks,
    )


def in_stream(change: Callable[[Exchange], Exchange]) -> Change:
    """Change the bytes of streams."""

    def raw(exchange: Exchange) -> Exchange:
        streamed = exchange.header("content-type") == "text/event-stream"
        return change(exchange) if streamed else exchange

    return Change(raw=raw)


def in_errors(change: Callable[[Exchange], Exchange]) -> Change:
    """Change the bytes of refusals."""
    return Change(raw=lambda e: change(e) if (e.status or 0) >= 400 else e)


def drop(*names: str, when: Callable[[Body], bool] = lambda _: True) -> Change:
    """Lose parameters on the way in."""

    def ask(body: Body) -> Body:
        lost = names if when(body) else ()
        return {name: value for name, value in body.items() if name not in lost}

    return Change(ask=ask)


def text_chunks(chunks: list[Body]) -> list[int]:
    """Return which chunks carry text."""
    return [i for i, c in enumerate(chunks) if any(p["text"] for p in c["choices"])]


# ── streams ──────────────────────────────────────────────────────────────────────────────────────


def first_text_twice(_: Body, chunks: list[Body]) -> list[Body]:
    """Send the first piece of text again."""
    where = text_chunks(chunks)
    return [*chunks[: where[0]], chunks[where[0]], *chunks[where[0] :]] if where else chunks


def pieces_stripped(part: Body) -> Body:
    """Strip the space before every piece."""
    return {**part, "text": part["text"].lstrip(" ")}


def last_piece_of_second_lost(_: Body, chunks: list[Body]) -> list[Body]:
    """Lose the end of a second choice's text."""
    own = [i for i in text_chunks(chunks) if chunks[i]["choices"][0]["index"] == 1]
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


# ── log probabilities ────────────────────────────────────────────────────────────────────────────


def flattened(scores: Body) -> Body:
    """Let one entry stand for two tokens."""
    tokens = scores["tokens"]
    if len(tokens) < 2:
        return {}
    rest = {name: values[1:] for name, values in scores.items()}
    return {**rest, "tokens": [tokens[0] + tokens[1], *tokens[2:]]}


def byte_offsets(scores: Body) -> Body:
    """Count bytes."""
    offset, told = 0, []
    for token in scores["tokens"]:
        told.append(offset)
        size = token.count("\\x") if token.startswith("bytes:") else len(token.encode())
        offset += size
    return {"text_offset": told}


def maps(change: Callable[[Body], Body]) -> Callable[[Body], Body]:
    """Change the alternatives at every position."""
    return lambda scores: {"top_logprobs": [top and change(top) for top in scores["top_logprobs"]]}


def reversed_values(top: Body) -> Body:
    """Give the best alternative the worst one's value and so on."""
    return dict(zip(top, reversed(list(top.values())), strict=True))


def without_first(top: Body) -> Body:
    """Leave the most probable one out."""
    return dict(list(top.items())[1:])


def prompt_left_out(asked: Body, of: Choices) -> Choices:
    """Score the completion alone, although the prompt is echoed."""
    if not asked.get("echo") or asked.get("logprobs") is None:
        return of
    told = []
    for choice in of:
        kept = 1 if asked.get("max_tokens") else 0
        scores = {k: v[len(v) - kept :] for k, v in choice["logprobs"].items()}
        told.append({**choice, "logprobs": scores})
    return told


def prompt_scores_null(asked: Body, of: Choices) -> Choices:
    """List the prompt's tokens without their scores."""
    if not asked.get("echo") or asked.get("logprobs") is None:
        return of
    return [
        {
            **c,
            "logprobs": {
                **c["logprobs"],
                "token_logprobs": [None for _ in c["logprobs"]["tokens"]],
            },
        }
        for c in of
    ]


def echo_scores(change: Callable[[Body], Body]) -> Change:
    """Change the log probabilities of echoed prompts."""

    def of(asked: Body, found: Choices) -> Choices:
        if not asked.get("echo") or asked.get("logprobs") is None:
            return found
        return [{**c, "logprobs": {**c["logprobs"], **change(c["logprobs"])}} for c in found]

    return choices(of)


def shifted_scores(scores: Body) -> Body:
    """Report each token's score one position late."""
    values = scores["token_logprobs"]
    return {"token_logprobs": [None, *values[:1], *values[1:-1]]} if len(values) > 1 else {}


def sharpened(asked: Body, of: Choices) -> Choices:
    """Report what temperature made of the scores."""
    heat = asked.get("temperature", 1)
    if heat in (0, 1) and asked.get("top_p", 1) == 1:
        return of
    by = 1 / (heat or 1) + (1 - asked.get("top_p", 1))
    change = lambda top: {k: v * by for k, v in top.items()}  # noqa: E731
    return [{**c, "logprobs": {**c["logprobs"], **maps(change)(c["logprobs"])}} for c in of]


# ── choices, text and reasons ────────────────────────────────────────────────────────────────────


def only_first(_: Body, of: Choices) -> Choices:
    return of[:1]


def index_zero(_: Body, of: Choices) -> Choices:
    return [{**choice, "index": 0} for choice in of]


def swapped(_: Body, of: Choices) -> Choices:
    """Number the choices from the end."""
    return [{**choice, "index": len(of) - 1 - i} for i, choice in enumerate(of)]


def interleaved(asked: Body, of: Choices) -> Choices:
    """Number copies before prompts."""
    count = asked.get("n") or 1
    size = len(of) // count
    return [{**c, "index": (i % count) * size + i // count} for i, c in enumerate(of)]


def texts(change: Callable[[str], str]) -> Change:
    """Change the texts of plain answers."""
    return choices(lambda _, of: [{**c, "text": change(c["text"])} for c in of])


def reasons(change: Callable[[Body, Any], Any]) -> Change:
    """Change why plain choices ended."""
    return choices(
        lambda asked, of: [{**c, "finish_reason": change(asked, c["finish_reason"])} for c in of]
    )


def reason_of_first(_: Body, of: Choices) -> Choices:
    """Let every choice end for the first one's reason."""
    return [{**choice, "finish_reason": of[0]["finish_reason"]} for choice in of]


# ── errors and keys ──────────────────────────────────────────────────────────────────────────────


def error(**changed: Any) -> Change:
    """Change members of every error; None of them is left out where the value is ``...``."""

    def refusal(envelope: Body) -> Body:
        inner = {**envelope["error"], **changed}
        return {"error": {name: value for name, value in inner.items() if value is not ...}}

    return Change(refusal=refusal)


def status(to: int, *of: int) -> Change:
    """Answer with another status where it was one of some."""
    return in_errors(lambda e: replace(e, status=to) if e.status in of else e)


def told_as_success(exchange: Exchange) -> Exchange:
    return replace(exchange, status=200)


def open_to(*who: Credentials) -> Change:
    """Serve somebody who has no right to it."""

    def raw(exchange: Exchange) -> Exchange:
        if exchange.request.credentials not in who:
            return exchange
        return with_body(replace(exchange, status=200), '{"id": "x", "choices": [{"text": ""}]}')

    return Change(raw=raw)


def key_repeated(exchange: Exchange) -> Exchange:
    if exchange.request.credentials is not Credentials.WRONG:
        return exchange
    told = {"message": f"bad key {WRONG_KEY}", "type": "x", "param": None, "code": None}
    return with_body(exchange, json.dumps({"error": told}))


def error_streamed(exchange: Exchange) -> Exchange:
    """Answer a refused request for a stream with an event."""
    if not (read(exchange.request.body) or {}).get("stream"):
        return exchange
    told = with_events(exchange, [exchange.body.decode(), "[DONE]"])
    return with_header(replace(told, status=200), "content-type", "text/event-stream")


def nan(exchange: Exchange) -> Exchange:
    """Write a log probability as NaN."""
    body = re.sub(rb'("token_logprobs": ?\[)[-0-9.e]+', rb"\1NaN", exchange.body)
    return replace(exchange, body=body)


def latin_1(exchange: Exchange) -> Exchange:
    """Write text in another encoding than UTF-8."""
    text = exchange.body.decode(errors="replace")
    return replace(exchange, body=text.encode("gb18030", errors="replace"))
