"""Empty stop sequences are rejected, and the tokens of a sequence are listed."""

from __future__ import annotations

from reference_server.behaviour.builders import rejects
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.regenerated import (
    Choice,
    Regenerated,
    Send,
    greedy,
    joined,
    non_streaming,
    stops_of,
)
from reference_server.behaviour.registry import variant
from reference_server.behaviour.triggers import is_batch


@variant("no-empty-stop", refuses="stop")
def no_empty_stop() -> Behaviour:
    """An empty ``stop``, or one with an empty sequence, is rejected."""
    return rejects(_is_empty, "stop sequences must not be empty", param="stop")


@variant("no-empty-stop-in-batch", refuses="stop")
def no_empty_stop_in_batch() -> Behaviour:
    """An empty ``stop`` is ignored for one prompt, and rejected for a batch of them."""

    def is_refused(request: Body) -> bool:
        return _is_empty(request) and is_batch(request)

    return rejects(is_refused, "stop sequences must not be empty", param="stop")


def _is_empty(request: Body) -> bool:
    stop = request.get("stop")
    return stop in ("", []) or (isinstance(stop, list) and "" in stop)


@variant("stop-tokens-listed")
def stop_tokens_listed() -> Behaviour:
    """The tokens of the stop sequence that ended a greedy completion are listed, as by vLLM."""

    async def remake(request: Body, choice: Choice, send: Send) -> Choice:
        stops = stops_of(request)
        if choice.finish != "stop" or not stops or not greedy(request):
            return choice
        whole = await send({k: v for k, v in non_streaming(request).items() if k != "stop"})
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
        # They are counted already.
        return choice.ended(choice.text, scores, "stop", counted=choice.entries)

    return Regenerated(remake)
