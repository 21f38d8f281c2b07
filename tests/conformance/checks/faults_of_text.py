"""Faults of what goes into a text and what comes out, each with the checks that must find it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from conformance.checks._shared.prompts import COUNTING
from tests.conformance.checks import parameter_faults as made
from tests.conformance.checks.faulty import Body, Fault
from tests.conformance.checks.parameter_faults import (
    Row,
    changes,
    choices,
    declines,
    drops,
    is_batch,
    stops,
    texts,
)


def empty_prompt(body: Body) -> bool:
    return body.get("prompt") in ("", None)


def truncated(body: Body) -> Body:
    long = isinstance(body.get("prompt"), str) and len(body["prompt"]) > 4000
    return {**body, "prompt": body["prompt"][:4000]} if long else body


def second_words(body: Body) -> Body:
    return {**body, "prompt": f"{body['prompt'][0]} "} if len(body["prompt"]) == 1 else body


def joined_batch(body: Body) -> Body:
    return {**body, "prompt": "".join(body["prompt"])} if is_batch(body) else body


def reversed_ids(body: Body) -> Body:
    if body.get("echo"):
        return body
    return made.on_tokens(lambda ids: [token + 1 for token in ids])(body)


def each_id_alone(body: Body) -> Body:
    return made.on_tokens(lambda ids: [[token] for token in ids])(body)


def composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def attached_suffix(body: Body) -> Body:
    whole = f"{body['prompt']}{body.get('suffix') or ''}"
    return {**body, "prompt": whole, "suffix": None} if isinstance(body["prompt"], str) else body


def no_echo(body: Body) -> Body:
    return {**body, "echo": False, "max_tokens": body.get("max_tokens") or 1}


def of_prompt() -> Iterator[Row]:
    """Faults of prompt."""
    yield "empty", texts(lambda _b, _i, _t: ""), "prompt.string-answered"
    ignored = changes(prompt="Good morning to the old")
    yield "prompt ignored", ignored, "prompt.not-answered-alike"
    yield "chat template", Fault(ask=made.as_chat), "prompt.no-hidden-text"
    unescaped = Fault(read=lambda raw: raw.replace(rb"\u", b"u"))
    yield "escapes lost", unescaped, "prompt.escapes-alike"
    yield "first of batch only", Fault(ask=made.half_the_ids), "prompt.batch-complete"
    longer = Fault(ask=lambda b: b if b["max_tokens"] == 16 else made.half_the_ids(b))
    yield "first of some batches only", longer, "echo.batch prompt.token-batch-served"
    yield "batch joined", Fault(ask=joined_batch), "prompt.batch-complete"
    swaps = "prompt.batch-as-singles"
    yield "batch answered in another order", Fault(tell=choices(made.swapped)), swaps
    one = Fault(ask=lambda b: second_words(b) if is_batch(b) else b)
    yield "array of one differs", one, "prompt.batch-of-one"
    yield "each id a prompt", Fault(ask=each_id_alone), "prompt.tokens-served"
    ids = declines(
        lambda b: isinstance(b.get("prompt"), list) and not isinstance(b["prompt"][0], str)
    )
    yield "ids refused", ids, "prompt.tokens-served prompt.token-batch-served"
    yield "ids shifted", Fault(ask=reversed_ids), "prompt.tokens-as-text"
    shifted = Fault(ask=made.on_tokens(lambda ids: [token + 1 for token in ids]))
    yield "ids shifted in the echo too", shifted, "prompt.tokens-as-forced"
    empties = "prompt.empty-is-harmless prompt.null-is-harmless prompt.absent-is-harmless"
    yield "500 for no prompt", declines(empty_prompt, 500), empties
    yield "prompt cut", Fault(ask=truncated), "prompt.over-context-refused"


def of_suffix() -> Iterator[Row]:
    """Faults of suffix."""
    yield "suffix dropped", drops("suffix"), "suffix.conditions suffix.shifts-probabilities"
    yield (
        "suffix attached to the prompt",
        Fault(ask=attached_suffix),
        "suffix.no-part-of-prompt suffix.no-part-of-chinese",
    )
    chinese = drops("suffix", when=lambda b: not (b.get("suffix") or "").isascii())
    yield "suffix dropped in Chinese", chinese, "suffix.conditions-chinese"
    null = changes(lambda b: "suffix" in b and b["suffix"] is None, suffix="None")
    yield "null taken for a word", null, "suffix.null"
    appended = texts(lambda b, _i, t: t + (b.get("suffix") or ""))
    yield "suffix appended", appended, "suffix.not-appended"
    both = declines(lambda b: "suffix" in b and (b.get("echo") is True or is_batch(b)), 500)
    yield "500 for suffix with more", both, "suffix.with-echo suffix.with-batch"


def of_stop() -> Iterator[Row]:
    """Faults of stop."""
    cutting = """
        stop.ends-before-match stop.string stop.earliest stop.fourth-works
        stop.earliest-in-any-order stop.inside-word stop.across-words
        stop.chinese stop.emoji stop.at-the-start stop.batch stop.streamed
    """
    yield "stop dropped", drops("stop"), cutting
    included = texts(lambda b, _i, t: t + (stops(b) or [""])[-1])
    yield "stop included", included, "stop.ends-before-match stop.string stop.fourth-works"
    yield "first stop only", Fault(ask=made.one_stop(0)), "stop.fourth-works stop.earliest"
    last = "stop.earliest-in-any-order"
    yield "last stop only", Fault(ask=made.one_stop(-1)), last
    bordered = Fault(ask=made.stop_at_token_border)
    yield "whole tokens only", bordered, "stop.inside-word stop.across-words"
    lists = declines(lambda b: len(b.get("stop") or "") > 1 and isinstance(b["stop"], list))
    yield "one stop only", lists, "stop.four-served"
    kept = drops("stop", when=lambda b: isinstance(b.get("stop"), list))
    yield "array dropped", kept, "stop.fourth-works"
    cut = Fault(ask=lambda b: {**b, "stop": b["stop"][:4]} if len(b.get("stop") or "") > 4 else b)
    yield "fifth dropped", cut, "stop.fifth-not-dropped stop.five-refused"
    searched = texts(made.cut_in_prompt)
    yield "prompt searched", searched, "stop.not-in-echo all-at-once.stop-not-in-prompt"
    deaf = drops("stop", when=lambda b: b.get("echo") is True)
    yield "stop dropped with echo", deaf, "stop.not-in-echo"
    leaks = "stop.streamed"
    yield "stop leaks", Fault(tell_stream=made.leak), leaks
    yield "held text lost", Fault(tell_stream=made.swallow), "stop.held-text-released"
    almost = texts(lambda b, _i, t: t[:-3] if any("§¶" in s for s in stops(b)) else t)
    yield "almost match cut", almost, "stop.earliest-in-any-order"
    none = changes(lambda b: "stop" in b and b["stop"] is None, stop=" ")
    yield "null stops", none, "stop.null"
    kills = Fault(ask=made.empty_kills)
    yield "empty kills", kills, "stop.empty-string stop.empty-array stop.empty-in-array"
    blank = declines(lambda b: "stop" in b and b["stop"] in ("", []), 500)
    yield "500 for empty", blank, "stop.empty-string stop.empty-array"


def of_echo() -> Iterator[Row]:
    """Faults of echo."""
    yield "echo dropped", Fault(ask=no_echo), "echo.prompt-first"
    others = """
        echo.awkward-text echo.awkward-text-continued echo.batch
        echo.batch-with-n echo.streamed-once
        max-tokens.zero-generates-nothing
    """
    kept = Fault(ask=lambda b: no_echo(b) if b["prompt"] != COUNTING or b.get("stream") else b)
    yield "echo dropped but of numbers", kept, others
    yield "echo stripped", texts(made.stripped), "echo.awkward-text echo.awkward-text-continued"
    for form, spelt in (("lower case", str.lower), ("NFC", composed)):
        yield form, Fault(ask=made.on_text(spelt)), "echo.awkward-text"
    chinese = texts(lambda b, _i, t: t[:-1] if b.get("echo") else t)
    yield "end lost", chinese, "echo.then-completion"
    yield "echo of the first", texts(made.echo_of_first), "echo.batch echo.batch-with-n"
    twice = Fault(tell_stream=made.first_chunk_again)
    yield "first chunk twice", twice, "echo.streamed-once"
    yield "always echo", changes(echo=True), "echo.off-by-default"
    yield "false echoes", changes(lambda b: b.get("echo") is False, echo=True), "echo.false"
