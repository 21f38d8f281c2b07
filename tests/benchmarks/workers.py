"""Many targets on 1, 2 and 4 worker processes of a Dask cluster: wall time, memory, a lost worker.

    python -m tests.benchmarks.workers
    python -m tests.benchmarks.workers --targets 100 --workers 2 --lose

The targets are behind one endpoint in memory. Each request waits as long as one of the responses
that tests/field/recorded has from real servers; which one is drawn by target and request, so that
all rounds wait alike. Printed for each round:

- wall: from the first request to the last response;
- ideal: the seconds that a few targets take with nothing beside them, times the targets, over the
  number that all workers test at a time;
- memory: the highest resident size of the scheduler, and of the largest worker;
- requests, whole records, and targets that another worker took over.

In the last round one worker is killed with SIGKILL in the middle.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from conformance.contract import load_contract
from conformance.record.ndjson import read_run
from conformance.testing import FakeEndpoint
from tests.benchmarks.delaying_endpoint import KEY, MODEL, parts_of, read_request
from tests.fleet.machines import dask, wait_for

RECORDED = Path(__file__).parents[1] / "field" / "recorded"
KEY_VARIABLE = "WORKERS_BENCHMARK_KEY"
CHECKS = ("--tier", "smoke", "--select", "stop.*", "--reference", "none", "--contract", "openai")
QUIET = ("--quiet", "--no-progress", "--format", "json")
THREADS = 5
"""Targets that a worker tests at a time."""

CALM = 20
"""Targets whose time is measured with little beside them, ``CALM_JOBS`` at a time."""

CALM_JOBS = 4


def delays() -> list[float]:
    """Return the seconds that real servers took for the responses of recorded runs."""
    runs = [read_run(path) for path in sorted(RECORDED.glob("*.ndjson.gz"))]
    return [x.elapsed for run in runs for x in run.exchanges if x.status == 200]


class Endpoint:
    """Answers all targets, each by its path."""

    def __init__(self, told: Connection) -> None:
        self._told = told
        self._delays = delays()
        self._endpoint = FakeEndpoint(load_contract("openai"), MODEL)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Respond to the requests of one connection."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                request = await read_request(reader)
                began = time.monotonic()
                _, target, _, path = request.path.split("/", 3)
                exchange = await self._endpoint.send(replace(request, path=f"/{path}"))
                drawn = hashlib.sha256(target.encode() + request.body).digest()
                due = began + self._delays[int.from_bytes(drawn[:8], "big") % len(self._delays)]
                await asyncio.sleep(due - time.monotonic())
                writer.write(b"".join(parts_of(exchange)))
                await writer.drain()
                self._told.send((target, began, time.monotonic()))
        writer.close()

    @classmethod
    def run(cls, told: Connection) -> None:
        """Serve until the process is ended; the port is told first."""

        async def serving() -> None:
            server = await asyncio.start_server(cls(told).serve, "127.0.0.1", 0, backlog=1_000)
            told.send(server.sockets[0].getsockname()[1])
            await server.serve_forever()

        asyncio.run(serving())


@dataclass
class Traffic:
    """What the endpoint tells: who asked when, in seconds of one clock."""

    told: Connection
    answered: list[tuple[str, float, float]]

    def read(self) -> int:
        """Read what was told; return the number of requests so far."""
        while self.told.poll():
            self.answered.append(self.told.recv())
        return len(self.answered)

    @property
    def seconds(self) -> float:
        """From the first request to the last response."""
        return max(end for *_, end in self.answered) - min(at for _, at, _ in self.answered)

    @property
    def seconds_of_targets(self) -> Sequence[float]:
        """The same for each target."""
        spans: dict[str, list[float]] = {}
        for target, began, end in self.answered:
            spans.setdefault(target, []).extend((began, end))
        return [max(span) - min(span) for span in spans.values()]


@contextmanager
def endpoint(home: Path, targets: int) -> Iterator[Traffic]:
    """Serve targets and write their file."""
    told, telling = multiprocessing.Pipe(duplex=False)
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=Endpoint.run, args=(telling,), daemon=True)
    process.start()
    port = told.recv()
    tables = "".join(
        f'[targets.t{number:03}]\nbase-url = "http://127.0.0.1:{port}/t{number:03}/v1"\n'
        f'model = "{MODEL}"\napi-key-env = "{KEY_VARIABLE}"\n'
        for number in range(targets)
    )
    (home / "targets.toml").write_text(tables, "utf-8")
    try:
        yield Traffic(told, [])
    finally:
        process.kill()
        process.join()


@dataclass(frozen=True)
class Round:
    """One run on workers.

    Attributes:
        wall: seconds from the first request to the last response.
        scheduler: the highest resident size of the scheduler, in MiB.
        worker: that of the largest worker.
        requests: requests that the endpoint answered.
        finished: targets whose record is whole.
        resumed: those that a second worker took over.
    """

    wall: float
    scheduler: float
    worker: float
    requests: int
    finished: int
    resumed: int


def calm_seconds(home: Path) -> float:
    """Return the seconds of one target with little beside it."""
    with endpoint(home, CALM) as traffic:
        command(home, "--jobs", str(CALM_JOBS), "--out", str(home / "calm")).wait()
        traffic.read()
        return sum(traffic.seconds_of_targets) / CALM


def measured(home: Path, targets: int, workers: int, *, price: int | None = None) -> Round:
    """Test all targets; with a price, kill a worker after half of so many requests."""
    out = home / f"run-{workers}-{price is not None}"
    with ExitStack() as stack:
        traffic = stack.enter_context(endpoint(home, targets))
        logs, mine = home / "log", {**os.environ, KEY_VARIABLE: KEY}
        started = stack.enter_context(dask("scheduler", log=logs))
        scheduler, address = started
        words = (address, "--nthreads", str(THREADS))
        found = [
            stack.enter_context(dask("worker", *words, log=home / f"log-{n}", environment=mine))[0]
            for n in range(workers)
        ]
        run = command(home, "--scheduler", address, "--out", str(out))
        if price is not None:
            wait_for(lambda: traffic.read() >= price // 2, seconds=3_600)
            found[0].send_signal(signal.SIGKILL)
        while run.poll() is None:
            traffic.read()
            time.sleep(0.1)
        traffic.read()
        peaks = [peak_of(process) for process in (scheduler, *found[price is not None :])]
    runs = [read_run(record) for record in out.glob("*/run.ndjson")]
    return Round(
        traffic.seconds,
        peaks[0],
        max(peaks[1:]),
        len(traffic.answered),
        sum(run.footer is not None for run in runs),
        sum(bool(run.header.resumed) for run in runs),
    )


def command(home: Path, *words: str) -> subprocess.Popen[bytes]:
    """Start ``conformance run`` with all targets."""
    config = ("--config", str(home / "targets.toml"))
    return subprocess.Popen(
        [sys.executable, "-m", "conformance", "run", *CHECKS, *QUIET, *config, *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, KEY_VARIABLE: KEY},
    )


def peak_of(process: psutil.Process) -> float:
    """Return the highest resident size of a process so far, in MiB (Linux)."""
    status = Path(f"/proc/{process.pid}/status").read_text("ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Measure each number of workers, then the last one again with a lost worker."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--targets", type=int, default=500)
    options.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    options.add_argument("--lose", action="store_true", help="only the round that loses a worker")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        alone = calm_seconds(home)
        print(f"one target alone: {alone:.1f} s")  # noqa: T201
        price = None
        for count in given.workers if not given.lose else ():
            one = measured(home, given.targets, count)
            price = one.requests
            show(f"{count}", one, alone * given.targets / THREADS / count)
        price = price or 6 * given.targets
        lossy = measured(home, given.targets, given.workers[-1], price=price)
        show(f"{given.workers[-1]}, one killed", lossy, None)
        print(f"sent again: {lossy.requests - price}")  # noqa: T201


def show(workers: str, one: Round, ideal: float | None) -> None:
    """Print the row of a table."""
    ratio = "" if ideal is None else f"{ideal:.0f} s | {one.wall / ideal:.2f}"
    print(  # noqa: T201
        f"| {workers} | {one.wall:.0f} s | {ratio or ' | '} | {one.scheduler:.0f} MiB | "
        f"{one.worker:.0f} MiB | {one.requests} | {one.finished} | {one.resumed} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
