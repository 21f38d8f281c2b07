"""``stop``: up to four sequences that end the text before they would appear in it."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.ab_compare import expect_agreement
from conformance.checks._shared.characters import has_broken_character, solid
from conformance.checks._shared.neutral_values import nulls_are_harmless
from conformance.checks._shared.prompts import CHINESE, COLOURS, COUNTING, EMOJI
from conformance.checks._shared.refusals import (
    REJECTED_STATUSES,
    served_or_rejected,
)
from conformance.checks._shared.requests import assert_echoed, emoji, non_streaming, two_prompts
from conformance.checks._shared.stop_candidates import (
    CHARS_BEFORE_MATCH,
    MIN_MULTI_TOKEN_CHARS,
    NEVER_GENERATED,
    UNMATCHED_SEQUENCES,
    across_words,
    before,
    decoys,
    inside_word,
    material,
    middle_of,
    start_of,
    two_in_order,
    wide_character,
)
from conformance.checks.stop.stimuli import (
    assert_cut,
    assert_harmless,
    assert_stopped_text,
    assert_unstopped,
    limit_of,
    middle,
    with_one_too_many,
)
from conformance.judgement import NotApplicable, expect, shown
from conformance.message import say
from conformance.model import Effect

PIECE_OF_PROMPT = COUNTING[:10]
"""A part of the prompt that its continuation does not repeat."""


@check("stop.four-served", requirement="stop.at-most-four", tier="smoke")
async def as_many_sequences_as_documented_are_served(api: Api) -> None:
    """The documented number of stop sequences is accepted.

    文档规定数目的停止序列会被接受。
    """
    stop = [*UNMATCHED_SEQUENCES[: limit_of(api) - 1], await middle(api)]
    await non_streaming(api, stop=stop)


@check("stop.five-refused", requirement="stop.at-most-four", tier="smoke")
async def one_sequence_too_many_is_refused(api: Api) -> None:
    """One more stop sequence than documented is rejected.

    比文档规定的数目多一个停止序列时会被拒绝。
    """
    # Checks of errors judge which parameter the error names.
    _ = (await with_one_too_many(api, limit_of(api), await middle(api))).expect_error(
        *REJECTED_STATUSES
    )


@check("stop.fifth-not-dropped", requirement="stop.none-silently-dropped", tier="smoke")
async def one_sequence_too_many_is_not_dropped(api: Api) -> None:
    """If five stop sequences are accepted, the last one works as well.

    若接受五个停止序列，则最后一个同样有效。
    """
    needle = await middle(api)
    completion = served_or_rejected(await with_one_too_many(api, len(UNMATCHED_SEQUENCES), needle))
    if completion is not None:
        expect(completion.text, say("text"), effect=Effect.IGNORED).lacks(needle)


@check(
    "stop.ends-before-match", requirement="stop.excluded-from-text", tier="smoke", sees_effect=True
)
async def the_text_lacks_the_stop_sequence(api: Api) -> None:
    """A part of the response that is sent as `stop` does not appear in the text.

    取接口自己响应中的一段作为 `stop` 发回，该段不再出现在文本中。
    """
    needle = await middle(api)
    expect((await non_streaming(api, stop=needle)).text, say("text"), effect=Effect.IGNORED).lacks(
        needle
    )


@check("stop.string", requirement="stop.string", tier="smoke", sees_effect=True)
async def a_string_ends_the_text(api: Api) -> None:
    """A stop sequence given as a string cuts the text just before it.

    以字符串给出的停止序列，恰在其之前截断文本。
    """
    await assert_cut(api, COUNTING, middle_of)


@check("stop.earliest", requirement="stop.earliest-match", sees_effect=True)
async def the_earliest_match_ends_the_text(api: Api) -> None:
    """If two sequences occur, the text ends before the first occurrence.

    两个停止序列都会出现时，文本在先出现者之前结束。

    Sequences beside them that match only in another case, or as a pattern, end nothing.
    """
    text = (await non_streaming(api, COLOURS)).text
    early, late = two_in_order(text, start=CHARS_BEFORE_MATCH)
    others = decoys(text, text.find(early))[:2]
    await assert_stopped_text(api, COLOURS, [*others, late, early], early)


@check("stop.earliest-in-any-order", requirement="stop.earliest-match", sees_effect=True)
async def the_order_of_sequences_is_irrelevant(api: Api) -> None:
    """The text ends before the earliest match, also if that sequence is listed first.

    列表中的第一个停止序列先出现时，文本同样在其之前结束。

    Sequences beside them of which only the beginning, or the inside, matches end nothing.
    """
    text = (await non_streaming(api)).text
    early, late = two_in_order(text, start=CHARS_BEFORE_MATCH)
    begin = text.find(early)
    long = text[begin : text.find(late)][:MIN_MULTI_TOKEN_CHARS]
    beginning, padded = decoys(text, begin)[-2:]
    stop = [beginning, long, padded, late]
    await assert_stopped_text(api, COUNTING, stop, long, listing_tokens=True)


@check("stop.fourth-works", requirement="stop.each-of-array", tier="smoke", sees_effect=True)
async def the_last_of_four_ends_the_text(api: Api) -> None:
    """The fourth of four stop sequences ends the text like a single one.

    四个停止序列中的第四个，与单独使用时一样结束文本。
    """
    needle = await middle(api)
    await assert_stopped_text(api, COUNTING, [*UNMATCHED_SEQUENCES[:3], needle], needle)


@check("stop.inside-word", requirement="stop.across-token-borders", tier="deep", sees_effect=True)
async def letters_inside_a_word_end_the_text(api: Api) -> None:
    """A sequence from inside a word cuts the text in the middle of that word.

    取自单词内部的两个字母，使文本在该单词中间截断。
    """
    await assert_cut(api, COLOURS, inside_word)


@check("stop.across-words", requirement="stop.across-token-borders", tier="deep", sees_effect=True)
async def a_piece_of_two_words_ends_the_text(api: Api) -> None:
    """A sequence from inside one word to inside the next cuts the text before it.

    从一个单词中间到下一个单词中间的片段，使文本在其之前截断。
    """
    await assert_cut(api, COLOURS, across_words)


@check("stop.chinese", requirement="stop.across-token-borders", tier="deep", sees_effect=True)
async def a_chinese_character_ends_the_text(api: Api) -> None:
    """A character of three bytes cuts the text like a letter.

    三字节的字符像字母一样截断文本。
    """
    await assert_cut(api, CHINESE, wide_character)


@check("stop.emoji", requirement="stop.across-token-borders", tier="deep", sees_effect=True)
async def an_emoji_ends_the_text(api: Api) -> None:
    """A character of four bytes cuts the text like a letter.

    四字节的字符像字母一样截断文本。
    """
    await assert_cut(api, EMOJI, wide_character)


@check("stop.at-the-start", requirement="stop.string", tier="deep", sees_effect=True)
async def the_first_characters_end_the_text(api: Api) -> None:
    """A stop sequence at the start of the response gives an empty text.

    响应一开始就遇到停止序列时，文本为空。
    """
    await assert_cut(api, COUNTING, lambda text: material(text)[:2])


@check(
    "stop.not-in-echo",
    requirement="stop.prompt-not-searched",
    needs=("echo",),
    tier="deep",
    sees_effect=True,
)
async def the_echoed_prompt_stops_nothing(api: Api) -> None:
    """With `echo`, a sequence stops the completion, not the echoed prompt.

    使用 `echo` 时，停止序列在响应中出现处生效，而不在回显的 prompt 中生效。
    """
    free = (await non_streaming(api)).text
    needle = middle_of(free)
    if PIECE_OF_PROMPT in free:
        raise NotApplicable(say("the response also contains {part}", part=repr(PIECE_OF_PROMPT)))

    async def stopped(fresh: bool) -> str:
        return (
            await non_streaming(api, fresh=fresh, stop=[PIECE_OF_PROMPT, needle], echo=True)
        ).text

    async def cut(fresh: bool) -> str:
        return COUNTING + before((await non_streaming(api, fresh=fresh)).text, needle)

    text = await stopped(False)
    # Without the whole prompt it is unclear what stopped; other checks judge the echo.
    if not PIECE_OF_PROMPT.startswith(text):
        assert_echoed(text, COUNTING)
    await expect_agreement(
        stopped, cut, say("the prompt, then the completion up to {needle}", needle=repr(needle))
    )


@check("stop.batch", requirement="stop.string", tier="deep", sees_effect=True)
async def each_prompt_of_a_batch_is_stopped_by_itself(api: Api) -> None:
    """In a batch, a stop sequence ends only the choices that contain it.

    批次中的停止序列只结束含有它的响应，不影响其他响应。
    """
    prompts = two_prompts(api)
    *others, last = (await non_streaming(api, prompts)).texts
    needle = start_of(last)
    if any(needle in other for other in others):
        raise NotApplicable(say("both responses contain {needle}", needle=repr(needle)))

    async def stopped(fresh: bool) -> tuple[str, ...]:
        response = await non_streaming(api, prompts, fresh=fresh, stop=needle)
        return tuple(solid(text) for text in response.texts)

    async def cut(fresh: bool) -> tuple[str, ...]:
        response = await non_streaming(api, prompts, fresh=fresh)
        return tuple(solid(before(text, needle)) for text in response.texts)

    await expect_agreement(
        stopped, cut, say("only the last text cut, before {needle}", needle=repr(needle))
    )


@check("stop.streamed", requirement="streaming.stop-never-leaks", tier="deep", sees_effect=True)
async def a_stream_ends_before_the_sequence(api: Api) -> None:
    """A stream ends before a sequence of two words and sends no character of it.

    流在由两个单词组成的停止序列之前结束，不发出其中任何字符。
    """
    needle = across_words((await non_streaming(api, COLOURS)).text)
    await assert_stopped_text(api, COLOURS, needle, needle, as_stream=True)


@check("stop.held-text-released", requirement="streaming.held-text-released")
async def an_almost_match_is_sent_after_all(api: Api) -> None:
    """Text that only resembles the start of a stop sequence is streamed in full.

    看似停止序列开头、其实不是的文本，会在流中完整发出。
    """
    text = material((await non_streaming(api)).text)
    await assert_unstopped(
        api, [text[-3:] + NEVER_GENERATED, middle_of(text) + NEVER_GENERATED], as_stream=True
    )


@check("stop.held-characters-released", requirement="streaming.held-text-released")
async def characters_behind_an_almost_match_stay_whole(api: Api) -> None:
    """Emoji behind text that resembles the start of a stop sequence are streamed whole.

    文本看似停止序列的开头时，其后的表情符号也会在流中完整发出。

    A server that loses its place in the held text breaks characters of several tokens.
    """
    text = (await emoji(api)).text
    if has_broken_character(text):
        raise NotApplicable(say("the tokens contain partial characters"))
    if text.isascii():
        raise NotApplicable(say("the endpoint's own text {text} is ASCII", text=shown(text)))
    # A token may be a single byte, and then there are few characters.
    text = material(text, at_least=5)
    half = len(text) // 2
    size = min(3, half)
    almost = [text[-size:], text[1 : 1 + size], text[half : half + size]]
    stop = [piece + NEVER_GENERATED for piece in almost]
    await assert_unstopped(api, stop, as_stream=True, prompt=EMOJI)


@check("stop.null", requirement="stop.null-is-none")
async def null_stops_nothing(api: Api) -> None:
    """`stop: null` gives the same response as omitting it.

    `stop: null` 的响应与未设置 `stop` 时相同。
    """
    if not await nulls_are_harmless(api, "stop"):
        await assert_unstopped(api, None)


@check("stop.empty-string", requirement="stop.empty-is-harmless")
async def an_empty_sequence_stops_nothing(api: Api) -> None:
    """`stop: ""` is rejected or has no effect.

    `stop: ""` 会被拒绝，或不改变响应。
    """
    await assert_harmless(api, "")


@check("stop.empty-array", requirement="stop.empty-is-harmless", tier="deep")
async def an_empty_array_stops_nothing(api: Api) -> None:
    """`stop: []` is rejected or has no effect.

    `stop: []` 会被拒绝，或不改变响应。
    """
    await assert_harmless(api, [])


@check("stop.empty-in-array", requirement="stop.empty-is-harmless", tier="deep")
async def an_empty_sequence_in_an_array_stops_nothing(api: Api) -> None:
    """An empty string among other stop sequences is rejected or has no effect.

    停止序列中夹杂的空字符串会被拒绝，或不改变响应。
    """
    await assert_harmless(api, ["", UNMATCHED_SEQUENCES[0]])
