"""``stop_reason``, and SGLang's ``matched_stop``: the stop that ended a choice."""

from __future__ import annotations

from functools import partial
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.named_checks import check_of_each
from conformance.checks._shared.prompts import COLOURS, COUNTING, ENDED
from conformance.checks._shared.requests import MAX_TOKENS, non_streaming, streamed
from conformance.checks._shared.returned_ids import early_token, last_in_stream
from conformance.checks._shared.stop_candidates import NEVER_GENERATED, middle_of
from conformance.judgement import NotApplicable, expect
from conformance.message import say
from conformance.protocol.completion import Choice

FIELDS = ("stop_reason", "matched_stop")
"""One field under the names that servers give it."""

check_of_both = partial(check_of_each, FIELDS)


@check_of_both("names-the-sequence", requirement="names-the-stop")
async def the_sequence_is_named(api: Api, name: str) -> None:
    """`{name}` is the stop sequence that ended the choice.

    `{name}` 是结束该 choice 的停止序列。
    """
    stop = middle_of((await non_streaming(api)).text)
    choice = (await non_streaming(api, stop=[NEVER_GENERATED, stop])).only
    if choice.finish_reason != "stop":
        raise NotApplicable(say("the stop sequence did not end the text (another check)"))
    expect(value_of(choice, name), f"choices[0].{name}").equals(stop)


@check_of_both(
    "names-the-sequence-in-a-stream", requirement="names-the-stop", tier="deep", needs=("stream",)
)
async def the_sequence_is_named_in_a_stream(api: Api, name: str) -> None:
    """In a stream, the last `{name}` is the stop sequence.

    流式响应中，最后的 `{name}` 是停止序列。
    """
    stop = middle_of((await non_streaming(api)).text)
    completion = await streamed(api, stop=[NEVER_GENERATED, stop])
    if completion.only.finish_reason != "stop":
        raise NotApplicable(say("the stop sequence did not end the text (another check)"))
    value_of((await non_streaming(api, stop=[NEVER_GENERATED, stop])).only, name)
    expect(last_in_stream(completion, name), f"choices[0].{name}").equals(stop)


@check_of_both("names-the-token", requirement="names-the-stop", needs=("stop_token_ids",))
async def the_token_is_named(api: Api, name: str) -> None:
    """`{name}` is the id of the token that ended the choice.

    `{name}` 是结束该 choice 的 token 的 id。
    """
    _, ids, place = await early_token(api)
    request: dict[str, Any] = {"max_tokens": len(ids), "temperature": 0}
    response = await api.complete(prompt=COUNTING, stop_token_ids=[ids[place]], **request)
    choice = response.expect_ok().only
    if choice.finish_reason != "stop":
        raise NotApplicable(say("the token did not end the text (another check)"))
    expect(value_of(choice, name), f"choices[0].{name}").equals(ids[place])


@check("stop-reason.null-at-the-end", requirement="stop-reason.null-at-the-end")
async def the_end_is_no_stop(api: Api) -> None:
    """`stop_reason` is null if the text ended by itself.

    若文本自行结束，`stop_reason` 为 null。
    """
    response = await api.complete(prompt=ENDED, max_tokens=8, temperature=0)
    choice = response.expect_ok().only
    if choice.finish_reason != "stop":
        raise NotApplicable(say("the model does not end this text by itself"))
    expect(choice.raw.get("stop_reason"), "choices[0].stop_reason").equals(None)


@check_of_both("null-at-the-limit", requirement="null-otherwise")
async def the_limit_is_no_stop(api: Api, name: str) -> None:
    """`{name}` is null if the limit ended the choice.

    若因达到上限而结束，`{name}` 为 null。
    """
    for prompt in (COUNTING, COLOURS):
        completion = await non_streaming(api, prompt)
        if completion.only.finish_reason == "length":
            expect(completion.only.raw.get(name), f"choices[0].{name}").equals(None)
            return
    raise NotApplicable(say("no response reached its limit of {count} tokens", count=MAX_TOKENS))


def value_of(choice: Choice, name: str) -> Any:
    """Return the value of the field.

    Raises:
        NotApplicable: there is no such field, which documents do not require.
    """
    if name not in choice.raw:
        raise NotApplicable(say("the choice has no `{name}`", name=name))
    return choice.raw[name]
