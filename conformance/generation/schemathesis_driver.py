"""Generates valid or invalid request bodies with schemathesis, reproducibly.

The library's own runner sends requests by itself, sequentially, and its results depend on what is
imported, because Hypothesis collects constants from loaded modules. So its strategy is fed with
bytes from a seeded generator instead (``fuzz_one_input``); the cases are collected and not sent.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

from conformance.contract import Contract
from conformance.generation._imports import quietly
from conformance.generation.request_schema import description

if TYPE_CHECKING:
    from schemathesis import APIOperation

INPUT_BYTES = 4096
"""Bytes that one body is generated from. Unused ones are ignored."""

INPUTS_PER_BODY = 4
"""Inputs to try for each wanted body; some generate none."""

CONFIG: Mapping[str, Any] = {
    "cache": {"enabled": False},
    "output": {"sanitization": {"enabled": False}},
    "generation": {
        "database": "none",
        "codec": "ascii",
        "allow-x00": False,
        "with-security-parameters": False,
        "allow-extra-parameters": False,
    },
}
"""Settings that keep the library from reading and writing files.

Its sanitization is off because it blanks every field with `token` in its name, `max_tokens` too.
Secrets are redacted by the transport.
"""

_configuring = Lock()


def generate_bodies(contract: Contract, model: str, mode: str, count: int, seed: int) -> list[Any]:
    """Generate request bodies. Each is JSON as Python reads it, or bytes that may not be JSON.

    This computes for a second or two; call it in a thread.

    Args:
        contract: describes the requests.
        model: the model that valid bodies name.
        mode: ``positive`` for bodies that fit the schema, ``negative`` for others.
        count: how many; fewer are returned if not enough are found.
        seed: decides which bodies are generated.
    """
    operation = operation_of(contract, model)
    with quietly():
        from hypothesis import given, settings
        from schemathesis import GenerationMode
    bodies: list[Any] = []
    # A test that cannot fail stores nothing; without a database it does not try to.
    once = settings(database=None, deadline=None)
    inputs = random.Random(f"{mode}/{seed}")  # noqa: S311 - not used for cryptography

    with _temporary_home():
        strategy = operation.as_strategy(generation_mode=GenerationMode(mode))
        collect: Any = once(given(strategy)(lambda case: bodies.append(case.body)))
        feed = collect.hypothesis.fuzz_one_input
        for _ in range(count * INPUTS_PER_BODY):
            if len(bodies) == count:
                break
            feed(inputs.randbytes(INPUT_BYTES))
    return [_with_integers(body) for body in bodies]


@cache
def operation_of(contract: Contract, model: str) -> APIOperation[Any, Any, Any, Any]:
    """Return the contract's only operation as an object of the library."""
    with quietly():
        from schemathesis import Config, openapi
    loaded = openapi.from_dict(description(contract, model), config=Config.from_dict(dict(CONFIG)))
    ((path, _),) = contract.openapi["paths"].items()
    return loaded[path]["POST"]


def _with_integers(value: Any) -> Any:
    """Replace 2.0 by 2: JSON Schema takes both as integers, servers with typed decoders do not."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list):
        return [_with_integers(part) for part in value]
    if isinstance(value, Mapping):
        return {str(key): _with_integers(part) for key, part in value.items()}
    return value


@contextmanager
def _temporary_home() -> Iterator[None]:
    """Let Hypothesis store its tables in a temporary folder, not in the working directory."""
    from hypothesis import configuration

    with _configuring, tempfile.TemporaryDirectory() as folder:
        before = configuration.storage_directory(intent_to_write=False).path
        configuration.set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(before)
