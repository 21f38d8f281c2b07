"""A stated price table shows every cost in money, too."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from conformance.model import Cost, Money, Prices, Run, money_of, most_money_of
from conformance.record.line import SCHEMA, RunFileError, from_line, to_line
from conformance.report import markdown, results
from conformance.report.diff.differences import Differences
from conformance.report.diff.sections import lines_of
from conformance.report.locale.terms import money
from conformance.report.matrix import Recorded, json_data, matrix_of
from conformance.report.summary import Summary
from tests.report.builders import a_finding, a_run

USD = Prices(Decimal("1.50"), Decimal("2.00"), "USD", Decimal("0.075"))
UNCACHED = Prices(Decimal("1.50"), Decimal("2.00"), "CNY")


def a_priced_run(cost: Cost, prices: Prices | None = USD) -> Run:
    run = a_run(a_finding(), prices=prices)
    assert run.footer is not None
    return replace(run, footer=replace(run.footer, cost=cost))


@pytest.mark.parametrize(
    ("cost", "prices", "amount"),
    [
        (Cost(1, 1_000_000, 0), USD, "1.5"),
        (Cost(1, 0, 1_000_000), USD, "2"),
        (Cost(1, 1_000_000, 0, 0, 1_000_000), USD, "0.075"),
        (Cost(1, 1_000_000, 0, 0, 400_000), USD, "0.93"),  # 0.6 × 1.50 + 0.4 × 0.075
        (Cost(1, 1_000_000, 0, 0, 400_000), UNCACHED, "1.5"),
        (Cost(1, 0, 0, 1_000_000), USD, "2"),  # without usage, at the dearest price
        (Cost(1, 0, 0), USD, "0"),
        (Cost(3, 1, 1), USD, "0.0000035"),
    ],
)
def test_money_is_exact(cost: Cost, prices: Prices, amount: str) -> None:
    spent = money_of(cost, prices)
    assert spent.amount == Decimal(amount)
    assert spent.is_bound is (cost.estimated_tokens > 0)


def test_planned_prompts_may_all_be_uncached() -> None:
    assert most_money_of(1_000_000, 500_000, USD) == Money(Decimal("2.5"), "USD", is_bound=True)


@pytest.mark.parametrize(
    ("amount", "is_bound", "words"),
    [
        ("0", False, "0 USD"),
        ("0.0000035", False, "0.00000350 USD"),
        ("0.018765", False, "0.0188 USD"),
        ("0.018111", False, "0.0181 USD"),
        ("0.018111", True, "at most 0.0182 USD"),
        ("12.501", True, "at most 12.51 USD"),
        ("1234.5", False, "1,234.50 USD"),
    ],
)
def test_money_is_rounded_for_readers(amount: str, is_bound: bool, words: str) -> None:
    assert money(Money(Decimal(amount), "USD", is_bound)).en == words


def test_cost_is_told_in_money() -> None:
    words = Summary(a_priced_run(Cost(2, 9_000, 4_000, 0, 3_000))).cost_in_words
    assert words.en == (
        "2 requests, 13,000 tokens (9,000 prompt, of them 3,000 cached, 4,000 generated), "
        "0.0172 USD"
    )
    assert words.zh == (
        "2 次请求，13,000 个 token（输入 9,000，其中已缓存 3,000，输出 4,000），0.0172 USD"
    )


def test_nothing_is_told_without_prices() -> None:
    run = a_priced_run(Cost(2, 9_000, 4_000), None)
    assert "USD" not in Summary(run).cost_in_words.en
    document = json.loads(results.render(run))
    assert (document["prices"], document["money"]) == (None, None)


def test_reports_for_programs_have_exact_digits() -> None:
    run = a_priced_run(Cost(2, 9_000, 4_000, 7))
    document = json.loads(results.render(run))
    assert document["money"] == {"amount": "0.021514", "currency": "USD", "is_bound": True}
    assert document["prices"] == {
        "input": "1.50",
        "output": "2.00",
        "cached": "0.075",
        "currency": "USD",
    }
    (row,) = json.loads(json_data.render(matrix_of([Recorded("x", run)], ())))["targets"][:1]
    assert row["money"] == document["money"]


def test_markdown_has_the_money() -> None:
    assert "0.0215 USD" in markdown.render(a_priced_run(Cost(2, 9_000, 4_000)))


@pytest.mark.parametrize(
    ("prices", "now", "by"),
    [(USD, "0.0430 USD", "+100%"), (UNCACHED, "0.0430 CNY", ""), (None, "unknown", "")],
)
def test_comparison_has_the_money(prices: Prices | None, now: str, by: str) -> None:
    then = a_priced_run(Cost(2, 9_000, 4_000))
    later = a_priced_run(Cost(2, 18_000, 8_000), prices)
    (line,) = (one for one in lines_of(Differences(then, later)) if "Money" in one.name.en)
    assert (line.was.en, line.now.en, line.by) == ("0.0215 USD", now, by)


def test_comparison_without_prices_has_no_money() -> None:
    run = a_priced_run(Cost(2, 9_000, 4_000), None)
    assert not any("Money" in one.name.en for one in lines_of(Differences(run, run)))


def test_prices_are_recorded_as_stated() -> None:
    run = a_priced_run(Cost(2, 9, 4, 0, 3))
    line = to_line("header", run.header)
    Draft202012Validator(json.loads(Path(SCHEMA).read_text())).validate(json.loads(line))
    assert from_line(line, "x") == run.header


@pytest.mark.parametrize(
    "wrong",
    [
        {"input": "-1"},
        {"input": "1e3"},
        {"input": 1.5},
        {"input": "NaN"},
        {"output": "9" * 10},
        {"currency": "usd"},
        {"currency": "\x1b[31m"},
    ],
)
def test_record_with_wrong_prices_is_rejected(wrong: dict[str, object]) -> None:
    header = json.loads(to_line("header", a_priced_run(Cost()).header))
    header["prices"] |= wrong
    with pytest.raises(RunFileError, match="invalid header"):
        from_line(json.dumps(header).encode(), "x")


def test_record_caches_no_more_than_it_read() -> None:
    run = a_priced_run(Cost(2, 9, 4, 0, 10))
    assert run.footer is not None
    with pytest.raises(RunFileError, match="more tokens are cached"):
        from_line(to_line("footer", run.footer), "x")
