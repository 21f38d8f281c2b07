"""Two ways of asking that are to be answered alike, where nobody chose the prompt for its lead.

The prompts of other checks leave a model little choice. A drawn one may end at a near-tie, which an
endpoint can decide one way alone and another way in a batch, every time. So a difference that comes
back counts here only where one token leads by far up to where the answers part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from conformance.api import Api
from conformance.checks._shared.ab_compare import Ask, Unsettled, expect_agreement
from conformance.checks._shared.nondeterminism import NEAR_TIE_NATS, lead_before, parting_of, settle
from conformance.judgement import Deviation, Inconclusive, Refusal, shown
from conformance.model import Effect, Request


@dataclass(slots=True)
class Trial:
    """One look at a relation.

    Attributes:
        api: asks the endpoint.
        careful: whether a difference is put to the control; one that is not tells nothing yet.
        about: the request that is to be answered otherwise, where two ways of asking were compared.
    """

    api: Api
    careful: bool = True
    about: Request | None = None

    async def expect_alike(
        self, left: Ask[Any], right: Ask[Any], expected: str, *, effect: Effect = Effect.ALTERED
    ) -> None:
        """Hold that two ways of asking for a greedy answer give the same.

        ``left`` is the one that is judged, by what ``right`` is answered.

        Raises:
            Deviation: they do not; after the control, if this is a careful trial.
            Inconclusive: it may be a near-tie, or nothing tells that it is none.
        """
        first = await left(False)
        self.about = self.api.exchanges[-1].request
        second = await right(False)
        if first == second:
            return
        told = Deviation(expected, f"{shown(first)} against {shown(second)}", effect=effect)
        if not self.careful:
            raise told
        try:
            await expect_agreement(left, right, expected, effect=effect)
        except Unsettled as doubt:
            raise await settle(doubt, self.api) from None
        except Deviation:
            await self._hold_no_near_tie((left, right), (first, second))
            raise

    async def _hold_no_near_tie(
        self, sides: tuple[Ask[Any], Ask[Any]], seen: tuple[Any, Any]
    ) -> None:
        """Hold that the endpoint could not as well have taken another token where answers part."""
        difference = f"{shown(seen[0])} against {shown(seen[1])}"
        try:
            lead = await lead_before(parting_of(*seen), sides, self.api, difference)
        except (Deviation, Refusal) as missing:
            raise Inconclusive(
                f"{difference}; how close the tokens were cannot be told: {missing}"
            ) from None
        if lead is None:
            raise Inconclusive(f"{difference}; how close the tokens were cannot be told")
        if lead < NEAR_TIE_NATS:
            raise Inconclusive(
                f"{difference}; up to where they part two tokens are {lead:.2f} nats from each"
                f" other, and below {NEAR_TIE_NATS} a correct endpoint may take either"
            )
