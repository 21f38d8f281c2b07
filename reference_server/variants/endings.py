"""How an answer ends: what is listed, counted and shown of the last tokens."""

from __future__ import annotations

import zlib

from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.pieces import each_choice
from reference_server.behaviour.registry import variant
from reference_server.variants._retold import (
    END,
    Ask,
    Choice,
    Retold,
    cut,
    greedy,
    joined,
    plainly,
    stops_of,
)


@variant("end-token-unseen")
def end_token_unseen() -> Behaviour:
    """The token that ended an answer is neither listed nor counted."""

    async def remake(_: Body, choice: Choice, __: Ask) -> Choice:
        tokens = choice.scores["tokens"]
        if not tokens or tokens[-1] != END:
            return choice
        return choice.ended(choice.text, cut(choice.scores, len(tokens) - 1), choice.finish)

    return Retold(remake)


@variant("stop-tokens-listed")
def stop_tokens_listed() -> Behaviour:
    """The tokens of the stop sequence that ended a greedy answer are listed, as vLLM does."""

    async def remake(asked: Body, choice: Choice, ask: Ask) -> Choice:
        stops = stops_of(asked)
        if choice.finish != "stop" or not stops or not greedy(asked):
            return choice
        whole = await ask({k: v for k, v in plainly(asked).items() if k != "stop"})
        if whole is None:
            return choice
        other = next(c for c in whole["choices"] if c["index"] == choice.index)
        met = [stop for stop in stops if other["text"].startswith(choice.text + stop)]
        if not met:
            return choice
        end = len(choice.prompt) + len(choice.text) + max(map(len, met))
        entries = sum(offset < end for offset in other["logprobs"]["text_offset"])
        more = {
            name: values[choice.entries : entries] for name, values in other["logprobs"].items()
        }
        scores = joined(choice.scores, more)
        # They are on the bill already.
        return choice.ended(choice.text, scores, "stop", billed=choice.entries)

    return Retold(remake)


@variant("cut-tail-dropped")
def cut_tail_dropped() -> Behaviour:
    """What is left of a character that the limit cut is not shown, rather than as U+FFFD."""

    def change(_: Body, choice: Body) -> Body:
        if choice["finish_reason"] != "length":
            return choice
        return {**choice, "text": choice["text"].rstrip("\ufffd")}

    return each_choice(change)


@variant("filtered", may_be_inconclusive=True)
def filtered() -> Behaviour:
    """To one prompt of eight the answer is withheld: empty, with ``content_filter``."""

    async def remake(_: Body, choice: Choice, __: Ask) -> Choice:
        if zlib.crc32(choice.prompt.encode()) % 8:
            return choice
        return choice.ended("", cut(choice.scores, 0), "content_filter")

    return Retold(remake)
