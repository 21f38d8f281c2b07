"""``prompt``: text or token ids, one or a batch, that reach the model unchanged."""

from __future__ import annotations

import json
import re

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.ab_compare import expect_agreement
from conformance.checks._shared.characters import solid
from conformance.checks._shared.error_bodies import numbers_in
from conformance.checks._shared.prompts import CHINESE, COLOURS, COUNTING, EMOJI
from conformance.checks._shared.refusals import (
    REJECTED_STATUSES,
    minimal_request,
    served_or_rejected,
)
from conformance.checks._shared.requests import TWO_PROMPTS, choices_of, greedy, non_streaming
from conformance.checks._shared.token_ids import (
    FORCED_TOKENS,
    ONE_ID,
    OTHER_ID,
    PROBED_IDS,
    echo_of_ids,
    forced,
    pieces_of,
    repeated_piece,
)
from conformance.evidence import Evidence
from conformance.judgement import Failure, Feature, NotApplicable, expect, shown
from conformance.message import say
from conformance.model import Effect

TOKENS = list(range(300, 308))
"""Ids of ordinary text in every usual vocabulary."""

FEW_TOKENS = list(range(400, 404))

WRAPPING_OF_ONE = 4
"""Maximum tokens of a prompt of one digit: with a start token and a word mark it has three."""


@check("prompt.string-answered", requirement="prompt.string", tier="smoke")
async def a_string_is_accepted(api: Api) -> None:
    """A prompt that is one string gets one choice, with text unless it ended at once.

    以单个字符串给出的 prompt 得到一个 choice，除非已经结束，否则带有文本。
    """
    choice = (await non_streaming(api)).only
    if choice.finish_reason == "length":
        expect(choice.text, say("text")).is_not_empty()


@check("prompt.not-answered-alike", requirement="prompt.decides-answer", sees_effect=True)
async def different_prompts_get_different_texts(api: Api) -> None:
    """Unrelated prompts do not all get the same text.

    毫无共同之处的 prompt 不会都得到相同的文本。
    """
    texts: list[str] = []
    for prompt in (COUNTING, COLOURS, CHINESE, EMOJI):
        texts.append((await non_streaming(api, prompt)).text)
        if texts[-1] != texts[0]:
            return
    # A weak model may repeat one text for every prompt, which is not the endpoint's fault.
    # Only the beginning is inspected: the pattern takes quadratic time.
    if re.fullmatch(r"(.*?)\1{2,}.?", texts[0][:120], re.DOTALL):
        raise NotApplicable(
            say("the model repeats itself after every prompt: {text}", text=shown(texts[0]))
        )
    raise Failure(
        say("different texts for different prompts"),
        say("{text} for all four prompts", text=shown(texts[0])),
        effect=Effect.IGNORED,
    )


@check("prompt.no-hidden-text", requirement="prompt.verbatim", tier="smoke", sees_effect=True)
async def nothing_is_wrapped_around_the_prompt(api: Api) -> None:
    """A prompt of one digit counts as a few tokens at most: nothing was added to it.

    只有一个数字的 prompt 只计几个 token：前后没有添加任何内容。
    """
    completion = (await api.complete(**minimal_request())).expect_ok()
    if not completion.has_usage:
        raise NotApplicable(say("the endpoint reports no usage"))
    expect(completion.usage.prompt_tokens, say("prompt_tokens of the prompt `1`")).at_most(
        WRAPPING_OF_ONE
    )


@check("prompt.escapes-alike", requirement="prompt.verbatim", tier="deep")
async def escaped_characters_are_the_same_characters(api: Api) -> None:
    r"""Chinese escaped as `\u4e00` in the JSON gets the same response as Chinese in UTF-8.

    请求的 JSON 中写作 `\u4e00` 的中文，其响应与 UTF-8 中文相同。
    """
    escaped = json.dumps({"model": api.model, **greedy(CHINESE)}).encode()

    async def as_escapes(fresh: bool) -> str:
        return (await api.post(escaped, fresh=fresh)).expect_ok().text

    async def as_utf8(fresh: bool) -> str:
        return (await non_streaming(api, CHINESE, fresh=fresh)).text

    await expect_agreement(as_escapes, as_utf8, say("the same text for both encodings"))


@check("prompt.batch-complete", requirement="prompt.strings")
async def every_prompt_of_a_batch_has_a_choice(api: Api) -> None:
    """A batch of two prompts gets two choices.

    两个 prompt 的批次返回两个 choice。
    """
    choices_of(await non_streaming(api, TWO_PROMPTS), len(TWO_PROMPTS), Feature.BATCH)


@check("prompt.batch-as-singles", requirement="prompt.batch-as-singles")
async def a_prompt_in_a_batch_equals_the_prompt_alone(api: Api) -> None:
    """Each prompt of a batch gets the same greedy text as alone.

    批次中每个 prompt 得到的贪心文本与单独发送时相同。
    """
    await assert_batch_as_singles(api, TWO_PROMPTS)


@check("prompt.batch-of-one", requirement="prompt.batch-as-singles", tier="deep")
async def a_batch_of_one_equals_its_prompt(api: Api) -> None:
    """An array of one string gets the same response as the string.

    只含一个字符串的数组，其响应与该字符串相同。
    """
    await assert_batch_as_singles(api, [COUNTING])


@check("prompt.tokens-served", requirement="prompt.tokens")
async def token_ids_are_one_prompt(api: Api) -> None:
    """An array of eight token ids is one prompt of eight tokens, or nine with a start token.

    含八个 token id 的数组是一个八 token 的 prompt，带起始 token 则为九个。
    """
    completion = (await api.complete(**minimal_request(prompt=TOKENS))).expect_ok()
    choices_of(completion, 1, Feature.CHOICES)
    if completion.has_usage:
        expect(completion.usage.prompt_tokens, "prompt_tokens").one_of(len(TOKENS), len(TOKENS) + 1)


@check("prompt.token-batch-served", requirement="prompt.token-arrays", sees_effect=True)
async def token_arrays_are_a_batch(api: Api) -> None:
    """Two arrays of token ids are two prompts, and each gets a choice.

    两个 token id 数组是两个 prompt，各自得到响应。
    """
    batch = [TOKENS, FEW_TOKENS]
    completion = (await api.complete(**minimal_request(prompt=batch))).expect_ok()
    # The bill is judged by the checks of usage.
    choices_of(completion, len(batch), Feature.BATCH)


@check(
    "prompt.tokens-as-text", requirement="prompt.tokens-equal-text", tier="deep", needs=("echo",)
)
async def the_tokens_of_a_text_equal_the_text(api: Api) -> None:
    """Token ids and the text that the endpoint echoes for them get the same greedy response.

    token id 与接口为其回显的文本，得到相同的贪心响应。
    """
    for token in (400, 500, 600):
        ids = [token] * 8
        text = (await non_streaming(api, ids, max_tokens=0, echo=True)).text
        request, spelt = await non_streaming(api, ids), await non_streaming(api, text)
        if not request.has_usage or not spelt.has_usage:
            raise NotApplicable(say("the endpoint reports no usage by which to compare the tokens"))
        # A text may have other tokens, or get a start token; then it is another prompt.
        if request.usage.prompt_tokens == spelt.usage.prompt_tokens == len(ids):
            break
    else:
        raise NotApplicable(say("no token was found whose text has the same tokens again"))

    async def by_ids(fresh: bool) -> str:
        return (await non_streaming(api, ids, fresh=fresh)).text

    async def by_text(fresh: bool) -> str:
        return (await non_streaming(api, text, fresh=fresh)).text

    await expect_agreement(
        by_ids,
        by_text,
        say("the same response for {token} x 8 and for {text}", token=token, text=shown(text)),
    )


@check(
    "prompt.tokens-as-forced",
    requirement="prompt.tokens-equal-text",
    needs=("echo", "logit_bias", "logprobs"),
)
async def ids_of_prompts_are_ids_of_biases(api: Api) -> None:
    """A token id means the same text in a prompt as in `logit_bias`.

    同一 token id 在 prompt 中与在 `logit_bias` 中代表相同的文本。
    """
    completion = await echo_of_ids(api, PROBED_IDS)
    known = pieces_of(completion, PROBED_IDS)
    tried = [token for token in (ONE_ID, OTHER_ID) if token in known]
    if not tried or not completion.text.endswith("".join(known[token] for token in tried)):
        raise NotApplicable(say("the endpoint does not reveal the texts of these ids"))
    texts = [await forced(api, token) for token in tried]
    if not all(map(repeated_piece, texts)):
        raise NotApplicable(say("no token was forced (covered by another check)"))
    # The first token of a response may have lost its space.
    expected = [known[token] * FORCED_TOKENS for token in tried]
    if len(tried) > 1 and texts == expected[::-1]:
        raise NotApplicable(say("the banned token was forced (covered by another check)"))
    if not any(e.lstrip() == seen.lstrip() for e, seen in zip(expected, texts, strict=True)):
        raise Failure(
            say(
                "ids {ids} to mean {texts} in a prompt, as in `logit_bias`",
                ids=shown(tried),
                texts=shown(texts),
            ),
            shown(expected),
        )


@check("prompt.absent-is-harmless", requirement="prompt.absent-or-null", tier="deep")
async def an_absent_prompt_is_harmless(api: Api) -> None:
    """A request without a prompt is accepted or rejected, without a server error.

    没有 prompt 的请求要么被接受，要么被拒绝，不会引起服务器错误。
    """
    served_or_rejected(await api.complete(max_tokens=1))


@check("prompt.null-served", requirement="prompt.null-begins-document")
async def a_prompt_of_null_is_served(api: Api) -> None:
    """A prompt of null is accepted.

    为 null 的 prompt 会被接受。
    """
    (await api.complete(**minimal_request(prompt=None))).expect_ok()


@check("prompt.over-context-refused", requirement="prompt.over-context-refused")
async def a_prompt_longer_than_the_context_is_refused(api: Api) -> None:
    """A prompt longer than the context that the endpoint states is rejected, not truncated.

    超出接口所称上下文长度的 prompt 会被拒绝，而不是被截断。
    """
    context = await context_of(api)
    words = context + 64
    response = await api.complete(**minimal_request(prompt=" 1" * words))
    if response.status != 200:
        response.expect_error(*REJECTED_STATUSES, 413)
        return
    served = response.expect_ok()
    small = (await api.complete(**minimal_request(prompt=" 1" * 64))).expect_ok()
    if not served.has_usage or not small.has_usage or small.usage.prompt_tokens < 64:
        raise NotApplicable(say("usage does not show how much of the prompt was read"))
    if served.usage.prompt_tokens >= words:
        raise NotApplicable(
            say(
                "the context holds more than the {context} tokens that the error states",
                context=context,
            )
        )
    raise Failure(
        say(
            "{words} words rejected, because the context holds {context} tokens",
            words=words,
            context=context,
        ),
        say("a response to {tokens} of these tokens", tokens=served.usage.prompt_tokens),
    ).shown_by(Evidence((served.exchange,), (small.exchange,)))


async def context_of(api: Api, *, at_most: int = 4096) -> int:
    """Return the context length that the endpoint's error for too large a ``max_tokens`` states.

    Raises:
        NotApplicable: no length is stated, or it is above ``at_most`` and too expensive to fill.
    """
    request = minimal_request(max_tokens=10_000_000)
    response = await api.stream(read_events=3, **request)
    if response.status not in REJECTED_STATUSES:
        raise NotApplicable(
            say("the endpoint states no context length: it does not reject ten million tokens")
        )
    numbers = numbers_in(response.expect_error(*REJECTED_STATUSES).words)
    sizes = [number for number in numbers if 128 <= number < 10_000_000]
    if not sizes:
        raise NotApplicable(
            say("the endpoint's error for too many tokens does not state the context length")
        )
    if max(sizes) > at_most:
        raise NotApplicable(
            say("filling a context of {size} tokens is too expensive", size=max(sizes))
        )
    return max(sizes)


async def assert_batch_as_singles(api: Api, prompts: list[str] | list[list[int]]) -> None:
    """Assert that the prompts of a batch get the same texts as one by one."""

    async def together(fresh: bool) -> tuple[str, ...]:
        response = await non_streaming(api, prompts, fresh=fresh)
        choices = choices_of(response, len(prompts), Feature.BATCH)
        return tuple(solid(choice.text) for choice in choices)

    async def one_by_one(fresh: bool) -> tuple[str, ...]:
        return tuple([solid((await non_streaming(api, p, fresh=fresh)).text) for p in prompts])

    await expect_agreement(together, one_by_one, say("the same response to each prompt as alone"))
