"""``ignore_eos``: whether generation continues where the model would end the text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.prompts import ENDED
from conformance.checks._shared.requests import choices_of, collect_stream
from conformance.checks._shared.sampling import STORY
from conformance.judgement import Failure, Feature, NotApplicable, expect, shown
from conformance.message import say
from conformance.model import Effect
from conformance.protocol.completion import Choice, Completion

LIMIT = 8
"""Tokens of a completion that must not end by itself."""

ENDLESS: Mapping[str, Any] = {"max_tokens": LIMIT, "temperature": 0, "ignore_eos": True}


@check("ignore-eos.fills-the-limit", requirement="ignore-eos.continues", sees_effect=True)
async def the_limit_is_filled(api: Api) -> None:
    """With `ignore_eos`, a finished text is continued to exactly `max_tokens`, with `length`.

    设置 `ignore_eos` 时，已经结束的文本会继续生成，恰好达到 `max_tokens`，结束原因为 `length`。
    """
    assert_filled((await api.complete(prompt=ENDED, **ENDLESS)).expect_ok(), 1)


@check(
    "ignore-eos.fills-the-limit-in-a-stream",
    requirement="ignore-eos.continues",
    needs=("stream",),
    sees_effect=True,
)
async def the_limit_is_filled_in_a_stream(api: Api) -> None:
    """With `ignore_eos`, a stream continues to exactly `max_tokens`, with `length`.

    设置 `ignore_eos` 时，流式响应恰好达到 `max_tokens`，结束原因为 `length`。
    """
    counted = api.contract.parameter("stream_options").documented
    options: dict[str, Any] = {"stream_options": {"include_usage": True}} if counted else {}
    response = await api.stream(prompt=ENDED, **ENDLESS, **options)
    assert_filled(collect_stream(response), 1)


@check(
    "ignore-eos.fills-the-limit-in-every-choice",
    requirement="ignore-eos.continues",
    tier="deep",
    needs=("n",),
    sees_effect=True,
)
async def every_choice_fills_the_limit(api: Api) -> None:
    """With `ignore_eos`, every choice of a sampled batch reaches `max_tokens`.

    设置 `ignore_eos` 时，采样批次中的每个 choice 都达到 `max_tokens`。
    """
    if "strings" not in api.contract.parameter("prompt").forms:
        raise NotApplicable(say("this document does not mention arrays of prompts"))
    request = {**ENDLESS, "prompt": [STORY, ENDED], "temperature": 1, "n": 2}
    assert_filled((await api.complete(**request)).expect_ok(), 4)


@check("ignore-eos.false-as-omitted", requirement="ignore-eos.false-may-end", tier="deep")
async def false_is_as_omitted(api: Api) -> None:
    """With `ignore_eos: false`, a text that ends by itself still does.

    设置 `ignore_eos: false` 时，会自行结束的文本仍然自行结束。
    """
    omitted = await _ending(api)
    switched_off = await api.complete(prompt=ENDED, **{**ENDLESS, "ignore_eos": False})
    assert_ends(switched_off.expect_ok().only, omitted)


@check("ignore-eos.not-remembered", requirement="ignore-eos.false-may-end", tier="deep")
async def later_requests_may_end(api: Api) -> None:
    """After a request with `ignore_eos`, a text of another request still ends by itself.

    处理过带 `ignore_eos` 的请求之后，其他请求的文本仍会自行结束。
    """
    before = await _ending(api)
    await api.complete(prompt=ENDED, **ENDLESS)
    after = await api.complete(fresh=True, prompt=ENDED, max_tokens=LIMIT, temperature=0)
    assert_ends(after.expect_ok().only, before)


async def _ending(api: Api) -> Choice:
    """Return the usual completion of a finished text.

    Raises:
        NotApplicable: it does not end by itself.
    """
    response = await api.complete(prompt=ENDED, max_tokens=LIMIT, temperature=0)
    choice = response.expect_ok().only
    if choice.finish_reason != "stop":
        raise NotApplicable(say("the model does not end this text by itself"))
    return choice


def assert_filled(completion: Completion, count: int) -> None:
    """Assert that all choices reached their limit.

    Of a single one, usage has to count exactly so many tokens; other checks judge sums.
    """
    for choice in choices_of(completion, count, Feature.N_CHOICES):
        if choice.finish_reason != "length":
            raise Failure(
                say("finish_reason `length` with `ignore_eos`"),
                say(
                    "{reason} after {text}",
                    reason=shown(choice.finish_reason),
                    text=shown(choice.text),
                ),
                effect=Effect.IGNORED,
            )
    if completion.has_usage and count == 1:
        expect(completion.usage.completion_tokens, "usage.completion_tokens").equals(LIMIT)


def assert_ends(choice: Choice, usual: Choice) -> None:
    """Assert that a text ended by itself, as it usually does."""
    if choice.finish_reason != "stop":
        raise Failure(
            say("finish_reason `stop` after {text}", text=shown(usual.text)),
            say(
                "{reason} after {text}", reason=shown(choice.finish_reason), text=shown(choice.text)
            ),
        )
