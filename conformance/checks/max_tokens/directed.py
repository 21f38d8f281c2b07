"""``max_tokens``: how long a response may become, and the default."""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.ab_compare import expect_agreement
from conformance.checks._shared.characters import solid
from conformance.checks._shared.error_bodies import numbers_in
from conformance.checks._shared.prompts import AWKWARD, COUNTING
from conformance.checks._shared.refusals import (
    REJECTED_STATUSES,
    as_rejected,
    minimal_request,
    served_or_rejected,
)
from conformance.checks._shared.requests import (
    MAX_TOKENS,
    assert_echoed,
    awkward_echo,
    collect_stream,
    non_streaming,
    two_prompts,
)
from conformance.checks._shared.stated_context import (
    BEYOND_ANY_CONTEXT,
    far_over_context,
    stated_context,
)
from conformance.checks._shared.stop_candidates import before
from conformance.judgement import Failure, NotApplicable, expect, shown
from conformance.message import say
from conformance.model import Effect
from conformance.protocol.completion import Choice, Completion

FEW_TOKENS = 4

EXTRA_EVENTS = 24
"""Events that are read beyond the default before a stream without a limit is closed."""

EXTRA_CHARS = 8
"""Characters beyond the default that are compared, to detect a longer text."""

REPEATS = 2
"""How often a text of another length has to come back before it counts."""


@check("max-tokens.few", requirement="max-tokens.limits-answer", tier="smoke", sees_effect=True)
async def a_small_limit_is_kept(api: Api) -> None:
    """`max_tokens: 4` gives at most four tokens, and less text than sixteen tokens.

    `max_tokens: 4` 至多给出四个 token，其文本少于十六个 token 的文本。
    """
    assert_limit(await non_streaming(api, max_tokens=FEW_TOKENS), FEW_TOKENS)
    few, many = await non_streaming(api, max_tokens=FEW_TOKENS), await non_streaming(api)
    if many.only.finish_reason == "length":
        expect(
            len(few.text),
            say("length of the text of {count} tokens", count=FEW_TOKENS),
            effect=Effect.IGNORED,
        ).at_most(len(many.text) - 1)


@check("max-tokens.each-of-batch", requirement="max-tokens.limits-answer")
async def every_prompt_of_a_batch_has_the_whole_limit(api: Api) -> None:
    """In a batch, the limit applies to each prompt: it is neither shared nor exceeded.

    批次中每个 prompt 各有自己的上限：既不共用，也不超出。
    """
    # Repeated, because a near-tie may spell the same beginning with other tokens.
    uneven = await uneven_in_batch(api, fresh=False)
    for _ in range(REPEATS):
        if uneven is not None:
            uneven = await uneven_in_batch(api, fresh=True)
    if uneven is not None:
        raise uneven


async def uneven_in_batch(api: Api, *, fresh: bool) -> Failure | None:
    """Find a choice of the shared batch that ends before the text of its prompt alone, or after.

    Usage does not tell: it may count one choice of several.
    """
    prompts = two_prompts(api)
    batch = await non_streaming(api, prompts, fresh=fresh)
    for prompt, choice in zip(prompts, batch.choices, strict=False):
        alone = (await non_streaming(api, prompt, fresh=fresh)).only
        if {choice.finish_reason, alone.finish_reason} != {"length"}:
            continue
        one, other = sorted((solid(choice.text), solid(alone.text)), key=len)
        if one != other and other.startswith(one):
            expected = say(
                "a text as long as that of the prompt alone, {text}", text=shown(alone.text)
            )
            return Failure(expected, shown(choice.text))
    return None


@check("max-tokens.longer-extends", requirement="max-tokens.longer-extends", tier="smoke")
async def a_longer_response_begins_with_the_shorter(api: Api) -> None:
    """The greedy text of sixteen tokens begins with the greedy text of four.

    十六个 token 的贪心文本以四个 token 的贪心文本开头。
    """

    async def shorter(fresh: bool) -> str:
        return solid((await non_streaming(api, fresh=fresh, max_tokens=FEW_TOKENS)).text)

    length = len(await shorter(False))

    async def beginning(fresh: bool) -> str:
        return solid((await non_streaming(api, fresh=fresh)).text)[:length]

    await expect_agreement(shorter, beginning, say("text that the longer response begins with"))


@check(
    "max-tokens.default", requirement="max-tokens.default-sixteen", tier="smoke", needs=("stream",)
)
async def the_default_is_the_documented_one(api: Api) -> None:
    """Without `max_tokens`, the greedy response is the same as with the documented default.

    未设置 `max_tokens` 时的贪心响应，与取文档默认值时相同。
    """
    await assert_as_default(api, {})


@check("max-tokens.null", requirement="max-tokens.null-is-default", needs=("stream",))
async def null_is_the_default(api: Api) -> None:
    """`max_tokens: null` gives the same response as the documented default.

    `max_tokens: null` 给出文档默认值下的响应。
    """
    await assert_as_default(api, {"max_tokens": None})


@check("max-tokens.unlimited", requirement="max-tokens.default-unlimited", needs=("stream", "stop"))
async def no_limit_is_no_small_limit(api: Api) -> None:
    """Without `max_tokens`, a response exceeds sixteen tokens, up to a stop sequence.

    未设置 `max_tokens` 时，响应会超过十六个 token，直到遇到停止序列。
    """
    needle = await needle_beyond(api, MAX_TOKENS)
    limited = solid((await non_streaming(api)).text)
    response = await api.stream(
        read_events=MAX_TOKENS + EXTRA_EVENTS, prompt=COUNTING, temperature=0, stop=needle
    )
    text = collect_stream(response).text
    if len(solid(text)) <= len(limited) and collect_stream(response).only.finish_reason == "length":
        raise Failure(
            say("a response that ends only at its stop sequence"),
            say("{text}, cut by a limit", text=shown(text)),
        )


@check(
    "max-tokens.zero-generates-nothing",
    requirement="max-tokens.zero-with-echo",
    tier="smoke",
    needs=("echo",),
)
async def zero_with_echo_generates_nothing(api: Api) -> None:
    """`max_tokens: 0` with `echo` returns only the prompt.

    `max_tokens: 0` 与 `echo` 同时使用时返回 prompt，不多一个 token。
    """
    completion = await awkward_echo(api)
    assert_echoed(completion.text, AWKWARD)
    expect(completion.text, say("text")).equals(AWKWARD)
    if completion.has_usage:
        expect(completion.usage.completion_tokens, "completion_tokens").equals(0)


@check("max-tokens.zero-alone", requirement="max-tokens.zero-without-echo", tier="deep")
async def zero_without_echo_is_rejected_or_empty(api: Api) -> None:
    """`max_tokens: 0` without `echo` is rejected or gives an empty text.

    不带 `echo` 的 `max_tokens: 0` 会被拒绝，或得到空文本。
    """
    completion = served_or_rejected(await api.complete(**minimal_request(max_tokens=0)))
    if completion is not None:
        expect(completion.text, say("text")).is_empty()


@check(
    "max-tokens.context-edge-refused",
    requirement="max-tokens.context-overflow-refused",
    needs=("stream",),
)
async def tokens_that_fit_without_the_prompt_alone_are_refused(api: Api) -> None:
    """A `max_tokens` that fits the context only without the prompt is rejected, not reduced.

    只有不计 prompt 才能放入上下文的 `max_tokens` 会被拒绝，而不是悄悄缩减。

    The prompt has many more tokens than the one that is left of the context.
    """
    context = await stated_context(api)
    limit = context - 1
    text = (await non_streaming(api)).text
    # Where the request is served, it ends at once.
    ends: dict[str, Any] = (
        {"stop": text[:1]} if text and api.contract.parameter("stop").documented else {}
    )
    response = await api.stream(
        read_events=3, prompt=COUNTING, max_tokens=limit, temperature=0, **ends
    )
    if response.is_served:
        raise Failure(
            say(
                "a rejection: the prompt and {limit} tokens exceed the context of "
                "{context} tokens that the endpoint states",
                limit=limit,
                context=context,
            ),
            say("status {status}", status=response.status),
        )
    response.expect_error(*REJECTED_STATUSES)


@check(
    "max-tokens.over-context-named",
    requirement="max-tokens.context-overflow-names-counts",
)
async def the_refusal_names_the_counts(api: Api) -> None:
    """The error for ten million tokens states that number and at least one other count.

    拒绝一千万个 token 时，错误信息给出该数目与至少另一个数目。
    """
    error = as_rejected(await far_over_context(api), *REJECTED_STATUSES)
    numbers = set(numbers_in(error.words))
    if BEYOND_ANY_CONTEXT not in numbers:
        _ = error.message  # which may be missing altogether
    expect(max(numbers, default=0), say("largest number in the message")).at_least(
        BEYOND_ANY_CONTEXT
    )
    expect(len(numbers), say("number of counts in the message")).at_least(2)


def assert_limit(completion: Completion, limit: int) -> None:
    """Assert that usage is within the limit; a stop token may be counted in addition."""
    if completion.has_usage:
        ended = sum(choice.finish_reason != "length" for choice in completion.choices)
        expect(
            completion.usage.completion_tokens, "completion_tokens", effect=Effect.IGNORED
        ).at_most(limit * len(completion.choices) + ended)


def documented_default(api: Api) -> int:
    """Return the documented default.

    Raises:
        NotApplicable: the document states no number.
    """
    default = api.contract.parameter("max_tokens").default
    if not isinstance(default, int):
        raise NotApplicable(say("this document states no default number of tokens"))
    return default


async def assert_as_default(api: Api, request: dict[str, None]) -> None:
    """Assert that omitting the limit gives the same response as the documented default."""
    default = documented_default(api)
    usual = len(solid((await non_streaming(api, max_tokens=default)).text))

    def outcome(choice: Choice) -> tuple[str, object]:
        text = solid(choice.text)
        # How much of a longer text has arrived before closing depends on the network.
        return text[: usual + EXTRA_CHARS], choice.finish_reason if len(text) <= usual else None

    async def without_limit(fresh: bool) -> tuple[str, object]:
        # Streamed, because a stream can be closed: without a limit the text may never end.
        response = await api.stream(
            fresh=fresh,
            read_events=default + EXTRA_EVENTS,
            prompt=COUNTING,
            temperature=0,
            **request,
        )
        return outcome(collect_stream(response).only)

    async def with_default(fresh: bool) -> tuple[str, object]:
        return outcome((await non_streaming(api, fresh=fresh, max_tokens=default)).only)

    await expect_agreement(
        without_limit, with_default, say("the response of {count} tokens", count=default)
    )


async def needle_beyond(api: Api, limit: int, prompt: str = COUNTING) -> str:
    """Return a stop sequence that the greedy text first contains beyond ``limit`` tokens.

    Raises:
        NotApplicable: the text ends before, or has nothing new.
    """
    short = solid((await non_streaming(api, prompt, max_tokens=limit)).text)
    longer = await non_streaming(api, prompt, max_tokens=limit + 8)
    text = solid(longer.text)
    for start in range(len(short) + 1, len(text) - 2):
        needle = text[start : start + 3]
        if text.startswith(short) and len(before(text, needle)) == start:
            return needle
    raise NotApplicable(
        say(
            "the endpoint's text {text} has no new text beyond {limit} tokens",
            text=repr(text),
            limit=limit,
        )
    )
