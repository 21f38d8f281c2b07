"""Rewrites that leave every promise kept: what a correct endpoint may do."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance.model import Arrival, Exchange
from tests.conformance.checks import rewrites as f
from tests.conformance.checks.rewriting import (
    Body,
    Change,
    with_body,
    with_header,
)


def bytes_of_streams(change: Callable[[bytes], bytes]) -> Change:
    """Write the same events in another way."""
    return f.in_stream(lambda e: with_body(e, change(e.body)))


def with_role_chunk(_: Body, chunks: list[Body]) -> list[Body]:
    """Begin with chunks that have no text yet."""
    empty = {"text": "", "finish_reason": None, "logprobs": None}
    first = [{**part, **empty} for part in chunks[0]["choices"]]
    return [{**chunks[0], "choices": first}, {**chunks[0], "choices": []}, *chunks]


def finish_alone(_: Body, chunks: list[Body]) -> list[Body]:
    """Send the finish reason in a chunk of its own, with four empty arrays."""
    none: dict[str, list[Any]] = {
        name: [] for name in ("tokens", "token_logprobs", "top_logprobs", "text_offset")
    }
    told: list[Body] = []
    for chunk in chunks:
        ends = [p for p in chunk["choices"] if p["finish_reason"]]
        open_parts = [{**p, "finish_reason": None} for p in chunk["choices"]]
        told.append({**chunk, "choices": open_parts})
        if ends:
            last = [{**p, "text": "", "logprobs": p["logprobs"] and none} for p in ends]
            told.append({**chunk, "choices": last})
    return told


def finish_unmentioned(part: Body) -> Body:
    """Leave null members out."""
    return {name: value for name, value in part.items() if value is not None}


def merged(_: Body, chunks: list[Body]) -> list[Body]:
    """Send two pieces of a choice in one chunk."""
    told: list[Body] = []
    for chunk in chunks:
        part = chunk["choices"][0] if chunk["choices"] else None
        before = told[-1]["choices"][0] if told and told[-1]["choices"] else None
        if not part or not before or before["index"] != part["index"] or before.get("merged"):
            told.append(chunk)
            continue
        told[-1] = {**chunk, "choices": [{**joined(before, part), "merged": True}]}
    return told


def joined(before: Body, part: Body) -> Body:
    """Join two pieces of a choice."""
    scores = part["logprobs"]
    if before["logprobs"] and scores:
        scores = {name: before["logprobs"][name] + scores[name] for name in scores}
    return {**part, "text": before["text"] + part["text"], "logprobs": scores}


def in_sequence(_: Body, chunks: list[Body]) -> list[Body]:
    """Send one choice after the other."""
    return sorted(chunks, key=lambda c: c["choices"][0]["index"] if c["choices"] else 999)


def together(_: Body, chunks: list[Body]) -> list[Body]:
    """Send a turn of all choices in one chunk."""
    told: list[Body] = []
    for chunk in chunks:
        taken = {p["index"] for p in told[-1]["choices"]} if told else set()
        mine = {p["index"] for p in chunk["choices"]}
        if told and taken and mine and not taken & mine:
            told[-1] = {**told[-1], "choices": [*told[-1]["choices"], *chunk["choices"]]}
        else:
            told.append(chunk)
    return told


def cut_tail_dropped(part: Body) -> Body:
    """Drop what is left of a character that the limit cut."""
    return {**part, "text": part["text"].rstrip("\ufffd")}


def start_token(asked: Body, of: list[Body]) -> list[Body]:
    """List a start token before an echoed prompt, as Llama's tokenizer has one."""
    if not asked.get("echo") or asked.get("logprobs") is None:
        return of
    told = []
    for choice in of:
        s = choice["logprobs"]
        values = {
            "tokens": ["<s>", *s["tokens"]],
            "token_logprobs": [None, -9.0, *s["token_logprobs"][1:]],
            "top_logprobs": [None, {"x": -1.0}, *s["top_logprobs"][1:]],
            "text_offset": [0, *(offset + 3 for offset in s["text_offset"])],
        }
        told.append({**choice, "logprobs": values})
    return told


def start_token_streamed(asked: Body, chunks: list[Body]) -> list[Body]:
    """List a start token before an echoed prompt in a stream, once for each choice."""
    if not asked.get("echo") or asked.get("logprobs") is None:
        return chunks
    begun: set[int] = set()

    def listed(part: Body) -> Body:
        if not part["logprobs"]:
            return part
        if part["index"] not in begun:
            begun.add(part["index"])
            return start_token(asked, [part])[0]
        moved = [offset + 3 for offset in part["logprobs"]["text_offset"]]
        return {**part, "logprobs": {**part["logprobs"], "text_offset": moved}}

    return [{**chunk, "choices": [listed(part) for part in chunk["choices"]]} for chunk in chunks]


def from_zero(scores: Body) -> Body:
    """Count offsets from the completion's beginning."""
    base = scores["text_offset"][0] if scores["text_offset"] else 0
    return {"text_offset": [offset - base for offset in scores["text_offset"]]}


def offsets_from_zero() -> Change:
    """Count offsets from the completion's beginning, plain and streamed."""

    def chunks(_: Body, sent: list[Body]) -> list[Body]:
        base: dict[int, int] = {}
        for chunk in sent:
            for part in chunk["choices"]:
                scores = part["logprobs"]
                if scores and scores["text_offset"]:
                    start = base.setdefault(part["index"], scores["text_offset"][0])
                    scores["text_offset"] = [o - start for o in scores["text_offset"]]
        return sent

    return Change(plain=f.logprobs(from_zero).plain, chunks=chunks)


def greedy_certain(asked: Body, of: list[Body]) -> list[Body]:
    """Report at temperature 0 what greedy sampling made of the scores: certainty."""
    if asked.get("temperature") != 0 or asked.get("echo") or asked.get("logprobs") is None:
        return of
    told = []
    for choice in of:
        s = choice["logprobs"]
        if s is None:
            told.append(choice)
            continue
        pairs = zip(s["tokens"], s["top_logprobs"], strict=True)
        tops = [{k: 0.0 if k == token else -9999.0 for k in top} for token, top in pairs]
        sure = {**s, "token_logprobs": [0.0 for _ in s["tokens"]], "top_logprobs": tops}
        told.append({**choice, "logprobs": sure})
    return told


def end_token_counted(whole: Body) -> Body:
    """Count the token that ended a choice."""
    ended = sum(choice["finish_reason"] == "stop" for choice in whole["choices"])
    bill = whole["usage"]
    more = {name: bill[name] + ended for name in ("completion_tokens", "total_tokens")}
    return {**whole, "usage": {**bill, **more}}


def entries_after_stop(asked: Body, of: list[Body]) -> list[Body]:
    """List the token that ended the text as well."""
    told = []
    for choice in of:
        s = choice["logprobs"]
        if s and choice["finish_reason"] == "stop" and not asked.get("echo"):
            size = len(choice["text"]) + (s["text_offset"] or [0])[0]
            s = {
                "tokens": [*s["tokens"], "<|endoftext|>"],
                "token_logprobs": [*s["token_logprobs"], -0.1],
                "top_logprobs": [*s["top_logprobs"], {"<|endoftext|>": -0.1}],
                "text_offset": [*s["text_offset"], size],
            }
        told.append({**choice, "logprobs": s})
    return told


def start_token_billed() -> Change:
    """Count a start token for each prompt."""

    def bill(asked: Body, usage: Body) -> Body:
        prompt = asked.get("prompt")
        batch = isinstance(prompt, list) and isinstance(prompt[0], str | list)
        more = len(prompt) if batch and prompt is not None else 1
        return {name: usage[name] + more for name in ("prompt_tokens", "total_tokens")}

    return f.usage(bill)


def refused(status: int, when: Callable[[Body], bool], message: str = "不支持该参数") -> Change:
    """Decline some requests cleanly."""
    envelope = {"message": message, "type": "invalid_request_error", "param": None, "code": None}

    def raw(exchange: Exchange) -> Exchange:
        try:
            asked = json.loads(exchange.request.body)
        except ValueError:
            return exchange
        if not isinstance(asked, dict) or exchange.status != 200 or not when(asked):
            return exchange
        told = with_body(replace(exchange, status=status), json.dumps({"error": envelope}))
        return with_header(told, "content-type", "application/json")

    return Change(raw=raw)


def scored_closely(whole: Body) -> Body:
    """Let an answer, or a chunk, tell of near-ties wherever it tells of log probabilities."""
    scores = [choice.get("logprobs") for choice in whole["choices"]]
    return {
        **whole,
        "choices": [
            {**choice, "logprobs": {**told, **near_ties(told)}} if told else choice
            for choice, told in zip(whole["choices"], scores, strict=True)
        ],
    }


class Flickering:
    """Let a greedy answer end in another word now and then, as batching can make of near-ties."""

    def __init__(self) -> None:
        self._chance = random.Random(7)

    def __call__(self, asked: Body, of: list[Body]) -> list[Body]:
        if asked.get("logprobs") is not None:
            greedy = asked.get("temperature") == 0
            return scored_closely({"choices": of})["choices"] if greedy else of
        # Where nothing is generated, nothing can come out otherwise.
        if asked.get("max_tokens") == 0 or self._chance.random() > 0.3 or not of[0]["text"]:
            return of
        return [{**choice, "text": f"{choice['text'][:-1]}~"} for choice in of]


def near_ties(scores: Body) -> Body:
    """Score the two likeliest tokens of each place about alike: a model that can go either way."""
    tops = [top and _near_tie(top) for top in scores["top_logprobs"]]
    rows = zip(scores["tokens"], scores["token_logprobs"], tops, strict=True)
    told = [(top or {}).get(token, score) for token, score, top in rows]
    return {"top_logprobs": tops, "token_logprobs": told}


def _near_tie(top: dict[str, float]) -> dict[str, float]:
    ranked = sorted(top, key=lambda token: -top[token])
    best = -0.6 + max(top.values()) / 2
    close = dict(zip(ranked, (best, best - 0.3), strict=False))
    return {token: close.get(token, min(score, -5.0)) for token, score in top.items()}


def at_once(exchange: Exchange) -> Exchange:
    """Answer so fast that a stream arrives in one read."""
    attempts = tuple(replace(attempt, elapsed=0.02) for attempt in exchange.attempts)
    return replace(exchange, attempts=attempts, arrivals=(Arrival(0.02, len(exchange.body)),))


def after_a_wait(exchange: Exchange) -> Exchange:
    """Wait long before the first token of a stream."""
    late = tuple(replace(arrival, at=arrival.at + 30) for arrival in exchange.arrivals)
    return replace(exchange, arrivals=late)


def parts_share_an_alternative(scores: Body) -> Body:
    """Write the two unlikeliest alternatives as U+FFFD, as if they were parts of characters."""
    return {
        "top_logprobs": [
            _with_shared_entry(top, token) if top and len(top) > 2 else top
            for token, top in zip(scores["tokens"], scores["top_logprobs"], strict=True)
        ]
    }


def _with_shared_entry(top: Body, sampled: str) -> Body:
    best = max(top, key=lambda token: top[token])
    others = [token for token in top if token not in (sampled, best)]
    rare = sorted(others, key=lambda token: top[token])[:2]
    if len(rare) < 2:
        return top
    kept = {token: score for token, score in top.items() if token not in rare}
    return {**kept, "\ufffd": top[rare[0]]}
