"""Log probabilities as other servers list them: how many, of which tokens, how precise."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

from reference_server.behaviour.builders import (
    each_choice,
    logprobs,
    rejects,
)
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.of_requests import is_above, uses
from reference_server.behaviour.registry import variant
from reference_server.behaviour.rewrite import Rewrite


@variant("no-logprobs", refuses="logprobs")
def no_logprobs() -> Behaviour:
    """``logprobs`` is rejected with 400 and a Chinese message."""
    return rejects(uses("logprobs"), "该模型不支持 logprobs 参数", param="logprobs")


@variant("capped-logprobs")
def capped_logprobs() -> Behaviour:
    """``logprobs`` above 5 is lowered to 5, as observed in the live API."""
    return Rewrite(
        request=lambda request: (
            {**request, "logprobs": 5} if is_above(request.get("logprobs"), 5) else request
        )
    )


@variant("logprobs-left-out")
def logprobs_left_out() -> Behaviour:
    """A choice has no ``logprobs`` field if none were requested."""

    def change(_: Body, choice: Body) -> Body:
        return {k: v for k, v in choice.items() if k != "logprobs" or v is not None}

    return each_choice(change)


CERTAIN, HOPELESS = 0.0, -9999.0


Scores = dict[str, list[Any]]


@variant("offsets-from-zero")
def offsets_from_zero() -> Behaviour:
    """``text_offset`` begins at 0 with the completion, with or without ``echo``, as in vLLM."""

    def non_streaming(_: Body, whole: Body) -> Body:
        return {**whole, "choices": _from_zero(whole["choices"], {})}

    def chunks(_: Body, sent: list[Body]) -> list[Body]:
        bases: dict[int, int] = {}
        return [{**chunk, "choices": _from_zero(chunk["choices"], bases)} for chunk in sent]

    return Rewrite(non_streaming=non_streaming, chunks=chunks)


def _from_zero(of: list[Body], bases: dict[int, int]) -> list[Body]:
    result = []
    for choice in of:
        scores = choice["logprobs"]
        if scores and scores["text_offset"]:
            base = bases.setdefault(choice["index"], scores["text_offset"][0])
            moved = [offset - base for offset in scores["text_offset"]]
            scores = {**scores, "text_offset": moved}
        result.append({**choice, "logprobs": scores})
    return result


@variant("exactly-n-alternatives")
def exactly_n_alternatives() -> Behaviour:
    """A sampled token that is not among the most probable replaces the last of them."""

    def change(request: Body, choice: Body) -> Body:
        scores, most = choice["logprobs"], request.get("logprobs")
        if not scores or not most:
            return choice
        pairs = zip(scores["tokens"], scores["top_logprobs"], strict=True)
        tops = [_at_most(top, most, token) for token, top in pairs]
        return {**choice, "logprobs": {**scores, "top_logprobs": tops}}

    return each_choice(change)


def _at_most(top: Body | None, most: int, kept: str) -> Body | None:
    if not top or len(top) <= most or kept not in top:
        return top
    others = sorted((name for name in top if name != kept), key=top.__getitem__, reverse=True)
    return {name: top[name] for name in top if name == kept or name in others[: most - 1]}


@variant("alternatives-reversed")
def alternatives_reversed() -> Behaviour:
    """Alternatives are listed in ascending order of probability, as objects are unordered."""
    return logprobs(
        lambda scores: {
            "top_logprobs": [top and dict(reversed(top.items())) for top in scores["top_logprobs"]]
        }
    )


@variant("alternatives-alike")
def alternatives_alike() -> Behaviour:
    """Sometimes two ids decode to the same string, so that there is one alternative fewer."""

    def change(scores: Scores) -> Scores:
        tops = []
        for token, top in zip(scores["tokens"], scores["top_logprobs"], strict=True):
            spare = [name for name in top or {} if name != token]
            fewer = len(spare) >= 2 and "," in top
            tops.append({k: v for k, v in top.items() if k != spare[-1]} if fewer else top)
        return {"top_logprobs": tops}

    return logprobs(change)


@variant("zero-alternatives-null")
def zero_alternatives_null() -> Behaviour:
    """With ``logprobs: 0``, ``top_logprobs`` is null."""
    return _without_alternatives(lambda _: None)


@variant("zero-alternatives-empty")
def zero_alternatives_empty() -> Behaviour:
    """With ``logprobs: 0``, every position has an empty object of alternatives."""
    return _without_alternatives(lambda tops: [None if top is None else {} for top in tops])


@variant("zero-alternatives-nulls")
def zero_alternatives_nulls() -> Behaviour:
    """With ``logprobs: 0``, every position has null instead of alternatives."""
    return _without_alternatives(lambda tops: [None for _ in tops])


def _without_alternatives(change: Callable[[list[Any]], Any]) -> Rewrite:
    def of(request: Body, choice: Body) -> Body:
        scores = choice["logprobs"]
        if not scores or request.get("logprobs") != 0:
            return choice
        return {**choice, "logprobs": {**scores, "top_logprobs": change(scores["top_logprobs"])}}

    return each_choice(of)


@variant("parts-as-replacement")
def parts_as_replacement() -> Behaviour:
    """A token that is part of a character is listed as U+FFFD instead of its bytes."""
    return _parts(lambda _: "\ufffd")


@variant("parts-as-nothing")
def parts_as_nothing() -> Behaviour:
    """A token that is part of a character is listed as an empty string."""
    return _parts(lambda _: "")


@variant("parts-as-one-byte")
def parts_as_one_byte() -> Behaviour:
    """A token that is a single byte is listed as SentencePiece writes it, ``<0xE4>``."""
    single = re.compile(r"bytes:\\x([0-9a-f]{2})")

    def name(token: str) -> str:
        byte = single.fullmatch(token)
        return f"<0x{byte[1].upper()}>" if byte else token

    return _parts(name)


@variant("parts-with-the-last")
def parts_with_the_last() -> Behaviour:
    """The last token of a character is listed as the whole of it, and the others as nothing."""

    def change(scores: Scores) -> Scores:
        held, tokens = b"", []
        for token in scores["tokens"]:
            if not token.startswith("bytes:"):
                held = b""
                tokens.append(token)
                continue
            held += token.removeprefix("bytes:").encode().decode("unicode_escape").encode("latin-1")
            whole = held.decode("utf-8", errors="ignore")
            tokens.append(whole)
            held = b"" if whole else held
        columns = zip(scores["tokens"], tokens, scores["top_logprobs"], strict=True)
        tops = [
            None
            if top is None
            else _renamed({new if name == old else name: top[name] for name in top}, lambda _: "")
            for old, new, top in columns
        ]
        return {"tokens": tokens, "top_logprobs": tops}

    return logprobs(change)


def _parts(name: Callable[[str], str]) -> Rewrite:
    """Change how a token is listed that is part of a character."""

    def change(scores: Scores) -> Scores:
        tops = [None if top is None else _renamed(top, name) for top in scores["top_logprobs"]]
        tokens = [name(t) if t.startswith("bytes:") else t for t in scores["tokens"]]
        return {"tokens": tokens, "top_logprobs": tops}

    return logprobs(change)


def _renamed(top: Body, name: Callable[[str], str]) -> Body:
    result: Body = {}
    for token, value in top.items():
        listed = name(token) if token.startswith("bytes:") else token
        result[listed] = max(value, result.get(listed, value))
    return result


@variant("greedy-is-certain")
def greedy_is_certain() -> Behaviour:
    """At temperature 0, log probabilities are those after sampling: the chosen token has 0."""

    def change(request: Body, choice: Body) -> Body:
        scores = choice["logprobs"]
        if not scores or request.get("temperature") != 0 or request.get("echo"):
            return choice
        pairs = zip(scores["tokens"], scores["top_logprobs"], strict=True)
        tops = [{k: CERTAIN if k == token else HOPELESS for k in top} for token, top in pairs]
        sure = {"token_logprobs": [CERTAIN for _ in scores["tokens"]], "top_logprobs": tops}
        return {**choice, "logprobs": {**scores, **sure}}

    return each_choice(change)


@variant("coarse-numbers")
def coarse_numbers() -> Behaviour:
    """Log probabilities are rounded to two decimals."""
    return _each_value(lambda value: round(value, 2))


@variant("half-precision")
def half_precision() -> Behaviour:
    """Log probabilities differ by some hundredths between requests, as with 16-bit precision."""
    chance = random.Random(16)  # noqa: S311 - randomness that can be repeated

    def change(scores: Scores) -> Scores:
        result: list[Any] = []
        values = []
        columns = (scores["tokens"], scores["token_logprobs"], scores["top_logprobs"])
        for token, value, top in zip(*columns, strict=True):
            moved = {name: _moved(old, chance) for name, old in (top or {}).items()}
            values.append(moved.get(token, value if value is None else _moved(value, chance)))
            result.append(None if top is None else moved)
        return {"token_logprobs": values, "top_logprobs": result}

    return logprobs(change)


def _moved(value: float, chance: random.Random) -> float:
    # Always lowered a little, so that the alternatives of a position add up to less than 1.
    return round(value - chance.uniform(0.0, 0.03), 6)


def _each_value(change: Callable[[float], float]) -> Rewrite:
    def of(scores: Scores) -> Scores:
        return {
            "token_logprobs": [v if v is None else change(v) for v in scores["token_logprobs"]],
            "top_logprobs": [
                top and {name: change(value) for name, value in top.items()}
                for top in scores["top_logprobs"]
            ],
        }

    return logprobs(of)
