"""Checks as values: an async function, bound to the one requirement it judges."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache, wraps

from conformance.api import Api
from conformance.checks._causes import JUDGED_BY
from conformance.judgement import Absence, Judgement, NotApplicable, Thing
from conformance.model import Tier

CheckFunction = Callable[[Api], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        id: permanent; people select by it and pin it in baselines.
        requirement: the id of the sentence it judges.
        title: the sentence that a reader of the report sees, from the function's docstring.
        needs: parameters that the check uses as instruments; it is skipped where the contract does
            not document one of them.
        run: returns for a pass, raises a :class:`~conformance.judgement.Judgement` otherwise.
    """

    id: str
    requirement: str
    tier: Tier
    title: str
    needs: tuple[str, ...]
    run: CheckFunction

    @property
    def source(self) -> str:
        """The check's own code, for ``conformance explain``."""
        return inspect.getsource(self.run)


_registered: dict[str, Check] = {}


def check(
    check_id: str, *, requirement: str, tier: str = "standard", needs: tuple[str, ...] = ()
) -> Callable[[CheckFunction], CheckFunction]:
    """Register the decorated function as a check.

    Raises:
        ValueError: the id is taken, or the function has no docstring to show to a reader.
    """

    def register(function: CheckFunction) -> CheckFunction:
        title = inspect.getdoc(function)
        if not title:
            raise ValueError(f"check {check_id}: the docstring is what a reader sees; write one")
        if check_id in _registered:
            raise ValueError(f"check {check_id} is registered twice")
        sentence = " ".join(title.split("\n\n")[0].split())

        @wraps(function)
        async def run(api: Api) -> None:
            try:
                await function(api)
            except Absence as absence:
                simpler = await same_absence(absence, check_id, api)
                if simpler is None:
                    raise
                raise NotApplicable(
                    f"{absence.thing} did not come back, and {simpler} judges that"
                ) from None

        _registered[check_id] = Check(
            check_id, requirement, Tier(tier), sentence, tuple(needs), run
        )
        return function

    return register


async def same_absence(absence: Absence, check_id: str, api: Api) -> str | None:
    """Return the check that finds the same thing missing from a simpler answer, if one does.

    It asks what is asked anyway, so that this costs nothing in a whole run. A thing that is missing
    here alone stays this check's own finding.
    """
    for simpler in JUDGED_BY[absence.thing]:
        if simpler == check_id:
            return None
        judge = _registered[simpler]
        if api.contract.why_not_in_force(judge.requirement) is not None:
            continue
        try:
            await inspect.unwrap(judge.run)(api)
        except Absence as found:
            # A stream that does not come back at all tells nothing about what an answer lacks.
            if found.thing is absence.thing or found.thing is not Thing.STREAM:
                return simpler
        except Judgement:
            continue
    return None


@cache
def all_checks() -> tuple[Check, ...]:
    """Import every module of this package and return the checks in the order of their ids."""
    package = importlib.import_module("conformance.checks")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"conformance.checks.{module.name}")
    return tuple(sorted(_registered.values(), key=lambda c: c.id))
