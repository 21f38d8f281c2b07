"""The decorators that register a function as a check of one requirement.

Most checks send requests. Invariants send nothing: they judge the responses to all requests of a
run, and so find failures in responses that no other check judges.
"""

from __future__ import annotations

import inspect
import unicodedata
from collections.abc import Callable
from functools import reduce, wraps

from conformance.api import Api
from conformance.checks._shared.ab_compare import Unsettled
from conformance.checks._shared.invariants import (
    JudgeExchange,
    JudgeTrace,
    conclude,
    inspect_each,
    inspect_trace,
    usual_exchanges,
)
from conformance.checks._shared.nondeterminism import settle
from conformance.checks.catalogue import Check, CheckFunction, add
from conformance.judgement import Feature
from conformance.model import Stage, Tier


def check(
    check_id: str,
    *,
    requirement: str,
    tier: str = "standard",
    needs: tuple[str, ...] = (),
    stage: Stage = Stage.DIRECTED,
    made_from: tuple[object, ...] = (),
    prepare: CheckFunction | None = None,
    sees_effect: bool = False,
    subject: str = "",
) -> Callable[[CheckFunction], CheckFunction]:
    """Register the decorated function as a check.

    ``made_from`` is shown as its source if the function is made from a row of a table.
    ``prepare`` is called early in the stage of the check, which does not wait for it.
    ``sees_effect`` says that the check fails if the endpoint accepts the parameter and ignores it;
    without such a check, a report calls a parameter accepted and not honoured.
    ``subject`` is the parameter that a failure is about, if the requirement is about any of them.

    Raises:
        ValueError: the id is taken, or the docstring lacks the title in one of the languages.
    """

    def register(function: CheckFunction) -> CheckFunction:
        @wraps(function)
        async def run(api: Api) -> None:
            try:
                await function(api)
            except Unsettled as doubt:
                raise (await settle(doubt, api)).shown_by(doubt.evidence) from None

        titles = titles_of(function, check_id)
        add(
            Check(
                check_id,
                requirement,
                Tier(tier),
                *titles,
                needs,
                run,
                stage=stage,
                made_from=made_from,
                prepare=prepare,
                sees_effect=sees_effect,
                subject=subject,
            )
        )
        return function

    return register


def invariant(
    check_id: str,
    *,
    requirement: str,
    tier: str = "smoke",
    needs: tuple[str, ...] = (),
    of: Feature | None = None,
) -> Callable[[JudgeExchange], JudgeExchange]:
    """Register the decorated function as a check of every response of a run; it sends nothing.

        @invariant("usage.total-everywhere", requirement="usage.total-is-sum")
        def every_total_is_the_sum(exchange: RecordedExchange) -> None:
            \"\"\"In every response, `total_tokens` is the sum of the other two.

            每个响应的 `total_tokens` 都是另外两项之和。
            \"\"\"
            usage = exchange.usage
            expect(usage.total_tokens, "total_tokens").equals(…)

    It is called with each exchange of the run: streaming or not, rejected and incomplete, and
    those of deliberately invalid requests, but not with a completion for which an extension such as
    ``top_k`` was set, because that can change what every other rule is about. The accessors of
    :class:`~conformance.protocol.trace.RecordedExchange` raise NotApplicable if there is nothing to
    judge: no completion, no usage, or a parameter of a wrong type. Nothing can be requested again,
    so an invariant has to accept everything that a conforming endpoint may do now and then, such as
    another greedy response.

    Its finding states how many responses break the rule and what they have in common. ``of`` names
    the :class:`~conformance.judgement.Feature` whose absence this invariant reports; other
    invariants skip a response without it.

    Raises:
        ValueError: the id is taken, or the docstring lacks the title in one of the languages.
    """

    def register(function: JudgeExchange) -> JudgeExchange:
        @wraps(function)
        async def run(api: Api) -> None:
            conclude(inspect_each(function, of, usual_exchanges(api)), api)

        titles = titles_of(function, check_id)
        add(Check(check_id, requirement, Tier(tier), *titles, needs, run, asks=False))
        return function

    return register


def check_afterwards(
    check_id: str, *, requirement: str, tier: str = "smoke", needs: tuple[str, ...] = ()
) -> Callable[[CheckFunction], CheckFunction]:
    """Register a check that inspects a whole run, and sends requests only to confirm a suspicion.

    It runs when all checks that send requests are finished, and finds their exchanges in
    ``api.trace``; if nothing is suspicious, it costs nothing.

    Raises:
        ValueError: the id is taken, or the docstring lacks the title in one of the languages.
    """

    def register(function: CheckFunction) -> CheckFunction:
        titles = titles_of(function, check_id)
        add(Check(check_id, requirement, Tier(tier), *titles, needs, function, asks=False))
        return function

    return register


def invariant_across(
    check_id: str,
    *,
    requirement: str,
    tier: str = "smoke",
    needs: tuple[str, ...] = (),
) -> Callable[[JudgeTrace], JudgeTrace]:
    """Register a check that compares the responses of a run, and sends nothing.

    The function takes all of them in order of arrival. It yields each response that it compares,
    and a :class:`~conformance.protocol.trace.Violation` for each violation of the requirement;
    otherwise it is like :func:`invariant`.
    """

    def register(function: JudgeTrace) -> JudgeTrace:
        @wraps(function)
        async def run(api: Api) -> None:
            conclude(inspect_trace(function(usual_exchanges(api))), api)

        titles = titles_of(function, check_id)
        add(Check(check_id, requirement, Tier(tier), *titles, needs, run, asks=False))
        return function

    return register


def titles_of(function: Callable[..., object], check_id: str) -> tuple[str, str]:
    """Return a check's title in English and in Chinese: its docstring's first two paragraphs.

    Raises:
        ValueError: there is no docstring, or its second paragraph is not in Chinese.
    """
    english, _, rest = (inspect.getdoc(function) or "").partition("\n\n")
    if not english:
        raise ValueError(f"check {check_id}: the docstring lacks the check's title")
    chinese = rest.partition("\n\n")[0]
    if not any(map(_is_wide, chinese)):
        raise ValueError(
            f"check {check_id}: the docstring lacks the Chinese title, its second paragraph"
        )
    return " ".join(english.split()), reduce(_joined, chinese.splitlines())


def _joined(line: str, following: str) -> str:
    """Join two lines of Chinese text, which has no blanks between words."""
    between = "" if _is_wide(line[-1]) and _is_wide(following[0]) else " "
    return line + between + following


def _is_wide(character: str) -> bool:
    """Return whether a character is Chinese or Chinese punctuation."""
    return unicodedata.east_asian_width(character) in {"W", "F"}
