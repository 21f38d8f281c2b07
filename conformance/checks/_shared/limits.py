"""Checks as rows of a table: values that a parameter must not have, and values without effect.

An area lists its rows in ``limits.py`` and registers them with :func:`register`. A row has the
check's id, its requirement, the value to send and the two sentences that a reader sees; everything
else about the request is :data:`~conformance.checks._shared.requests.MINIMAL_REQUEST`, or the
shared greedy request where a response is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from conformance.api import Api
from conformance.checks._shared.ab_compare import expect_agreement
from conformance.checks._shared.neutral_values import (
    neutral_values_are_harmless,
    nulls_are_harmless,
)
from conformance.checks._shared.prompts import COUNTING
from conformance.checks._shared.refusals import (
    REJECTED_STATUSES,
    above,
    below,
    minimal_request,
    served_or_rejected,
    where_served,
)
from conformance.checks._shared.requests import non_streaming
from conformance.checks.catalogue import CheckFunction
from conformance.checks.registry import check
from conformance.judgement import NotApplicable
from conformance.message import say


class Outcome(StrEnum):
    """The expected result of a row's request."""

    REJECTED = "rejected"
    """A clean 400 or 422."""

    SERVED_OR_REJECTED = "served-or-rejected"
    """A completion or a clean rejection, but no server error."""

    SAME_AS_OMITTED = "same-as-omitted"
    """The greedy response that comes without the parameter."""


@dataclass(frozen=True, slots=True)
class Above:
    """The documented maximum of the parameter, plus ``step``; an integer where ``whole``."""

    step: float
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Below:
    """The documented minimum of the parameter, minus ``step``; an integer where ``whole``."""

    step: float
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """One row: a check that sends a value and expects an outcome.

    Attributes:
        id: of the check.
        sends: what is added to the request, by parameter; :class:`Above` and :class:`Below` are
            replaced by a value beyond the contract's bound.
        title: the check's sentence, and ``title_zh`` the same in Chinese.
        stream: whether a stream is requested.
        read_events: events of a stream after which the client hangs up; None reads all.
        prompt: of the greedy request, where a response is compared.
        instead: a value that has to be served before a rejected null counts.
        subject: what a failure is about, if the requirement is about any parameter.
        only_after: what has to be served before the value is tried; None tries it always.
    """

    id: str
    requirement: str
    sends: Mapping[str, Any]
    title: str
    title_zh: str
    outcome: Outcome
    tier: str = "standard"
    needs: tuple[str, ...] = ()
    stream: bool = False
    read_events: int | None = None
    prompt: str = COUNTING
    instead: Any = None
    subject: str = ""
    only_after: Mapping[str, Any] | None = None


rejected = partial(Limit, outcome=Outcome.REJECTED)
harmless = partial(Limit, outcome=Outcome.SERVED_OR_REJECTED)
same_as_omitted = partial(Limit, outcome=Outcome.SAME_AS_OMITTED)


def wrong_type(
    check_id: str, sends: Mapping[str, Any], title: str, title_zh: str, **more: Any
) -> Limit:
    """Make the row of a value of a wrong type, which every parameter has to reject.

    It is of the deep tier, and skipped where the contract does not document the parameter.
    """
    row = {"tier": "deep", "needs": tuple(sends), "subject": next(iter(sends)), **more}
    return rejected(check_id, "errors.wrong-type-refused", sends, title, title_zh, **row)


def coerced_type(
    check_id: str, sends: Mapping[str, Any], title: str, title_zh: str, **more: Any
) -> Limit:
    """Make the row of a value of a wrong type that some servers convert to the right one.

    It is skipped where the contract does not document the parameter.
    """
    row = {"needs": tuple(sends), "subject": next(iter(sends)), **more}
    return rejected(check_id, "errors.coerced-type-refused", sends, title, title_zh, **row)


def register(rows: Iterable[Limit], module: str) -> None:
    """Register a check for each row of a table that stands in ``module``."""
    for row in rows:
        generate = GENERATORS[row.outcome]
        function = generate(row)
        function.__doc__ = f"{row.title}\n\n{row.title_zh}"
        function.__module__ = module
        check(
            row.id,
            requirement=row.requirement,
            tier=row.tier,
            needs=row.needs,
            made_from=(row, generate),
            subject=row.subject,
        )(function)


def is_rejected(row: Limit) -> CheckFunction:
    """Check that the minimal request with the row's value is rejected."""

    async def run(api: Api) -> None:
        if row.only_after is not None:
            served = await api.complete(**minimal_request(**row.only_after))
            if served.status in REJECTED_STATUSES:
                raise NotApplicable(say("a value of the same kind is rejected elsewhere"))
        body = minimal_request(**values_of(row, api))
        if row.stream:
            response = await api.stream(read_events=row.read_events, **body)
        else:
            response = await api.complete(**body)
        response.expect_error(*REJECTED_STATUSES)

    return run


def is_served_or_rejected(row: Limit) -> CheckFunction:
    """Check that the minimal request with the row's value causes no server error."""

    async def run(api: Api) -> None:
        served_or_rejected(await api.complete(**minimal_request(**values_of(row, api))))

    return run


def is_same_as_omitted(row: Limit) -> CheckFunction:
    """Check that the row's value changes nothing, together with others first, then alone."""
    ((name, value),) = row.sends.items()

    async def run(api: Api) -> None:
        together = nulls_are_harmless if value is None else neutral_values_are_harmless
        if await together(api, name):
            return

        async def with_value(fresh: bool) -> str:
            return (await non_streaming(api, row.prompt, fresh=fresh, **{name: value})).text

        async def without(fresh: bool) -> str:
            return (await non_streaming(api, row.prompt, fresh=fresh)).text

        null = value is None
        async with where_served(api, name, row.instead) if null else nullcontext():
            await expect_agreement(
                with_value, without, say("the response without `{parameter}`", parameter=name)
            )

    return run


GENERATORS: Mapping[Outcome, Callable[[Limit], CheckFunction]] = {
    Outcome.REJECTED: is_rejected,
    Outcome.SERVED_OR_REJECTED: is_served_or_rejected,
    Outcome.SAME_AS_OMITTED: is_same_as_omitted,
}


def values_of(row: Limit, api: Api) -> dict[str, Any]:
    """Return the members that a row sends under the contract of this run.

    Raises:
        NotApplicable: the contract states no such bound.
    """
    return {name: _resolved(api, name, value) for name, value in row.sends.items()}


def _resolved(api: Api, name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _resolved(api, name, inner) for key, inner in value.items()}
    if isinstance(value, Above | Below):
        undocumented = above if isinstance(value, Above) else below
        bound = undocumented(api, name, value.step)
        return int(bound) if value.whole else bound
    return value
