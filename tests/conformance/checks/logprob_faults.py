"""Ways in which log probabilities are wrong, each as small as can be."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from conformance.model import Exchange
from tests.conformance.checks import rewrites as f
from tests.conformance.checks.rewrites import Choices
from tests.conformance.checks.rewriting import (
    Body,
    Change,
)


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

    return f.choices(of)


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


def batches_scored_otherwise(asked: Body, of: Choices) -> Choices:
    """Score the prompts of a batch as less likely."""
    if not isinstance(asked.get("prompt"), list) or asked.get("logprobs") is None:
        return of
    less = [[v and v - 2 for v in c["logprobs"]["token_logprobs"]] for c in of]
    pairs = zip(of, less, strict=True)
    return [{**c, "logprobs": {**c["logprobs"], "token_logprobs": told}} for c, told in pairs]


def nan(exchange: Exchange) -> Exchange:
    """Write a log probability as NaN."""
    body = re.sub(rb'("token_logprobs": ?\[)[-0-9.e]+', rb"\1NaN", exchange.body)
    return replace(exchange, body=body)


LOGPROBS: dict[str, Change] = {
    "logprobs-dropped": f.drop("logprobs"),
    "logprobs-null-plain": f.choices(lambda _, of: [{**c, "logprobs": None} for c in of]),
    "logprobs-chat-shape": f.choices(
        lambda _, of: [{**c, "logprobs": c["logprobs"] and {"content": []}} for c in of]
    ),
    "logprobs-unasked": Change(
        ask=lambda body: {**body, "logprobs": 1} if body.get("logprobs") is None else body
    ),
    "logprobs-invalid-served": Change(
        ask=lambda body: {**body, "logprobs": 1} if body.get("logprobs") in (-1, "many") else body
    ),
    "logprobs-null-means-one": Change(
        ask=lambda body: (
            {**body, "logprobs": body.get("logprobs", 0) or 1}
            if body.get("logprobs", 0) is None
            else body
        )
    ),
    "logprobs-above-dropped": f.drop("logprobs", when=lambda b: b.get("logprobs") in (6, 100)),
    "logprobs-zero-disabled": f.drop("logprobs", when=lambda b: b.get("logprobs") == 0),
    "logprobs-zero-lists": Change(
        ask=lambda body: {**body, "logprobs": 3} if body.get("logprobs") == 0 else body
    ),
    "logprobs-always-one": Change(
        ask=lambda body: {**body, "logprobs": 1} if body.get("logprobs") in (2, 5) else body
    ),
    "array-missing": f.logprobs(lambda _: {"top_logprobs": None}),
    "array-short": f.logprobs(lambda s: {"text_offset": s["text_offset"][1:]}),
    "tokens-stripped": f.logprobs(lambda s: {"tokens": [t.lstrip(" ") for t in s["tokens"]]}),
    "tokens-as-ids": f.logprobs(lambda s: {"tokens": list(range(len(s["tokens"])))}),
    "bytes-as-replacement": f.logprobs(
        lambda s: {"tokens": ["\ufffd" if t.startswith("bytes:") else t for t in s["tokens"]]}
    ),
    "tokens-of-first-choice": f.choices(
        lambda _, of: [{**c, "logprobs": of[0]["logprobs"]} for c in of]
    ),
    "flattened": f.logprobs(flattened),
    "positive": f.logprobs(lambda s: {"token_logprobs": [v and -v for v in s["token_logprobs"]]}),
    "top-positive": f.logprobs(maps(lambda top: {k: -v for k, v in top.items()})),
    "top-certain": f.logprobs(maps(lambda top: dict.fromkeys(top, 0.0))),
    "top-reversed": f.logprobs(maps(reversed_values)),
    "sampled-not-listed": f.logprobs(maps(without_first)),
    "scores-null": f.logprobs(lambda s: {"token_logprobs": [None for _ in s["tokens"]]}),
    "scores-per-mille": f.logprobs(
        lambda s: {"token_logprobs": [v and v - 5 for v in s["token_logprobs"]]}
    ),
    "scores-not-numbers": f.logprobs(
        lambda s: {"token_logprobs": [str(v) for v in s["token_logprobs"]]}
    ),
    "streamed-scores-differ": f.parts(
        lambda part: {
            **part,
            "logprobs": part["logprobs"]
            and {
                **part["logprobs"],
                "token_logprobs": [(v or 0) - 3 for v in part["logprobs"]["token_logprobs"]],
            },
        }
    ),
    "after-sampling": f.choices(sharpened),
    "nan": Change(raw=nan),
    "offset-minus-one": f.logprobs(lambda s: {"text_offset": [-1 for _ in s["text_offset"]]}),
    "offset-bytes": f.logprobs(byte_offsets),
    "offset-shifted": f.logprobs(lambda s: {"text_offset": [o + 7 for o in s["text_offset"]]}),
    "offset-by-token": f.logprobs(lambda s: {"text_offset": list(range(len(s["tokens"])))}),
    "echo-prompt-left-out": f.choices(prompt_left_out),
    "echo-prompt-null": f.choices(prompt_scores_null),
    "echo-dropped": f.drop("echo"),
    "echo-zero-generates": Change(
        ask=lambda body: {**body, "max_tokens": 1} if body.get("max_tokens") == 0 else body
    ),
    "echo-first-scored": echo_scores(
        lambda s: {
            "token_logprobs": [-1.0, *s["token_logprobs"][1:]],
            "top_logprobs": [{s["tokens"][0]: -1.0}, *s["top_logprobs"][1:]],
        }
    ),
    "echo-scores-late": echo_scores(shifted_scores),
    "echo-scores-by-max-tokens": f.choices(
        lambda asked, of: (
            [
                {
                    **c,
                    "logprobs": {
                        **c["logprobs"],
                        "token_logprobs": [v and v - 2 for v in c["logprobs"]["token_logprobs"]],
                    },
                }
                for c in of
            ]
            if asked.get("echo") and asked.get("max_tokens") == 0 and asked.get("logprobs")
            else of
        )
    ),
    "echo-scores-by-length": echo_scores(
        lambda s: {"token_logprobs": [v and v * len(s["tokens"]) / 20 for v in s["token_logprobs"]]}
    ),
    "batches-scored-otherwise": f.choices(batches_scored_otherwise),
    "echo-entry-missing": echo_scores(lambda s: {name: [*v[:2], *v[3:]] for name, v in s.items()}),
    "echo-generated-entry-missing": f.choices(
        lambda asked, of: (
            [{**c, "logprobs": {k: v[:-1] for k, v in c["logprobs"].items()}} for c in of]
            if asked.get("echo")
            and asked.get("max_tokens") == 1
            and asked.get("logprobs") is not None
            else of
        )
    ),
}
