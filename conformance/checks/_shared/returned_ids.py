"""Ids of tokens that a response returns, and other fields that only some servers' choices have."""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks._shared.prompts import COUNTING
from conformance.checks._shared.requests import choices_in_chunk, non_streaming
from conformance.judgement import Failure, NotApplicable, shown
from conformance.message import say
from conformance.protocol.completion import Choice, Completion

MAX_TOKENS = 12
"""Tokens of the shared response with ids."""


async def with_ids(api: Api, prompt: Any = COUNTING, **more: Any) -> Completion:
    """Request the shared greedy response with the ids of its tokens."""
    request = {"max_tokens": MAX_TOKENS, "return_token_ids": True, **more}
    return await non_streaming(api, prompt, **request)


def ids_in(choice: Choice, name: str = "token_ids") -> list[int]:
    """Return the ids that a choice has in a field.

    Raises:
        Failure: the field is no array of integers.
    """
    return _as_ids(choice.raw.get(name), name)


def readable_ids(choice: Choice) -> list[int]:
    """Return the ids of a choice's tokens, for checks that need them to judge something else.

    Raises:
        NotApplicable: there are none.
    """
    try:
        return ids_in(choice)
    except Failure as failure:
        raise NotApplicable(
            say("the token ids cannot be read: {failure}", failure=failure.said)
        ) from None


def streamed_ids(completion: Completion, name: str = "token_ids") -> list[int]:
    """Return the ids in the chunks of a stream with one choice, in order."""
    found: list[int] = []
    for part in (part for chunk in completion.chunks for part in choices_in_chunk(chunk)):
        if part.get(name) is not None:
            found += _as_ids(part[name], name)
    return found


def last_in_stream(completion: Completion, name: str) -> Any:
    """Return the last value other than null that a stream with one choice has in a field."""
    values = [
        part[name]
        for chunk in completion.chunks
        for part in choices_in_chunk(chunk)
        if part.get(name) is not None
    ]
    return values[-1] if values else None


async def early_token(api: Api) -> tuple[str, list[int], int]:
    """Find a token of the usual response that does not occur before: the text, all ids, its place.

    Raises:
        NotApplicable: there are no ids, which another check reports, or one token repeats.
    """
    if not api.contract.parameter("return_token_ids").documented:
        raise NotApplicable(say("this document does not mention a way to get token ids"))
    choice = (await with_ids(api)).only
    ids = readable_ids(choice)
    place = next((i for i in range(2, len(ids) - 2) if ids[i] not in ids[:i]), None)
    if place is None:
        raise NotApplicable(say("the response has no token that occurs late enough"))
    return choice.text, ids, place


def _as_ids(value: Any, name: str) -> list[int]:
    if not isinstance(value, list) or any(type(one) is not int for one in value):
        raise Failure(say("{name} an array of integers", name=name), shown(value))
    return value
