"""What is shown of a character that the limit cut."""

from __future__ import annotations

from reference_server.behaviour.builders import each_choice
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import variant


@variant("cut-tail-dropped")
def cut_tail_dropped() -> Behaviour:
    """What is left of a character that the limit cut is not shown, rather than as U+FFFD."""

    def change(_: Body, choice: Body) -> Body:
        if choice["finish_reason"] != "length":
            return choice
        return {**choice, "text": choice["text"].rstrip("\ufffd")}

    return each_choice(change)
