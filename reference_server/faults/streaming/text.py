"""Faults of the text of a stream."""

from __future__ import annotations

from typing import Any

from reference_server.behaviour.builders import (
    drops,
)
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, Tier, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import Trigger
from reference_server.faults._endings import sequences
from reference_server.faults._parts import IN_STREAMS, of_each_choice, parts

# ── The text ─────────────────────────────────────────────────────────────────────────────────────


def _text(change: Any) -> Behaviour:
    """Change the texts of each choice's chunks: a function from list to list of the same length."""

    def of(_: Body, own: list[Body]) -> list[Body]:
        result = change([part["text"] for part in own])
        return [{**part, "text": text} for part, text in zip(own, result, strict=True)]

    return of_each_choice(of)


@fault(
    "first-token-duplicated",
    breaks="streaming.text-equals-plain",
    evidence=Evidence.REPORTED,
    triggers=IN_STREAMS,
)
def first_token_duplicated() -> Behaviour:
    """The first chunk of a streamed text is sent twice."""
    return _text(lambda texts: [texts[0] * 2, *texts[1:]])


@fault(
    "delta-chars-dropped",
    breaks="streaming.text-equals-plain",
    evidence=Evidence.REPORTED,
    triggers=IN_STREAMS,
)
def delta_chars_dropped() -> Behaviour:
    """Every fifth chunk of a streamed text loses its last character."""
    return _text(lambda texts: [text[:-1] if i % 5 == 4 else text for i, text in enumerate(texts)])


@fault("last-piece-lost", breaks="streaming.text-equals-plain", triggers=IN_STREAMS)
def last_piece_lost() -> Behaviour:
    """The last chunk with text is sent without it."""

    def lost(texts: list[str]) -> list[str]:
        spoken = [at for at, text in enumerate(texts) if text]
        return [text if at not in spoken[-1:] else "" for at, text in enumerate(texts)]

    return _text(lost)


@fault("first-piece-lost", breaks="streaming.text-equals-plain", triggers=IN_STREAMS)
def first_piece_lost() -> Behaviour:
    """The first chunk is sent without its text, as in a chat stream."""
    return _text(lambda texts: ["", *texts[1:]])


@fault("pieces-reordered", breaks="streaming.text-equals-plain", triggers=IN_STREAMS)
def pieces_reordered() -> Behaviour:
    """The second and the third chunk of a streamed text are swapped."""
    return _text(lambda texts: [texts[0], *reversed(texts[1:3]), *texts[3:]] if texts else texts)


@fault("pieces-stripped", breaks="streaming.text-equals-plain", triggers=IN_STREAMS)
def pieces_stripped() -> Behaviour:
    """Every chunk of a streamed text loses the white space at both ends."""
    return _text(lambda texts: [text.strip() for text in texts])


@fault("white-pieces-lost", breaks="streaming.text-equals-plain", triggers=IN_STREAMS)
def white_pieces_lost() -> Behaviour:
    """Chunks of only punctuation or white space are dropped."""
    return _text(lambda texts: [text if any(map(str.isalnum, text)) else "" for text in texts])


@fault("pieces-cumulative", breaks="streaming.text-equals-plain", triggers=IN_STREAMS)
def pieces_cumulative() -> Behaviour:
    """Every chunk contains the whole text so far."""
    return _text(lambda texts: ["".join(texts[: i + 1]) for i in range(len(texts))])


@fault("echo-in-every-chunk", breaks="streaming.echo-once", triggers=IN_STREAMS - {Trigger.ECHO})
def echo_in_every_chunk() -> Behaviour:
    """With ``echo``, every chunk repeats the prompt."""
    return of_each_choice(
        lambda request, own: [
            {**p, "text": own[0]["text"] + p["text"]} if i and request.get("echo") else p
            for i, p in enumerate(own)
        ]
    )


@fault("echo-lost-in-streams", breaks="streaming.echo-once", triggers=IN_STREAMS - {Trigger.ECHO})
def echo_lost_in_streams() -> Behaviour:
    """``echo`` has no effect on streams."""
    return drops("echo", when=lambda request: bool(request.get("stream")))


# ── Stop sequences ───────────────────────────────────────────────────────────────────────────────


def stopped(request: Body, part: Body) -> list[str]:
    """The stop sequences of a request, if a part reports that one was found."""
    return sequences(request) if part["finish_reason"] == "stop" else []


@fault(
    "stop-partial-leak",
    breaks="streaming.stop-never-leaks",
    evidence=Evidence.REPORTED,
    triggers=IN_STREAMS,
)
def stop_partial_leak() -> Behaviour:
    """A stream contains the first character of the stop sequence that ends it."""

    def of(request: Body, own: list[Body]) -> list[Body]:
        leaked = "".join(s[0] for s in stopped(request, own[-1])[-1:])
        return [*own[:-1], {**own[-1], "text": own[-1]["text"] + leaked}]

    return of_each_choice(of)


@fault(
    "held-text-lost",
    breaks="streaming.held-text-released stop.earliest-match",
    triggers=IN_STREAMS,
)
def held_text_lost() -> Behaviour:
    """With ``stop``, the last characters of a stream are never sent if no sequence matches."""

    def of(request: Body, own: list[Body]) -> list[Body]:
        if not request.get("stop") or own[-1]["finish_reason"] != "length":
            return own
        last = max((at for at, part in enumerate(own) if part["text"]), default=-1)
        return [
            {**part, "text": part["text"][:-1]} if at == last else part
            for at, part in enumerate(own)
        ]

    return of_each_choice(of)


@fault(
    "held-text-lost-at-natural-end",
    breaks="streaming.held-text-released",
    also_breaks="streaming.text-equals-plain",
    evidence=Evidence.REPORTED,
    triggers=(),
    tier=Tier.DEEP,
)
def held_text_lost_at_natural_end() -> Behaviour:
    """In a stream that ends by itself, text that could begin a stop sequence is never sent.

    Reported for llama.cpp: https://github.com/ggml-org/llama.cpp/pull/15007
    and for KoboldCpp: https://github.com/LostRuins/koboldcpp/pull/1031
    """

    def of(request: Body, own: list[Body]) -> list[Body]:
        text = "".join(part["text"] for part in own)
        starts = [s[:n] for s in sequences(request) for n in range(1, len(s))]
        held = max((len(start) for start in starts if text.endswith(start)), default=0)
        if own[-1]["finish_reason"] != "stop" or any(s in text for s in sequences(request)):
            return own
        room = len(text) - held
        result = []
        for part in own:
            result.append({**part, "text": part["text"][: max(0, room)]})
            room -= len(part["text"])
        return result

    return of_each_choice(of)


@fault(
    "near-match-breaks-characters",
    breaks="streaming.held-text-released",
    also_breaks="streaming.whole-characters streaming.text-equals-plain",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def near_match_breaks_characters() -> Behaviour:
    """In a stream, characters of four bytes are U+FFFD behind text that begins a stop sequence.

    Reported for ik_llama.cpp: https://github.com/ikawrakow/ik_llama.cpp/issues/780; its cause is
    in https://github.com/ikawrakow/ik_llama.cpp/pull/810
    """

    def of(request: Body, own: list[Body]) -> list[Body]:
        starts = [one[0] for one in sequences(request)]
        result, met = [], False
        for part in own:
            text = part["text"]
            if met:
                text = "".join("\ufffd" if ord(c) > LAST_OF_THREE_BYTES else c for c in text)
            met = met or any(start in part["text"] for start in starts)
            result.append({**part, "text": text})
        return result

    return of_each_choice(of)


LAST_OF_THREE_BYTES = 0xFFFF
"""The last character of three bytes in UTF-8; few tokenizers have a token for one behind it."""


# ── Characters ───────────────────────────────────────────────────────────────────────────────────

WHOLE = "streaming.whole-characters streaming.echo-once"
"""Requirements broken by a streamed prompt whose characters are damaged, too."""


@fault(
    "utf8-split",
    breaks=WHOLE,
    evidence=Evidence.REPORTED,
    triggers=IN_STREAMS - {Trigger.NON_ASCII},
)
def utf8_split() -> Behaviour:
    """A character of several tokens is streamed as one U+FFFD for each token."""

    def drop_stop(request: Body) -> Body:
        return request if request.get("logprobs") is not None else {**request, "logprobs": 0}

    def split(request: Body, part: Body) -> Body:
        tokens = (part["logprobs"] or {}).get("tokens", [])
        shown = request.get("logprobs") is not None
        text = "".join("\ufffd" if t.startswith("bytes:") else t for t in tokens)
        new = text if "\ufffd" in text else part["text"]
        return {**part, "text": new, "logprobs": part["logprobs"] if shown else None}

    def non_streaming(request: Body, whole: Body) -> Body:
        if request.get("logprobs") is not None:
            return whole
        return {**whole, "choices": [{**c, "logprobs": None} for c in whole["choices"]]}

    def of(request: Body, sent: list[Body]) -> list[Body]:
        return [{**c, "choices": [split(request, p) for p in c["choices"]]} for c in sent]

    return Rewrite(request=drop_stop, non_streaming=non_streaming, chunks=of)


@fault(
    "characters-as-bytes",
    breaks=WHOLE,
    triggers=IN_STREAMS - {Trigger.NON_ASCII},
)
def characters_as_bytes() -> Behaviour:
    """Every non-ASCII character is streamed as one U+FFFD for each of its bytes."""

    def broken(text: str) -> str:
        return "".join(c if c.isascii() else "\ufffd" * len(c.encode()) for c in text)

    return parts(lambda part: {**part, "text": broken(part["text"])})


@fault(
    "surrogates-apart",
    breaks=WHOLE,
    triggers=IN_STREAMS - {Trigger.NON_ASCII},
)
def surrogates_apart() -> Behaviour:
    """An emoji is streamed as the two halves of a surrogate pair, in two chunks."""

    def halves(part: Body) -> list[Body]:
        text = part["text"]
        wide = next((i for i, c in enumerate(text) if ord(c) > 0xFFFF), None)
        if wide is None:
            return [part]
        pair = text[wide].encode("utf-16-be")
        high, low = (pair[i : i + 2].decode("utf-16-be", "surrogatepass") for i in (0, 2))
        first = {**part, "text": text[:wide] + high, "finish_reason": None, "logprobs": None}
        return [first, {**part, "text": low + text[wide + 1 :]}]

    return of_each_choice(lambda _, own: [half for part in own for half in halves(part)])
