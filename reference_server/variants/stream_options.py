"""Usage in streams: rejected, unrequested, or null in every chunk."""

from __future__ import annotations

from reference_server.behaviour.builders import chunks, rejects
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.of_requests import uses
from reference_server.behaviour.registry import variant
from reference_server.behaviour.rewrite import Rewrite


@variant("usage-null-in-chunks")
def usage_null_in_chunks() -> Behaviour:
    """Every chunk has ``usage: null``, requested or not."""
    return chunks(lambda _, sent: [{"usage": None, **chunk} for chunk in sent])


@variant("usage-unasked")
def usage_unasked() -> Behaviour:
    """Every stream ends with usage, requested or not, as with many relays."""
    return Rewrite(request=_with_usage)


@variant("usage-unasked-on-last-chunk")
def usage_unasked_on_last_chunk() -> Behaviour:
    """A stream without requested usage has it on the last chunk with text."""

    def change(request: Body, sent: list[Body]) -> list[Body]:
        if request == _with_usage(request):
            return sent
        *before, last, total = ({k: v for k, v in c.items() if k != "usage"} for c in sent)
        return [*before, {**last, "usage": sent[-1]["usage"]}] if not total["choices"] else sent

    return Rewrite(request=_with_usage, chunks=change)


def _with_usage(request: Body) -> Body:
    if request.get("stream") is not True or request.get("stream_options") is not None:
        return request
    return {**request, "stream_options": {"include_usage": True}}


@variant("no-stream-options", refuses="stream_options")
def no_stream_options() -> Behaviour:
    """``stream_options`` is rejected as an unknown parameter."""
    return rejects(
        uses("stream_options"),
        "Unrecognized request argument supplied: stream_options",
        param="stream_options",
    )
