"""Streams of several choices in several scripts: where a fault hides that a simple stream lacks.

One batch is asked for plainly and as a stream, with log probabilities and a bill, with stop
sequences and with its prompts echoed; what comes of each choice is held against the plain answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._asking import choices_of, hold_echoed, plain, streamed
from conformance.checks._characters import has_broken_character, solid
from conformance.checks._compare import expect_agreement
from conformance.checks._needles import NEVER, before, material, middle_of
from conformance.checks._prompts import COUNTING, EMOJI
from conformance.checks._scores import Scores, expect_alike, scores_of, tokens_of
from conformance.completion import Choice, Completion
from conformance.judgement import Deviation, NotApplicable, Thing, shown

SCRIPTS = [COUNTING, EMOJI]
"""The batch: its second prompt is the one whose characters are easily broken."""

Asked = Mapping[str, Any]

SCORED: Asked = {"logprobs": 1}
BILLED: Asked = {"logprobs": 1, "stream_options": {"include_usage": True}}
ECHOED: Asked = {"max_tokens": 4, "logprobs": 1, "echo": True}

Answer = Callable[..., Awaitable[Completion]]
"""Asks for the batch, in one piece or as a stream."""


@check(
    "streaming.text-scripts",
    requirement="streaming.text-equals-plain",
    tier="deep",
    needs=("stream", "logprobs"),
)
async def every_choice_of_scripts_is_the_plain_one(api: Api) -> None:
    """In a batch of scripts each choice's stream joins to the text of the plain answer."""

    async def plainly(fresh: bool) -> list[str]:
        return texts_of(await of_scripts(api, fresh=fresh, **SCORED))

    async def in_pieces(fresh: bool) -> list[str]:
        return texts_of(await streamed_scripts(api, fresh=fresh, **BILLED))

    await expect_agreement(plainly, in_pieces, "each choice's stream to be its plain text")


@check(
    "streaming.characters-scripts",
    requirement="streaming.whole-characters",
    tier="deep",
    needs=("stream", "logprobs"),
)
async def characters_of_every_choice_stay_whole(api: Api) -> None:
    """In a batch of scripts no chunk of any choice holds half a character."""
    whole = await of_scripts(api, **SCORED)
    sent = await streamed_scripts(api, **BILLED)
    for choice, pieces in zip(two_of(whole), two_of(sent), strict=True):
        if has_broken_character(pieces.text) and not has_broken_character(choice.text):
            raise Deviation("whole characters in every chunk", shown(pieces.text))


@check(
    "logprobs-arrays.stream-tokens-scripts",
    requirement="streaming.logprobs-as-plain",
    tier="deep",
    needs=("stream", "logprobs"),
)
async def every_choices_tokens_are_the_plain_ones(api: Api) -> None:
    """In a batch of scripts the streamed tokens of each choice are those of the plain answer."""
    await hold_tokens_as_plain(api, SCORED, BILLED)


@check(
    "logprobs-arrays.stream-scores-scripts",
    requirement="streaming.logprobs-as-plain",
    tier="deep",
    needs=("stream", "logprobs"),
)
async def every_choices_scores_are_the_plain_ones(api: Api) -> None:
    """In a batch of scripts each choice's streamed scores are those of the plain answer."""
    await hold_scores_as_plain(api, SCORED, BILLED)


@check(
    "echo-logprobs.streamed-tokens",
    requirement="streaming.logprobs-as-plain",
    tier="deep",
    needs=("stream", "logprobs", "echo"),
)
async def echoed_tokens_are_streamed(api: Api) -> None:
    """Streamed with `echo` the tokens of each prompt and its completion are the plain ones."""
    await hold_tokens_as_plain(api, ECHOED, ECHOED)


@check(
    "echo-logprobs.streamed-scores",
    requirement="streaming.logprobs-as-plain",
    tier="deep",
    needs=("stream", "logprobs", "echo"),
)
async def echoed_scores_are_streamed(api: Api) -> None:
    """Streamed with `echo` the scores of each prompt and its completion are the plain ones."""
    await hold_scores_as_plain(api, ECHOED, ECHOED)


@check(
    "echo.scripts-streamed-once",
    requirement="streaming.echo-once",
    tier="deep",
    needs=("stream", "logprobs", "echo"),
)
async def each_script_is_echoed_once(api: Api) -> None:
    """In a streamed batch of scripts with `echo` each choice has its own prompt, once."""
    sent = await streamed_scripts(api, **ECHOED)
    for choice, prompt in zip(two_of(sent), SCRIPTS, strict=True):
        hold_echoed(choice.text, prompt)

    async def plainly(fresh: bool) -> list[str]:
        return texts_of(await of_scripts(api, fresh=fresh, **ECHOED))

    async def in_pieces(fresh: bool) -> list[str]:
        return texts_of(await streamed_scripts(api, fresh=fresh, **ECHOED))

    await expect_agreement(plainly, in_pieces, "each prompt once, then its completion")


@check(
    "stop.streamed-first-of-batch",
    requirement="streaming.stop-never-leaks",
    tier="deep",
    needs=("stream", "stop"),
)
async def the_first_choice_stops_in_a_stream(api: Api) -> None:
    """A sequence that ends the first choice of a streamed batch does not show in it."""
    await hold_one_stopped(api, stopped=0)


@check(
    "stop.streamed-second-of-batch",
    requirement="streaming.stop-never-leaks",
    tier="deep",
    needs=("stream", "stop"),
)
async def the_second_choice_stops_in_a_stream(api: Api) -> None:
    """A sequence that ends the second choice of a streamed batch does not show in it."""
    await hold_one_stopped(api, stopped=1)


@check(
    "stop.held-text-of-first",
    requirement="streaming.held-text-released",
    tier="deep",
    needs=("stream", "stop"),
)
async def the_first_choices_held_text_comes(api: Api) -> None:
    """Text of the first choice that might have begun a stop sequence is sent in the end."""
    await hold_other_whole(api, stopped=1)


@check(
    "stop.held-text-of-second",
    requirement="streaming.held-text-released",
    tier="deep",
    needs=("stream", "stop"),
)
async def the_second_choices_held_text_comes(api: Api) -> None:
    """Text of the second choice that might have begun a stop sequence is sent in the end."""
    await hold_other_whole(api, stopped=0)


async def of_scripts(api: Api, *, fresh: bool = False, **more: Any) -> Completion:
    """Ask for the batch of scripts in one piece."""
    return await plain(api, scripts(api), fresh=fresh, **more)


async def streamed_scripts(api: Api, *, fresh: bool = False, **more: Any) -> Completion:
    """Ask for the batch of scripts as a stream."""
    return await streamed(api, scripts(api), fresh=fresh, **more)


def scripts(api: Api) -> list[str]:
    """Return the batch of scripts.

    Raises:
        NotApplicable: the document does not say that a prompt can be an array of strings.
    """
    if "strings" not in api.contract.parameter("prompt").forms:
        raise NotApplicable("this document does not mention arrays of prompts")
    return SCRIPTS


def two_of(answer: Completion) -> tuple[Choice, ...]:
    """Return the choices of an answer to the batch."""
    return choices_of(answer, len(SCRIPTS), Thing.BATCH)


def texts_of(answer: Completion) -> list[str]:
    """Return each choice's text, as far as it is whole characters."""
    return [solid(choice.text) for choice in two_of(answer)]


async def hold_tokens_as_plain(api: Api, plainly: Asked, as_stream: Asked) -> None:
    """Hold that each choice has the same tokens, streamed and plain."""

    async def of(answer: Answer, asked: Asked, fresh: bool) -> list[Sequence[str]]:
        return [tokens_of(c) for c in two_of(await answer(api, fresh=fresh, **asked))]

    await expect_agreement(
        partial(of, of_scripts, plainly),
        partial(of, streamed_scripts, as_stream),
        "each choice's tokens in the stream to be the plain ones",
    )


async def hold_scores_as_plain(api: Api, plainly: Asked, as_stream: Asked) -> None:
    """Hold that each choice has the same scores, streamed and plain."""

    async def of(answer: Answer, asked: Asked, fresh: bool) -> Scores:
        found = two_of(await answer(api, fresh=fresh, **asked))
        return [score for choice in found for score in scores_of(choice)]

    await expect_alike(
        partial(of, of_scripts, plainly),
        partial(of, streamed_scripts, as_stream),
        "each choice's scores in the stream to be the plain ones",
    )


async def stops_for(api: Api, stopped: int) -> list[str]:
    """Write two stop sequences: one ends a choice, the other almost matches the other's end.

    Raises:
        NotApplicable: a choice is too short for that.
    """
    texts = texts_of(await of_scripts(api, **SCORED))
    # Where a token is a byte sixteen of them are but a few characters.
    size = 3 if len(texts[stopped]) >= 9 else 1
    return [middle_of(texts[stopped], size), material(texts[1 - stopped], 3)[-2:] + NEVER]


async def hold_one_stopped(api: Api, *, stopped: int) -> None:
    """Hold that a choice in a stream ends just before the sequence that is cut from its middle."""
    needle, almost = await stops_for(api, stopped)

    async def cut(fresh: bool) -> str:
        return before(texts_of(await of_scripts(api, fresh=fresh, **SCORED))[stopped], needle)

    async def in_pieces(fresh: bool) -> str:
        sent = await streamed_scripts(api, fresh=fresh, stop=[needle, almost])
        return texts_of(sent)[stopped]

    await expect_agreement(cut, in_pieces, f"the choice's text up to {needle!r}")


async def hold_other_whole(api: Api, *, stopped: int) -> None:
    """Hold that the choice which no sequence ends comes whole."""
    needle, almost = await stops_for(api, stopped)
    other = 1 - stopped

    async def free(fresh: bool) -> str:
        return before(texts_of(await of_scripts(api, fresh=fresh, **SCORED))[other], needle)

    async def in_pieces(fresh: bool) -> str:
        sent = await streamed_scripts(api, fresh=fresh, stop=[needle, almost])
        return texts_of(sent)[other]

    await expect_agreement(free, in_pieces, "the whole text of the choice that did not stop")
