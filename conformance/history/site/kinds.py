"""How a run or a parameter stands, as a kind that has a colour, a height and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from conformance.history.entry import LESSER
from conformance.language import Text
from conformance.model import Conclusion, State
from conformance.report.locale.terms import HEADLINES, STATES


@dataclass(frozen=True, slots=True)
class Kind:
    """What a bar looks like and says.

    Attributes:
        colour: a class of the style sheet.
        height: of the bar, out of :data:`TALLEST`. The worse, the higher, so that nothing depends
            on colour alone.
        words: what it says.
    """

    colour: str
    height: int
    words: Text


TALLEST = 16
NOT_RUN = Text("Not run", "未运行")

RUNS: Mapping[str, Kind] = {
    Conclusion.NOT_CONFORMING.value: Kind("bad", 16, HEADLINES[Conclusion.NOT_CONFORMING]),
    Conclusion.UNDECIDED.value: Kind("warn", 11, HEADLINES[Conclusion.UNDECIDED]),
    Conclusion.INCOMPLETE.value: Kind("warn", 11, HEADLINES[Conclusion.INCOMPLETE]),
    Conclusion.NOTHING_RAN.value: Kind("calm", 11, HEADLINES[Conclusion.NOTHING_RAN]),
    Conclusion.AS_EXPECTED.value: Kind("info", 8, HEADLINES[Conclusion.AS_EXPECTED]),
    Conclusion.CONFORMING.value: Kind("good", 5, HEADLINES[Conclusion.CONFORMING]),
}
"""The conclusions of runs, the worst first."""

UNJUDGED = frozenset(
    one.value for one in (Conclusion.UNDECIDED, Conclusion.INCOMPLETE, Conclusion.NOTHING_RAN)
)
"""The conclusions that say nothing of the target."""

_SHOULD = Text("{state} (recommendation)", "{state}（建议）")


def _lesser(state: State) -> tuple[str, Kind]:
    return state.value + LESSER, Kind("warn", 13, _SHOULD.format(state=STATES[state]))


SUBJECTS: Mapping[str, Kind] = {
    State.IGNORED.value: Kind("bad", 16, STATES[State.IGNORED]),
    State.ALTERED.value: Kind("bad", 16, STATES[State.ALTERED]),
    **dict(map(_lesser, (State.IGNORED, State.ALTERED, State.REFUSED))),
    State.REFUSED.value: Kind("info", 11, STATES[State.REFUSED]),
    State.UNCLEAR.value: Kind("warn", 9, STATES[State.UNCLEAR]),
    State.UNTESTED.value: Kind("calm", 2, STATES[State.UNTESTED]),
    State.ACCEPTED.value: Kind("faint", 5, STATES[State.ACCEPTED]),
    State.HONOURED.value: Kind("good", 5, STATES[State.HONOURED]),
}
"""The states of parameters and response fields, the worst first."""

RUN_ORDER = {kind: rank for rank, kind in enumerate(RUNS)}
SUBJECT_ORDER = {kind: rank for rank, kind in enumerate(SUBJECTS)}
