"""Empty stop sequences declined, and the tokens of a sequence listed."""

from __future__ import annotations

from reference_server.behaviour.builders import rejects
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import variant
from reference_server.variants._retold import (
    Ask,
    Choice,
    Regenerated,
    greedy,
    joined,
    non_streaming,
    stops_of,
)


@variant("no-empty-stop", refuses="stop")
def no_empty_stop() -> Behaviour:
    """A ``stop`` that is empty, or has an empty sequence, is declined."""

    def is_empty(request: Body) -> bool:
        stop = request.get("stop")
        return stop in ("", []) or (isinstance(stop, list) and "" in stop)

    return rejects(is_empty, "stop sequences must not be empty", param="stop")


@variant("stop-tokens-listed")
def stop_tokens_listed() -> Behaviour:
    """The tokens of the stop sequence that ended a greedy answer are listed, as vLLM does."""

    async def remake(request: Body, choice: Choice, ask: Ask) -> Choice:
        stops = stops_of(request)
        if choice.finish != "stop" or not stops or not greedy(request):
            return choice
        whole = await ask({k: v for k, v in non_streaming(request).items() if k != "stop"})
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
        return choice.ended(choice.text, scores, "stop", counted=choice.entries)

    return Regenerated(remake)
