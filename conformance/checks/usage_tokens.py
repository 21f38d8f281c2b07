"""``prompt_tokens`` against tokens that can be counted: those sent as ids, and those echoed.

A constant that is added to every prompt shows in texts of two lengths; a factor does not. Here the
number of tokens is known.
"""

from __future__ import annotations

from conformance.answered import Answered
from conformance.checks import invariant
from conformance.checks._characters import join_tokens
from conformance.checks.usage import OVERHEAD
from conformance.judgement import NotApplicable, expect


@invariant("usage.ids-counted-everywhere", requirement="usage.prompt-grows-with-text")
def every_prompt_of_ids_is_billed_with_their_number(answer: Answered) -> None:
    """Every prompt that was sent as token ids is billed with their number, a few of its own aside.

    凡以 token id 发送的 prompt，除接口自加的几个外，都按 id 的数目计费。

    Each prompt of a batch may have a start token.
    """
    prompts = answer.asked.prompts
    sizes = [len(prompt) for prompt in prompts if isinstance(prompt, tuple)]
    if len(sizes) != len(prompts) or answer.asked.has("suffix"):
        raise NotApplicable("the prompts are no token ids, or a suffix is billed with them")
    counted = expect(answer.completion.usage.prompt_tokens, f"prompt_tokens of {sum(sizes)} ids")
    counted.at_least(sum(sizes))
    counted.at_most(sum(sizes) + OVERHEAD * len(sizes))


@invariant("usage.echoed-counted-everywhere", requirement="usage.prompt-grows-with-text")
def every_echoed_prompt_is_billed_with_its_tokens(answer: Answered) -> None:
    """Every prompt that is echoed with log probabilities is billed with its tokens that come back.

    凡带对数概率回显的 prompt，都按返回的 token 数计费。

    A start token may be billed that is not echoed, or the other way round.
    """
    asked = answer.asked
    if not asked.echo or asked.logprobs is None or asked.choices != 1 or asked.has("suffix"):
        raise NotApplicable("no prompt is echoed alone with log probabilities")
    only = answer.completion.only
    tokens = [token for token in only.logprobs.tokens if isinstance(token, str)]
    generated = answer.completion.usage.completion_tokens
    whole = only.finish_reason == "length" and generated == asked.limit
    if not whole or join_tokens(tokens) != (only.text, True):
        raise NotApplicable("not every token of the answer has an entry of its own")
    expect(
        answer.completion.usage.prompt_tokens - (len(tokens) - generated),
        "prompt_tokens beyond those echoed",
    ).one_of(-1, 0, 1)
