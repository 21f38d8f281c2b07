"""``suffix``: the text after the insertion, which the model reads and does not return."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.ab_compare import REPEATS
from conformance.checks._shared.characters import solid
from conformance.checks._shared.prompts import CHINESE, COUNTING
from conformance.checks._shared.refusals import (
    minimal_request,
    served_or_rejected,
)
from conformance.checks._shared.requests import choices_of, non_streaming
from conformance.checks._shared.sampling import STORY
from conformance.evidence import Evidence
from conformance.judgement import Failure, Feature, Inconclusive, NotApplicable, expect, shown
from conformance.message import say
from conformance.model import Effect
from conformance.protocol.completion import Completion

LONG_SUFFIX = " 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36."
"""Longer than any insertion of sixteen tokens, which therefore cannot end with it by chance."""

CHINESE_SUFFIX = "三十一，三十二，三十三，三十四，三十五。"

SUFFIXES = (" and everybody in the village was happy.", " = 7;\n    return total;\n}")


@check("suffix.conditions", requirement="suffix.conditions-insertion", sees_effect=True)
async def the_suffix_is_taken_account_of(api: Api) -> None:
    """A suffix changes the greedy insertion, or is at least counted in the prompt's tokens.

    suffix 会改变贪心的插入内容，或至少计入 prompt 的 token 数。
    """
    free, inserted = await non_streaming(api), await non_streaming(api, suffix=LONG_SUFFIX)
    if inserted.text != free.text:
        return
    # A model may insert the same text anyway, but it cannot count a suffix that it never read.
    if not free.has_usage or not inserted.has_usage:
        raise NotApplicable(
            say("the texts are equal, and the endpoint reports no usage to compare")
        )
    if inserted.usage.prompt_tokens != free.usage.prompt_tokens:
        return
    one, other = [await non_streaming(api, STORY, suffix=suffix) for suffix in SUFFIXES]
    if one.text == other.text and one.usage.prompt_tokens == other.usage.prompt_tokens:
        raise Failure(
            say("an insertion that depends on the suffix"),
            say(
                "{text} before two unlike suffixes, for the same number of tokens",
                text=shown(one.text),
            ),
            effect=Effect.IGNORED,
        ).shown_by(Evidence((other.exchange,), (one.exchange,)))


@check("suffix.no-part-of-prompt", requirement="suffix.conditions-insertion")
async def the_suffix_is_not_continued(api: Api) -> None:
    """The insertion is not a continuation of the prompt followed by the suffix.

    插入的内容，不是把 suffix 接在 prompt 后面再续写的内容。
    """
    await assert_not_continued(api, COUNTING, LONG_SUFFIX)


@check("suffix.no-part-of-chinese", requirement="suffix.conditions-insertion", tier="deep")
async def the_chinese_suffix_is_not_continued(api: Api) -> None:
    """A Chinese insertion is not a continuation of the prompt followed by the suffix.

    插入中文的内容，不是把 suffix 接在 prompt 后面再续写的内容。
    """
    await assert_not_continued(api, CHINESE, CHINESE_SUFFIX)


async def assert_not_continued(api: Api, prompt: str, suffix: str) -> None:
    """Assert that an insertion is not the continuation of the prompt followed by the suffix."""

    async def inserted(fresh: bool) -> tuple[str, int | None]:
        return text_and_usage(await non_streaming(api, prompt, fresh=fresh, suffix=suffix))

    async def continued(fresh: bool) -> tuple[str, int | None]:
        return text_and_usage(await non_streaming(api, prompt + suffix, fresh=fresh))

    # A model may insert the same text by chance, but not with the same usage.
    text, usage = await inserted(False)
    if usage is None or (text, usage) != await continued(False):
        return
    free = await non_streaming(api, prompt)
    if text == solid(free.text):
        raise NotApplicable(say("the text is the same without a suffix (covered by another check)"))
    if (text, usage) not in [await inserted(True) for _ in range(REPEATS)]:
        raise Inconclusive(say("{text} was inserted once, but not again", text=shown(text)))
    raise Failure(
        say("an insertion between the prompt and the suffix"),
        say(
            "{text}, which is the continuation of the prompt followed by the suffix",
            text=shown(text),
        ),
        effect=Effect.ALTERED,
    )


@check(
    "suffix.shifts-probabilities",
    requirement="suffix.conditions-insertion",
    tier="deep",
    needs=("logprobs",),
    sees_effect=True,
)
async def the_suffix_moves_the_first_probability(api: Api) -> None:
    """Two suffixes give the first token of an insertion different probabilities.

    两个不同的 suffix 使插入内容的第一个 token 具有不同的概率。
    """
    one, other = [
        (await non_streaming(api, STORY, max_tokens=1, suffix=suffix, logprobs=1)).only.logprobs
        for suffix in SUFFIXES
    ]
    if one.tokens != other.tokens:
        return
    if not one.tokens:
        raise NotApplicable(say("the endpoint generates nothing after the open prompt"))
    if not any(one.token_logprobs) and not any(other.token_logprobs):
        raise NotApplicable(
            say("the endpoint reports certainty at temperature 0, not the model's probabilities")
        )
    expect(one.token_logprobs, "token_logprobs", effect=Effect.IGNORED).differs_from(
        other.token_logprobs
    )


@check("suffix.not-appended", requirement="suffix.not-appended")
async def the_suffix_is_not_returned(api: Api) -> None:
    """The text of an insertion does not end with the suffix.

    插入的文本不以 suffix 结尾。
    """
    text = (await non_streaming(api, suffix=LONG_SUFFIX)).text
    expect(text, say("text")).satisfies(
        lambda it: not it.rstrip().endswith(LONG_SUFFIX.strip()),
        say("without {long_suffix} at its end", long_suffix=shown(LONG_SUFFIX)),
    )


@check(
    "suffix.conditions-chinese",
    requirement="suffix.conditions-insertion",
    tier="deep",
    sees_effect=True,
)
async def a_chinese_suffix_is_taken_account_of(api: Api) -> None:
    """A Chinese suffix changes a greedy insertion, or is at least counted in the tokens.

    中文 suffix 会改变贪心的插入内容，或至少计入 token 数。
    """
    free, inserted = (
        await non_streaming(api, CHINESE),
        await non_streaming(api, CHINESE, suffix=CHINESE_SUFFIX),
    )
    if (
        inserted.text == free.text
        and text_and_usage(inserted)[1] == text_and_usage(free)[1] is not None
    ):
        raise Failure(
            say("an insertion that depends on the suffix"),
            say(
                "{text} with and without the suffix, for the same number of tokens",
                text=shown(inserted.text),
            ),
            effect=Effect.IGNORED,
        )


@check("suffix.with-batch", requirement="suffix.with-echo-or-batch", tier="deep")
async def a_suffix_with_a_batch_is_harmless(api: Api) -> None:
    """`suffix` with a batch gives a choice for every prompt or is rejected.

    `suffix` 与批次同时使用时，要么每个 prompt 各得一个 choice，要么被拒绝。
    """
    request = minimal_request(prompt=[COUNTING, STORY], suffix=LONG_SUFFIX)
    completion = served_or_rejected(await api.complete(**request))
    if completion is not None:
        choices_of(completion, 2, Feature.BATCH)


def text_and_usage(completion: Completion) -> tuple[str, int | None]:
    """Return a response's text and its prompt_tokens with the suffix, or None without usage."""
    usage = completion.usage.prompt_tokens if completion.has_usage else None
    return solid(completion.text), usage
