"""``repetition_penalty``, and ``repeat_penalty``: scores of tokens that occurred are scaled.

The penalty of CTRL (Keskar et al., 2019, section 4.1): a positive logit is divided by it, a
negative one multiplied. Log probabilities do not show the sign of a logit. So the checks compare a
strong penalty with its opposite, a value far below 1, under which tokens that occurred win.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from conformance.api import Api, in_parallel
from conformance.checks._shared.named_checks import check_of_each
from conformance.checks._shared.prompts import COLOURS
from conformance.checks._shared.readable_tokens import readable_tokens
from conformance.checks._shared.requests import non_streaming, streamed
from conformance.checks._shared.sampling import STORY
from conformance.judgement import Failure, NotApplicable, Refusal, shown
from conformance.message import say
from conformance.model import Effect
from conformance.protocol.completion import Choice

NAMES = ("repetition_penalty", "repeat_penalty")
"""One penalty under the names that servers give it."""

LOWEST, HIGHEST = 0.1, 10.0
"""Values that decide alone whether a token that occurred is taken; a document may allow less."""

MAX_TOKENS = 12

PROMPTS = (COLOURS, "ha ha ha ha ha ha ha ha", STORY)
"""Texts whose tokens compete for the first place: two repeat themselves, one hardly does."""

MIN_DIFFERENCE = 0.25
"""How much larger a share of repeated tokens has to be before it counts."""

check_of_both = partial(check_of_each, NAMES)


@check_of_both("effect", requirement="scales-scores", needs=("temperature",), sees_effect=True)
async def opposite_penalties_give_other_texts(api: Api, name: str) -> None:
    """A `{name}` of 10 and one of 0.1 give different greedy texts.

    `{name}` 取 10 与取 0.1 时，贪心文本不同。
    """
    for prompt in PROMPTS:
        avoiding, repeating = await at_both(api, name, prompt)
        if avoiding.text != repeating.text:
            return
    raise Failure(
        say("different texts with opposite values of `{parameter}`", parameter=name),
        say("the same text for each prompt, such as {text}", text=shown(avoiding.text)),
        effect=Effect.IGNORED,
    )


@check_of_both(
    "direction", requirement="scales-scores", needs=("temperature", "logprobs"), sees_effect=True
)
async def a_penalty_lowers_repeats(api: Api, name: str) -> None:
    """A `{name}` above 1 makes tokens that occurred rarer, one below 1 more frequent.

    `{name}` 大于 1 时已出现的 token 变少，小于 1 时变多。
    """
    shares = []
    for prompt in PROMPTS[:2]:
        avoiding, repeating = await at_both(api, name, prompt)
        shares.append((repeated_share(avoiding, prompt), repeated_share(repeating, prompt)))
    if all(high > low + MIN_DIFFERENCE for high, low in shares):
        high, low = shares[0]
        raise Failure(
            say("fewer repeated tokens with a `{parameter}` above 1", parameter=name),
            say("{high} with 10, {low} with 0.1", high=f"{high:.0%}", low=f"{low:.0%}"),
        )


@check_of_both(
    "prompt-counts", requirement="counts-the-prompt", needs=("temperature",), sees_effect=True
)
async def tokens_of_the_prompt_count(api: Api, name: str) -> None:
    """The first token differs between a `{name}` of 10 and one of 0.1.

    `{name}` 取 10 与取 0.1 时，第一个 token 不同。
    """
    firsts, are_alike = [], True
    for prompt in PROMPTS:
        pair = await at_both(api, name, prompt)
        are_alike = are_alike and pair[0].text == pair[1].text
        firsts = [first_of(choice) for choice in pair]
        if firsts[0] != firsts[1]:
            return
    raise Failure(
        say("another first token with the opposite `{parameter}`", parameter=name),
        say("the same one after each prompt, such as {token}", token=shown(firsts[0])),
        effect=Effect.IGNORED if are_alike else Effect.ALTERED,
    )


@check_of_both(
    "effect-in-a-stream",
    requirement="scales-scores",
    tier="deep",
    needs=("temperature", "stream"),
    sees_effect=True,
)
async def a_penalty_works_in_streams(api: Api, name: str) -> None:
    """A stream with a `{name}` of 10 differs from one with 0.1.

    `{name}` 取 10 的流式响应与取 0.1 的不同。
    """
    for prompt in PROMPTS:
        texts = await in_parallel(
            *(
                streamed(api, prompt, **dict[str, Any]({"max_tokens": MAX_TOKENS, name: value}))
                for value in (highest(api, name), lowest(api, name))
            )
        )
        if texts[0].text != texts[1].text:
            return
    raise Failure(
        say("different streams with opposite values of `{parameter}`", parameter=name),
        say("the same text for each prompt, such as {text}", text=shown(texts[0].text)),
        effect=Effect.IGNORED,
    )


@check_of_both(
    "every-choice",
    requirement="scales-scores",
    tier="deep",
    needs=("temperature", "n"),
    sees_effect=True,
)
async def a_penalty_works_throughout_a_batch(api: Api, name: str) -> None:
    """In a batch, each choice has another text with a `{name}` of 10 than with 0.1.

    批次中每个 choice 的文本，在 `{name}` 取 10 与取 0.1 时都不同。
    """
    if "strings" not in api.contract.parameter("prompt").forms:
        raise NotApplicable(say("this document does not mention arrays of prompts"))
    prompts = list(PROMPTS[:2])
    together = []
    for value in (highest(api, name), lowest(api, name)):
        request: dict[str, Any] = {"max_tokens": MAX_TOKENS, name: value}
        together.append((await non_streaming(api, prompts, **request)).choices)
    same = [one.text for one, other in zip(*together, strict=False) if one.text == other.text]
    if not same:
        return
    alone = [await at_both(api, name, prompt) for prompt in prompts]
    if all(one.text != other.text for one, other in alone):
        raise Failure(
            say("different texts with opposite values of `{parameter}`", parameter=name),
            say("the same text in a batch: {text}", text=shown(same[0])),
            effect=Effect.IGNORED,
        )


async def at_both(api: Api, name: str, prompt: str) -> tuple[Choice, Choice]:
    """Request the greedy completion of a prompt with a strong penalty, and with its opposite."""
    high, low = [
        (await _penalised(api, prompt, name, value))
        for value in (highest(api, name), lowest(api, name))
    ]
    return high, low


async def _penalised(api: Api, prompt: str, name: str, value: float) -> Choice:
    """Request it with its tokens, if the endpoint lists them: they are paid for anyway."""
    request: dict[str, Any] = {"max_tokens": MAX_TOKENS, name: value}
    if api.contract.parameter("logprobs").documented:
        try:
            return (await non_streaming(api, prompt, logprobs=1, **request)).only
        except Refusal:
            pass
    return (await non_streaming(api, prompt, **request)).only


def highest(api: Api, name: str) -> float:
    """Return the strongest penalty to send."""
    return min(HIGHEST, api.contract.parameter(name).maximum or HIGHEST)


def lowest(api: Api, name: str) -> float:
    """Return its opposite."""
    return max(LOWEST, api.contract.parameter(name).minimum or LOWEST)


def first_of(choice: Choice) -> str:
    """Return the first token, or where tokens cannot be read the first word."""
    try:
        return next(iter(readable_tokens(choice)), "")
    except NotApplicable:
        return next(iter(choice.text.split()), "")


def repeated_share(choice: Choice, prompt: str) -> float:
    """Return the share of tokens that occurred before, in the prompt or in the completion."""
    seen: set[str] = set()
    repeated = 0
    tokens = readable_tokens(choice)
    for token in tokens:
        repeated += token in seen or (bool(token.strip()) and token in prompt)
        seen.add(token)
    return repeated / max(1, len(tokens))
