"""``include_stop_str_in_output``: whether the text keeps the stop sequence that ended it."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.requests import non_streaming, streamed
from conformance.checks._shared.stop_candidates import across_words, middle_of
from conformance.judgement import Failure, shown
from conformance.message import say
from conformance.model import Effect


@check("include-stop.kept", requirement="include-stop.keeps-the-sequence", sees_effect=True)
async def the_sequence_is_kept(api: Api) -> None:
    """With `include_stop_str_in_output`, the text ends with its stop sequence.

    设置 `include_stop_str_in_output` 时，文本以停止序列结尾。
    """
    usual = (await non_streaming(api)).text
    stop = middle_of(usual)
    kept = (await non_streaming(api, stop=stop, include_stop_str_in_output=True)).text
    assert_kept(kept, usual, stop)


@check(
    "include-stop.kept-in-a-stream",
    requirement="include-stop.keeps-the-sequence",
    needs=("stream",),
    sees_effect=True,
)
async def the_sequence_is_kept_in_a_stream(api: Api) -> None:
    """With `include_stop_str_in_output`, a stream's text ends with its stop sequence.

    设置 `include_stop_str_in_output` 时，流式文本以停止序列结尾。
    """
    usual = (await non_streaming(api)).text
    stop = middle_of(usual)
    kept = (await streamed(api, stop=stop, include_stop_str_in_output=True)).text
    assert_kept(kept, usual, stop)


@check(
    "include-stop.kept-across-tokens",
    requirement="include-stop.keeps-the-sequence",
    tier="deep",
    sees_effect=True,
)
async def a_sequence_across_tokens_is_kept(api: Api) -> None:
    """A stop sequence that spans tokens is kept whole, and nothing after it.

    跨越多个 token 的停止序列会完整保留，其后不再有内容。
    """
    usual = (await non_streaming(api)).text
    stop = across_words(usual)
    kept = (await non_streaming(api, stop=stop, include_stop_str_in_output=True)).text
    assert_kept(kept, usual, stop)


@check("include-stop.false-excludes", requirement="include-stop.false-leaves-it-out", tier="deep")
async def false_leaves_it_out(api: Api) -> None:
    """With `include_stop_str_in_output: false`, the text ends before its stop sequence.

    设置 `include_stop_str_in_output: false` 时，文本在停止序列之前结束。
    """
    usual = (await non_streaming(api)).text
    stop = middle_of(usual)
    left = (await non_streaming(api, stop=stop, include_stop_str_in_output=False)).text
    wanted = usual[: usual.find(stop)]
    if left != wanted:
        raise Failure(say("the text {text}", text=shown(wanted)), shown(left))


def assert_kept(text: str, usual: str, stop: str) -> None:
    """Assert that a text is the usual one, up to the end of its first stop sequence."""
    start = usual.find(stop)
    wanted = usual[: start + len(stop)]
    if text != wanted:
        effect = Effect.IGNORED if text == usual[:start] else Effect.ALTERED
        raise Failure(say("the text {text}", text=shown(wanted)), shown(text), effect=effect)
