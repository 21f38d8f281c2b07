"""Work for a client is worth doing only while the client is there."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

T = TypeVar("T")


async def unless_gone(work: Awaitable[T], receive: Receive) -> T:
    """Do the work, but give it up when the client leaves.

    The work is over in any case once this returns or raises: what it held is free again. Call it
    only after the request's body was read, as it takes every further message of the connection.
    Raises ClientDisconnect if the client left first.
    """
    doing = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnect(receive))
    try:
        await asyncio.wait({doing, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise ClientDisconnect
        return doing.result()
    finally:
        doing.cancel()
        gone.cancel()
        await asyncio.gather(doing, gone, return_exceptions=True)


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
