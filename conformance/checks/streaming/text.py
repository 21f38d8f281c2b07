"""A stream as a whole: texts, endings and indexes of its choices, and arrival times."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.ab_compare import expect_agreement
from conformance.checks._shared.characters import has_broken_character, solid
from conformance.checks._shared.event_loop_lag import event_loop_lag
from conformance.checks._shared.prompts import CHINESE, COLOURS, COUNTING, EMOJI
from conformance.checks._shared.requests import (
    LONGER_REQUEST,
    MAX_TOKENS,
    ONE_TOKEN_REQUEST,
    choices_in_chunk,
    choices_of,
    collect_stream,
    emoji,
    greedy,
    non_streaming,
    shared,
    streamed,
    two_prompts,
)
from conformance.checks._shared.sampling import sampled
from conformance.evidence import Evidence
from conformance.judgement import Failure, Feature, Inconclusive, NotApplicable, expect, shown
from conformance.message import say
from conformance.protocol.completion import Completion, JsonObject


@check(
    "streaming.text-ascii",
    requirement="streaming.text-equals-plain",
    tier="smoke",
    sees_effect=True,
)
async def streamed_text_joins_to_the_non_streaming_text(api: Api) -> None:
    """The chunks of a greedy stream join to the text of the non-streaming response.

    贪心流的各片段拼接后等于非流式响应的文本。
    """
    await assert_non_streaming_text(api, COUNTING)


@check(
    "streaming.text-words",
    requirement="streaming.text-equals-plain",
    tier="deep",
    sees_effect=True,
)
async def joined_words_keep_their_spaces(api: Api) -> None:
    """Streamed words keep the spaces between them and before the first.

    流式发送的单词保留彼此之间及第一个之前的空格。
    """
    await assert_non_streaming_text(api, COLOURS)


@check(
    "streaming.text-chinese",
    requirement="streaming.text-equals-plain",
    tier="deep",
    sees_effect=True,
)
async def streamed_chinese_joins_to_the_non_streaming_text(api: Api) -> None:
    """After a Chinese prompt, a stream joins to the text of the non-streaming response.

    在中文 prompt 之后，流拼接后等于非流式响应的文本。
    """
    await assert_non_streaming_text(api, CHINESE)


@check("streaming.text-emoji", requirement="streaming.text-equals-plain", sees_effect=True)
async def streamed_emoji_join_to_the_non_streaming_text(api: Api) -> None:
    """After a prompt of emoji, a stream joins to the text of the non-streaming response.

    在表情符号 prompt 之后，流拼接后等于非流式响应的文本。
    """
    await assert_non_streaming_text(api, EMOJI, partial(emoji, api))


@check(
    "streaming.text-batch", requirement="streaming.text-equals-plain", tier="deep", sees_effect=True
)
async def a_streamed_batch_joins_to_the_non_streaming_batch(api: Api) -> None:
    """Every choice of a streamed batch joins to the text of the same non-streaming choice.

    流式批次的每个 choice 拼接后，等于同一 choice 非流式响应的文本。
    """
    await assert_non_streaming_text(api, two_prompts(api))


@check("streaming.characters-chinese", requirement="streaming.whole-characters", tier="deep")
async def chinese_characters_stay_whole(api: Api) -> None:
    """No chunk of a Chinese response splits a character that is whole without streaming.

    非流式的中文响应没有残缺字符时，流的数据块中也没有半个字符。
    """
    await assert_characters_whole(api, CHINESE, await shared(api, CHINESE))


@check("streaming.characters-emoji", requirement="streaming.whole-characters")
async def emoji_stay_whole(api: Api) -> None:
    """No chunk of a response in emoji splits a character that is whole without streaming.

    非流式的表情符号响应没有残缺字符时，流的数据块中也没有半个字符。
    """
    await assert_characters_whole(api, EMOJI, await emoji(api))


@check("streaming.one-finish", requirement="streaming.one-finish-per-choice", tier="smoke")
async def the_choice_ends_once(api: Api) -> None:
    """A streamed choice has exactly one finish_reason and no text after it.

    流式 choice 恰有一个 finish_reason，其后没有文本。
    """
    assert_one_finish((await streamed(api)).chunks, range(1))


@check("streaming.one-finish-batch", requirement="streaming.one-finish-per-choice", tier="deep")
async def every_choice_of_a_batch_ends_once(api: Api) -> None:
    """Every choice of a streamed batch has its own finish_reason and no text after it.

    流式批次的每个 choice 都有自己的 finish_reason，其后没有文本。
    """
    assert_one_finish((await streamed(api, two_prompts(api))).chunks, range(2))


@check(
    "streaming.index-of-copies", requirement="index.each-once", tier="deep", needs=("n", "stream")
)
async def choices_are_numbered(api: Api) -> None:
    """With `n: 3`, the chunks have index 0, 1 or 2, and none is missing.

    设置 `n: 3` 时，数据块的 index 为 0、1 或 2，一个不缺。
    """
    chunks = (await three_streamed_choices(api)).chunks
    indexes = {shown(part.get("index")) for chunk in chunks for part in choices_in_chunk(chunk)}
    expect(sorted(indexes), say("the list of indexes in the chunks")).equals(["0", "1", "2"])


@check(
    "streaming.one-finish-copies",
    requirement="streaming.one-finish-per-choice",
    tier="deep",
    needs=("n", "stream"),
)
async def every_choice_ends_once(api: Api) -> None:
    """With `n: 3`, every choice of a stream has its own finish_reason and no text after it.

    设置 `n: 3` 时，流的每个 choice 都有自己的 finish_reason，其后没有文本。
    """
    assert_one_finish((await three_streamed_choices(api)).chunks, range(3))


async def three_streamed_choices(api: Api) -> Completion:
    """Request three samples as a stream."""
    completion = collect_stream(await api.stream(**sampled(n=3)))
    choices_of(completion, 3, Feature.N_CHOICES)
    return completion


@check(
    "streaming.index-of-prompts", requirement="index.prompt-major", tier="deep", needs=("stream",)
)
async def prompts_are_numbered(api: Api) -> None:
    """The chunks of a streamed batch have the number of their prompt as index.

    流式批次的数据块带有其所响应的 prompt 的编号。
    """
    prompts = two_prompts(api)
    completion = await streamed(api, prompts)
    parts = [part for chunk in completion.chunks for part in choices_in_chunk(chunk)]
    if sum(bool(part.get("text")) for part in parts) <= MAX_TOKENS:
        # That is the text of one choice: the other is missing, whatever the index of the first is.
        choices_of(completion, len(prompts), Feature.BATCH)
    indexes = {shown(part.get("index")) for part in parts}
    expect(sorted(indexes), say("the list of indexes in the chunks")).equals(["0", "1"])


MIN_SPAN_SECONDS = 0.005
"""Seconds over which text must arrive so that it is no burst."""

TRIES = 3
"""How often a burst has to repeat before it counts."""

MIN_GENERATION_SECONDS = 0.05
"""Minimum seconds of generation: below that, buffers on the way may hide a real stream."""

TOO_QUICK = say("the generation is too quick to tell a burst from an honest stream")


@check("streaming.incremental", requirement="streaming.incremental", sees_effect=True)
async def text_arrives_while_it_is_generated(api: Api) -> None:
    """The text of a stream arrives while it is generated, not in one burst.

    流的文本随生成过程陆续到达，而不是一次性到达。
    """
    span = await arrival_span(api, greedy(), fresh=False)
    if span >= max(MIN_SPAN_SECONDS, await generation_time(api, greedy(), fresh=False) / 5):
        return
    # Responses of other checks already show whether a longer text would take long enough.
    longest = (await api.complete(**LONGER_REQUEST)).expect_ok().exchange.attempts[-1].elapsed
    if longest < MIN_GENERATION_SECONDS:
        raise NotApplicable(TOO_QUICK)
    # A burst counts only if it repeats with a longer text: a lost packet causes one, too.
    async with event_loop_lag() as late:
        spans = [await arrival_span(api, LONGER_REQUEST, fresh=True) for _ in range(TRIES)]
        durations = [await generation_time(api, LONGER_REQUEST, fresh=True) for _ in range(TRIES)]
    if max(spans) >= min(durations) / 10:
        return
    if min(durations) < MIN_GENERATION_SECONDS:
        raise NotApplicable(TOO_QUICK)
    if late.worst >= min(durations) / 4:
        raise Inconclusive(
            say(
                "all of the text came within {span} s, but this machine was too busy to"
                " read it in time: {late} s late at worst",
                span=f"{max(spans):.3f}",
                late=f"{late.worst:.2f}",
            )
        )
    raise Failure(
        say(
            "text that arrives over the {seconds} s that its generation takes",
            seconds=f"{min(durations):.2f}",
        ),
        say(
            "all of it within {seconds} s, {times} times", seconds=f"{max(spans):.3f}", times=TRIES
        ),
    ).only_by_suite()


async def arrival_span(api: Api, body: Mapping[str, Any], *, fresh: bool) -> float:
    """Return the seconds between the first and the last chunk with text."""
    response = await api.stream(fresh=fresh, **body)
    collect_stream(response)
    times = [event.at for event in response.events if carries_text(event.data)]
    return times[-1] - times[0] if times else 0.0


async def generation_time(api: Api, body: Mapping[str, Any], *, fresh: bool) -> float:
    """Estimate the seconds of generation of a non-streaming response, without latency and queue."""
    few = (await api.complete(fresh=fresh, **ONE_TOKEN_REQUEST)).expect_ok()
    many = (await api.complete(fresh=fresh, **body)).expect_ok()
    return many.exchange.attempts[-1].elapsed - few.exchange.attempts[-1].elapsed


def carries_text(data: str) -> bool:
    """Return whether an event's data is a chunk with text in it."""
    try:
        chunk = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(chunk, dict) and any(part.get("text") for part in choices_in_chunk(chunk))


async def assert_non_streaming_text(
    api: Api, prompt: Any, whole: Callable[..., Awaitable[Completion]] | None = None
) -> None:
    """Assert that a stream has the non-streaming texts, as far as those are whole characters.

    ``whole`` requests the non-streaming response, if it is not the shared one.
    """
    ask = partial(non_streaming, api, prompt) if whole is None else whole
    pairs = zip((await ask()).texts, (await streamed(api, prompt)).texts, strict=False)
    if any(has_broken_character(sent) > has_broken_character(text) for text, sent in pairs):
        raise NotApplicable(say("the stream has broken characters (covered by another check)"))

    async def unstreamed(fresh: bool) -> list[str]:
        return [solid(text) for text in (await ask(fresh=fresh)).texts]

    async def in_pieces(fresh: bool) -> list[str]:
        return [solid(text) for text in (await streamed(api, prompt, fresh=fresh)).texts]

    await expect_agreement(
        unstreamed, in_pieces, say("the same text in the stream as in the non-streaming response")
    )


async def assert_characters_whole(api: Api, prompt: str, whole: Completion) -> None:
    """Assert that a stream breaks no character that is whole without streaming."""
    if has_broken_character(whole.text):
        raise NotApplicable(say("the model itself generates partial characters here"))
    stream = await streamed(api, prompt)
    fragments = [
        str(part.get("text", "")) for chunk in stream.chunks for part in choices_in_chunk(chunk)
    ]
    if has_broken_character("".join(fragments)):
        failure = Failure(say("whole characters in every chunk"), shown(fragments))
        raise failure.shown_by(Evidence((stream.exchange,), (whole.exchange,)))


def assert_one_finish(chunks: Sequence[JsonObject], indexes: Iterable[int]) -> None:
    """Assert that each choice has one finish_reason and no text after it."""
    for index in indexes:
        parts = [p for chunk in chunks for p in choices_in_chunk(chunk) if p.get("index") == index]
        ends = [i for i, part in enumerate(parts) if part.get("finish_reason") is not None]
        expect(len(ends), say("number of finish_reasons of choice {index}", index=index)).equals(1)
        late = "".join(str(part.get("text") or "") for part in parts[ends[0] + 1 :])
        expect(late, say("text of choice {index} after its finish_reason", index=index)).is_empty()
