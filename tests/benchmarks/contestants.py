"""The compared servers: each runs the same weights in a separate process."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx

from tests.servers import DEMO_KEY

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
START_SECONDS = 300.0
ASK_SECONDS = 300.0
STREAMED = 8
"""Tokens of a stream of which only the first is timed."""


class CannotStartError(Exception):
    """What stands in for a contestant's results."""


class Contestant(Protocol):
    def complete(self, prompts: Sequence[str], tokens: int) -> int:
        """Complete all prompts at the same time, greedily; returns how many tokens were made."""
        ...

    def first_token(self, prompt: str) -> float:
        """Seconds from a request to the first token of its answer."""
        ...

    def memory(self) -> int:
        """Resident bytes."""
        ...


class _Server:
    """Anything with ``POST /v1/completions``."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, model: str) -> None:
        self._process = process
        self._model = model
        common: dict[str, Any] = {
            "base_url": f"http://127.0.0.1:{port}/v1",
            "headers": {"Authorization": f"Bearer {DEMO_KEY}"},
            "timeout": ASK_SECONDS,
        }
        self._client = httpx.Client(**common)
        # Kept, since making one takes as long as thirty tokens.
        self._async_client = httpx.AsyncClient(**common)
        self._runner = asyncio.Runner()
        self._wait()

    def complete(self, prompts: Sequence[str], tokens: int) -> int:
        return sum(self._runner.run(self._all(prompts, tokens)))

    def first_token(self, prompt: str) -> float:
        started = time.perf_counter()
        body = {**self._body(prompt, STREAMED), "stream": True}
        taken = None
        with self._client.stream("POST", "/completions", json=body) as response:
            response.raise_for_status()
            # Read to its end, so that what is measured next has the server to itself.
            for line in response.iter_lines():
                if taken is None and line.startswith("data: {"):
                    choices = json.loads(line.removeprefix("data: "))["choices"]
                    if choices and choices[0]["text"]:
                        taken = time.perf_counter() - started
        if taken is None:
            raise RuntimeError("a stream ended without text")
        return taken

    def memory(self) -> int:
        return _resident(self._process.pid)

    def _body(self, prompt: str, tokens: int) -> dict[str, Any]:
        return {"model": self._model, "prompt": prompt, "max_tokens": tokens, "temperature": 0}

    async def _all(self, prompts: Sequence[str], tokens: int) -> list[int]:
        bodies = [self._body(prompt, tokens) for prompt in prompts]
        responses = [self._async_client.post("/completions", json=body) for body in bodies]
        return [_made(response) for response in await asyncio.gather(*responses)]

    def _wait(self) -> None:
        """Wait until the port is open."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise CannotStartError(f"ended with exit code {self._process.returncode}")
            try:
                self._client.get("/models")
            except httpx.TransportError:
                time.sleep(0.01)
            else:
                return
        raise CannotStartError(f"does not listen after {START_SECONDS:.0f} s")


class _Generate:
    """``transformers.generate`` in a separate process, controlled by lines of JSON."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def complete(self, prompts: Sequence[str], tokens: int) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        question = json.dumps({"prompts": list(prompts), "tokens": tokens})
        self._process.stdin.write(question.encode() + b"\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def first_token(self, prompt: str) -> float:
        started = time.perf_counter()
        self.complete([prompt], 1)
        return time.perf_counter() - started

    def memory(self) -> int:
        return _resident(self._process.pid)


@contextmanager
def reference_server() -> Iterator[Contestant]:
    port = _free_port()
    key = {"REFERENCE_SERVER_API_KEY": DEMO_KEY}
    command = [sys.executable, "-m", "reference_server", "--log-level", "warning"]
    with _running([*command, "--port", str(port)], key) as process:
        yield _Server(process, port, "davinci-002")


@contextmanager
def transformers_serve(environment: Path, checkpoint: Path) -> Iterator[Contestant]:
    port = _free_port()
    program = environment / "bin" / "transformers"
    command = [str(program), "serve", str(checkpoint), "--device", "cpu"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    with _running(command, {"HF_HUB_OFFLINE": "1"}) as process:
        yield _Server(process, port, str(checkpoint))


@contextmanager
def llama_cpp(environment: Path, file: Path) -> Iterator[Contestant]:
    port = _free_port()
    command = [str(_python(environment)), "-m", "llama_cpp.server", "--model", str(file)]
    command += ["--n_ctx", "2048", "--verbose", "false", "--port", str(port)]
    # Otherwise a request that comes in ends the one that runs.
    with _running([*command, "--interrupt_requests", "false"], {}) as process:
        yield _Server(process, port, "model")


@contextmanager
def generate(checkpoint: Path) -> Iterator[Contestant]:
    command = [sys.executable, str(HERE / "generate_worker.py"), str(checkpoint)]
    with _running(command, {}) as process:
        yield _Generate(process)


def convert(environment: Path, checkpoint: Path, file: Path) -> None:
    """Write the checkpoint as GGUF, with the environment's own ``gguf`` package."""
    script = HERE / "gguf_file.py"
    subprocess.run([_python(environment), script, checkpoint, file], check=True)


@contextmanager
def _running(command: list[str], env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    if not Path(command[0]).exists():
        raise CannotStartError(f"there is no {command[0]}")
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if "generate_worker.py" in command[1] else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **env},
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _made(response: httpx.Response) -> int:
    response.raise_for_status()
    made: int = response.json()["usage"]["completion_tokens"]
    return made


def _python(environment: Path) -> Path:
    return environment / "bin" / "python"


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _resident(pid: int) -> int:
    result = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=True)
    return int(result.stdout) * 1024
