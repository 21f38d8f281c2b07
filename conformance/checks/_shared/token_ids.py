"""Finds the text of token ids, from responses of the endpoint alone.

The text of an id shows in the echo of a prompt of ids, and in a response where a bias forces it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.api import Api
from conformance.checks._shared.characters import REPLACEMENT, is_whole
from conformance.checks._shared.prompts import CHINESE, COLOURS, COUNTING
from conformance.checks._shared.readable_tokens import readable_tokens
from conformance.checks._shared.requests import non_streaming
from conformance.checks._shared.sampling import STORY
from conformance.judgement import NotApplicable, Refusal, shown
from conformance.message import say
from conformance.protocol.completion import Choice, Completion

ONE_ID, OTHER_ID = 500, 1000
"""Two ids that are ordinary text in every common vocabulary."""

PROBED_IDS = (13, *range(190, 310), ONE_ID, OTHER_ID)
"""They include white space, line breaks and the most frequent tokens of common vocabularies."""

FORCING_BIAS, BANNING_BIAS = 100, -100

FORCED_TOKENS = 3
"""Tokens of a response in which every token is forced."""

MAX_PIECE_CHARS = 200
"""The most characters of a token."""


async def echo_of_ids(api: Api, ids: Sequence[int]) -> Completion:
    """Request the echo of a prompt of token ids, with its tokens.

    Raises:
        NotApplicable: prompts of ids, or log probabilities with ``echo``, are not served.
    """
    if "tokens" not in api.contract.parameter("prompt").forms:
        raise NotApplicable(say("this document does not mention prompts of token ids"))
    request: dict[str, Any] = {"max_tokens": 0, "echo": True, "logprobs": 1}
    try:
        return await non_streaming(api, list(ids), **request)
    except Refusal as refusal:
        raise NotApplicable(
            say("token ids cannot be determined: {refusal}", refusal=refusal.said)
        ) from None


def pieces_of(echo: Completion, ids: Sequence[int]) -> Mapping[int, str]:
    """Return the text of each id, if it is whole characters and no other id has the same.

    Raises:
        NotApplicable: the echo does not have one token for each id.
    """
    tokens = readable_tokens(echo.only)
    if len(tokens) == len(ids) + 1:  # a start token of the server's own
        tokens = tokens[1:]
    if len(tokens) != len(ids):
        raise NotApplicable(
            say("{ids} ids were echoed as {tokens} tokens", ids=len(ids), tokens=len(tokens))
        )
    times = Counter(tokens)
    return {
        token: fragment
        for token, fragment in zip(ids, tokens, strict=True)
        if times[fragment] == 1 and is_whole(fragment)
    }


async def natural_token(api: Api) -> tuple[str, str, int]:
    """Find a prompt whose greedy response begins with a token of known id: prompt, text and id.

    Raises:
        NotApplicable: the text of no id is known, or no response begins with one of them.
    """
    known = {
        fragment: token
        for token, fragment in pieces_of(await echo_of_ids(api, PROBED_IDS), PROBED_IDS).items()
    }
    for prompt in (COUNTING, COLOURS, CHINESE):
        fragment = (await non_streaming(api, prompt, max_tokens=1)).text
        if fragment in known:
            return prompt, fragment, known[fragment]
    raise NotApplicable(say("no greedy response begins with a token of known id"))


def banning(token: int) -> dict[str, int]:
    """Return a ``logit_bias`` that bans a token, and before it another one."""
    return {str(OTHER_ID): BANNING_BIAS, str(token): BANNING_BIAS}


async def forced(api: Api, token: int) -> str:
    """Return the text of :func:`forced_choice`."""
    return (await forced_choice(api, token)).text


async def forced_choice(api: Api, token: int) -> Choice:
    """Return a few tokens that are all forced to be ``token``, one of two with a bias.

    Raises:
        NotApplicable: the token is not visible in the text, or it ended the response.
    """
    choice = (
        await non_streaming(api, STORY, max_tokens=FORCED_TOKENS, logit_bias=forcing(token))
    ).only
    if not choice.text or choice.finish_reason != "length" or REPLACEMENT in choice.text:
        raise NotApplicable(
            say("token {token} has no separate text: {text}", token=token, text=shown(choice.text))
        )
    return choice


def forcing(token: int) -> dict[str, int]:
    """Return a ``logit_bias`` that forces one of two tokens, always in the same order."""
    return {str(one): FORCING_BIAS if one == token else BANNING_BIAS for one in (ONE_ID, OTHER_ID)}


def repeated_piece(text: str) -> str | None:
    """Return the piece that a text repeats, or None; the first one may lack its space."""
    for size in range(1, min(len(text), MAX_PIECE_CHARS) + 1):
        if (text[-size:] * FORCED_TOKENS).lstrip() == text.lstrip():
            return text[-size:]
    return None
