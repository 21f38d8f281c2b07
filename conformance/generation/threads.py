"""Computing in a thread that nothing waits for.

``asyncio.to_thread`` uses the loop's executor, whose threads a closing loop waits for: a run that
is interrupted while requests are generated would end a second or two late.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import Any, TypeVar

T = TypeVar("T")


async def in_daemon_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function in a daemon thread and return its result or raise its exception.

    If the caller is cancelled, the thread goes on for itself and its result is dropped.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(put: Callable[[Any], None], value: object) -> None:
        if not result.done():
            put(value)

    def deliver(put: Callable[[Any], None], value: object) -> None:
        # The loop is closed if the run has ended.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, put, value)

    def work() -> None:
        try:
            value = function(*arguments)
        except BaseException as error:  # noqa: BLE001 - raised where the result is awaited
            deliver(result.set_exception, error)
        else:
            deliver(result.set_result, value)

    threading.Thread(target=copy_context().run, args=(work,), daemon=True).start()
    return await result
