"""Connect to a Dask cluster: one of this machine's own, or one that runs already.

Dask 2026.8, documentation of ``Client``, ``LocalCluster`` and worker resources. An address that
begins with ``tls://`` uses the certificates of Dask's own configuration (``distributed.comm.tls``).
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance import __version__
from conformance.input_files import one_line

if TYPE_CHECKING:
    from distributed import Client

EXTRA = "pip install 'completions-conformance[distributed]'"
MAX_PROCESSES = 64
CONNECT_SECONDS = 10
ANSWER_SECONDS = 15
_LOCAL = re.compile(r"local(?::([0-9]{1,9}))?")
_ADDRESS = re.compile(r"(?:tcp|tls)://(?:[\w.-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}")


class ClusterError(Exception):
    """A cluster cannot be used; the message is one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Local:
    """Worker processes on this machine, which end with the run."""

    processes: int | None = None

    def __str__(self) -> str:
        return "local" if self.processes is None else f"local:{self.processes}"


@dataclass(frozen=True, slots=True)
class Remote:
    """A scheduler that runs already, by its address."""

    address: str

    def __str__(self) -> str:
        return self.address


Scheduler = Local | Remote


def read_scheduler(typed: str) -> Scheduler:
    """Parse ``local``, ``local:4``, ``tcp://HOST:PORT`` or ``tls://HOST:PORT``.

    Raises:
        ClusterError: it has another form.
    """
    if found := _LOCAL.fullmatch(typed):
        if found[1] is not None and not 1 <= int(found[1]) <= MAX_PROCESSES:
            raise ClusterError(f"starts 1 to {MAX_PROCESSES} processes, such as local:4")
        return Local(int(found[1]) if found[1] else None)
    if _ADDRESS.fullmatch(typed):
        return Remote(typed)
    raise ClusterError(
        "is neither local, such as local:4, nor the address of a Dask scheduler, such as "
        "tcp://scheduler:8786"
    )


@dataclass(frozen=True, slots=True)
class Cluster:
    """A connected cluster; ``scheduler`` is how the user named it."""

    scheduler: Scheduler
    client: Client

    async def workers(self) -> Mapping[str, Mapping[str, Any]]:
        """Return what the scheduler knows of each worker, by address."""
        found = await self.client.scheduler.identity(n_workers=-1)
        workers: Mapping[str, Mapping[str, Any]] = found["workers"]
        return workers


@asynccontextmanager
async def open_cluster(
    scheduler: Scheduler, *, threads: Sequence[int] = (), regions: Sequence[str] = ()
) -> AsyncIterator[Cluster]:
    """Start worker processes on this machine, or connect to a scheduler.

    Args:
        scheduler: which.
        threads: how many targets each local process tests at a time.
        regions: the regions of the run, all of which this machine's own workers are in.

    Raises:
        ClusterError: Dask is not installed, or the scheduler cannot be reached.
    """
    try:
        from distributed import Client  # noqa: PLC0415 - optional
    except ImportError:
        raise ClusterError(f"--scheduler needs Dask; run: {EXTRA}") from None
    _silence()
    if isinstance(scheduler, Local):
        local = _local(threads, regions)
        async with local as cluster, Client(cluster, asynchronous=True) as client:
            yield Cluster(scheduler, client)
        return
    try:
        client = Client(scheduler.address, asynchronous=True, timeout=CONNECT_SECONDS)
        try:
            # Dask waits without end for what takes a connection and is no scheduler.
            async with asyncio.timeout(ANSWER_SECONDS):
                await client
        except BaseException:
            await client.close(timeout=1)
            raise
    except (OSError, TypeError, ValueError, RuntimeError) as error:
        is_silent = isinstance(error, TimeoutError) and not str(error)
        silence = f"no answer within {ANSWER_SECONDS} s"
        reason = one_line(silence if is_silent else str(error) or type(error).__name__, 200)
        raise ClusterError(
            f"cannot connect to the scheduler at {scheduler}: {reason}; is `dask scheduler` "
            "running there?"
        ) from None
    async with client:
        yield Cluster(scheduler, client)


def _silence() -> None:
    """Keep Dask's log off the terminal: what is lost is told in sentences."""
    for name in ("distributed", *logging.root.manager.loggerDict):
        if name.partition(".")[0] in {"distributed", "tornado"}:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


@asynccontextmanager
async def _local(threads: Sequence[int], regions: Sequence[str]) -> AsyncIterator[Any]:
    """Start a scheduler in this process, and a worker process for each number of threads."""
    from distributed import Nanny, Scheduler, SpecCluster  # noqa: PLC0415 - optional

    # An address of this machine only, no web page, and no limit of memory: each has its own.
    quiet = {"host": "127.0.0.1", "dashboard_address": None}
    options = {
        **quiet,
        "dashboard": False,
        "memory_limit": 0,
        "silence_logs": logging.CRITICAL,
        "preload": [_DEAF],
        "resources": dict.fromkeys(regions, 1),
    }
    workers = {
        number: {"cls": Nanny, "options": {**options, "nthreads": count}}
        for number, count in enumerate(threads)
    }
    async with SpecCluster(
        workers=workers,
        scheduler={"cls": Scheduler, "options": {**quiet, "port": 0, "dashboard": False}},
        asynchronous=True,
        silence_logs=logging.CRITICAL,
        name="conformance",
    ) as cluster:
        yield cluster


_DEAF = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
"""Ctrl-C reaches every process of a terminal; the command ends the workers."""


async def assert_usable(cluster: Cluster, regions: Mapping[str, str]) -> None:
    """Check the workers before anything is sent.

    Args:
        cluster: the cluster.
        regions: the regions of the run, each with the name of a target that needs it.

    Raises:
        ClusterError: there is no worker, none in a region, or one has another suite version.
    """
    workers = await cluster.workers()
    where = cluster.scheduler
    if not workers:
        raise ClusterError(f"the scheduler at {where} has no worker; start `dask worker {where}`")
    for region, target in regions.items():
        if not any(region in worker["resources"] for worker in workers.values()):
            raise ClusterError(
                f"no worker at {where} is in the region {region} of target {target}; start "
                f"`dask worker {where} --resources {region}=1`"
            )
    for worker, version in (await _versions(cluster)).items():
        if version != __version__:
            raise ClusterError(
                f"the worker {worker} has {version}, and this is version {__version__} of the "
                "suite; install the same version on all machines"
            )


async def _versions(cluster: Cluster) -> Mapping[str, str]:
    """Return the version of the suite on each worker."""
    answers = await cluster.client.run(_version, on_error="return")
    return {
        worker: "no suite" if isinstance(answer, BaseException) else one_line(str(answer), 100)
        for worker, answer in answers.items()
    }


def _version() -> str:
    return __version__
