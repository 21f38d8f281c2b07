"""Faults of log probabilities where one step of decoding yields several tokens."""

from __future__ import annotations

from typing import Any

from reference_server.behaviour.builders import both, choices
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.faults._endings import prompt_of, sequences
from reference_server.faults._parts import of_each_choice

ARRAYS = ("tokens", "token_logprobs", "top_logprobs", "text_offset")

Scores = dict[str, list[Any]]


def _entries(change: Any) -> Rewrite:
    """Change the arrays of each choice, all of them at once: ``(request, index, arrays)``.

    Of a stream, they are divided among the chunks as before.
    """

    def whole(request: Body, choice: Body) -> Body:
        scores = choice["logprobs"]
        return (
            {**choice, "logprobs": change(request, choice["index"], scores)} if scores else choice
        )

    def streamed(request: Body, own: list[Body]) -> list[Body]:
        listed = [part["logprobs"] or {} for part in own]
        joined = {name: [v for one in listed for v in one.get(name, ())] for name in ARRAYS}
        changed = change(request, own[0]["index"], joined)
        result, at = [], 0
        for part, old in zip(own, listed, strict=True):
            size = len(old.get("tokens", ()))
            new = {name: changed[name][at : at + size] for name in ARRAYS}
            result.append({**part, "logprobs": new} if old else part)
            at += size
        return result

    return both(
        choices(lambda request, of: [whole(request, choice) for choice in of]),
        of_each_choice(streamed),
    )


@fault(
    "scores-zero-behind-first",
    breaks="logprobs.alternatives-count echo.scored-equals-generated",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def scores_zero_behind_first() -> Behaviour:
    """Behind the first token, every token has the probability 1, and there is no other.

    Reported for llama.cpp: https://github.com/ggml-org/llama.cpp/issues/27972
    and https://github.com/ggml-org/llama.cpp/pull/27196
    """

    def change(request: Body, index: int, scores: Scores) -> Scores:
        echoed = len(prompt_of(request, index)) if request.get("echo") is True else 0
        first = next((n for n, at in enumerate(scores["text_offset"]) if at >= echoed), 0)
        tokens, kept = scores["tokens"], first + 1
        return {
            **scores,
            "token_logprobs": [*scores["token_logprobs"][:kept], *[0.0] * len(tokens[kept:])],
            "top_logprobs": [
                *scores["top_logprobs"][:kept],
                *({token: 0.0} for token in tokens[kept:]),
            ],
        }

    return _entries(change)


@fault(
    "alternatives-of-first-in-chunk",
    breaks="streaming.logprobs-as-plain logprobs-arrays.sampled-agrees-with-top",
    # Behind an echo, the first token has none.
    also_breaks="logprobs.alternatives-count",
    evidence=Evidence.SIBLING,
    triggers=(),
)
def alternatives_of_first_in_chunk() -> Behaviour:
    """In a chunk of several tokens, each has the alternatives of the first one.

    Reported of a chat endpoint, for SGLang: https://github.com/sgl-project/sglang/issues/39260
    """

    def of(_: Body, own: list[Body]) -> list[Body]:
        return [_merged(own[at : at + 2]) for at in range(0, len(own), 2)]

    return of_each_choice(of)


def _merged(pair: list[Body]) -> Body:
    """One part of two, whose tokens all have the alternatives of the first."""
    first, last = pair[0], pair[-1]
    listed = [part["logprobs"] for part in pair if part["logprobs"]]
    scores = {name: [value for one in listed for value in one[name]] for name in ARRAYS}
    scores["top_logprobs"] = scores["top_logprobs"][:1] * len(scores["tokens"])
    text = "".join(part["text"] for part in pair)
    return {**last, **first, "text": text, "finish_reason": last["finish_reason"]} | (
        {"logprobs": scores} if listed else {}
    )


@fault(
    "held-tokens-listed-as-one",
    breaks="logprobs-arrays.tokens-join-to-text logprobs-arrays.one-entry-per-token",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def held_tokens_listed_as_one() -> Behaviour:
    """A token that could begin a stop sequence shares its entry with the next one.

    The entry has the first token's name and the alternatives of both. Reported for TabbyAPI:
    https://github.com/theroyallab/tabbyAPI/pull/141
    """

    def change(request: Body, choice: Body) -> Body:
        scores, stops = choice["logprobs"], sequences(request)
        tokens = (scores or {}).get("tokens", [])
        held = {n for n, token in enumerate(tokens[:-1]) if _begins(token, stops)}
        if not held:
            return choice
        tops = list(scores["top_logprobs"])
        for n in held:
            tops[n] = {**(tops[n] or {}), **(tops[n + 1] or {})}
        kept = [n for n in range(len(tokens)) if n - 1 not in held]
        merged = {name: [values[n] for n in kept] for name, values in scores.items()}
        return {**choice, "logprobs": {**merged, "top_logprobs": [tops[n] for n in kept]}}

    return choices(lambda request, of: [change(request, choice) for choice in of])


def _begins(token: str, stops: list[str]) -> bool:
    return bool(token) and any(stop != token and stop.startswith(token) for stop in stops)
