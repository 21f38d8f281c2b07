"""What shows only across the answers to several rows: scores of one prompt, and equal requests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from conformance.api import Api
from conformance.checks import check
from conformance.checks._scores import (
    Scored,
    alike,
    expect_scored_alike,
    scores_of,
    tokens_of,
)
from conformance.checks.echo_logprobs import prompt_length
from conformance.completion import Choice, Completion
from conformance.generated.interactions_asking import ask, meet
from conformance.generated.interactions_rows import Row
from conformance.judgement import Deviation, Judgement, NotApplicable, shown
from conformance.model import Stage


@dataclass(frozen=True)
class Sight:
    """The scores of a prompt in one choice of the answer to a row."""

    row: Row
    choice: int
    scored: Scored


@check(
    "interactions.prompt-scores",
    requirement="echo.scored-equals-generated",
    tier="deep",
    needs=("echo", "logprobs"),
    stage=Stage.GENERATED,
)
async def a_prompt_is_scored_alike_in_every_row(api: Api) -> None:
    """A prompt has the same scores whatever else is asked for, and however much follows it.

    无论同时设置什么参数、其后生成多少 token，同一 prompt 的得分都相同。
    """
    sights = prompts_scored((await meet(api)).answers)
    if not any(len(seen) > 1 for seen in sights.values()):
        raise NotApplicable("no prompt was scored twice")
    for seen in sights.values():
        usual = max(seen, key=lambda one: sum(_alike(one, other) for other in seen))
        for odd in seen:
            if not _alike(usual, odd):
                await hold_alike(api, usual, odd)


@check(
    "interactions.asked-again",
    requirement="envelope.id-unique",
    tier="deep",
    stage=Stage.GENERATED,
)
async def an_equal_request_is_answered_anew(api: Api) -> None:
    """A request of many settings that is sent again gets an answer with an id of its own.

    含多项设置的请求再次发送时，得到的响应有自己的 id。
    """
    met = await meet(api)
    for row in repeated([row for row, answer in met.answers if isinstance(answer, Completion)]):
        ids = [(await ask(api, row, fresh=fresh)).raw.get("id") for fresh in (False, True)]
        if ids[0] == ids[1]:
            raise Deviation(
                "another id for the same request, sent again", f"{shown(ids[0])} twice: {row.words}"
            )


def prompts_scored(answers: Sequence[tuple[Row, object]]) -> Mapping[str, Sequence[Sight]]:
    """Gather the scores of each echoed text, from every choice that lists them."""
    sights: dict[str, list[Sight]] = defaultdict(list)
    for row, answer in answers:
        if not (row.asked.echo and row.asked.has("logprobs") and isinstance(answer, Completion)):
            continue
        if len(answer.choices) != row.asked.choices:
            continue
        for number, choice in enumerate(answer.choices):
            prompt = row.prompts[number // row.asked.n]
            scored = prompt_scores(choice, prompt) if isinstance(prompt, str) else None
            if isinstance(prompt, str) and scored:
                sights[prompt].append(Sight(row, number, scored))
    return sights


def prompt_scores(choice: Choice, prompt: str) -> Scored | None:
    """Return the scores of the tokens that make up a prompt; None where they cannot be told."""
    try:
        tokens, scores = tokens_of(choice), scores_of(choice)
    except Judgement:
        return None
    length = prompt_length(tokens, prompt)
    return None if length is None else list(zip(tokens, scores, strict=False))[:length]


async def hold_alike(api: Api, usual: Sight, odd: Sight) -> None:
    """Hold that two rows score a prompt alike.

    Raises:
        Deviation: they do not, and each repeats its own scores.
        Inconclusive: one of them does not repeat its own.
    """

    async def scored(sight: Sight, fresh: bool) -> Scored:
        choices = (await ask(api, sight.row, fresh=fresh)).choices
        prompt = sight.row.prompts[sight.choice // sight.row.asked.n]
        return prompt_scores(choices[sight.choice], str(prompt)) or []

    await expect_scored_alike(
        partial(scored, usual),
        partial(scored, odd),
        f"the same scores of a prompt in two requests: {usual.row.words}, and {odd.row.words}",
    )


def repeated(rows: Sequence[Row]) -> list[Row]:
    """Choose what to ask again: a plain request and a stream, each with as much as can be."""
    chosen = []
    for stream in (False, True):
        ways = [row for row in rows if row.asked.stream is stream]
        if ways:
            chosen.append(max(ways, key=_many))
    return chosen


def _many(row: Row) -> tuple[bool, int]:
    return row.asked.echo and len(row.prompts) > 1 and not _is_ascii(row), row.asked.choices


def _is_ascii(row: Row) -> bool:
    return all(isinstance(prompt, str) and prompt.isascii() for prompt in row.prompts)


def _alike(one: Sight, other: Sight) -> bool:
    return alike([score for _, score in one.scored], [score for _, score in other.scored])
