"""Checks that are the same for several parameters or fields: written once, registered for each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from conformance.api import Api
from conformance.checks import check

NamedCheck = Callable[[Api, str], Awaitable[None]]
"""A check that takes the name of the parameter or field to judge."""


def check_of_each(
    names: Sequence[str],
    check_id: str,
    *,
    requirement: str,
    tier: str = "standard",
    needs: tuple[str, ...] = (),
    sees_effect: bool = False,
) -> Callable[[NamedCheck], NamedCheck]:
    """Register a check for each of the names.

    Their ids and requirements begin with the area of the name; ``{name}`` in the title is replaced
    by the name.
    """

    def register(function: NamedCheck) -> NamedCheck:
        for name in names:
            area = area_of(name)
            check(
                f"{area}.{check_id}",
                requirement=f"{area}.{requirement}",
                tier=tier,
                needs=needs,
                sees_effect=sees_effect,
                made_from=(function,),
            )(_of_one(function, name))
        return function

    return register


def area_of(name: str) -> str:
    """Return the area of a parameter or field in ids of checks and requirements."""
    return name.replace("_", "-")


def _of_one(function: NamedCheck, name: str) -> Callable[[Api], Awaitable[None]]:
    async def of_one(api: Api) -> None:
        await function(api, name)

    of_one.__doc__ = (function.__doc__ or "").replace("{name}", name)
    of_one.__module__ = function.__module__
    return of_one
