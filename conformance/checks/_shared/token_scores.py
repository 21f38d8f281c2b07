"""Log probabilities as several checks need them: one request, read position by position."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.api import Api
from conformance.checks._shared.ab_compare import REPEATS, Ask
from conformance.checks._shared.characters import (
    REPLACEMENT,
    is_control,
    join_tokens,
    solid,
    token_bytes,
)
from conformance.checks._shared.prompts import COUNTING
from conformance.checks._shared.requests import non_streaming
from conformance.checks._shared.spelling import spell
from conformance.evidence import compared, noted
from conformance.judgement import (
    Failure,
    Feature,
    Inconclusive,
    Missing,
    NotApplicable,
    expect,
    shown,
)
from conformance.message import Message, say, verbatim
from conformance.model import Effect, Place
from conformance.protocol.completion import Choice, Completion

ALTERNATIVES = 5
"""How many alternatives are requested where the document states no maximum."""

MAX_ROUNDING_NATS = 1e-4
"""How far a rounded log probability may exceed 0."""

MIN_RETURNS = 2
"""How often unusual scores have to recur before they count."""

FAR_APART_NATS = 0.5
"""The difference of two scores of one token, in nats, that rounding errors do not explain."""

MAX_PARTS = 64
"""Tokens in a row that may end within a character; real ones are whole after a few."""

Scores = Sequence[float | None]

Scored = Sequence[tuple[str, float | None]]
"""Tokens with their scores."""


@dataclass(frozen=True, slots=True)
class Position:
    """One token of a choice, from the four arrays."""

    number: int
    token: str
    logprob: float | None
    top: Mapping[str, float] | None


def alternatives(api: Api) -> int:
    """Return the largest number of alternatives that the document allows."""
    maximum = api.contract.parameter("logprobs").maximum
    return ALTERNATIVES if maximum is None else int(maximum)


async def scored(
    api: Api, prompt: Any = COUNTING, *, fresh: bool = False, **more: Any
) -> Completion:
    """Request the shared greedy response with as many alternatives as the document allows."""
    return await non_streaming(api, prompt, fresh=fresh, logprobs=alternatives(api), **more)


def tokens_of(choice: Choice) -> list[str]:
    """Return a choice's tokens; raise Failure if one is not a string."""
    tokens = choice.logprobs.tokens
    for token in tokens:
        if not isinstance(token, str):
            raise Failure(
                say("tokens that are strings"),
                say("a token {token}", token=shown(token)),
                place=Place.ARRAYS,
            )
    return tokens


def scores_of(choice: Choice) -> list[float | None]:
    """Return a choice's token_logprobs; raise Failure if one is neither number nor null."""
    return [_number(value, "token_logprobs") for value in choice.logprobs.token_logprobs]


def offsets_of(choice: Choice) -> list[int]:
    """Return a choice's text offsets; raise Failure if one is not an integer."""
    offsets = choice.logprobs.text_offset
    for offset in offsets:
        if not isinstance(offset, int) or isinstance(offset, bool):
            raise Failure(
                say("text offsets that are integers"),
                say("an offset {offset}", offset=shown(offset)),
                place=Place.ARRAYS,
            )
    return offsets


def positions_of(choice: Choice) -> list[Position]:
    """Read a choice's tokens with their scores and alternatives, as far as all arrays reach."""
    # Kept with the choice, as `cached_property` would do, because many checks read the same one.
    known: tuple[Position, ...] | None = vars(choice).get(_POSITIONS)
    if known is None:
        known = vars(choice)[_POSITIONS] = tuple(_positions_of(choice))
    return list(known)


_POSITIONS = "positions as read by checks"
"""Where a choice keeps them; no attribute has such a name."""


def _positions_of(choice: Choice) -> list[Position]:
    maps = choice.logprobs.top_logprobs
    rows = zip(tokens_of(choice), scores_of(choice), maps, strict=False)
    return [
        Position(number, token, score, _alternatives(top))
        for number, (token, score, top) in enumerate(rows)
    ]


def _alternatives(top: object) -> Mapping[str, float] | None:
    if top is None:
        return None
    if not isinstance(top, Mapping):
        raise Failure(
            say("top_logprobs of maps from token to number"), shown(top), place=Place.ARRAYS
        )
    values = {token: _number(value, "top_logprobs") for token, value in top.items()}
    return {token: value for token, value in values.items() if value is not None}


def _number(value: object, where: str) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Failure(
            say("{where} of numbers", where=where), verbatim(shown(value)), place=Place.ARRAYS
        )
    return float(value)


def assert_tokens_make_text(choice: Choice, *, hides_special: bool = False) -> None:
    """Assert that a choice's tokens join to its text, as far as both are whole characters.

    Both have to be equal only if the limit cut the response: if a stop sequence or the end of the
    text was reached, tokens may continue after the text. An empty token stands for a part of a
    character, or for a token that the text does not show.

    Args:
        choice: the choice.
        hides_special: whether control tokens may be listed that the text leaves out.
    """
    tokens, to_the_end = tokens_of(choice), choice.finish_reason == "length"
    rows = [tokens]
    if hides_special:
        rows.append([token for token in tokens if not is_control(token)])
    if not any(spell(row, choice.text, to_the_end=to_the_end) for row in rows):
        joined = join_tokens(token for token in tokens if token)[0]
        raise Failure(
            say("tokens that join to the text"),
            say("{joined} for the text {text}", joined=shown(joined), text=shown(choice.text)),
            place=Place.TOKENS,
        )


def assert_offsets_advance(choice: Choice, first: int = 0) -> None:
    """Assert that each offset is the one before plus its token's characters, from ``first`` on.

    Parts of characters are joined until they are whole: no document defines the length of a part,
    and the length of U+FFFD in its place is arbitrary. Nor is that of a control token, which the
    text may leave out.
    """
    tokens, offsets = tokens_of(choice), offsets_of(choice)
    start = first
    for end in range(first + 1, min(len(tokens), len(offsets))):
        text, known = join_tokens(tokens[start:end])
        # Some servers write an empty token for a part of a character.
        if not known or not tokens[end - 1] or is_control(tokens[end - 1]):
            start = end
            continue
        if REPLACEMENT in text:
            if end - start > MAX_PARTS:
                return  # what is no character yet is none with more tokens
            continue
        step = offsets[end] - offsets[start]
        if step != len(text):
            expected = say(
                "text_offset to advance by {length} over {text}", length=len(text), text=shown(text)
            )
            raise Failure(expected, verbatim(step))
        start = end


def alike(left: Scores, right: Scores) -> bool:
    """Return whether two scorings of the same tokens agree, within rounding errors.

    Servers that compute in 16 bits, or in batches of changing size, differ by some hundredths for
    likely tokens, and by more for unlikely ones.
    """
    return len(left) == len(right) and all(
        (a is None) == (b is None)
        and (a is None or b is None or math.isclose(a, b, rel_tol=0.05, abs_tol=0.1))
        for a, b in zip(left, right, strict=True)
    )


async def expect_alike(left: Ask[Scores], right: Ask[Scores], expected: Message) -> None:
    """Assert that two requests have the same scores, within rounding errors.

    Raises:
        Failure: they differ, and each is reproduced.
        Inconclusive: one of them is not reproduced.
    """
    with noted() as lefts:
        first = await left(False)
    with noted() as rights:
        second = await right(False)
    if alike(first, second):
        return
    for _ in range(REPEATS):
        for ask, seen in ((left, first), (right, second)):
            if not alike(await ask(True), seen):
                raise Inconclusive(say("the log probabilities are not deterministic"))
    result = say("{one} vs. {other} (both reproduced)", one=shown(first), other=shown(second))
    raise Failure(expected, result).shown_by(compared(lefts, rights))


def scored_tokens(choices: Iterable[Choice]) -> Scored:
    """Return the tokens of some choices with their scores, one choice after the other."""
    return [pair for c in choices for pair in zip(tokens_of(c), scores_of(c), strict=False)]


async def expect_scored_alike(left: Ask[Scored], right: Ask[Scored], expected: Message) -> None:
    """Assert that two requests give the same scores to the same tokens.

    The tokens may differ now and then, as those of near-ties do, and so may those after them. The
    same token after the same tokens has one score.

    Raises:
        Failure: they differ, and each is reproduced, or tokens get other scores now and then.
        Inconclusive: the tokens of one of them are not reproduced.
    """
    with noted() as lefts:
        first = await left(False)
    with noted() as rights:
        second = await right(False)
    if alike(_scores(first), _scores(second)):
        return
    evidence = compared(lefts, rights)
    result = [first, second]
    for _ in range(REPEATS):
        result += [await left(True), await right(True)]
    steady = all(alike(_scores(result[n % 2]), _scores(again)) for n, again in enumerate(result))
    if steady:
        seen = say("{one} vs. {other} (both reproduced)", one=shown(first), other=shown(second))
        raise Failure(expected, seen).shown_by(evidence)
    usual = max(
        result, key=lambda one: sum(apart(one, other) <= FAR_APART_NATS for other in result)
    )
    outlier = [one for one in result if apart(usual, one) > FAR_APART_NATS]
    if len(outlier) < MIN_RETURNS:
        raise Inconclusive(say("the log probabilities are not deterministic"))
    seen = say(
        "{odd} instead of {usual}, {times} times in {rounds}",
        odd=shown(outlier[0]),
        usual=shown(usual),
        times=len(outlier),
        rounds=len(result),
    )
    raise Failure(expected, seen).shown_by(evidence)


def apart(usual: Scored, scored: Scored) -> float:
    """Return the difference of the scores of one token after the same tokens; 0 if they agree."""
    for (token, score), (other, rescored) in zip(usual, scored, strict=False):
        if token != other:
            break
        if not alike([score], [rescored]):
            return math.inf if score is None or rescored is None else abs(score - rescored)
    return 0.0


def _scores(scored: Scored) -> Scores:
    return [score for _, score in scored]


def prompt_tokens_in(choice: Choice, prompt: str) -> int:
    """Return how many tokens at the beginning make up the prompt.

    Raises:
        Failure: the prompt is not at the beginning.
        NotApplicable: the tokens contain parts of characters that cannot be joined.
    """
    tokens = tokens_of(choice)
    number = prompt_length(tokens, prompt)
    if number is not None:
        return number
    for skipped in (0, 1):
        joined, known = join_tokens(tokens[skipped:])
        if not known and prompt.startswith(solid(joined).removeprefix(" ")):
            raise NotApplicable(
                say("partial characters are written as U+FFFD and cannot be joined")
            )
    raise Missing(
        Feature.SCORES_OF_PROMPT,
        say("the tokens of the prompt {prompt} first", prompt=repr(prompt)),
        shown(tokens),
    )


def prompt_length(tokens: list[str], prompt: str) -> int | None:
    """Count the tokens at the beginning that join to the prompt; None if none do.

    A start token before it, or the space that some tokenizers put there, is not part of the text
    and is allowed.
    """
    raw = prompt.encode("utf-8", errors="surrogatepass")
    # One pass over the tokens: bytes decode to a text without U+FFFD only if they are its bytes.
    ends = [
        end for skipped in (0, 1) if (end := _length_in_bytes(tokens, raw, skipped)) is not None
    ]
    return min(ends, default=None)


def _length_in_bytes(tokens: list[str], prompt: bytes, skipped: int) -> int | None:
    """Return how many tokens, after ``skipped`` ones, join to the prompt or to it and a space."""
    joined = bytearray()
    for number, token in enumerate(["", *tokens]):
        if number > skipped:
            fragment = token_bytes(token)
            if fragment is None or len(joined) > len(prompt) + 1:
                return None
            joined += fragment
        if joined in (prompt, b" " + prompt):
            return number
    return None


def assert_alternatives_count(positions: Sequence[Position], wanted: int) -> None:
    """Assert that as many alternatives are listed as were requested.

    Parts of characters that are all written as U+FFFD, or as empty tokens, share one entry, and now
    and then two other tokens do. If most positions list too few without such an entry, the reason
    is another one.
    """
    if not positions:
        raise NotApplicable(say("the response has no tokens"))
    sizes = [len(position.top or ()) for position in positions]
    expect(max(sizes), say("most alternatives at a position")).at_most(wanted + 1)
    enough = [size >= wanted or shares(p) for size, p in zip(sizes, positions, strict=True)]
    if 2 * sum(enough) < len(sizes):
        effect = Effect.IGNORED if max(sizes) <= 1 < wanted else Effect.ALTERED
        raise Failure(
            say("{count} alternatives at a position", count=wanted), shown(sizes), effect=effect
        )


def shares(position: Position) -> bool:
    """Return whether an entry can stand for several tokens that are parts of characters."""
    return any(not token or REPLACEMENT in token for token in position.top or ())
