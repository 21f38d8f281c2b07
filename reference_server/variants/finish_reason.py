"""The end of a completion: which tokens count, and withheld completions."""

from __future__ import annotations

import zlib

from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.regenerated import (
    END,
    Choice,
    Regenerated,
    Send,
    cut,
)
from reference_server.behaviour.registry import variant


@variant("end-token-unseen")
def end_token_unseen() -> Behaviour:
    """The token that ended a completion is neither listed nor counted."""

    async def remake(_: Body, choice: Choice, __: Send) -> Choice:
        tokens = choice.scores["tokens"]
        if not tokens or tokens[-1] != END:
            return choice
        return choice.ended(choice.text, cut(choice.scores, len(tokens) - 1), choice.finish)

    return Regenerated(remake)


@variant("filtered", may_be_inconclusive=True)
def filtered() -> Behaviour:
    """For one prompt in eight, the completion is empty, with ``content_filter``."""

    async def remake(_: Body, choice: Choice, __: Send) -> Choice:
        if zlib.crc32(choice.prompt.encode()) % 8:
            return choice
        return choice.ended("", cut(choice.scores, 0), "content_filter")

    return Regenerated(remake)
