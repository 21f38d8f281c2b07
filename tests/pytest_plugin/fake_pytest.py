"""Fake runs whose findings the test defines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping

from conformance.checks import Check
from conformance.contract import Contract
from conformance.engine.header import header_of
from conformance.engine.judging import finding_of
from conformance.engine.selection import Options
from conformance.engine.verdicts import Ruling
from conformance.model import Conclusion, Cost, Effect, Footer, Target, Verdict
from conformance.record.events import FindingMade, RunEvent, RunFinished, RunStarted

PASS = Ruling(Verdict.PASS)
RULINGS = {
    "stop.five-refused": Ruling(
        Verdict.FAIL, "expected 400; seen 200", "status 400", "status 200\x1b[31m", Effect.IGNORED
    ),
    "stop.four-served": Ruling(Verdict.REFUSED, "refused with 400: no stop here"),
    "stop.string": Ruling(Verdict.WARN, "expected a; seen b", "a", "b", Effect.ALTERED),
    "stop.ends-before-match": Ruling(Verdict.INCONCLUSIVE, "answered 502: later"),
    "stop.fourth-works": Ruling(Verdict.SKIPPED, "this document has no stop"),
    "stop.fifth-not-dropped": Ruling(Verdict.INFO, "not promised, and it works"),
    "usage.present": Ruling(Verdict.ERROR, "internal error in the check: ValueError: 7"),
    "usage.present-everywhere": PASS,
}
"""One check for each verdict."""

Run = Callable[..., AsyncGenerator[RunEvent, None]]


def faking(
    rulings: Mapping[str, Ruling],
    *,
    reason: str | None = None,
    left: list[str] | None = None,
    endless: bool = False,
) -> Run:
    """Make a run that reports the given findings and passes everything else.

    Args:
        rulings: what becomes of which check.
        reason: why nothing can be judged; no check gets a finding then.
        left: hears which checks the run was asked to judge, and that it was closed early.
        endless: after the findings of ``rulings`` it goes on for ever.
    """

    async def run(
        target: Target, contract: Contract, options: Options, *, checks: Iterable[Check]
    ) -> AsyncGenerator[RunEvent, None]:
        wanted = list(checks)
        heard = [] if left is None else left
        heard.extend(check.id for check in wanted)
        yield RunStarted(header_of(target, contract, options), tuple(c.id for c in wanted))
        try:
            for check in wanted if reason is None else ():
                if endless and check.id not in rulings:
                    continue
                ruling = rulings.get(check.id, PASS)
                yield FindingMade(finding_of(check, contract, ruling, ()))
            if endless:
                await asyncio.Event().wait()
        except (asyncio.CancelledError, GeneratorExit):
            heard.append("closed early")
            raise
        conclusion = Conclusion.UNDECIDED if reason else Conclusion.NOT_CONFORMING
        yield RunFinished(
            Footer("2026-01-01T00:00:01+00:00", 1.0, conclusion, reason, {}, Cost(requests=7))
        )

    return run
