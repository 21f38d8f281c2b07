"""Empty stop sequences declined, and the tokens of a sequence listed."""

from __future__ import annotations

from reference_server.behaviour.builders import declines
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import variant
from reference_server.variants._retold import (
    Ask,
    Choice,
    Retold,
    greedy,
    joined,
    plainly,
    stops_of,
)


@variant("no-empty-stop", refuses="stop")
def no_empty_stop() -> Behaviour:
    """A ``stop`` that is empty, or has an empty sequence, is declined."""

    def is_empty(asked: Body) -> bool:
        stop = asked.get("stop")
        return stop in ("", []) or (isinstance(stop, list) and "" in stop)

    return declines(is_empty, "stop sequences must not be empty", param="stop")


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
