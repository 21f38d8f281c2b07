"""``--prices``, and prices of targets, show plans and results in money."""

from __future__ import annotations

import json
from pathlib import Path

PRICES = "input=1.50,output=2.00,currency=USD"
TARGETS = """
[targets.x]
base-url = "http://127.0.0.1:1/v1"
model = "m"
tier = "smoke"
prices = {input = 3, output = 4, currency = "CNY"}
"""


def test_plan_is_told_in_money(command) -> None:
    text = command("plan", "--tier", "smoke", "--prices", PRICES).output
    assert "max. USD" in text
    planned = json.loads(
        command("plan", "--tier", "smoke", "--prices", PRICES, "--format", "json").output
    )
    most = planned["prompt_tokens"] * 1.5 + planned["completion_tokens"] * 2
    assert planned["tokens"] == planned["prompt_tokens"] + planned["completion_tokens"]
    assert float(planned["money"]["amount"]) * 1e6 == most


def test_dry_run_uses_the_prices_of_the_target(command) -> None:
    Path("conformance.toml").write_text(TARGETS)
    assert "CNY" in command("run", "--dry-run").output
    assert "USD" in command("run", "--dry-run", "--prices", PRICES).output


def test_run_tells_what_it_cost(command) -> None:
    words = ("--select", "usage.total", "--prices", PRICES, "--out", "r", "--format", "json,html")
    result = command("run", *words)
    assert " USD" in result.output
    document = json.loads(Path("r/results.json").read_text())
    assert document["money"]["currency"] == "USD"
    assert " USD" in Path("r/index.html").read_text()


def test_wrong_prices_are_one_sentence(command) -> None:
    for typed in ("1.5", "input=1,input=2", "input=a,output=1,currency=USD"):
        result = command("plan", "--prices", typed)
        assert (result.exit_code, result.output.count("\n")) == (4, 1), result.output
        assert "--prices" in result.output
