"""Relations between the texts of answers to what was drawn: one request tells what another says."""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks._characters import solid
from conformance.checks._needles import before
from conformance.checks._stopping import OTHERS
from conformance.checks.registry import check
from conformance.generated.agreement import Trial
from conformance.generated.engine import hold_property
from conformance.generated.strategies import USERS, Cut, Scene, cuts, scenes, scenes_with
from conformance.generated.ways import Texts, Way, alone, batches, choices, every_way, texts
from conformance.judgement import Deviation, NotApplicable, shown
from conformance.model import Stage

DRAWN: dict[str, Any] = {"tier": "deep", "stage": Stage.GENERATED}
"""Where the checks of these files belong."""


@check(
    "relations.stream-as-plain",
    requirement="streaming.text-equals-plain",
    needs=("stream",),
    **DRAWN,
)
async def a_stream_is_its_plain_answer(api: Api) -> None:
    """Whatever is asked, the pieces of each choice of a stream join to the text of the plain one.

    无论请求什么，流中每个 choice 的各片段拼接后都等于非流式的文本。
    """

    async def relation(trial: Trial, scene: Scene, way: Way) -> None:
        async def in_pieces(fresh: bool) -> Texts:
            return await texts(trial.api, scene, way, stream=True, fresh=fresh)

        async def at_once(fresh: bool) -> Texts:
            return await texts(trial.api, scene, way, fresh=fresh)

        await trial.expect_alike(in_pieces, at_once, "a stream that joins to the plain answer")

    await hold_property(api, scenes, relation, every_way(api))


@check("relations.batch-as-singles", requirement="prompt.batch-as-singles", **DRAWN)
async def a_batch_is_its_prompts_alone(api: Api) -> None:
    """Whatever the prompts, each gets in a batch the greedy text that it gets alone.

    无论 prompt 为何，其在批次中得到的贪心文本都与单独发送时相同。
    """

    async def relation(trial: Trial, scene: Scene, way: Way) -> None:
        async def together(fresh: bool) -> Texts:
            return await texts(trial.api, scene, way, fresh=fresh)

        async def singly(fresh: bool) -> Texts:
            return await alone(trial.api, scene, way, fresh=fresh)

        await trial.expect_alike(together, singly, "each prompt's own answer")

    await hold_property(api, scenes, relation, batches(api))


@check("relations.index-layout", requirement="index.prompt-major", **DRAWN)
async def choices_lie_prompt_by_prompt(api: Api) -> None:
    """In a drawn batch with copies, choice `p * n + i` continues prompt `p`.

    在随机生成、带多个 choice 的批次中，第 `p * n + i` 个 choice 接续第 `p` 个 prompt。
    """
    await hold_layout(api, stream=False)


@check("relations.index-layout-streamed", requirement="index.each-once", needs=("stream",), **DRAWN)
async def streamed_choices_lie_prompt_by_prompt(api: Api) -> None:
    """In a stream of a drawn batch with copies every choice has its own number, in its own place.

    在随机生成、带多个 choice 的流式批次中，每个 choice 都有自己的编号和位置。
    """
    await hold_layout(api, stream=True)


async def hold_layout(api: Api, *, stream: bool) -> None:
    """Hold that the choices of a batch are numbered by prompt, and continue their prompts."""

    async def relation(trial: Trial, scene: Scene, way: Way) -> None:
        told = await choices(trial.api, scene, way, stream=stream)
        indexes = [choice.index for _, choice in told]
        if indexes != list(range(len(told))):
            raise Deviation(f"index 0 to {len(told) - 1}, each once", shown(indexes))
        found = tuple(solid(choice.text) for _, choice in told)
        expected = await alone(trial.api, scene, way)
        # Texts that are all there, but in another order, are no near-tie.
        if found != expected and sorted(found) == sorted(expected):
            raise Deviation(
                "the choices of one prompt after those of the other",
                f"{shown(found)} against {shown(expected)}",
            )

    await hold_property(api, scenes, relation, batches(api))


@check("relations.longer-continues-shorter", requirement="max-tokens.longer-extends", **DRAWN)
async def one_token_more_continues_the_answer(api: Api) -> None:
    """A greedy answer with one token more begins with the answer that has one less.

    多一个 token 的贪心响应以少一个 token 的响应开头。
    """

    async def relation(trial: Trial, scene: Scene, way: Way) -> None:
        shorter = await texts(trial.api, scene, way)

        async def longer(fresh: bool) -> Texts:
            more = await texts(trial.api, scene, way, fresh=fresh, max_tokens=scene.limit + 1)
            return tuple(text[: len(known)] for text, known in zip(more, shorter, strict=True))

        async def as_before(fresh: bool) -> Texts:
            return await texts(trial.api, scene, way, fresh=fresh)

        await trial.expect_alike(longer, as_before, "a text that begins with the shorter answer")

    await hold_property(api, scenes, relation, every_way(api))


@check("relations.stop-cuts", requirement="stop.earliest-match", **DRAWN)
async def a_stop_cuts_the_free_answer(api: Api) -> None:
    """Wherever it is cut from the free answer, a stop sequence ends the text just before it.

    无论停止序列取自自由响应的何处，文本都恰在其前结束。
    """
    await hold_cut_everywhere(api, stream=False)


@check(
    "relations.stop-cuts-stream",
    requirement="streaming.stop-never-leaks",
    needs=("stream",),
    **DRAWN,
)
async def a_stop_cuts_the_stream(api: Api) -> None:
    """In a stream, too, nothing of a stop sequence shows, and nothing before it is lost.

    流式时亦然：停止序列丝毫不出现，其前的内容也不丢失。
    """
    await hold_cut_everywhere(api, stream=True)


async def hold_cut_everywhere(api: Api, *, stream: bool) -> None:
    """Hold that each choice ends where the free answer first holds the stop sequence."""

    async def relation(trial: Trial, cut: Cut, way: Way) -> None:
        needle = needle_of(await texts(trial.api, cut.scene, way), cut)
        stop = [*OTHERS[: cut.decoys], needle] if cut.decoys else needle

        async def stopped(fresh: bool) -> Texts:
            return await texts(trial.api, cut.scene, way, stream=stream, fresh=fresh, stop=stop)

        async def cut_free(fresh: bool) -> Texts:
            free = await texts(trial.api, cut.scene, way, fresh=fresh)
            return tuple(before(text, needle) for text in free)

        await trial.expect_alike(stopped, cut_free, "the free answer, up to the stop sequence")

    await hold_property(api, cuts, relation, every_way(api))


def needle_of(free: Texts, cut: Cut) -> str:
    """Cut a stop sequence from the longest of some free answers.

    Raises:
        NotApplicable: all of them are empty.
    """
    text = max(free, key=len)
    if not text:
        raise NotApplicable("the endpoint answers what was drawn with no text to cut a stop from")
    start = cut.place * len(text) // 8
    return text[start : start + cut.length]


@check("relations.user-changes-nothing", requirement="user.no-effect", **DRAWN)
async def a_user_changes_nothing(api: Api) -> None:
    """Whatever the `user` is called, the answer is the one without.

    无论 `user` 叫什么，响应都与不带时相同。
    """

    async def relation(trial: Trial, drawn: tuple[Scene, str], way: Way) -> None:
        scene, name = drawn

        async def with_user(fresh: bool) -> Texts:
            return await texts(trial.api, scene, way, fresh=fresh, user=name)

        async def without(fresh: bool) -> Texts:
            return await texts(trial.api, scene, way, fresh=fresh)

        await trial.expect_alike(with_user, without, "the answer without `user`")

    await hold_property(api, lambda: scenes_with(USERS), relation, every_way(api))
