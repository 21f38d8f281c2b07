"""``choices[].index``: which prompt and which of its choices a choice belongs to."""

from __future__ import annotations

from itertools import takewhile

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.requests import (
    assert_echoed,
    choices_of,
    non_streaming,
    streamed,
    two_prompts,
)
from conformance.checks._shared.sampling import choices_for, sampled
from conformance.judgement import Failure, Feature, NotApplicable, expect, shown
from conformance.message import say
from conformance.protocol.completion import Completion


@check("index.of-one", requirement="index.each-once", tier="smoke")
async def the_only_choice_is_number_zero(api: Api) -> None:
    """The only choice of a response has index 0.

    只有一个 choice 的响应，其 index 为 0。
    """
    assert_numbered(await non_streaming(api), 1, Feature.CHOICES)


@check("index.of-copies", requirement="index.each-once", tier="smoke", needs=("n",))
async def choices_are_numbered(api: Api) -> None:
    """With `n: 3` there are three choices, with index 0, 1 and 2.

    设置 `n: 3` 时有三个 choice，index 为 0、1 和 2。
    """
    assert_numbered((await api.complete(**sampled(n=3))).expect_ok(), 3, Feature.N_CHOICES)


@check("index.of-prompts", requirement="index.each-once")
async def prompts_are_numbered(api: Api) -> None:
    """A batch of two prompts has two choices, with index 0 and 1.

    两个 prompt 的批次有两个 choice，index 为 0 和 1。
    """
    assert_numbered(await non_streaming(api, two_prompts(api)), 2, Feature.BATCH)


@check(
    "index.of-prompts-times-copies",
    requirement="index.each-once",
    tier="smoke",
    needs=("n", "echo"),
)
async def all_choices_are_numbered(api: Api) -> None:
    """A batch of two prompts with `n: 2` has four choices, with index 0 to 3.

    两个 prompt 的批次带 `n: 2` 时有四个 choice，index 为 0 到 3。
    """
    completion = (await api.complete(**choices_for(two_prompts(api)))).expect_ok()
    assert_numbered(completion, 4, Feature.N_CHOICES)


@check("index.prompt-order", requirement="index.prompt-major")
async def choices_continue_their_own_prompts(api: Api) -> None:
    """In a batch, choice 0 continues the first prompt and choice 1 the second.

    批次中 choice 0 接续第一个 prompt，choice 1 接续第二个。
    """
    assert_own_prompts(await singles(api), await non_streaming(api, two_prompts(api)))


@check(
    "index.prompt-order-in-stream", requirement="index.prompt-major", tier="deep", needs=("stream",)
)
async def streamed_choices_continue_their_own_prompts(api: Api) -> None:
    """In a streamed batch, choice 0 continues the first prompt and choice 1 the second.

    流式批次中 choice 0 接续第一个 prompt，choice 1 接续第二个。
    """
    assert_own_prompts(await singles(api), await streamed(api, two_prompts(api)))


@check("index.prompt-major", requirement="index.prompt-major", tier="smoke", needs=("n", "echo"))
async def choices_of_a_prompt_are_adjacent(api: Api) -> None:
    """With two prompts and `n: 2`, choices 0 and 1 continue the first, 2 and 3 the second.

    两个 prompt 带 `n: 2` 时，choice 0 和 1 接续第一个，2 和 3 接续第二个。
    """
    prompts = two_prompts(api)
    completion = (await api.complete(**choices_for(prompts))).expect_ok()
    assert_echoed_in_order(completion, [prompt for prompt in prompts for _ in range(2)])


async def singles(api: Api) -> list[str]:
    """Return the completions of the batch's prompts, each requested alone."""
    return [(await non_streaming(api, prompt)).text for prompt in two_prompts(api)]


def assert_numbered(completion: Completion, count: int, feature: Feature) -> None:
    """Assert that there are ``count`` choices, with each index from 0 once."""
    indexes = sorted(choice.index for choice in choices_of(completion, count, feature))
    expect(indexes, say("the list of indexes")).equals(list(range(count)))


def assert_own_prompts(alone: list[str], together: Completion) -> None:
    """Assert that each choice of a batch resembles the completion of its own prompt the most.

    Other checks judge whether both are equal.
    """
    if alone[0] == alone[1]:
        raise NotApplicable(say("both prompts of the batch have the same response"))
    assert_numbered(together, len(alone), Feature.BATCH)
    for number, text in enumerate(together.texts):
        own, other = alone[number], alone[1 - number]
        if shared_length(text, own) < shared_length(text, other):
            raise Failure(
                say("choice {number} to continue like {text}", number=number, text=shown(own)),
                shown(text),
            )


def assert_echoed_in_order(completion: Completion, prompts: list[str]) -> None:
    """Assert that each choice begins with the prompt that its index belongs to."""
    assert_numbered(completion, len(prompts), Feature.N_CHOICES)
    for choice, prompt in zip(completion.choices, prompts, strict=True):
        assert_echoed(choice.text.lstrip(" "), prompt)


def shared_length(left: str, right: str) -> int:
    """Return the length of the common prefix of two texts."""
    pairs = zip(left, right, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
