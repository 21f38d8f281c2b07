"""How an answer ends: which tokens count, and what is withheld."""

from __future__ import annotations

import zlib

from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import variant
from reference_server.variants._retold import (
    END,
    Ask,
    Choice,
    Regenerated,
    cut,
)


@variant("end-token-unseen")
def end_token_unseen() -> Behaviour:
    """The token that ended an answer is neither listed nor counted."""

    async def remake(_: Body, choice: Choice, __: Ask) -> Choice:
        tokens = choice.scores["tokens"]
        if not tokens or tokens[-1] != END:
            return choice
        return choice.ended(choice.text, cut(choice.scores, len(tokens) - 1), choice.finish)

    return Regenerated(remake)


@variant("filtered", may_be_inconclusive=True)
def filtered() -> Behaviour:
    """To one prompt of eight the answer is withheld: empty, with ``content_filter``."""

    async def remake(_: Body, choice: Choice, __: Ask) -> Choice:
        if zlib.crc32(choice.prompt.encode()) % 8:
            return choice
        return choice.ended("", cut(choice.scores, 0), "content_filter")

    return Regenerated(remake)
