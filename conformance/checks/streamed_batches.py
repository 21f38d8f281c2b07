"""Streams of several choices in several scripts: where a fault hides that a simple stream lacks.

One batch is asked for plainly and as a stream, with log probabilities and a bill, with stop
sequences and with its prompts echoed; what comes of each choice is held against the plain answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._asking import choices_of, hold_echoed, plain, streamed
from conformance.checks._characters import has_broken_character, is_whole, solid
from conformance.checks._compare import expect_agreement
from conformance.checks._needles import NEVER, before, material, middle_of
from conformance.checks._prompts import COUNTING, EMOJI
from conformance.checks._scores import Scored, expect_scored_alike, scored_tokens
from conformance.completion import Choice, Completion
from conformance.judgement import Deviation, NotApplicable, Thing, expect, shown

SCRIPTS = [COUNTING, EMOJI]
"""The batch: its second prompt is the one whose characters are easily broken."""

Asked = Mapping[str, Any]

SCORED: Asked = {"logprobs": 1}
BILLED: Asked = {"logprobs": 1, "stream_options": {"include_usage": True}}
ECHOED: Asked = {"max_tokens": 4, "logprobs": 1, "echo": True}
ECHOED_AND_BILLED: Asked = {**ECHOED, "stream_options": {"include_usage": True}}

Answer = Callable[..., Awaitable[Completion]]
"""Asks for the batch, in one piece or as a stream."""


@check(
    "streaming.text-scripts",
    requirement="streaming.text-equals-plain",
    tier="deep",
    needs=("stream", "logprobs"),
)
async def every_choice_of_scripts_is_the_plain_one(api: Api) -> None:
    """In a batch of scripts each choice's stream joins to the text of the plain answer.

    在含多种文字的批次中，每个 choice 的流拼接后等于非流式回答的文本。
    """

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
    """In a batch of scripts no chunk of any choice holds half a character.

    在含多种文字的批次中，任何 choice 的数据块都没有半个字符。
    """
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
    """In a batch of scripts the streamed tokens of each choice are those of the plain answer.

    在含多种文字的批次中，每个 choice 的流式词元与非流式回答一致。
    """
    await hold_tokens_as_plain(api, SCORED, BILLED)


@check(
    "logprobs-arrays.stream-scores-scripts",
    requirement="streaming.logprobs-as-plain",
    tier="deep",
    needs=("stream", "logprobs"),
)
async def every_choices_scores_are_the_plain_ones(api: Api) -> None:
    """In a batch of scripts each choice's streamed scores are those of the plain answer.

    在含多种文字的批次中，每个 choice 的流式得分与非流式回答一致。
    """
    await hold_scores_as_plain(api, SCORED, BILLED)


@check(
    "echo-logprobs.streamed-tokens",
    requirement="streaming.logprobs-as-plain",
    tier="deep",
    needs=("stream", "logprobs", "echo"),
)
async def echoed_tokens_are_streamed(api: Api) -> None:
    """Streamed with `echo` the tokens of each prompt and its completion are the plain ones.

    流式并带 `echo` 时，每个 prompt 及其补全的词元与非流式的一致。
    """
    await hold_tokens_as_plain(api, ECHOED, ECHOED_AND_BILLED)


@check(
    "echo-logprobs.streamed-scores",
    requirement="streaming.logprobs-as-plain",
    tier="deep",
    needs=("stream", "logprobs", "echo"),
)
async def echoed_scores_are_streamed(api: Api) -> None:
    """Streamed with `echo` the scores of each prompt and its completion are the plain ones.

    流式并带 `echo` 时，每个 prompt 及其补全的得分与非流式的一致。
    """
    await hold_scores_as_plain(api, ECHOED, ECHOED_AND_BILLED)


@check(
    "echo.scripts-streamed-once",
    requirement="streaming.echo-once",
    tier="deep",
    needs=("stream", "logprobs", "echo"),
)
async def each_script_is_echoed_once(api: Api) -> None:
    """In a streamed batch of scripts with `echo` each choice has its own prompt, once.

    在含多种文字、带 `echo` 的流式批次中，每个 choice 的 prompt 都只出现一次。
    """
    sent = two_of(await streamed_scripts(api, **ECHOED_AND_BILLED))
    whole = two_of(await of_scripts(api, **ECHOED))
    for prompt, streamed_one, plain_one in zip(SCRIPTS, sent, whole, strict=True):
        hold_echoed(streamed_one.text, prompt)
        expect(streamed_one.text.count(prompt), "number of times that the prompt comes").at_most(
            max(1, plain_one.text.count(prompt))
        )


@check(
    "streaming.text-echoed",
    requirement="streaming.text-equals-plain",
    tier="deep",
    needs=("stream", "logprobs", "echo"),
)
async def every_echoed_choice_is_the_plain_one(api: Api) -> None:
    """Behind each echoed prompt the stream joins to the text of the plain answer.

    在每个回显的 prompt 之后，流拼接后等于非流式回答的文本。
    """

    async def behind(answer: Answer, asked: Asked, fresh: bool) -> list[str]:
        texts = texts_of(await answer(api, fresh=fresh, **asked))
        for text, prompt in zip(texts, SCRIPTS, strict=True):
            if text.count(prompt) != 1 or not text.startswith(prompt):
                raise NotApplicable("the prompt is not echoed once, which is judged by itself")
        return [text[len(prompt) :] for text, prompt in zip(texts, SCRIPTS, strict=True)]

    await expect_agreement(
        partial(behind, of_scripts, ECHOED),
        partial(behind, streamed_scripts, ECHOED_AND_BILLED),
        "the same text behind the prompt",
    )


@check(
    "stop.streamed-first-of-batch",
    requirement="streaming.stop-never-leaks",
    tier="deep",
    needs=("stream", "stop"),
)
async def the_first_choice_stops_in_a_stream(api: Api) -> None:
    """A sequence that ends the first choice of a streamed batch does not show in it.

    结束流式批次中第一个 choice 的停止序列，不出现在该 choice 中。
    """
    await hold_one_stopped(api, stopped=0)


@check(
    "stop.streamed-second-of-batch",
    requirement="streaming.stop-never-leaks",
    tier="deep",
    needs=("stream", "stop"),
)
async def the_second_choice_stops_in_a_stream(api: Api) -> None:
    """A sequence that ends the second choice of a streamed batch does not show in it.

    结束流式批次中第二个 choice 的停止序列，不出现在该 choice 中。
    """
    await hold_one_stopped(api, stopped=1)


@check(
    "stop.held-text-of-first",
    requirement="streaming.held-text-released",
    tier="deep",
    needs=("stream", "stop"),
)
async def the_first_choices_held_text_comes(api: Api) -> None:
    """Text of the first choice that might have begun a stop sequence is sent in the end.

    第一个 choice 中可能是停止序列开头的文本，最终会发出。
    """
    await hold_other_whole(api, stopped=1)


@check(
    "stop.held-text-of-second",
    requirement="streaming.held-text-released",
    tier="deep",
    needs=("stream", "stop"),
)
async def the_second_choices_held_text_comes(api: Api) -> None:
    """Text of the second choice that might have begun a stop sequence is sent in the end.

    第二个 choice 中可能是停止序列开头的文本，最终会发出。
    """
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


def written(answer: Completion) -> Scored:
    """Return the tokens of all choices with their scores, but for a start token.

    That one is listed or not, and stands nowhere in the text; the first token that does has a score
    only where it follows another.
    """
    told: list[tuple[str, float | None]] = []
    for choice in two_of(answer):
        tokens = scored_tokens([choice])
        is_start = bool(tokens) and is_whole(tokens[0][0])
        skipped = int(is_start and not choice.text.startswith(tokens[0][0]))
        told += [(token, None) for token, _ in tokens[skipped : skipped + 1]]
        told += tokens[skipped + 1 :]
    return told


async def hold_tokens_as_plain(api: Api, plainly: Asked, as_stream: Asked) -> None:
    """Hold that each choice has the same tokens, streamed and plain."""

    async def of(answer: Answer, asked: Asked, fresh: bool) -> list[str]:
        return [token for token, _ in written(await answer(api, fresh=fresh, **asked))]

    await expect_agreement(
        partial(of, of_scripts, plainly),
        partial(of, streamed_scripts, as_stream),
        "each choice's tokens in the stream to be the plain ones",
    )


async def hold_scores_as_plain(api: Api, plainly: Asked, as_stream: Asked) -> None:
    """Hold that each choice has the same scores, streamed and plain."""

    async def of(answer: Answer, asked: Asked, fresh: bool) -> Scored:
        return written(await answer(api, fresh=fresh, **asked))

    await expect_scored_alike(
        partial(of, of_scripts, plainly),
        partial(of, streamed_scripts, as_stream),
        "each choice's scores in the stream to be the plain ones",
    )


async def stopping(api: Api, stopped: int) -> Asked:
    """Ask for one choice to stop in its middle, while the end of the other almost matches, too.

    The first is stopped behind its echoed prompt. A prompt may hold the sequence that stops the
    second, so that nothing is echoed there.

    Raises:
        NotApplicable: a choice is too short for that, or repeats its prompt.
    """
    texts = texts_of(await of_scripts(api, **SCORED))
    # Where a token is a byte sixteen of them are but a few characters.
    size = 4 if len(texts[stopped]) >= 12 else 1
    needle = middle_of(texts[stopped], size)
    if stopped == 0 and any(needle in prompt for prompt in SCRIPTS):
        raise NotApplicable(f"a prompt holds {needle!r} itself")
    almost = material(texts[1 - stopped], 3)[-2:] + NEVER
    return {"stop": [needle, almost], **({"echo": True} if stopped == 0 else {})}


async def hold_one_stopped(api: Api, *, stopped: int) -> None:
    """Hold that a choice in a stream ends just before the sequence that is cut from its middle."""
    asked = await stopping(api, stopped)
    await hold_stopped_as_plain(api, stopped, asked)


async def hold_other_whole(api: Api, *, stopped: int) -> None:
    """Hold that the choice which no sequence ends comes whole."""
    asked = await stopping(api, stopped)
    await hold_stopped_as_plain(api, 1 - stopped, asked)


async def hold_stopped_as_plain(api: Api, number: int, asked: Asked) -> None:
    """Hold that a choice in a stream with ``stop`` is its plain text, cut at the first match."""
    needle = asked["stop"][0]
    echoed = SCRIPTS[number] if asked.get("echo") else ""

    async def cut(fresh: bool) -> str:
        return before(texts_of(await of_scripts(api, fresh=fresh, **SCORED))[number], needle)

    async def in_pieces(fresh: bool) -> str:
        text = texts_of(await streamed_scripts(api, fresh=fresh, **asked))[number]
        return text.removeprefix(echoed)

    await expect_agreement(cut, in_pieces, f"the choice's text, up to {needle!r} if that occurs")
