"""Reading request bodies, with limits on type, size, time and total memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from reference_server.completions import errors
from reference_server.completions.strict_json import MAX_BODY_BYTES

MAX_HELD_BYTES = 32 * MAX_BODY_BYTES
"""Bytes of all requests that are in memory together."""
BODY_SECONDS = 30.0
"""Seconds that a client has to send its body."""
RETRY_AFTER_SECONDS = 1
"""Seconds in ``Retry-After`` if too many bodies are in memory."""


class Bodies:
    """Reads bodies and counts the bytes in memory; rejects requests above a limit."""

    def __init__(self, most: int = MAX_HELD_BYTES) -> None:
        self._most = most
        self._held = 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """A request's body; it is counted until the block ends.

        Raises ApiError: 413 above `MAX_BODY_BYTES`, 415 for a type other than JSON, 408 for a
        client that is too slow, 429 while too many bytes of other requests are in memory.
        """
        _check_declared(request)
        body = bytearray()
        try:
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    await self._gather(request, body)
            except TimeoutError:
                raise errors.too_slow() from None
            yield bytes(body)
        finally:
            self._held -= len(body)

    async def _gather(self, request: Request, body: bytearray) -> None:
        length = 0
        async for part in request.stream():
            length += len(part)
            # The rest of a body above the limit is read up to a point, but not kept: a client that
            # is still sending would see a broken connection instead of the error.
            if length <= MAX_BODY_BYTES:
                if self._held and self._held + len(part) > self._most:
                    raise errors.overloaded(RETRY_AFTER_SECONDS)
                self._held += len(part)
                body += part
            elif length > 8 * MAX_BODY_BYTES:
                break
        if length > MAX_BODY_BYTES:
            raise errors.too_large(MAX_BODY_BYTES)


def _check_declared(request: Request) -> None:
    """Check the headers, before the body is read."""
    declared = request.headers.get("content-type", "application/json")
    kind, *parameters = (part.strip().lower() for part in declared.split(";"))
    charset = next((p.partition("=")[2].strip('"') for p in parameters if "charset=" in p), "utf-8")
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if kind != "application/json" or charset not in ("utf-8", "utf8") or coding != "identity":
        raise errors.wrong_content(declared if coding == "identity" else f"{declared}, {coding}")
    length = request.headers.get("content-length", "0")
    asks_first = request.headers.get("expect", "").lower() == "100-continue"
    if asks_first and int(length) > MAX_BODY_BYTES:
        raise errors.too_large(MAX_BODY_BYTES)
