"""Run the contestants in alternating rounds, so that noise of the machine affects all alike."""

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from reference_server.engine.engine import BUNDLED
from reference_server.engine.onnx_backend import OnnxBackend
from reference_server.engine.tokenizer import Tokenizer
from tests.benchmarks import contestants
from tests.benchmarks.contestants import CannotStartError, Contestant
from tests.benchmarks.table import Result, overhead, table

TOKENS = 64
TOGETHER = 16
IN_A_ROW = 3
"""Requests that are measured together where one alone is over in no time."""
# Greedy, every model goes on counting: nobody's text ends early.
PROMPTS = [
    ", ".join(str(number) for number in range(i, i + 5)) + "," for i in range(1, 1 + TOGETHER)
]


def main() -> None:
    options = _options()
    # Ended from outside, it takes its contestants along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with ExitStack() as stack:
        entered: list[tuple[Contestant, Result]] = []
        for name, begin in _field(options, stack):
            if begin is None:
                _say(f"{name}: no environment given, left out")
                continue
            started = time.perf_counter()
            try:
                contestant = stack.enter_context(begin())
            except CannotStartError as error:
                _say(f"{name}: {error}")
                continue
            contestant.complete(PROMPTS[:1], 1)
            entered.append((contestant, Result(name, time.perf_counter() - started)))
        backend, tokenizer = OnnxBackend(BUNDLED), Tokenizer(BUNDLED)
        prompts = [tokenizer.encode(prompt) for prompt in PROMPTS]
        model = Result("its model alone", 0.0)
        for _ in range(options.rounds):
            for contestant, result in entered:
                _measure(contestant, result)
            taken = sum(_decode(backend, prompts[:1]) for _ in range(IN_A_ROW))
            model.alone.append(IN_A_ROW * TOKENS / taken)
            model.together.append(TOGETHER * TOKENS / _decode(backend, prompts))
        for contestant, result in entered:
            result.memory = contestant.memory()
    results = [result for _, result in entered]
    _say(table(results, generate="transformers.generate", serve="transformers serve"))
    alone, together = overhead(results[0], model)
    _say(
        f"\nThe reference server's own share of the time of {TOKENS} tokens (HTTP, JSON, sampling: "
        f"all but the model's runs): {alone:.0%} alone, {together:.0%} with {TOGETHER} requests."
    )
    if options.json:
        rounds = [result.record() for result in [*results, model]]
        options.json.write_text(json.dumps(rounds, indent=1) + "\n", "utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python tests/benchmarks/reference_server.py")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every round's numbers")
    for flag, package in (
        ("--transformers-serve", "transformers[serving]"),
        ("--llama-cpp", "llama-cpp-python[server] and gguf"),
    ):
        parser.add_argument(
            flag, type=Path, metavar="ENVIRONMENT", help=f"folder of one that has {package}"
        )
    return parser.parse_args()


def _field(
    options: argparse.Namespace, stack: ExitStack
) -> Iterator[tuple[str, Callable[[], AbstractContextManager[Contestant]] | None]]:
    """The names of all contestants, and how those that are installed begin."""
    yield "reference server", contestants.reference_server
    yield "transformers.generate", lambda: contestants.generate(BUNDLED)
    serve, llama = options.transformers_serve, options.llama_cpp
    yield (
        "transformers serve",
        serve and (lambda: contestants.transformers_serve(serve, BUNDLED)),
    )
    file = None
    if llama:
        file = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "model.gguf"
        contestants.convert(llama, BUNDLED, file)
    yield "llama-cpp-python server", file and (lambda: contestants.llama_cpp(llama, file))


def _measure(contestant: Contestant, result: Result) -> None:
    result.first_token.append(contestant.first_token(PROMPTS[0]))
    started = time.perf_counter()
    made = sum(contestant.complete(PROMPTS[:1], TOKENS) for _ in range(IN_A_ROW))
    result.alone.append(made / (time.perf_counter() - started))
    started = time.perf_counter()
    made = contestant.complete(PROMPTS, TOKENS)
    result.together.append(made / (time.perf_counter() - started))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _decode(backend: OnnxBackend, prompts: list[tuple[int, ...]]) -> float:
    """Seconds that the model's runs for these prompts take, with nothing around them."""
    started = time.perf_counter()
    handles = [backend.open(backend.prefill(prompt)) for prompt in prompts]
    for _ in range(TOKENS - 1):
        backend.step(handles, [5] * len(handles))
    taken = time.perf_counter() - started
    for handle in handles:
        backend.close(handle)
    return taken


if __name__ == "__main__":
    main()
