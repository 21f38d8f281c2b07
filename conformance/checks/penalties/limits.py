"""Values of both penalties that have to be rejected, and values that change nothing."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.checks._shared.limits import (
    Above,
    Below,
    Limit,
    register,
    rejected,
    same_as_omitted,
    wrong_type,
)
from conformance.checks._shared.named_checks import area_of
from conformance.checks._shared.prompts import COLOURS
from conformance.checks._shared.refusals import MAX_REJECTED_EVENTS, OVER_PENALTY
from conformance.checks.penalties.stimuli import PENALTIES

STREAMED = "frequency_penalty"
"""It is tried in a stream, which the checks of rejected streams need, the other one without."""


def limits_of(name: str) -> Iterator[Limit]:
    """Yield the rows of one penalty."""
    area = area_of(name)
    # In a text with many repetitions, any effective penalty is visible.
    yield same_as_omitted(
        f"{area}.zero",
        f"{area}.range-served",
        {name: 0},
        f"`{name}: 0` has no effect.",
        f"`{name}: 0` 不影响响应。",
        prompt=COLOURS,
    )
    yield same_as_omitted(
        f"{area}.null",
        f"{area}.null-is-none",
        {name: None},
        f"`{name}: null` has no effect.",
        f"`{name}: null` 不影响响应。",
        prompt=COLOURS,
        instead=0,
    )
    yield rejected(
        f"{area}.above-refused",
        f"{area}.out-of-range-refused",
        {name: Above(OVER_PENALTY)},
        f"A `{name}` just above the documented maximum is rejected.",
        f"略高于文档上限的 `{name}` 会被拒绝。",
        stream=name == STREAMED,
        read_events=MAX_REJECTED_EVENTS,
    )
    yield rejected(
        f"{area}.below-refused",
        f"{area}.out-of-range-refused",
        {name: Below(0.1)},
        f"A `{name}` just below the documented minimum is rejected.",
        f"略低于文档下限的 `{name}` 会被拒绝。",
        tier="deep",
    )
    yield wrong_type(
        f"{area}.word-refused",
        {name: "high"},
        f"A `{name}` that is a word is rejected.",
        f"`{name}` 为单词时会被拒绝。",
    )


register((row for name in PENALTIES for row in limits_of(name)), __name__)
