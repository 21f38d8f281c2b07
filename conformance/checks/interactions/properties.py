"""Each parameter keeps its meaning in combination with others.

The test cases of a covering array are sent, all greedy. Their responses are predicted from one
baseline response to each prompt (``predictions``), and each check judges one aspect of them. A test
case that shows a failure is shrunk to the smallest request that still shows it.
"""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks.interactions import aspects
from conformance.checks.interactions.cases import has_empty_stop
from conformance.checks.interactions.judging import Aspect, assert_aspect, assert_served
from conformance.message import say
from conformance.model import Stage

CORE: dict[str, Any] = {"tier": "standard", "stage": Stage.GENERATED}
GENERATED: dict[str, Any] = {"tier": "deep", "stage": Stage.GENERATED}

LAYOUT = Aspect(say("each choice once, numbered from 0"), aspects.layout)
ECHOES = Aspect(say("each choice to begin with its own prompt"), aspects.echoes)
TEXTS = Aspect(
    say("each choice to have the text of the baseline response"),
    aspects.unstopped_texts,
    by_text=True,
    names_setting=True,
)
EMPTY_STOPS = Aspect(
    say("an empty stop sequence to change no text"),
    aspects.whole_texts,
    by_text=True,
    among=has_empty_stop,
    owns=has_empty_stop,
)
STOPS = Aspect(
    say("each choice to have that text, up to the first stop sequence"),
    aspects.stopped_texts,
    by_text=True,
    names_setting=True,
)
ENDINGS = Aspect(say("each choice to have the right finish_reason"), aspects.endings)
USAGE = Aspect(say("the usage derived from the baseline responses"), aspects.usage)
LISTS = Aspect(say("log probabilities as requested"), aspects.lists)
SCORES = Aspect(
    say("the log probabilities of the baseline response"), aspects.scores, by_score=True
)


@check("interactions.served", requirement="interactions.kept-together", **CORE)
async def what_is_served_alone_is_served_together(api: Api) -> None:
    """Parameter values that are served alone are also served together.

    单独可用的参数值，组合使用时同样可用。
    """
    await assert_served(api, core=True)


@check("interactions.served-in-threes", requirement="interactions.kept-together", **GENERATED)
async def what_is_served_alone_is_served_by_threes(api: Api) -> None:
    """Parameter values that are served alone are also served in combinations of three.

    单独可用的参数值，三三组合时同样可用。
    """
    await assert_served(api, core=False)


@check("interactions.layout", requirement="index.each-once", **CORE)
async def choices_are_numbered_in_combination(api: Api) -> None:
    """Where settings are combined, each choice occurs once, with its own index.

    多项设置组合时，每个 choice 都以自己的 index 出现一次。
    """
    await assert_aspect(api, LAYOUT, core=True)


@check("interactions.layout-in-threes", requirement="index.each-once", **GENERATED)
async def choices_are_numbered_in_threes(api: Api) -> None:
    """In any combination of three settings, each choice occurs once, with its own index.

    任意三项设置组合时，每个 choice 都以自己的 index 出现一次。
    """
    await assert_aspect(api, LAYOUT, core=False)


@check("interactions.echo", requirement="echo.own-prompt-in-batch", **CORE)
async def prompts_are_echoed_in_combination(api: Api) -> None:
    """Where settings are combined, a choice with `echo` begins with its own prompt.

    多项设置组合时，带 `echo` 的 choice 都以自己的 prompt 开头。
    """
    await assert_aspect(api, ECHOES, core=True)


@check("interactions.echo-in-threes", requirement="echo.own-prompt-in-batch", **GENERATED)
async def prompts_are_echoed_in_threes(api: Api) -> None:
    """In any combination of three settings, a choice with `echo` begins with its own prompt.

    任意三项设置组合时，带 `echo` 的 choice 都以自己的 prompt 开头。
    """
    await assert_aspect(api, ECHOES, core=False)


@check("interactions.text", requirement="interactions.kept-together", **CORE)
async def the_text_is_the_same_in_combination(api: Api) -> None:
    """Where settings are combined, a greedy choice has the text of its prompt alone.

    多项设置组合时，贪心 choice 的文本都与其 prompt 单独请求时相同。
    """
    await assert_aspect(api, TEXTS, core=True)


@check("interactions.text-in-threes", requirement="interactions.kept-together", **GENERATED)
async def the_text_is_the_same_in_threes(api: Api) -> None:
    """In any combination of three settings, a greedy choice has the text of its prompt alone.

    任意三项设置组合时，贪心 choice 的文本都与其 prompt 单独请求时相同。
    """
    await assert_aspect(api, TEXTS, core=False)


@check(
    "interactions.empty-stop",
    requirement="stop.empty-is-harmless",
    needs=("stop",),
    **CORE,
)
async def empty_stops_change_nothing_in_combination(api: Api) -> None:
    """Where settings are combined, an empty stop sequence does not change a greedy text.

    多项设置组合时，空的停止序列都不改变贪心 choice 的文本。
    """
    await assert_aspect(api, EMPTY_STOPS, core=True)


@check("interactions.stop", requirement="stop.earliest-match", needs=("stop",), **CORE)
async def the_text_is_cut_at_stops_in_combination(api: Api) -> None:
    """Where settings are combined, stop sequences cut a choice at the first match.

    多项设置组合时，停止序列都在首次匹配处截断 choice。
    """
    await assert_aspect(api, STOPS, core=True)


@check(
    "interactions.stop-in-threes", requirement="stop.earliest-match", needs=("stop",), **GENERATED
)
async def the_text_is_cut_at_stops_in_threes(api: Api) -> None:
    """In any combination of three settings, stop sequences cut a choice at the first match.

    任意三项设置组合时，停止序列都在首次匹配处截断 choice。
    """
    await assert_aspect(api, STOPS, core=False)


@check("interactions.endings", requirement="finish-reason.per-choice", **CORE)
async def finish_reasons_are_right_in_combination(api: Api) -> None:
    """Where settings are combined, each choice has its own finish_reason.

    多项设置组合时，每个 choice 都有自己的 finish_reason。
    """
    await assert_aspect(api, ENDINGS, core=True)


@check("interactions.endings-in-threes", requirement="finish-reason.per-choice", **GENERATED)
async def finish_reasons_are_right_in_threes(api: Api) -> None:
    """In any combination of three settings, each choice has its own finish_reason.

    任意三项设置组合时，每个 choice 都有自己的 finish_reason。
    """
    await assert_aspect(api, ENDINGS, core=False)


@check(
    "interactions.usage",
    requirement="interactions.kept-together",
    subject="usage",
    **CORE,
)
async def usage_adds_up_in_combination(api: Api) -> None:
    """Where settings are combined, the usage counts the prompts and the completions.

    多项设置组合时，用量都与各 prompt 和补全相符。
    """
    await assert_aspect(api, USAGE, core=True)


@check(
    "interactions.usage-in-threes",
    requirement="interactions.kept-together",
    subject="usage",
    **GENERATED,
)
async def usage_adds_up_in_threes(api: Api) -> None:
    """In any combination of three settings, the usage counts the prompts and the completions.

    任意三项设置组合时，用量都与各 prompt 和补全相符。
    """
    await assert_aspect(api, USAGE, core=False)


@check(
    "interactions.logprobs",
    requirement="logprobs-arrays.four-parallel",
    needs=("logprobs",),
    **CORE,
)
async def log_probabilities_are_in_step_in_combination(api: Api) -> None:
    """Where settings are combined, the arrays of log probabilities match the text.

    多项设置组合时，对数概率的各数组都与文本一致。
    """
    await assert_aspect(api, LISTS, core=True)


@check(
    "interactions.logprobs-in-threes",
    requirement="logprobs-arrays.four-parallel",
    needs=("logprobs",),
    **GENERATED,
)
async def log_probabilities_are_in_step_in_threes(api: Api) -> None:
    """In any combination of three settings, the arrays of log probabilities match the text.

    任意三项设置组合时，对数概率的各数组都与文本一致。
    """
    await assert_aspect(api, LISTS, core=False)


@check(
    "interactions.scores",
    requirement="interactions.kept-together",
    needs=("logprobs",),
    subject="choices[].logprobs.token_logprobs",
    **CORE,
)
async def tokens_are_scored_alike_in_combination(api: Api) -> None:
    """Where settings are combined, greedy tokens have the scores of their prompt alone.

    多项设置组合时，贪心 choice 的 token 得分都与单独请求时相同。
    """
    await assert_aspect(api, SCORES, core=True)


@check(
    "interactions.scores-in-threes",
    requirement="interactions.kept-together",
    needs=("logprobs",),
    subject="choices[].logprobs.token_logprobs",
    **GENERATED,
)
async def tokens_are_scored_alike_in_threes(api: Api) -> None:
    """In any combination of three settings, greedy tokens have the scores of their prompt alone.

    任意三项设置组合时，贪心的 token 得分都与单独请求时相同。
    """
    await assert_aspect(api, SCORES, core=False)
