"""Prices of a target are decimal numbers and a currency; anything else is one clear sentence."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from conformance.model import Prices
from conformance.targets import TargetsError, read_targets

TARGET = """
[targets.x]
base-url = "http://127.0.0.1:1/v1"
model = "m"
"""


def read(tmp_path: Path, line: str) -> Prices | None:
    path = tmp_path / "conformance.toml"
    path.write_text(TARGET + line)
    (entry,) = read_targets(path)
    return entry.prices


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", None),
        (
            'prices = {input = 1.1, output = 2, currency = "USD"}',
            Prices(Decimal("1.1"), Decimal(2), "USD"),
        ),
        (
            'prices = {input = "0.27", output = 1e-7, cached = 0, currency = "CNY"}',
            Prices(Decimal("0.27"), Decimal("0.0000001"), "CNY", Decimal(0)),
        ),
    ],
)
def test_prices_are_read_as_typed(tmp_path: Path, line: str, expected: Prices | None) -> None:
    assert read(tmp_path, line) == expected


def test_defaults_can_state_prices(tmp_path: Path) -> None:
    path = tmp_path / "conformance.toml"
    path.write_text('[defaults]\nprices = {input = 1, output = 2, currency = "USD"}\n' + TARGET)
    (entry,) = read_targets(path)
    assert entry.prices == Prices(Decimal(1), Decimal(2), "USD")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("1.5", "must be a table, such as"),
        ("{}", "has no input"),
        ('{input = 1, currency = "USD"}', "has no output"),
        ("{input = 1, output = 2}", "has no currency"),
        ('{input = 1, output = 2, currency = "dollars"}', "three capitals"),
        ('{input = -1, output = 2, currency = "USD"}', "price for input that is not a number"),
        ('{input = nan, output = 2, currency = "USD"}', "price for input that is not a number"),
        ('{input = inf, output = 2, currency = "USD"}', "price for input that is not a number"),
        ('{input = 1e300, output = 2, currency = "USD"}', "price for input that is not a number"),
        ('{input = true, output = 2, currency = "USD"}', "price for input that is not a number"),
        ('{input = "1,50", output = 2, currency = "USD"}', "price for input that is not a number"),
        ('{input = 1, output = [2], currency = "USD"}', "price for output that is not a number"),
        ('{input = 1, completion = 2, currency = "USD"}', "has 'completion'"),
    ],
)
def test_nonsense_is_one_sentence(tmp_path: Path, written: str, told: str) -> None:
    with pytest.raises(TargetsError) as error:
        read(tmp_path, f"prices = {written}")
    (sentence,) = error.value.mistakes
    assert "target 'x': prices " in sentence
    assert told in sentence
