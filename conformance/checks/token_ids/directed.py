"""``return_token_ids`` and ``return_tokens_as_token_ids``: the ids of tokens, in two places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.ab_compare import expect_agreement
from conformance.checks._shared.prompts import COUNTING, EMOJI
from conformance.checks._shared.readable_tokens import readable_tokens
from conformance.checks._shared.requests import non_streaming, streamed
from conformance.checks._shared.returned_ids import (
    MAX_TOKENS,
    ids_in,
    streamed_ids,
    with_ids,
)
from conformance.judgement import Failure, NotApplicable, expect, shown
from conformance.message import say
from conformance.protocol.completion import Choice

PREFIX = "token_id:"
KNOWN = 4
"""Tokens of a completion that are sent back as a prompt."""


@check("token-ids.counted", requirement="token-ids.of-all-tokens", sees_effect=True)
async def there_are_as_many_ids_as_tokens(api: Api) -> None:
    """With `return_token_ids`, there are as many ids as usage counts, of prompt and completion.

    设置 `return_token_ids` 时，prompt 与补全的 id 数目与用量所计一致。
    """
    completion = await with_ids(api)
    new, read = ids_in(completion.only), ids_in(completion.only, "prompt_token_ids")
    expect(len(new), say("number of token_ids")).equals(completion.usage.completion_tokens)
    expect(len(read), say("number of prompt_token_ids")).equals(completion.usage.prompt_tokens)


@check("token-ids.prompt-reproduces", requirement="token-ids.are-the-tokens")
async def the_ids_of_the_prompt_give_the_same_text(api: Api) -> None:
    """The returned ids of the prompt, sent as the prompt, give the same greedy text.

    把返回的 prompt 的 id 作为 prompt 发送，得到相同的贪心文本。
    """
    if "tokens" not in api.contract.parameter("prompt").forms:
        raise NotApplicable(say("this document does not mention prompts of token ids"))

    async def with_text(fresh: bool) -> str:
        return (await with_ids(api, fresh=fresh)).text

    read = ids_in((await with_ids(api)).only, "prompt_token_ids")

    async def with_prompt_ids(fresh: bool) -> str:
        return (await non_streaming(api, read, fresh=fresh, max_tokens=MAX_TOKENS)).text

    await expect_agreement(with_text, with_prompt_ids, say("the same text"))


@check("token-ids.continue-the-prompt", requirement="token-ids.are-the-tokens", tier="deep")
async def the_ids_of_the_completion_continue_it(api: Api) -> None:
    """The ids of the prompt and of the first tokens, sent as a prompt, give the rest of the text.

    把 prompt 的 id 与前几个生成 token 的 id 一起作为 prompt 发送，得到其余的文本。
    """
    if "tokens" not in api.contract.parameter("prompt").forms:
        raise NotApplicable(say("this document does not mention prompts of token ids"))
    choice = (await with_ids(api)).only
    ids = ids_in(choice)
    if len(ids) <= KNOWN:
        raise NotApplicable(say("the response is too short"))
    begun = [*ids_in(choice, "prompt_token_ids"), *ids[:KNOWN]]
    rest = (await non_streaming(api, begun, max_tokens=len(ids) - KNOWN)).text
    if not rest or not choice.text.endswith(rest.strip()):
        raise Failure(say("the end of {text}", text=shown(choice.text)), shown(rest))


@check("token-ids.in-a-stream", requirement="token-ids.of-all-tokens", needs=("stream",))
async def a_stream_has_the_same_ids(api: Api) -> None:
    """The ids in the chunks of a stream are those of the non-streaming response.

    流式数据块中的 id 与非流式响应的相同。
    """

    async def in_one(fresh: bool) -> tuple[list[int], list[int]]:
        choice = (await with_ids(api, fresh=fresh)).only
        return ids_in(choice, "prompt_token_ids"), ids_in(choice)

    async def in_chunks(fresh: bool) -> tuple[list[int], list[int]]:
        request: dict[str, Any] = {"max_tokens": MAX_TOKENS, "return_token_ids": True}
        completion = await streamed(api, COUNTING, fresh=fresh, **request)
        read = streamed_ids(completion, "prompt_token_ids")
        return read, streamed_ids(completion)

    await expect_agreement(in_one, in_chunks, say("the ids of the non-streaming response"))


@check("token-ids.of-partial-characters", requirement="token-ids.of-all-tokens", tier="deep")
async def parts_of_characters_have_ids(api: Api) -> None:
    """Tokens that are parts of characters have ids, too: as many as usage counts.

    属于字符一部分的 token 也有 id：数目与用量所计一致。
    """
    request: dict[str, Any] = {"max_tokens": MAX_TOKENS, "return_token_ids": True}
    if api.contract.parameter("stream_options").documented:
        request["stream_options"] = {"include_usage": True}
    completion = await streamed(api, EMOJI, **request)
    if not completion.has_usage:
        raise NotApplicable(say("the stream does not count its tokens"))
    count = len(streamed_ids(completion))
    expect(count, say("number of token_ids")).equals(completion.usage.completion_tokens)


@check(
    "token-ids.named-in-logprobs",
    requirement="token-ids.name-tokens",
    needs=("logprobs",),
    sees_effect=True,
)
async def logprobs_name_tokens_by_ids(api: Api) -> None:
    """With `return_tokens_as_token_ids`, `logprobs` names each token `token_id:ID`.

    设置 `return_tokens_as_token_ids` 时，`logprobs` 以 `token_id:ID` 表示每个 token。
    """
    tokens = readable_tokens(await named_by_ids(api))
    if not names_all(tokens):
        raise Failure(say("tokens named {prefix}ID", prefix=PREFIX), shown(tokens))


@check(
    "token-ids.same-in-logprobs",
    requirement="token-ids.are-the-tokens",
    needs=("logprobs", "return_tokens_as_token_ids"),
)
async def ids_are_those_that_logprobs_name(api: Api) -> None:
    """The ids that `logprobs` names are those of `token_ids`.

    `logprobs` 中的 id 与 `token_ids` 中的相同。
    """
    choice = await named_by_ids(api)
    tokens = readable_tokens(choice)
    if not names_all(tokens) or not isinstance(choice.raw.get("token_ids"), list):
        raise NotApplicable(say("the response does not have the ids in both places"))
    named = [int(token.removeprefix(PREFIX)) for token in tokens]
    expect(ids_in(choice)[: len(named)], "choices[0].token_ids").equals(named)


async def named_by_ids(api: Api) -> Choice:
    """Return the usual choice with log probabilities whose tokens are to be named by ids."""
    more: dict[str, Any] = {"return_tokens_as_token_ids": True, "logprobs": 1}
    if api.contract.parameter("return_token_ids").documented:
        return (await with_ids(api, **more)).only
    return (await non_streaming(api, max_tokens=MAX_TOKENS, **more)).only


def names_all(tokens: Sequence[str]) -> bool:
    """Return whether each token is named by an id."""
    return all(
        token.startswith(PREFIX) and token.removeprefix(PREFIX).isdecimal() for token in tokens
    )
