"""Start the bundled reference server as a separate process and stop it again.

For any test that needs one::

    with running_server() as server:
        httpx.get(f"{server.base_url}/models", headers=server.headers)
"""

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

READY = "Listening on "
DEMO_KEY = "sk-reference-server-demo-key"
START_SECONDS = 60.0
STOP_SECONDS = 20.0


@dataclass(frozen=True)
class RunningServer:
    """A server process that answers: where it listens and what it takes to be let in."""

    base_url: str
    key: str
    process: subprocess.Popen[str]
    log: deque[str]
    """The last lines of the server's stderr, to show when something went wrong."""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


@contextmanager
def running_server(
    *args: str, key: str = DEMO_KEY, env: Mapping[str, str] | None = None
) -> Iterator[RunningServer]:
    """Run ``python -m reference_server --port 0 --exit-with-stdin *args`` until the block ends.

    Raises RuntimeError with the end of the server's stderr if it ends or stays silent instead of
    announcing its address.
    """
    process = subprocess.Popen(
        # Its standard input ends with this process, and the server with it, even after a kill.
        [sys.executable, "-m", "reference_server", "--port", "0", "--exit-with-stdin", *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "REFERENCE_SERVER_API_KEY": key, **(env or {})},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    log: deque[str] = deque(maxlen=2_000)
    # Both pipes are read to their end by threads: a full pipe would stop the server.
    draining = threading.Thread(target=log.extend, args=(process.stderr,), daemon=True)
    draining.start()
    watchdog = threading.Timer(START_SECONDS, process.kill)
    watchdog.start()
    try:
        line = process.stdout.readline()
        watchdog.cancel()
        if not line.startswith(READY):
            process.kill()
            process.wait()
            draining.join()
            raise RuntimeError(f"the server did not start, it said {line!r} and:\n{''.join(log)}")
        yield RunningServer(line.removeprefix(READY).strip(), key, process, log)
    finally:
        watchdog.cancel()
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        draining.join()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()
