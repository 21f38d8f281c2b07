"""Asking the rows: every check of interactions asks the same ones, so that each is paid for once.

A correct server may decline some settings, each of them alone. Rows that it declines for such a one
are asked without it; what is still declined is a combination, which is judged by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from conformance.api import Api
from conformance.checks._shared.requests import collect_stream, plain
from conformance.completion import Completion
from conformance.generated.expectation import Base, Bases, Source, base_of
from conformance.generated.interactions_rows import ASCII, Prompt, Row
from conformance.generated.space import SUFFIX, combinations, prompts_of, rows_of
from conformance.judgement import BudgetSpent, Judgement, Refusal, shown

Answer = Completion | Judgement
"""What came back to a row: a completion, or why there is none."""


@dataclass(frozen=True)
class Met:
    """The rows of a run with their answers.

    Attributes:
        bases: the plainest answers, which foretell all others.
        answers: each row beside its answer, in the order of the array.
        pairs: how many rows, the first ones, cover the pairs.
    """

    bases: Bases
    answers: Sequence[tuple[Row, Answer]]
    pairs: int


async def meet(api: Api, *, pairs: bool = False) -> Met:
    """Ask every row of the contract's array, or those alone that cover the pairs.

    Raises:
        NotApplicable: the library that makes arrays is not installed, or the budget is spent.
        Refusal, Deviation, Inconclusive: not even the plainest request is answered.
    """
    array = await asyncio.to_thread(combinations, api.contract)
    if pairs:
        array = replace(array, rows=array.rows[: array.pairs])
    sources: dict[Source, None] = {(ASCII, None): None}
    for combination in array.rows:
        suffix = SUFFIX if combination.get("suffix") == "on" else None
        sources |= dict.fromkeys((prompt, suffix) for prompt in prompts_of(combination))
    bases = await bases_of(api, sources)

    def text(prompt: Prompt, suffix: str | None, limit: int) -> str:
        base = bases.get((prompt, suffix))
        return (base.within(limit) or base.text) if base else ""

    rows = rows_of(array, api.contract, text)
    answers = await asyncio.gather(*(tried(api, row) for row in rows))
    declined = await _declined_alone(
        api, [row for row, told in zip(rows, answers, strict=True) if isinstance(told, Refusal)]
    )
    if declined:
        rows = [
            row.without(*(t for t in row.traits if _key(row, t) in declined))
            if isinstance(told, Refusal)
            else row
            for row, told in zip(rows, answers, strict=True)
        ]
        answers = await asyncio.gather(*(tried(api, row) for row in rows))
    return Met(bases, list(zip(rows, answers, strict=True)), array.pairs)


async def ask(api: Api, row: Row, *, fresh: bool = False) -> Completion:
    """Ask for the answer to a row.

    Raises:
        Judgement: there is none.
    """
    reply = await api.post(row.encoded(api.model), fresh=fresh)
    return collect_stream(reply) if row.asked.stream else reply.expect_ok()


async def tried(api: Api, row: Row) -> Answer:
    """Ask for the answer to a row, and return why there is none instead of raising it."""
    try:
        return await ask(api, row)
    except BudgetSpent:
        raise
    except Judgement as judgement:
        # Without its traceback, which would keep this frame and the answer alive in a circle.
        return judgement.with_traceback(None)


async def bases_of(api: Api, sources: Iterable[Source], *, fresh: bool = False) -> Bases:
    """Ask for the plainest answer to each prompt; one that gets none is left out.

    Raises:
        Judgement: the plainest prompt gets none.
    """
    asked = list(sources)
    answers = await asyncio.gather(*(_base(api, source, fresh) for source in asked))
    return {
        source: answer
        for source, answer in zip(asked, answers, strict=True)
        if isinstance(answer, Base)
    }


async def _base(api: Api, source: Source, fresh: bool) -> Base | None:
    """Ask with the tokens wherever they are told, since they say where a shorter limit cuts."""
    prompt, suffix = source
    asked = list(prompt) if isinstance(prompt, tuple) else prompt
    more = {} if suffix is None else {"suffix": suffix}
    try:
        if api.contract.parameter("logprobs").documented:
            try:
                return base_of(await plain(api, asked, fresh=fresh, **more, logprobs=1))
            except Refusal:
                pass
        return base_of(await plain(api, asked, fresh=fresh, **more))
    except BudgetSpent:
        raise
    except Judgement:
        if source == (ASCII, None):
            raise
        return None


async def _declined_alone(api: Api, refused: Sequence[Row]) -> set[tuple[str, str]]:
    """Find the traits of refused rows that are refused without any other."""
    alone: Mapping[tuple[str, str], Row] = {
        _key(row, trait): row.alone(trait) for row in refused for trait in row.traits
    }
    answers = await asyncio.gather(*(tried(api, row) for row in alone.values()))
    return {key for key, told in zip(alone, answers, strict=True) if isinstance(told, Refusal)}


def _key(row: Row, trait: str) -> tuple[str, str]:
    """Name a trait with its value."""
    parts = {"batch": row.prompts, "prompt": row.prompts, "limit": row.limit}
    return trait, shown(row.more[trait] if trait in row.more else parts.get(trait))
