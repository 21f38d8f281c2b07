"""Faults of ``text_offset``: where each token begins."""

from __future__ import annotations

import re

from reference_server.behaviour.builders import each_choice, logprobs
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.regenerated import Choice, Regenerated, Send, cut, greedy, joined
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


UNSHOWN = "<|reserved_special_token_7|>"


@fault(
    "special-tokens-counted",
    breaks="text-offset.within-text",
    # The tokens do not join to the text either, streaming or not.
    also_breaks="logprobs-arrays.tokens-join-to-text streaming.logprobs-as-plain",
    evidence=Evidence.SOURCE,
    triggers=(),
)
def special_tokens_counted() -> Behaviour:
    """A special token that the text leaves out is listed, and offsets count its name.

    As in vLLM, which adds up the lengths of listed tokens. Reported for tokens listed as ids:
    https://github.com/vllm-project/vllm/pull/19379
    """

    async def remake(_: Body, choice: Choice, __: Send) -> Choice:
        if choice.finish != "length" or choice.entries <= ENTRIES_BEFORE:
            return choice
        kept = cut(choice.scores, choice.entries - 1)
        first = cut(kept, ENTRIES_BEFORE)
        offset = choice.scores["text_offset"][ENTRIES_BEFORE]
        others = dict.fromkeys(("~1", "~2", "~3", "~4"), -8.0)
        row = {"tokens": UNSHOWN, "token_logprobs": -0.01, "text_offset": offset}
        row["top_logprobs"] = {UNSHOWN: -0.01, **others}
        rest = {name: values[ENTRIES_BEFORE:] for name, values in kept.items()}
        rest["text_offset"] = [start + len(UNSHOWN) for start in rest["text_offset"]]
        scores = joined(joined(first, {name: [value] for name, value in row.items()}), rest)
        return choice.ended(choice.text_before(choice.entries - 1), scores, "length")

    return Regenerated(remake, when=greedy)


ENTRIES_BEFORE = 5
"""More than the short requests of a run ask for."""


@fault(
    "text-offset-without-split-characters",
    breaks=ADVANCES,
    also_breaks="text-offset.echo-from-zero",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def text_offset_without_split_characters() -> Behaviour:
    """Offsets do not count characters of several tokens.

    Reported for llama-cpp-python: https://github.com/abetlen/llama-cpp-python/pull/1037
    """

    def of(scores: Body) -> Body:
        offset = (scores["text_offset"] or [0])[0]
        result = []
        for token in scores["tokens"]:
            result.append(offset)
            offset += 0 if token.startswith("bytes:") else len(token)
        return {"text_offset": result}

    return logprobs(of)


@fault(
    "text-offset-behind-echo-in-bytes",
    breaks=f"{ADVANCES} text-offset.echo-from-zero",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def text_offset_behind_echo_in_bytes() -> Behaviour:
    """With ``echo``, the last token of the prompt counts its bytes, and all later offsets shift.

    Reported for vLLM's router: https://github.com/vllm-project/router/issues/263
    """

    def of(request: Body, choice: Body) -> Body:
        scores, prompt = choice.get("logprobs"), len(prompt_of(request, choice["index"]))
        if not (scores and scores["tokens"] and prompt and request.get("echo") is True):
            return choice
        starts = scores["text_offset"]
        last = max((n for n, start in enumerate(starts) if start < prompt), default=0)
        token = scores["tokens"][last]
        more = _size(token) - len(token) if not token.startswith("bytes:") else 0
        moved = [*starts[: last + 1], *(start + more for start in starts[last + 1 :])]
        return {**choice, "logprobs": {**scores, "text_offset": moved}}

    return each_choice(of)
