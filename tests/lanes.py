"""The two lanes: what every change has to pass, and everything.

The default lane is what ``make test`` runs. A test or a case marked ``exhaustive`` runs with
``make test-all``, with an ``-m`` that names the marker, or when it is named itself
(``pytest tests/x.py::test_y``). tests/README.md lists what is exhaustive and what it costs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable
from typing import Any

import pytest

exhaustive = pytest.mark.exhaustive


def runs_everything(config: pytest.Config) -> bool:
    """Whether this session runs both lanes."""
    named = any("::" in argument for argument in config.args)
    return bool(
        config.getoption("--lane") == "all" or named or "exhaustive" in config.option.markexpr
    )


def names_area(nodeid: str, area: str) -> bool:
    """Whether a test's file, name or case contains the name of an area as a whole word."""
    words = nodeid.replace("_", "-").lower()
    return re.search(rf"(?<![a-z0-9]){re.escape(area)}(?![a-z0-9])", words) is not None


def by_default(
    default: Container[Any], cases: Iterable[Any], *, ids: Callable[[Any], str] = str
) -> list[Any]:
    """Parameters of which those not in ``default`` are exhaustive; a tuple is several values."""
    return [
        pytest.param(*values, id="-".join(map(ids, values)), marks=marks)
        for case in cases
        for values in [case if isinstance(case, tuple) else (case,)]
        for marks in [() if case in default else exhaustive]
    ]


def sample_size(config: pytest.Config, option: str, *, default: int, full: int) -> int:
    """How many cases to draw: the option's value, or else ``full`` only if everything runs."""
    request: int | None = config.getoption(option)
    if request is not None:
        return request
    return full if runs_everything(config) else default
