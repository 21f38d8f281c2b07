"""Read one response's body: its bytes, decoded, with their times of arrival, within limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from conformance.model import Arrival
from conformance.protocol.content_codings import codings_of
from conformance.protocol.sse import EventCounter
from conformance.transport import errors as faults
from conformance.transport.decoding import Decoder, DecodingError, TooLargeError
from conformance.transport.errors import TransportError

READS_PER_TURN = 64
"""Reads after which other tasks get a turn. Reads that are already buffered do not wait, so a body
in pieces of one byte would keep Ctrl-C and all timeouts from being noticed."""


@dataclass(slots=True)
class Received:
    """One attempt's response while it arrives; ``body`` is decoded, ``surplus`` came behind it.

    ``is_stale`` is whether the attempt met a connection that was closed while it was idle.
    """

    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytearray = field(default_factory=bytearray)
    arrivals: list[Arrival] = field(default_factory=list)
    fault: TransportError | None = None
    surplus: bytes = b""
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """The limits of one body.

    Attributes:
        size: maximum bytes of the body, decoded.
        exact_reads: reads whose arrival is kept exactly; later ones are merged.
        silence: timeout in seconds between two reads.
        events: number of server-sent events after which to stop, or None.
    """

    size: int
    exact_reads: int
    silence: float
    events: int | None = None


async def read_body(
    reads: AsyncIterator[bytes],
    received: Received,
    limits: BodyLimits,
    *,
    where: str,
    clock: Callable[[], float],
) -> None:
    """Read a body into ``received``, up to its end, its limits or its first error.

    Args:
        reads: the body as it arrives, not decoded.
        received: the response, with its headers.
        limits: the limits of the body.
        where: names the endpoint in faults.
        clock: seconds since the request was sent.
    """
    body = _Body(received, limits, where, clock)
    turns = 0
    while not body.is_done:
        try:
            async with asyncio.timeout(limits.silence) as timeout:
                read = await anext(reads, None)
        except TimeoutError:
            if not timeout.expired():
                raise
            received.fault = faults.fell_silent(where, limits.silence)
            return
        if read is None:
            body.end()
            return
        await body.add(read)
        turns += 1
        if turns % READS_PER_TURN == 0:
            await asyncio.sleep(0)


class _Body:
    """Decodes reads and adds them to a response."""

    def __init__(
        self, received: Received, limits: BodyLimits, where: str, clock: Callable[[], float]
    ) -> None:
        self.is_done = False
        self._received = received
        self._limits = limits
        self._where = where
        self._clock = clock
        self._codings = codings_of(received.headers)
        self._decoder: Decoder | None = None
        self._counter = EventCounter()
        # Twice as many arrivals as exact ones are kept at most.
        self._merged_size = limits.size // limits.exact_reads + 1

    async def add(self, read: bytes) -> None:
        if not self._codings:
            self._take(read, self._clock())
            return
        at = self._clock()
        try:
            if self._decoder is None and read:
                self._decoder = Decoder(self._codings, self._limits.size)
            for piece in self._decoder.feed(read) if self._decoder else ():
                self._take(piece, at)
                if self.is_done:
                    return
                await asyncio.sleep(0)
        except DecodingError as error:
            self._fail(faults.cannot_decode(self._where, error.said))
        except TooLargeError:
            self._fail_as_too_large()

    def end(self) -> None:
        try:
            if self._decoder is not None:
                self._decoder.finish()
        except DecodingError as error:
            self._fail(faults.cannot_decode(self._where, error.said))

    def _take(self, piece: bytes, at: float) -> None:
        """Add decoded bytes that arrived at a time."""
        received = self._received
        room = self._limits.size - len(received.body)
        received.body += piece[:room]
        self._arrived(at, min(len(piece), room))
        if len(piece) > room:
            self._fail_as_too_large()
        elif self._limits.events is not None:
            self.is_done = self._counter.feed(piece) >= self._limits.events

    def _arrived(self, at: float, size: int) -> None:
        """Keep an arrival, or merge it with the last one; the time is that of the last byte."""
        if not size:
            return
        arrivals = self._received.arrivals
        if len(arrivals) > self._limits.exact_reads and arrivals[-1].size < self._merged_size:
            size += arrivals.pop().size
        arrivals.append(Arrival(round(at, 6), size))

    def _fail_as_too_large(self) -> None:
        is_inflated = bool(self._codings)
        self._fail(faults.too_large(self._where, self._limits.size, inflated=is_inflated))

    def _fail(self, fault: TransportError) -> None:
        self._received.fault = fault
        self.is_done = True
