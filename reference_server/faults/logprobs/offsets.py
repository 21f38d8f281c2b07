"""Faults of ``text_offset``: where each token begins."""

from __future__ import annotations

import re

from reference_server.behaviour.builders import logprobs
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.triggers import ALL_TRIGGERS, Trigger
from reference_server.faults._endings import prompt_of
from reference_server.faults._parts import of_each_choice

ADVANCES = "text-offset.advances-by-characters"


@fault("text-offset-minus-one", breaks=ADVANCES, evidence=Evidence.SOURCE)
def text_offset_minus_one() -> Behaviour:
    """Every offset is -1."""
    return logprobs(lambda scores: {"text_offset": [-1] * len(scores["tokens"])})


@fault(
    "text-offset-shifted",
    breaks="text-offset.starts-at-prompt-length text-offset.echo-from-zero",
    evidence=Evidence.REPORTED,
)
def text_offset_shifted() -> Behaviour:
    """All offsets are too high by seven."""
    return logprobs(lambda scores: {"text_offset": [o + 7 for o in scores["text_offset"]]})


@fault(
    "text-offset-of-ends", breaks="text-offset.starts-at-prompt-length text-offset.echo-from-zero"
)
def text_offset_of_ends() -> Behaviour:
    """Each offset is the end of its token instead of its beginning."""

    def of(scores: Body) -> Body:
        pairs = zip(scores["tokens"], scores["text_offset"], strict=True)
        return {"text_offset": [offset + len(token) for token, offset in pairs]}

    return logprobs(of)


@fault("text-offset-in-bytes", breaks=ADVANCES, triggers=ALL_TRIGGERS - {Trigger.NON_ASCII})
def text_offset_in_bytes() -> Behaviour:
    """Offsets count bytes, not characters."""

    def of(scores: Body) -> Body:
        offset = (scores["text_offset"] or [0])[0]
        result = []
        for token in scores["tokens"]:
            result.append(offset)
            offset += _size(token)
        return {"text_offset": result}

    return logprobs(of)


def _size(token: str) -> int:
    if not token.startswith("bytes:"):
        return len(token.encode())
    return len(re.sub(r"\\x..", "x", token.removeprefix("bytes:")))


@fault("text-offset-by-token", breaks=ADVANCES)
def text_offset_by_token() -> Behaviour:
    """Offsets count tokens, not characters."""
    return logprobs(lambda scores: {"text_offset": list(range(len(scores["tokens"])))})


@fault("text-offset-zero", breaks=ADVANCES)
def text_offset_zero() -> Behaviour:
    """Every offset is 0."""
    return logprobs(lambda scores: {"text_offset": [0] * len(scores["tokens"])})


@fault("text-offset-without-spaces", breaks=ADVANCES)
def text_offset_without_spaces() -> Behaviour:
    """Offsets do not count the spaces of tokens."""

    def of(scores: Body) -> Body:
        offset = (scores["text_offset"] or [0])[0]
        result = []
        for token in scores["tokens"]:
            result.append(offset)
            offset += len(token.strip())
        return {"text_offset": result}

    return logprobs(of)


@fault(
    "stream-offsets-short-by-prompt",
    breaks=ADVANCES,
    evidence=Evidence.REPORTED,
    triggers=(),
)
def stream_offsets_short_by_prompt() -> Behaviour:
    """In a stream with ``echo``, the offsets behind the first token do not count the prompt.

    Reported for vLLM: https://github.com/vllm-project/vllm/pull/47815
    """

    def of(request: Body, own: list[Body]) -> list[Body]:
        if not request.get("echo"):
            return own
        result, listed = [], 0
        for part in own:
            scores, prompt = part["logprobs"], len(prompt_of(request, part["index"]))
            if not scores:
                result.append(part)
                continue
            # The chunk with the prompt, and with what was generated first, is right.
            less = prompt if listed > 1 else 0
            listed += 1
            moved = [offset - less for offset in scores["text_offset"]]
            result.append({**part, "logprobs": {**scores, "text_offset": moved}})
        return result

    return of_each_choice(of)
