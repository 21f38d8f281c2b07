"""What changed from one run of a target to the next; pure.

Runs are compared within a series: the same target, region, tier and contract by name. A
*regression* is a check that judged no deviation before and judges one now, a *recovery* the
reverse. A run in which a check judges nothing, because it is inconclusive, skipped or explained by
another finding, is neither: the check is compared with the last run that judged it.

A run by another version of the suite or of the contract measures something else. It begins anew:
what it finds is no regression, because the endpoint need not have changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from conformance.history.entry import Entry
from conformance.model import Verdict

DEVIATING = frozenset({Verdict.FAIL.value, Verdict.WARN.value})
"""Verdicts that judge a deviation. One that a file expects is no news, there or not."""

FINE = frozenset({Verdict.PASS.value, Verdict.REFUSED.value, Verdict.INFO.value})
"""Verdicts that judge none; what is refused was not promised."""


class Series(NamedTuple):
    """What runs have in common that are compared."""

    target: str
    region: str | None
    tier: str
    contract: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A check that was judged otherwise than before.

    Attributes:
        check: its id.
        was, now: its verdicts.
        before: the last run that judged it before.
    """

    check: str
    was: str
    now: str
    before: Entry


@dataclass(frozen=True, slots=True)
class Step:
    """A run, and what changed since the ones before it of its series.

    Attributes:
        entry: the run.
        before: the run before it; None for the first one.
        appeared: the findings that the run before has not, or with another verdict; by check.
        gone: the findings of the run before that this one has not.
        regressions, recoveries: checks that were judged otherwise before, by id.
        is_comparable: whether the suite and the contract are those of the run before.
    """

    entry: Entry
    before: Entry | None
    appeared: Mapping[str, str] = field(hash=False)
    gone: Mapping[str, str] = field(hash=False)
    regressions: tuple[Turn, ...] = ()
    recoveries: tuple[Turn, ...] = ()
    is_comparable: bool = True

    @property
    def is_change(self) -> bool:
        """Whether there is a regression or a recovery."""
        return bool(self.regressions or self.recoveries)


def series_of(entry: Entry) -> Series:
    """Return the series that a run belongs to."""
    return Series(entry.target, entry.region, entry.tier, entry.contract_name)


def steps(entries: Iterable[Entry]) -> Iterator[Step]:
    """Yield each run beside what was before it.

    Args:
        entries: runs of any targets; those of a series in the order of time.
    """
    past: dict[Series, _Past] = {}
    for entry in entries:
        yield past.setdefault(series_of(entry), _Past()).next(entry)


def judged(entry: Entry, check: str) -> str | None:
    """Return the verdict of a check if it judged the endpoint, otherwise None."""
    if check in entry.passed:
        return Verdict.PASS.value
    found = entry.findings.get(check)
    return found if found in DEVIATING or found in FINE else None


class _Past:
    """What is known of the earlier runs of a series."""

    def __init__(self) -> None:
        self._last: Entry | None = None
        self._judged: dict[str, tuple[str, Entry]] = {}

    def next(self, entry: Entry) -> Step:
        """Compare a run with what is known, and know it from now on."""
        last = self._last
        is_comparable = last is None or (last.suite, last.contract) == (
            entry.suite,
            entry.contract,
        )
        if not is_comparable:
            self._judged.clear()
        old = last.findings if last else {}
        turns = list(self._turns(entry))
        self._last = entry
        return Step(
            entry,
            last,
            appeared={c: v for c, v in entry.findings.items() if old.get(c) != v},
            gone={c: v for c, v in old.items() if c not in entry.findings},
            regressions=tuple(turn for turn in turns if turn.now in DEVIATING),
            recoveries=tuple(turn for turn in turns if turn.now in FINE),
            is_comparable=is_comparable,
        )

    def _turns(self, entry: Entry) -> Iterator[Turn]:
        for check in sorted({*entry.findings, *entry.passed}):
            now = judged(entry, check)
            if now is None:
                continue
            was, before = self._judged.get(check, (now, entry))
            self._judged[check] = (now, entry)
            if (was in DEVIATING) != (now in DEVIATING):
                yield Turn(check, was, now, before)
