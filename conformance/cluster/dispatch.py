"""Give targets to the workers of a cluster and receive what happens there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, Protocol

from conformance import __version__
from conformance.cluster.messages import Assignment, Call, from_bytes, packed
from conformance.cluster.scheduler import Cluster, ClusterError
from conformance.cluster.worker import MOST_WAITING, TargetFailedError, judge
from conformance.input_files import InputError, one_line
from conformance.language import Text
from conformance.record.events import RunEvent
from conformance.record.ndjson import RecordError

RETRIES = 2
"""How often a target is begun again after an error of its worker."""

WATCH_SECONDS = 5.0
CLEAN_UP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Work:
    """A target by its name, and the region whose workers can test it; None is any."""

    target: str
    region: str | None = None


class Landing(Protocol):
    """What becomes of events; each call names the target."""

    def begin(self, target: str) -> Assignment | None:
        """Return the assignment with what is recorded by now; None if nothing is left to do."""

    def show(self, target: str, event: RunEvent) -> None:
        """Record an event; an exception ends the run of this target."""

    def end(self, target: str, reason: Text | None) -> None:
        """Note that a target is done, or why it was not tested."""

    def fail(self, target: str, sentence: str, details: str) -> None:
        """Note that a target failed: what is said, and a traceback, which may be empty."""

    def tell(self, sentence: str) -> None:
        """Say something about the cluster."""


async def judge_all(cluster: Cluster, work: Sequence[Work], landing: Landing) -> None:
    """Test targets on the workers of a cluster.

    If it is cancelled, the workers end their runs and what they have sent is still received.

    Args:
        cluster: the cluster.
        work: the targets.
        landing: gets the events in order; of a target that is begun again after its worker was
            lost, only those of the last beginning.
    """
    from distributed import Queue  # noqa: PLC0415 - optional

    name = f"conformance-{token_hex(8)}"
    results = await Queue(name, client=cluster.client, maxsize=MOST_WAITING)
    inbox = _Inbox(cluster, name, landing)
    futures = [
        cluster.client.submit(
            judge,
            Call(name, one.target, __version__),
            key=f"{name}-{one.target}",
            # A worker without this resource never gets the task; none of the resource is used up.
            resources={one.region: 0} if one.region else None,
            retries=RETRIES,
            pure=False,
        )
        for one in work
    ]
    targets = {f"{name}-{one.target}": one.target for one in work}
    receiving = asyncio.create_task(_receive(results, inbox))
    watching = asyncio.create_task(_watch(cluster, landing))
    finishing = asyncio.create_task(_finished(futures, targets))
    try:
        await asyncio.wait({receiving, finishing}, return_when=asyncio.FIRST_COMPLETED)
        if finishing.done():
            await results.put(_NO_MORE)  # behind everything that workers have sent
        await receiving
        for target, error in (await finishing).items():
            landing.fail(target, *_told(error))
    except asyncio.CancelledError:
        inbox.is_open = False
        with suppress(Exception):
            await cluster.client.cancel(futures, force=True)
            async with asyncio.timeout(CLEAN_UP_SECONDS):
                await inbox.is_quiet.wait()  # the last answers of each worker have come
        raise
    except OSError:
        raise ClusterError(
            f"the connection to the scheduler at {cluster.scheduler} was lost; --resume DIR goes "
            "on with what is recorded"
        ) from None
    finally:
        for task in (receiving, watching, finishing):
            task.cancel()
        results.close()


_NO_MORE = {"kind": "no more"}


async def _receive(results: Any, inbox: _Inbox) -> None:
    """Take messages in the order in which workers sent them, until there are no more."""
    while (message := await results.get()) != _NO_MORE:
        await inbox.take(message)


class _Inbox:
    """Takes the messages of workers.

    Attributes:
        is_open: whether targets are still begun.
        is_quiet: set while no worker is testing a target.
    """

    def __init__(self, cluster: Cluster, name: str, landing: Landing) -> None:
        self.is_open = True
        self.is_quiet = asyncio.Event()
        self.is_quiet.set()
        self._cluster, self._name, self._landing = cluster, name, landing
        self._attempts: dict[str, str] = {}  # the last one that began and goes on, by target

    async def take(self, message: Mapping[str, Any]) -> None:
        """Take one message; those of an attempt that another one follows are left out."""
        target, attempt = str(message["target"]), str(message["attempt"])
        if message["kind"] == "begin":
            if self.is_open:
                await self._begin(target, attempt)
        elif self._attempts.get(target) == attempt:
            try:
                self._land(target, message)
            except Exception as error:  # noqa: BLE001 - it must not stop the other targets
                await self._give_up(target, error)

    async def _begin(self, target: str, attempt: str) -> None:
        from distributed import Queue  # noqa: PLC0415 - optional

        self._attempts[target] = attempt
        self.is_quiet.clear()
        try:
            assignment = self._landing.begin(target)
        except Exception as error:  # noqa: BLE001 - it must not stop the other targets
            await self._give_up(target, error)
            return
        if assignment is None:
            self._ended(target)
        reply = await Queue(f"{self._name}-{attempt}", client=self._cluster.client)
        await reply.put(packed(assignment) if assignment else b"")
        reply.close()

    def _land(self, target: str, message: Mapping[str, Any]) -> None:
        if message["kind"] in {"events", "stopped"}:
            for event in from_bytes(message["data"], f"the worker {message['worker']}"):
                self._landing.show(target, event)
        if message["kind"] in {"stopped", "end"}:
            self._ended(target)
        if message["kind"] == "end":
            reason = message["reason"]
            self._landing.end(target, None if reason is None else Text(*map(str, reason)))

    def _ended(self, target: str) -> None:
        self._attempts.pop(target, None)
        if not self._attempts:
            self.is_quiet.set()

    async def _give_up(self, target: str, error: Exception) -> None:
        """End the run of one target, whose record cannot be written for example."""
        self._ended(target)
        self._landing.fail(target, *_told(error))
        await self._cluster.client.cancel([f"{self._name}-{target}"], force=True)


async def _finished(futures: list[Any], targets: Mapping[str, str]) -> Mapping[str, Exception]:
    """Wait for all tasks; return the errors by target.

    A task that has ended is released, so that a worker that is lost later does not do it again.
    """
    from distributed import as_completed  # noqa: PLC0415 - optional

    errors: dict[str, Exception] = {}
    async for future in as_completed(futures):
        if future.status == "error":
            errors[targets[future.key]] = await future.exception()
        elif future.status == "lost":
            raise ConnectionError("its tasks are lost")
        future.release()
    return errors


async def _watch(cluster: Cluster, landing: Landing) -> None:
    """Tell which workers are lost."""
    known: set[str] = set()
    while True:
        with suppress(OSError):  # a lost scheduler is told by others
            now = set(await cluster.workers())
            for worker in sorted(known - now):
                landing.tell(f"the worker {worker} is lost; others take over what it had begun")
            if known and not now:
                landing.tell("no worker is left; the run waits for one, and Ctrl-C ends it")
            known = now
        await asyncio.sleep(WATCH_SECONDS)


def _told(error: Exception) -> tuple[str, str]:
    """Return the sentence about an error, and its details, which are without secrets."""
    from distributed import KilledWorker  # noqa: PLC0415 - optional

    match error:
        case TargetFailedError():
            *_, last = str(error).strip().splitlines() or [""]
            return f"internal error on a worker ({one_line(last, 200)})", str(error)
        case KilledWorker():
            return (
                f"{error.allowed_failures + 1} workers were lost while they tested it, and it is "
                "begun no more; --resume DIR goes on with what is recorded"
            ), ""
        case RecordError() | InputError():
            return str(error), ""
    return f"a worker failed: {type(error).__name__} ({one_line(str(error), 200)})", ""
