"""A year of daily runs of many targets, as rows of an index, with changes that are known.

Most targets change on a few days, some on none, one in ten flaps; runs fail to judge now and then,
targets pause, slow down and recover. The records that a site reads are written with
:func:`write_records`; the others, which would be gigabytes, are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from random import Random

from conformance.history import Entry
from conformance.history.figures import Figures, Times
from conformance.model import Conclusion, Money, Tier
from conformance.record.ndjson import write_run
from tests.history.entries import an_entry
from tests.report.builders import a_failure, a_finding, a_run, an_exchange

PARAMETERS = tuple(
    "prompt model max_tokens temperature top_p n stream stream_options logprobs echo stop "  # noqa: SIM905
    "presence_penalty frequency_penalty best_of logit_bias seed suffix user".split()
)
FIELDS = tuple(
    "id object created model choices choices[].text choices[].index choices[].logprobs "  # noqa: SIM905
    "choices[].finish_reason usage usage.prompt_tokens usage.completion_tokens".split()
)
CHECKS = tuple(f"{name}.honoured" for name in PARAMETERS)


@dataclass(frozen=True, slots=True)
class Planted:
    """A change that a target's runs show: on a day, a check deviates, or no longer does."""

    target: str
    day: int
    check: str
    is_regression: bool


@dataclass(slots=True)
class Year:
    """Simulated runs by target and time, and the changes that were planted in them."""

    entries: list[Entry] = field(default_factory=list)
    planted: list[Planted] = field(default_factory=list)


def a_year(targets: int, days: int = 365, seed: int = 0, *, is_restless: bool = False) -> Year:
    """Simulate daily runs.

    Args:
        targets: how many targets.
        days: how many days.
        seed: decides everything.
        is_restless: whether every target changes every day, the most that a page can show.
    """
    year = Year()
    for number in range(targets):
        _simulate(year, f"vendor-{number:03}", days, Random(f"{seed} {number}"), is_restless)
    return year


def _simulate(year: Year, target: str, days: int, chance: Random, is_restless: bool) -> None:
    rate = 1.0 if is_restless else chance.choice([0, 0.004, 0.01, 0.01, 0.02, 0.3])
    broken: set[str] = set(chance.sample(CHECKS, 2)) if chance.random() < 0.3 else set()
    speed, pause = chance.uniform(0.1, 0.6), 0
    for day in range(days):
        if not is_restless and chance.random() < 0.003:
            pause = chance.randrange(2, 12)
        pause -= 1
        if pause > 0:
            continue
        if chance.random() < 0.01:
            speed = chance.uniform(0.1, 1.5)
        if not is_restless and chance.random() < 0.02:
            year.entries.append(_run(target, day, set(), chance, speed, is_judged=False))
            continue
        if year.entries and year.entries[-1].target == target and chance.random() < rate:
            check = chance.choice(sorted(broken) if broken and chance.random() < 0.6 else CHECKS)
            if _was_judged(year.entries, target):
                year.planted.append(Planted(target, day, check, check not in broken))
                broken ^= {check}
        year.entries.append(_run(target, day, broken, chance, speed))


def _was_judged(entries: Sequence[Entry], target: str) -> bool:
    """Return whether an earlier run of a target judged it; until then nothing can change."""
    return any(one.target == target and one.passed for one in reversed(entries[-30:]))


def _run(
    target: str,
    day: int,
    broken: set[str],
    chance: Random,
    speed: float,
    *,
    is_judged: bool = True,
) -> Entry:
    names = [check.partition(".")[0] for check in broken]
    verdict = "fail" if is_judged else "inconclusive"
    found = dict.fromkeys(sorted(broken) if is_judged else CHECKS, verdict)
    unclear = not is_judged
    first = speed * chance.uniform(0.9, 1.2)
    return an_entry(
        day,
        found,
        CHECKS if is_judged else (),
        target=target,
        base_url=f"https://{target}.example/v1",
        model="gpt-3.5-turbo-instruct",
        tokens=chance.randrange(850, 950),
        parameters={
            name: "unclear" if unclear else "ignored" if name in names else "honoured"
            for name in PARAMETERS
        },
        fields=dict.fromkeys(FIELDS, "unclear" if unclear else "honoured"),
        figures=Figures(
            first=Times(12, round(first, 4), round(first * chance.uniform(1.2, 3), 4)),
            stream=Times(12, round(first * 4, 4), round(first * 6, 4)),
            plain=Times(30, round(first * 3, 4), round(first * chance.uniform(4, 8), 4)),
            attempts=26,
            unanswered=chance.choice([0] * 12 + [1, 2]) if is_judged else 24,
            money=Money(Decimal(chance.randrange(120, 150)) / 100_000, "USD"),
        ),
    )


def write_records(folder: Path, entries: Iterable[Entry]) -> None:
    """Write small records of runs to their places in a history."""
    for entry in entries:
        findings = [
            a_failure(check) if check in entry.findings else a_finding(check) for check in CHECKS
        ]
        run = a_run(
            *findings,
            exchanges=(an_exchange(),),
            conclusion=Conclusion(entry.conclusion),
            target=entry.target,
            started_at=entry.started_at,
            base_url=entry.base_url,
            model=entry.model,
            tier=Tier.SMOKE,
        )
        assert run.footer is not None
        run = replace(run, footer=replace(run.footer, finished_at=entry.finished_at))
        path = folder / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        write_run(run, path)
