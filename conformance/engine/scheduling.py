"""How the checks of one stage run at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any

from conformance.api import Api
from conformance.checks import Check

CHECKS_PER_SLOT = 4
"""Checks in progress per request in flight: enough that checks which wait for a shared response
leave no slot unused, and few enough that earlier checks finish first."""


async def in_order(jobs: Iterator[Coroutine[Any, Any, None]], workers: int) -> None:
    """Start jobs in order, as many at a time as there are workers."""

    async def work_off() -> None:
        for job in jobs:
            await job

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(work_off())


@asynccontextmanager
async def prepared(checks: Iterable[Check], make_api: Callable[[], Api]) -> AsyncIterator[None]:
    """Prepare the later checks while a block runs the earlier ones."""
    functions = dict.fromkeys(check.prepare for check in checks if check.prepare is not None)
    tasks = [asyncio.ensure_future(prepare(make_api())) for prepare in functions]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        # What keeps a check from being prepared is what the check itself will report.
        await asyncio.gather(*tasks, return_exceptions=True)
