"""Bodies that schemathesis draws from a description, right ones or wrong ones: the same each time.

The library's own runner sends requests by itself, one after the other, and draws others each time
that something else is imported, since Hypothesis looks for constants in whatever code is loaded. So
it is fed here with bytes, of which a seed decides; what it makes of them is collected and not sent.
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
from conformance.generated._extra import extra
from conformance.generated.schema_space import description

if TYPE_CHECKING:
    from schemathesis import APIOperation

NOISE = 4096
"""Bytes that one body is made of; what is left over is not looked at."""

TRIES = 4
"""Rows of bytes for each body that is wanted: some make none."""

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
"""What the library is told, so that it reads no file of settings and leaves none of its own.

Its way to keep secrets would blank whatever has `token ` in its name, `max_tokens` too; what goes
over the wire is redacted there.
"""

_one_at_a_time = Lock()


def draw(contract: Contract, model: str, mode: str, count: int, seed: int) -> list[Any]:
    """Draw the bodies of requests; each is JSON as Python reads it, or bytes that need not be.

    It computes for a second or two, so that it belongs in a thread.

    Args:
        contract: what may be drawn, and where it ends.
        model: the one that right bodies name.
        mode: ``positive`` for bodies that fit the schema, ``negative`` for others.
        count: how many; fewer come back where that many are not found.
        seed: decides which.

    Raises:
        NotApplicable: the library is not installed.
    """
    operation = operation_of(contract, model)
    with extra():
        from hypothesis import given, settings
        from schemathesis import GenerationMode
    bodies: list[Any] = []
    # Nothing is stored about a test that cannot fail; the settings keep it from being tried.
    once = settings(database=None, deadline=None)
    rows = random.Random(f"{mode}/{seed}")  # noqa: S311 - no secret hangs on it

    with _elsewhere():
        strategy = operation.as_strategy(generation_mode=GenerationMode(mode))
        collect: Any = once(given(strategy)(lambda case: bodies.append(case.body)))
        feed = collect.hypothesis.fuzz_one_input
        for _ in range(count * TRIES):
            if len(bodies) == count:
                break
            feed(rows.randbytes(NOISE))
    return [_plain(body) for body in bodies]


@cache
def operation_of(contract: Contract, model: str) -> APIOperation[Any, Any, Any, Any]:
    """Return the one operation of a contract as the library knows it.

    Raises:
        NotApplicable: the library is not installed.
    """
    with extra():
        from schemathesis import Config, openapi
    loaded = openapi.from_dict(description(contract, model), config=Config.from_dict(dict(CONFIG)))
    ((path, _),) = contract.openapi["paths"].items()
    return loaded[path]["POST"]


def _plain(value: Any) -> Any:
    """Write numbers as people do: to the schema 2.0 is an integer, to typed servers it is none."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    return value


@contextmanager
def _elsewhere() -> Iterator[None]:
    """Let Hypothesis keep its tables in a folder that goes away, and not where somebody works."""
    from hypothesis import configuration

    with _one_at_a_time, tempfile.TemporaryDirectory() as folder:
        before = configuration.storage_directory(intent_to_write=False).path
        configuration.set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(before)
