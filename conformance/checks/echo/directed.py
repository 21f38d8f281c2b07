"""``echo``: the prompt, byte for byte, before the completion."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.ab_compare import expect_agreement
from conformance.checks._shared.characters import solid
from conformance.checks._shared.prompts import AWKWARD, COUNTING
from conformance.checks._shared.requests import (
    TWO_PROMPTS,
    assert_echoed,
    awkward_echo,
    choices_of,
    non_streaming,
    streamed,
)
from conformance.checks._shared.sampling import sampled
from conformance.checks.echo.logprobs import score
from conformance.judgement import Failure, Feature, Refusal, expect
from conformance.message import say


@check(
    "echo.prompt-first", requirement="echo.prompt-then-completion", tier="smoke", sees_effect=True
)
async def the_prompt_comes_first(api: Api) -> None:
    """With `echo` the text begins with the prompt.

    使用 `echo` 时，文本以 prompt 开头。
    """
    response = await non_streaming(api, echo=True)
    assert_echoed(response.text, COUNTING)


@check(
    "echo.then-completion",
    requirement="echo.prompt-then-completion",
    tier="smoke",
    sees_effect=True,
)
async def the_completion_follows(api: Api) -> None:
    """After the echoed prompt comes the text returned without `echo`, including its leading space.

    回显的 prompt 后面的文本与不带 `echo` 时一致，包括其中的空格。
    """

    async def echoed(fresh: bool) -> str:
        return (await non_streaming(api, fresh=fresh, echo=True)).text

    async def expected(fresh: bool) -> str:
        return COUNTING + (await non_streaming(api, fresh=fresh)).text

    assert_echoed(await echoed(False), COUNTING)
    await expect_agreement(echoed, expected, say("the prompt, then the completion"))


@check("echo.awkward-text", requirement="echo.prompt-then-completion", tier="smoke")
async def the_prompt_is_returned_byte_for_byte(api: Api) -> None:
    """White space, Chinese, emoji, quotes and accents of a prompt are echoed unchanged.

    prompt 中的空白、中文、表情符号、引号与重音字母都原样回显。

    The JSON of the request is ASCII with escapes, as many clients write it.
    """
    assert_echoed((await awkward_echo(api)).text, AWKWARD)


@check(
    "echo.awkward-text-continued",
    requirement="echo.prompt-then-completion",
    tier="deep",
    sees_effect=True,
)
async def the_prompt_is_returned_byte_for_byte_before_more(api: Api) -> None:
    """A prompt with all kinds of characters is echoed unchanged before a generated token, too.

    其后还生成 token 时，含各种字符的 prompt 也原样回显。
    """
    response = await non_streaming(api, AWKWARD, max_tokens=1, echo=True)
    assert_echoed(response.text, AWKWARD)


@check("echo.batch", requirement="echo.own-prompt-in-batch", sees_effect=True)
async def each_choice_echoes_its_own_prompt(api: Api) -> None:
    """In a batch with `echo` every choice begins with its own prompt.

    在带 `echo` 的批次中，每个 choice 都以自己的 prompt 开头。
    """
    response = await non_streaming(api, TWO_PROMPTS, max_tokens=1, echo=True)
    choices = choices_of(response, len(TWO_PROMPTS), Feature.BATCH)
    for choice, prompt in zip(choices, TWO_PROMPTS, strict=True):
        assert_echoed(choice.text, prompt)


@check(
    "echo.batch-with-n",
    requirement="echo.own-prompt-in-batch",
    tier="smoke",
    needs=("n",),
    sees_effect=True,
)
async def each_choice_echoes_the_prompt_of_its_index(api: Api) -> None:
    """In a batch with `n: 2`, every choice echoes the prompt that its index belongs to.

    批次带 `n: 2` 时，每个 choice 回显其 index 所属的 prompt。
    """
    request = {**sampled(TWO_PROMPTS, n=2, echo=True), "max_tokens": 1}
    completion = (await api.complete(**request)).expect_ok()
    for choice in choices_of(completion, 2 * len(TWO_PROMPTS), Feature.N_CHOICES):
        own = TWO_PROMPTS[choice.index // 2 % len(TWO_PROMPTS)]
        assert_echoed(choice.text, own)


@check("echo.streamed-once", requirement="streaming.echo-once", sees_effect=True)
async def a_stream_echoes_once(api: Api) -> None:
    """The chunks of a stream with `echo` join to the prompt, once, and the completion.

    带 `echo` 的流拼接后是 prompt（仅一次）加上补全。
    """
    # An endpoint that scores no prompt has no tokens of an echo either.
    listed = {"logprobs": 1} if await is_prompt_scored(api) else {}

    async def as_stream(fresh: bool) -> str:
        return solid((await streamed(api, fresh=fresh, echo=True, **listed)).text)

    async def expected(fresh: bool) -> str:
        return COUNTING + solid((await non_streaming(api, fresh=fresh)).text)

    text = await as_stream(False)
    assert_echoed(text, COUNTING)
    await expect_agreement(as_stream, expected, say("the prompt once, then the completion"))


async def is_prompt_scored(api: Api) -> bool:
    """Return whether `echo` is served with `logprobs`, by a request that other checks send."""
    if not api.contract.parameter("logprobs").documented:
        return False
    with api.without_evidence():
        try:
            await score(api, COUNTING, max_tokens=0)
        except Refusal:
            return False
        except Failure:
            pass
    return True


@check("echo.off-by-default", requirement="echo.off-by-default", tier="smoke")
async def nothing_is_echoed_by_default(api: Api) -> None:
    """Without `echo` the text does not begin with the prompt.

    未设置 `echo` 时，文本不以 prompt 开头。
    """
    text = (await non_streaming(api)).text
    expect(text, say("text")).satisfies(
        lambda it: not it.startswith(COUNTING), say("without the prompt before it")
    )
