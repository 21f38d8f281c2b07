"""Each parameter keeps its meaning, whatever it is combined with.

The test cases of a covering array are sent, all greedy. Their responses are predicted from one
baseline response to each prompt (``predictions``), and each check judges one aspect of them. A test
case that shows a deviation is shrunk to the smallest request that still shows it.
"""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks.interactions import aspects
from conformance.checks.interactions.judging import Aspect, assert_aspect, assert_served
from conformance.model import Stage

GENERATED: dict[str, Any] = {"tier": "deep", "stage": Stage.GENERATED}

LAYOUT = Aspect("each choice once, numbered from 0", aspects.layout)
ECHOES = Aspect("each choice to begin with its own prompt", aspects.echoes)
TEXTS = Aspect(
    "each choice to have the text of the baseline response",
    aspects.unstopped_texts,
    by_text=True,
)
STOPS = Aspect(
    "each choice to have that text, up to the first stop sequence",
    aspects.stopped_texts,
    by_text=True,
)
ENDINGS = Aspect("each choice to have the right finish_reason", aspects.endings)
USAGE = Aspect("the usage derived from the baseline responses", aspects.usage)
LISTS = Aspect("log probabilities as requested", aspects.lists)
SCORES = Aspect("the log probabilities of the baseline response", aspects.scores, by_score=True)


@check("interactions.served", requirement="interactions.kept-together", **GENERATED)
async def what_is_served_alone_is_served_together(api: Api) -> None:
    """What is served alone is also served together, any two of the values that are combined.

    单独可用的参数值，两两组合时同样可用。
    """
    await assert_served(api, pairs=True)


@check("interactions.served-in-threes", requirement="interactions.kept-together", **GENERATED)
async def what_is_served_alone_is_served_by_threes(api: Api) -> None:
    """What is served alone is also served together, any three ways of asking among them.

    单独可用的参数值，三种请求方式组合时同样可用。
    """
    await assert_served(api, pairs=False)


@check("interactions.layout", requirement="index.each-once", **GENERATED)
async def choices_are_numbered_in_pairs(api: Api) -> None:
    """Whatever two settings meet, each choice comes once, under its own number.

    任意两项设置组合时，每个 choice 都以自己的编号出现一次。
    """
    await assert_aspect(api, LAYOUT, pairs=True)


@check("interactions.layout-in-threes", requirement="index.each-once", **GENERATED)
async def choices_are_numbered_in_threes(api: Api) -> None:
    """Whatever three ways of asking meet, each choice comes once, under its own number.

    任意三种请求方式组合时，每个 choice 都以自己的编号出现一次。
    """
    await assert_aspect(api, LAYOUT, pairs=False)


@check("interactions.echo", requirement="echo.own-prompt-in-batch", **GENERATED)
async def prompts_are_echoed_in_pairs(api: Api) -> None:
    """Whatever two settings meet, an echoed choice begins with its own prompt, to the letter.

    任意两项设置组合时，带回显的 choice 都逐字以自己的 prompt 开头。
    """
    await assert_aspect(api, ECHOES, pairs=True)


@check("interactions.echo-in-threes", requirement="echo.own-prompt-in-batch", **GENERATED)
async def prompts_are_echoed_in_threes(api: Api) -> None:
    """Whatever three ways of asking meet, an echoed choice begins with its own prompt.

    任意三种请求方式组合时，带回显的 choice 都以自己的 prompt 开头。
    """
    await assert_aspect(api, ECHOES, pairs=False)


@check("interactions.text", requirement="interactions.kept-together", **GENERATED)
async def the_text_is_the_same_in_pairs(api: Api) -> None:
    """Whatever two settings meet, a greedy choice says what its prompt is answered alone.

    任意两项设置组合时，贪心的 choice 都与其 prompt 单独得到的响应相同。
    """
    await assert_aspect(api, TEXTS, pairs=True)


@check("interactions.text-in-threes", requirement="interactions.kept-together", **GENERATED)
async def the_text_is_the_same_in_threes(api: Api) -> None:
    """Whatever three ways of asking meet, a greedy choice says what its prompt is answered alone.

    任意三种请求方式组合时，贪心的 choice 都与其 prompt 单独得到的响应相同。
    """
    await assert_aspect(api, TEXTS, pairs=False)


@check("interactions.stop", requirement="stop.earliest-match", needs=("stop",), **GENERATED)
async def the_text_is_cut_at_stops_in_pairs(api: Api) -> None:
    """Whatever two settings meet, stop sequences cut a choice where its own text holds them.

    任意两项设置组合时，停止序列都在 choice 自身文本出现之处截断它。
    """
    await assert_aspect(api, STOPS, pairs=True)


@check(
    "interactions.stop-in-threes", requirement="stop.earliest-match", needs=("stop",), **GENERATED
)
async def the_text_is_cut_at_stops_in_threes(api: Api) -> None:
    """Whatever three ways of asking meet, stop sequences cut a choice where its text holds them.

    任意三种请求方式组合时，停止序列都在 choice 自身文本出现之处截断它。
    """
    await assert_aspect(api, STOPS, pairs=False)


@check("interactions.endings", requirement="finish-reason.per-choice", **GENERATED)
async def choices_say_why_they_ended_in_pairs(api: Api) -> None:
    """Whatever two settings meet, each choice says by itself why it ended.

    任意两项设置组合时，每个 choice 都各自说明结束原因。
    """
    await assert_aspect(api, ENDINGS, pairs=True)


@check("interactions.endings-in-threes", requirement="finish-reason.per-choice", **GENERATED)
async def choices_say_why_they_ended_in_threes(api: Api) -> None:
    """Whatever three ways of asking meet, each choice says by itself why it ended.

    任意三种请求方式组合时，每个 choice 都各自说明结束原因。
    """
    await assert_aspect(api, ENDINGS, pairs=False)


@check("interactions.usage", requirement="interactions.kept-together", **GENERATED)
async def bills_add_up_in_pairs(api: Api) -> None:
    """Whatever two settings meet, the bill is that of the prompts and of what was generated.

    任意两项设置组合时，用量都等于各 prompt 与所生成内容之和。
    """
    await assert_aspect(api, USAGE, pairs=True)


@check("interactions.usage-in-threes", requirement="interactions.kept-together", **GENERATED)
async def bills_add_up_in_threes(api: Api) -> None:
    """Whatever three ways of asking meet, the bill is that of the prompts and of the answers.

    任意三种请求方式组合时，用量都等于各 prompt 与各响应之和。
    """
    await assert_aspect(api, USAGE, pairs=False)


@check(
    "interactions.logprobs",
    requirement="logprobs-arrays.four-parallel",
    needs=("logprobs",),
    **GENERATED,
)
async def log_probabilities_are_in_step_in_pairs(api: Api) -> None:
    """Whatever two settings meet, the arrays of log probabilities fit the text and each other.

    任意两项设置组合时，对数概率的各数组都与文本一致且彼此对齐。
    """
    await assert_aspect(api, LISTS, pairs=True)


@check(
    "interactions.logprobs-in-threes",
    requirement="logprobs-arrays.four-parallel",
    needs=("logprobs",),
    **GENERATED,
)
async def log_probabilities_are_in_step_in_threes(api: Api) -> None:
    """Whatever three ways of asking meet, the arrays of log probabilities fit text and each other.

    任意三种请求方式组合时，对数概率的各数组都与文本一致且彼此对齐。
    """
    await assert_aspect(api, LISTS, pairs=False)


@check(
    "interactions.scores",
    requirement="interactions.kept-together",
    needs=("logprobs",),
    **GENERATED,
)
async def tokens_are_scored_alike_in_pairs(api: Api) -> None:
    """Whatever two settings meet, the tokens of a greedy choice have the scores they have alone.

    任意两项设置组合时，贪心 choice 的 token 得分都与单独请求时相同。
    """
    await assert_aspect(api, SCORES, pairs=True)


@check(
    "interactions.scores-in-threes",
    requirement="interactions.kept-together",
    needs=("logprobs",),
    **GENERATED,
)
async def tokens_are_scored_alike_in_threes(api: Api) -> None:
    """Whatever three ways of asking meet, greedy tokens have the scores they have alone.

    任意三种请求方式组合时，贪心的 token 得分都与单独请求时相同。
    """
    await assert_aspect(api, SCORES, pairs=False)
