"""A character that ``max_tokens`` cut."""

from __future__ import annotations

from reference_server.behaviour.builders import each_choice
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import variant


@variant("cut-tail-dropped")
def cut_tail_dropped() -> Behaviour:
    """The remains of a character that ``max_tokens`` cut are omitted instead of sent as U+FFFD."""

    def change(_: Body, choice: Body) -> Body:
        if choice["finish_reason"] != "length":
            return choice
        return {**choice, "text": choice["text"].rstrip("\ufffd")}

    return each_choice(change)
