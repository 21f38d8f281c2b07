"""Objectives for the page: each result with the exchanges that show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from conformance.language import Text
from conformance.model import ObjectiveResult, Run
from conformance.report.objectives import objectives_of, sentence_of, wanted_of


@dataclass(frozen=True, slots=True)
class ObjectiveView:
    """A result with its evidence.

    ``own`` are ids of exchanges that are shown with it, ``elsewhere`` of those that are shown with
    a finding, a client or another objective.
    """

    result: ObjectiveResult
    own: tuple[str, ...]
    elsewhere: tuple[str, ...]

    @property
    def wanted(self) -> Text:
        """What is wanted."""
        return wanted_of(self.result.objective)

    @property
    def told(self) -> Text:
        """What was seen of it."""
        return sentence_of(self.result)


def objectives(run: Run, placed: Iterable[str]) -> tuple[ObjectiveView, ...]:
    """Return what the page shows of the objectives.

    Args:
        run: the run.
        placed: ids of the exchanges that the page shows with something else.
    """
    known, taken = {exchange.id for exchange in run.exchanges}, set(placed)

    def viewed(result: ObjectiveResult) -> ObjectiveView:
        keys = [key for key in result.exchanges if key in known]
        own = tuple(key for key in keys if key not in taken)
        taken.update(own)
        return ObjectiveView(result, own, tuple(key for key in keys if key not in own))

    return tuple(map(viewed, objectives_of(run)))
