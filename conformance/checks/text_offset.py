"""``choices[].logprobs.text_offset``: where each token begins, counted in characters."""

from __future__ import annotations

from conformance.answers import Choice
from conformance.api import Api
from conformance.checks import check
from conformance.checks._asking import plain
from conformance.checks._characters import is_whole
from conformance.checks._prompts import CHINESE, COUNTING
from conformance.checks._scores import offsets_of, scored, tokens_of
from conformance.judgement import Deviation, NotApplicable, expect


@check("text-offset.ascii", requirement="text-offset.advances-by-characters")
async def offsets_follow_the_tokens(api: Api) -> None:
    """In an ASCII answer each offset is the one before, plus the length of the token there."""
    hold_offsets_advance((await scored(api)).only)


@check("text-offset.chinese", requirement="text-offset.advances-by-characters")
async def offsets_count_characters(api: Api) -> None:
    """In a Chinese answer offsets advance by characters, not by bytes."""
    hold_offsets_advance((await plain(api, CHINESE, logprobs=1)).only)


@check("text-offset.base", requirement="text-offset.starts-at-prompt-length")
async def offsets_start_at_the_completion(api: Api) -> None:
    """Without `echo` the first offset is the prompt's length, or 0."""
    offsets = offsets_of((await scored(api)).only)
    if not offsets:
        raise NotApplicable("the answer has no tokens")
    expect(offsets[0], "first text_offset").one_of(len(COUNTING), 0)


def hold_offsets_advance(choice: Choice) -> None:
    """Hold that offsets advance by the characters of each token that has only whole ones."""
    tokens, offsets = tokens_of(choice), offsets_of(choice)
    for number in range(min(len(tokens), len(offsets)) - 1):
        if not is_whole(tokens[number]):
            continue  # how many characters a part of one counts for is settled nowhere
        step = offsets[number + 1] - offsets[number]
        if step != len(tokens[number]):
            raise Deviation(
                f"text_offset to advance by {len(tokens[number])} at {tokens[number]!r}",
                f"it advances by {step}",
            )
