"""``stop`` in a batch with several choices and an echo, streaming or not.

A server may search for sequences by other code in streams, second choices or echoes. Each request
here contains what several such implementations would mistake for a match.
"""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.batched import (
    BATCHED,
    BATCHED_STREAM,
    PROMPTS,
    ask_batched,
    assert_each_as_alone,
    free_text,
    generated_text,
)
from conformance.checks._shared.characters import solid
from conformance.checks._shared.prompts import CHINESE, COLOURS, COUNTING
from conformance.checks._shared.stop_candidates import (
    before,
    decoys,
    long_and_late,
    material,
    middle_of,
    wide_character,
)
from conformance.checks.stop.directed import PIECE_OF_PROMPT
from conformance.judgement import NotApplicable, expect
from conformance.message import say


@check("all-at-once.stop-exact", requirement="stop.earliest-match", **BATCHED)
async def each_choice_ends_at_the_earliest_of_its_sequences(api: Api) -> None:
    """Each choice of a batch ends before the earliest match, in any order of sequences.

    批次中的每个 choice 恰在最早匹配之前结束，与其在列表中的位置无关。
    """
    await assert_exact(api, stream=False)


@check("all-at-once.stop-exact-streamed", requirement="stop.earliest-match", **BATCHED_STREAM)
async def each_streamed_choice_ends_at_the_earliest_of_its_sequences(api: Api) -> None:
    """Each streamed choice of a batch ends before the earliest match of four sequences.

    流式批次中的每个 choice 恰在四个停止序列的最早匹配之前结束。
    """
    await assert_exact(api, stream=True)


async def assert_exact(api: Api, *, stream: bool) -> None:
    """Assert that the earliest match cuts, not a later one or two that almost match."""
    early, late = long_and_late(await free_text(api, COUNTING))
    coloured = await free_text(api, COLOURS)
    case, pattern = decoys(coloured, len(coloured))[:2]
    # The second one matches nothing; some servers treat characters beyond ASCII differently.
    stop = [case, f"{pattern}|七", late, early]
    await assert_cut(api, (COUNTING, COLOURS), stop, stream=stream)


@check("all-at-once.stop-string", requirement="stop.string", **BATCHED)
async def a_string_ends_each_choice_that_holds_it(api: Api) -> None:
    """A stop sequence given as a string ends only the choices of a batch that contain it.

    以字符串给出的停止序列只结束批次中含有它的 choice。
    """
    early, _ = long_and_late(await free_text(api, COUNTING))
    await assert_cut(api, PROMPTS, early, stream=False)


async def assert_cut(
    api: Api, prompts: tuple[str, ...], stop: str | list[str], *, stream: bool
) -> None:
    """Assert that each choice is its prompt's completion, cut before the earliest match."""
    sequences = [stop] if isinstance(stop, str) else stop

    async def cut(prompt: str, fresh: bool) -> str:
        text = await free_text(api, prompt, fresh)
        return min((before(text, one) for one in sequences), key=len)

    words = say("each choice cut before the first of the sequences that it holds")
    await assert_each_as_alone(api, prompts, cut, words, stream=stream, stop=stop)


@check("all-at-once.stop", requirement="stop.earliest-match", **BATCHED)
async def each_choice_is_stopped(api: Api) -> None:
    """In a batch with `n: 2` and `echo`, each choice ends before the first of several sequences.

    在带 `n: 2` 与 `echo` 的批次中，每个 choice 都在多个停止序列中最先出现者之前结束。
    """
    await assert_stopped(api, stream=False)


@check("all-at-once.stop-streamed", requirement="stop.earliest-match", **BATCHED_STREAM)
async def each_streamed_choice_is_stopped(api: Api) -> None:
    """In a streamed batch with `n: 2`, each choice ends before the first of several sequences.

    在 `n: 2` 的流式批次中，每个 choice 都在多个停止序列中最先出现者之前结束。
    """
    await assert_stopped(api, stream=True)


@check("all-at-once.stop-reason", requirement="finish-reason.stop-at-sequence", **BATCHED)
async def each_stopped_choice_says_so(api: Api) -> None:
    """In a batch with `n: 2`, each choice ended by a sequence has finish_reason `stop`.

    在 `n: 2` 的批次中，每个被停止序列结束的 choice 的 finish_reason 都是 `stop`。
    """
    await assert_reasons(api, stream=False)


@check(
    "all-at-once.stop-reason-streamed",
    requirement="finish-reason.stop-at-sequence",
    **BATCHED_STREAM,
)
async def each_stopped_streamed_choice_says_so(api: Api) -> None:
    """In a streamed batch with `n: 2`, each choice ended by a sequence has finish_reason `stop`.

    在 `n: 2` 的流式批次中，每个被停止序列结束的 choice 的 finish_reason 都是 `stop`。
    """
    await assert_reasons(api, stream=True)


async def sequences(api: Api) -> list[str]:
    """Take a sequence from the response to each prompt, and put near misses before them."""
    counted, chinese = await free_text(api, COUNTING), await free_text(api, CHINESE)
    needle = middle_of(counted)
    return [*decoys(counted, counted.find(needle))[-2:], needle, wide_character(chinese)]


async def assert_stopped(api: Api, *, stream: bool) -> None:
    """Assert that each choice is cut where its prompt's completion first contains a sequence."""
    await assert_cut(api, PROMPTS, await sequences(api), stream=stream)


async def assert_reasons(api: Api, *, stream: bool) -> None:
    """Assert that each choice cut at a sequence has finish_reason ``stop``."""
    stop = await sequences(api)
    for prompt, choice in await ask_batched(api, PROMPTS, stream=stream, stop=stop):
        text = await free_text(api, prompt)
        cut = min((before(text, one) for one in stop), key=len)
        if generated_text(prompt, choice) == solid(cut) != solid(text):
            expect(
                choice.finish_reason, say("finish_reason of {choice}", choice=choice.where)
            ).equals("stop")


@check("all-at-once.stop-not-in-prompt", requirement="stop.prompt-not-searched", **BATCHED)
async def no_prompt_stops_its_choices(api: Api) -> None:
    """In a batch, a sequence in or across the end of the prompt does not end a choice.

    prompt 中的片段，或 prompt 与响应交界处的片段，不会结束批次中的任何 choice。
    """
    await assert_at_borders(api, COUNTING, stream=False)


@check(
    "all-at-once.stop-not-in-prompt-streamed",
    requirement="stop.prompt-not-searched",
    **BATCHED_STREAM,
)
async def no_prompt_stops_its_streamed_choices(api: Api) -> None:
    """In a streamed batch, a sequence in or across the end of the prompt ends no choice.

    prompt 中的片段，或 prompt 与响应交界处的片段，不会结束流式批次中的任何 choice。
    """
    await assert_at_borders(api, COUNTING, stream=True)


@check("all-at-once.stop-at-start", requirement="stop.earliest-match", **BATCHED)
async def a_sequence_at_the_start_leaves_nothing(api: Api) -> None:
    """A choice of a batch that begins with a stop sequence is empty.

    批次中，响应以停止序列开头的 choice 为空。
    """
    await assert_at_borders(api, CHINESE, stream=False)


@check("all-at-once.stop-at-start-streamed", requirement="stop.earliest-match", **BATCHED_STREAM)
async def a_sequence_at_the_start_of_a_stream_leaves_nothing(api: Api) -> None:
    """A choice of a streamed batch that begins with a stop sequence is empty.

    流式批次中，响应以停止序列开头的 choice 为空。
    """
    await assert_at_borders(api, CHINESE, stream=True)


async def assert_at_borders(api: Api, judged: str, *, stream: bool) -> None:
    """Assert cuts if sequences occur in prompt and completion, or a completion starts with one."""
    counted, chinese = await free_text(api, COUNTING), await free_text(api, CHINESE)
    border, start = COUNTING[-2:] + material(counted, 2)[:2], material(chinese, 2)[:2]
    stop = [PIECE_OF_PROMPT, border, start]
    if any(one in counted for one in stop):
        raise NotApplicable(
            say(
                "the endpoint's text {counted} contains one of these sequences",
                counted=repr(counted),
            )
        )

    async def cut(prompt: str, fresh: bool) -> str:
        text = await free_text(api, prompt, fresh)
        return before(text, start) if prompt == CHINESE else text

    words = say("each choice cut only where its own completion contains a sequence")
    await assert_each_as_alone(api, PROMPTS, cut, words, stream=stream, of=(judged,), stop=stop)
