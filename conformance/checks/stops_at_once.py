"""``stop`` in a batch with several choices and an echo, plain and streamed: all at once.

A server that looks for sequences in its own way may do so for streams, second choices or echoes
alone. Each request here carries what several such ways would take for a match.
"""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._all_at_once import hold_each
from conformance.checks._asking import greedy, plain
from conformance.checks._needles import before, decoys, long_and_late, material
from conformance.checks._prompts import CHINESE, COLOURS, COUNTING
from conformance.checks._refusals import served_or_declined
from conformance.checks.stop import OF_THE_PROMPT
from conformance.judgement import NotApplicable

EVERYTHING: dict[str, Any] = {"tier": "deep", "needs": ("n", "echo")}
STREAMED: dict[str, Any] = {"tier": "deep", "needs": ("n", "echo", "stream")}


async def free(api: Api, prompt: str, fresh: bool = False) -> str:
    """Return what a single plain answer without ``stop`` says."""
    return (await plain(api, prompt, fresh=fresh)).text


# ── What is looked for ───────────────────────────────────────────────────────────────────────────


@check("all-at-once.stop-exact", requirement="stop.earliest-match", **EVERYTHING)
async def each_choice_ends_at_the_earliest_of_its_sequences(api: Api) -> None:
    """Each choice of a batch ends just before the earliest match, wherever that stands in the list.

    批次中的每个 choice 恰在最早匹配之前结束，与其在列表中的位置无关。
    """
    await hold_exact(api, stream=False)


@check("all-at-once.stop-exact-streamed", requirement="stop.earliest-match", **STREAMED)
async def each_streamed_choice_ends_at_the_earliest_of_its_sequences(api: Api) -> None:
    """Each streamed choice of a batch ends just before the earliest match of four sequences.

    流式批次中的每个 choice 恰在四个停止序列的最早匹配之前结束。
    """
    await hold_exact(api, stream=True)


async def hold_exact(api: Api, *, stream: bool) -> None:
    """Hold the cut where the list has a later match first, and two that only all but match."""
    early, late = long_and_late(await free(api, COUNTING))
    coloured = await free(api, COLOURS)
    case, pattern = decoys(coloured, len(coloured))[:2]
    # The alternative matches nothing; a character beyond ASCII takes other ways on some servers.
    stop = [case, f"{pattern}|七", late, early]
    await hold_cut(api, (COUNTING, COLOURS), stop, stream=stream)


@check("all-at-once.stop-string", requirement="stop.string", **EVERYTHING)
async def a_string_ends_each_choice_that_holds_it(api: Api) -> None:
    """A stop sequence given as a string ends the choices of a batch that hold it, and no other.

    以字符串给出的停止序列只结束批次中含有它的 choice。
    """
    early, _ = long_and_late(await free(api, COUNTING))
    await hold_cut(api, (COUNTING, CHINESE), early, stream=False)


async def hold_cut(
    api: Api, prompts: tuple[str, ...], stop: str | list[str], *, stream: bool
) -> None:
    """Hold that each choice is the answer to its prompt, cut before the earliest match."""
    sequences = [stop] if isinstance(stop, str) else stop

    async def cut(prompt: str, fresh: bool) -> str:
        text = await free(api, prompt, fresh)
        return min((before(text, one) for one in sequences), key=len)

    words = "each choice cut before the earliest match, if it holds one"
    await hold_each(api, prompts, cut, words, stream=stream, stop=stop)


# ── Where it is looked for ───────────────────────────────────────────────────────────────────────


@check("all-at-once.stop-not-in-prompt", requirement="stop.prompt-not-searched", **EVERYTHING)
async def no_prompt_stops_its_choices(api: Api) -> None:
    """A piece of a prompt, or of its border with the answer, ends no choice of a batch.

    prompt 中的片段，或 prompt 与回答交界处的片段，不会结束批次中的任何 choice。
    """
    await hold_at_borders(api, COUNTING, stream=False)


@check(
    "all-at-once.stop-not-in-prompt-streamed", requirement="stop.prompt-not-searched", **STREAMED
)
async def no_prompt_stops_its_streamed_choices(api: Api) -> None:
    """A piece of a prompt, or of its border with the answer, ends no streamed choice of a batch.

    prompt 中的片段，或 prompt 与回答交界处的片段，不会结束流式批次中的任何 choice。
    """
    await hold_at_borders(api, COUNTING, stream=True)


@check("all-at-once.stop-at-start", requirement="stop.earliest-match", **EVERYTHING)
async def a_sequence_at_the_start_leaves_nothing(api: Api) -> None:
    """A choice of a batch whose answer begins with a stop sequence is empty.

    批次中，回答以停止序列开头的 choice 为空。
    """
    await hold_at_borders(api, CHINESE, stream=False)


@check("all-at-once.stop-at-start-streamed", requirement="stop.earliest-match", **STREAMED)
async def a_sequence_at_the_start_of_a_stream_leaves_nothing(api: Api) -> None:
    """A streamed choice of a batch whose answer begins with a stop sequence is empty.

    流式批次中，回答以停止序列开头的 choice 为空。
    """
    await hold_at_borders(api, CHINESE, stream=True)


async def hold_at_borders(api: Api, judged: str, *, stream: bool) -> None:
    """Hold the choices of one prompt where sequences stand in both, and where one answer begins."""
    counted, chinese = await free(api, COUNTING), await free(api, CHINESE)
    border, start = COUNTING[-2:] + material(counted, 2)[:2], material(chinese, 2)[:2]
    stop = [OF_THE_PROMPT, border, start]
    if any(one in counted for one in stop):
        raise NotApplicable(f"the endpoint's own text {counted!r} holds a sequence of these")

    async def cut(prompt: str, fresh: bool) -> str:
        text = await free(api, prompt, fresh)
        return before(text, start) if prompt == CHINESE else text

    words = "each choice cut where its own answer holds a sequence, and nowhere else"
    prompts = (COUNTING, CHINESE)
    await hold_each(api, prompts, cut, words, stream=stream, of=(judged,), stop=stop)


# ── No sequence ──────────────────────────────────────────────────────────────────────────────────


@check("all-at-once.stop-empty", requirement="stop.empty-is-harmless", **EVERYTHING)
async def an_empty_sequence_ends_no_choice(api: Api) -> None:
    """`stop: ""` ends no choice of a batch with `n: 2` and `echo`, where it is served at all.

    若 `stop: ""` 得到处理，则不会结束带 `n: 2` 与 `echo` 的批次中的任何 choice。
    """
    await hold_uncut(api, stream=False)


@check("all-at-once.stop-empty-streamed", requirement="stop.empty-is-harmless", **STREAMED)
async def an_empty_sequence_ends_no_streamed_choice(api: Api) -> None:
    """`stop: ""` ends no streamed choice of a batch with `n: 2`, where it is served at all.

    若 `stop: ""` 得到处理，则不会结束 `n: 2` 的流式批次中的任何 choice。
    """
    await hold_uncut(api, stream=True)


async def hold_uncut(api: Api, *, stream: bool) -> None:
    """Hold that an empty sequence changes nothing, unless it is declined."""
    if served_or_declined(await api.complete(**greedy(COUNTING, stop=""))) is None:
        raise NotApplicable("an empty stop sequence is declined, which is one of two right answers")

    async def whole(prompt: str, fresh: bool) -> str:
        return await free(api, prompt, fresh)

    words = "each choice as without `stop`"
    await hold_each(api, (COUNTING, CHINESE), whole, words, stream=stream, stop="")
