"""The data classes of the model."""

from __future__ import annotations

import dataclasses
import inspect
from types import ModuleType

import pytest

from conformance import model
from conformance.model import (
    EXIT_CODES,
    Conclusion,
    Cost,
    Exchange,
    ExitCode,
    Request,
    Target,
    Tier,
)
from conformance.record import events


@pytest.mark.parametrize(
    ("tier", "held"),
    [
        (Tier.SMOKE, {Tier.SMOKE}),
        (Tier.STANDARD, {Tier.SMOKE, Tier.STANDARD}),
        (Tier.DEEP, {Tier.SMOKE, Tier.STANDARD, Tier.DEEP}),
    ],
)
def test_each_tier_includes_the_previous_ones(tier: Tier, held: set[Tier]) -> None:
    assert {other for other in Tier if tier.holds(other)} == held


def test_every_conclusion_has_its_exit_code() -> None:
    assert set(EXIT_CODES) == set(Conclusion)
    assert EXIT_CODES[Conclusion.CONFORMING] is ExitCode.CONFORMING
    assert [code.value for code in ExitCode] == [0, 1, 2, 3, 4, 5, 6]


def test_target_representation_hides_the_key() -> None:
    assert "sk-secret" not in repr(Target("http://h/v1", "m", "openai", "sk-secret"))


def test_header_lookup_ignores_case() -> None:
    headers = (("X-Request-Id", "1"), ("x-request-id", "2"))
    exchange = Exchange("x1", Request("GET", "/"), (), 200, headers, b"", (), 0.0)
    assert exchange.header("x-REQUEST-id") == "1"
    assert exchange.header("absent") is None


def test_cost_includes_estimated_tokens() -> None:
    assert Cost(9, 1, 2, 3).tokens == 6


@pytest.mark.parametrize("module", [model, events])
def test_every_record_is_frozen(module: ModuleType) -> None:
    classes = [
        kind
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if kind.__module__.startswith(module.__name__)
    ]
    records = [kind for kind in classes if dataclasses.is_dataclass(kind)]
    assert records
    assert all(kind.__dataclass_params__.frozen for kind in records)
