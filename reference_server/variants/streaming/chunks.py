"""How a stream is divided into chunks, and their order."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from reference_server.behaviour.builders import (
    chunks,
    each_choice,
    rejects,
)
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.of_requests import is_several, uses
from reference_server.behaviour.registry import variant
from reference_server.behaviour.triggers import is_batch

EMPTY: dict[str, list[Any]] = {
    "tokens": [],
    "token_logprobs": [],
    "top_logprobs": [],
    "text_offset": [],
}


@variant("empty-chunks")
def empty_chunks() -> Behaviour:
    """Chunks without text precede the first token and follow others."""

    def change(_: Body, sent: list[Body]) -> list[Body]:
        result = []
        for chunk in sent:
            if chunk["choices"]:
                result.append(_with_parts(chunk, [_blank(part) for part in chunk["choices"]]))
            result.append(chunk)
        return result

    return chunks(change)


@variant("chunks-without-choices")
def chunks_without_choices() -> Behaviour:
    """Chunks with an empty list of choices are sent first and in between, as by Azure."""

    def change(_: Body, sent: list[Body]) -> list[Body]:
        # A chunk with usage is the requested one, of which there is only one.
        bare = {**sent[0], "choices": [], "prompt_filter_results": []}
        if sent[0].get("usage"):
            return sent
        return [bare, *(one for chunk in sent[:-1] for one in (chunk, bare)), sent[-1]]

    return chunks(change)


@variant("finish-alone")
def finish_alone() -> Behaviour:
    """``finish_reason`` is sent in a separate chunk, with four empty arrays."""
    return chunks(lambda _, sent: _finished_alone(sent, EMPTY))


@variant("finish-alone-without-logprobs")
def finish_alone_without_logprobs() -> Behaviour:
    """``finish_reason`` is sent in a separate chunk, with null for log probabilities."""
    return chunks(lambda _, sent: _finished_alone(sent, None))


@variant("choices-in-sequence")
def choices_in_sequence() -> Behaviour:
    """One choice is streamed after the other."""

    def change(_: Body, sent: list[Body]) -> list[Body]:
        return sorted(sent, key=lambda c: c["choices"][0]["index"] if c["choices"] else 1_000_000)

    return chunks(change)


@variant("choices-last-first")
def choices_last_first() -> Behaviour:
    """The last choice is streamed first, then the one before it."""

    def change(_: Body, sent: list[Body]) -> list[Body]:
        return sorted(sent, key=lambda c: -c["choices"][0]["index"] if c["choices"] else 1)

    return chunks(change)


@variant("choices-together")
def choices_together() -> Behaviour:
    """One chunk contains a token of each choice."""

    def change(_: Body, sent: list[Body]) -> list[Body]:
        result: list[Body] = []
        for chunk in sent:
            taken = {part["index"] for part in result[-1]["choices"]} if result else set()
            mine = {part["index"] for part in chunk["choices"]}
            if taken and mine and not taken & mine:
                result[-1] = _with_parts(result[-1], [*result[-1]["choices"], *chunk["choices"]])
            else:
                result.append(chunk)
        return result

    return chunks(change)


@variant("three-tokens-a-chunk")
def three_tokens_a_chunk() -> Behaviour:
    """A chunk contains up to three tokens of a choice, as with speculative decoding."""
    return chunks(lambda _, sent: _gathered(sent, 3))


@variant("one-chunk-a-choice")
def one_chunk_a_choice() -> Behaviour:
    """A choice with a short text is sent in one chunk."""
    return chunks(lambda _, sent: _gathered(sent, 1_000_000))


@variant("single-characters")
def single_characters() -> Behaviour:
    """Text without log probabilities is sent character by character."""

    def split(part: Body) -> list[Body]:
        if part["logprobs"] or len(part["text"]) < 2:
            return [part]
        *before, last = part["text"]
        opening = [{**part, "text": character, "finish_reason": None} for character in before]
        return [*opening, {**part, "text": last}]

    def change(_: Body, sent: list[Body]) -> list[Body]:
        result = []
        for chunk in sent:
            if len(chunk["choices"]) == 1:
                result += [_with_parts(chunk, [part]) for part in split(chunk["choices"][0])]
            else:
                result.append(chunk)
        return result

    return chunks(change)


@variant("prompt-in-pieces")
def prompt_in_pieces() -> Behaviour:
    """An echoed prompt is streamed in several chunks, by token if it has log probabilities."""

    def split(part: Body) -> list[Body]:
        scores = part["logprobs"]
        if scores and "".join(scores["tokens"]) == part["text"] and len(scores["tokens"]) > 1:
            return [
                {
                    **part,
                    "text": token,
                    "logprobs": {name: values[at : at + 1] for name, values in scores.items()},
                    "finish_reason": None,
                }
                for at, token in enumerate(scores["tokens"])
            ]
        if scores or len(part["text"]) < 4:
            return [part]
        half = len(part["text"]) // 2
        return [{**part, "text": text} for text in (part["text"][:half], part["text"][half:])]

    def change(request: Body, sent: list[Body]) -> list[Body]:
        if request.get("echo") is not True:
            return sent
        result = []
        for chunk in sent:
            open_alone = len(chunk["choices"]) == 1 and not chunk["choices"][0]["finish_reason"]
            text_chunks = split(chunk["choices"][0]) if open_alone else []
            result += (
                [_with_parts(chunk, [text_chunk]) for text_chunk in text_chunks]
                if text_chunks
                else [chunk]
            )
        return result

    return chunks(change)


@variant("padded-chunks")
def padded_chunks() -> Behaviour:
    """Every chunk has padding of varying length, as in the live API."""
    return chunks(
        lambda _, sent: [
            {**chunk, "obfuscation": "x" * (7 * at % 16)} for at, chunk in enumerate(sent)
        ]
    )


def _with_parts(chunk: Body, parts: list[Body]) -> Body:
    return {**chunk, "choices": parts}


def _blank(part: Body) -> Body:
    scores = part.get("logprobs") and EMPTY
    return {**part, "text": "", "finish_reason": None, "logprobs": scores}


def _finished_alone(sent: list[Body], scores: Body | None) -> list[Body]:
    result = []
    for chunk in sent:
        ended = [part for part in chunk["choices"] if part["finish_reason"]]
        result.append(
            _with_parts(chunk, [{**part, "finish_reason": None} for part in chunk["choices"]])
        )
        if ended:
            last = [{**p, "text": "", "logprobs": p["logprobs"] and scores} for p in ended]
            result.append(_with_parts(chunk, last))
    return result


def _gathered(sent: list[Body], most: int) -> list[Body]:
    """Join up to so many consecutive chunks that add to the same single choice."""

    def of(chunk: Body) -> list[int]:
        return [part["index"] for part in chunk["choices"]]

    result = []
    for indexes, run in groupby(sent, key=of):
        chunks_of_one = list(run)
        size = most if len(indexes) == 1 else 1
        starts = range(0, len(chunks_of_one), size)
        result += [_joined(chunks_of_one[at : at + size]) for at in starts]
    return result


def _joined(chunks_of_one: list[Body]) -> Body:
    last = chunks_of_one[-1]
    if len(chunks_of_one) == 1:
        return last
    parts = [chunk["choices"][0] for chunk in chunks_of_one]
    scores = [part["logprobs"] for part in parts if part["logprobs"]]
    joined = {name: [value for s in scores for value in s[name]] for name in EMPTY}
    text = "".join(part["text"] for part in parts)
    return _with_parts(last, [{**parts[-1], "text": text, "logprobs": joined if scores else None}])


@variant("no-streamed-extras", refuses="echo logprobs n prompt:batch")
def no_streamed_extras() -> Behaviour:
    """A stream has one choice and no extras: ``echo``, ``logprobs`` and batches are rejected."""
    return rejects(
        lambda request: (
            request.get("stream") is True
            and (
                uses("echo")(request)
                or uses("logprobs")(request)
                or is_several(request.get("n"))
                or is_batch(request)
            )
        ),
        "this combination of parameters cannot be streamed",
        param="stream",
    )


@variant("nulls-left-out")
def nulls_left_out() -> Behaviour:
    """Null fields of a chunk's choice are omitted, including ``finish_reason``."""

    def change(_: Body, choice: Body) -> Body:
        return {name: value for name, value in choice.items() if value is not None}

    return each_choice(change)
