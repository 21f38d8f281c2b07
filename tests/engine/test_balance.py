"""What an account was charged is told beside the reported usage, with its uncertainty."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from decimal import Decimal

import pytest

from conformance.api import Api
from conformance.checks._shared.prompts import COUNTING
from conformance.contract import load_contract
from conformance.engine.balance import (
    MAX_READINGS,
    Account,
    BalanceError,
    Reading,
    Reconciliation,
    reading_of,
)
from conformance.engine.runner import Options, run
from conformance.message import say
from conformance.model import BalanceSource, Cost, Footer, Prices, Target, Tier, Verdict
from conformance.protocol.trace import RecordedExchange
from conformance.record.events import RunFinished
from conformance.targets.bundled import MODEL
from conformance.testing import FakeEndpoint
from conformance.testing.fake_model import encode
from tests.lanes import by_default
from tests.servers import running_server

OPENAI = load_contract("openai")
TOKENS = BalanceSource("/balance", "/left", "tokens")
USD = BalanceSource("/balance", "/left", "USD")
SPENT = BalanceSource("/balance", "/used", "tokens", rises=True)
PRICES = Prices(Decimal("1.5"), Decimal(2), "USD")
ASKED = {"prompt": COUNTING, "max_tokens": 1, "temperature": 0}


class Told(Account):
    """An account whose readings are known beforehand."""

    def __init__(self, source: BalanceSource, *readings: str | None) -> None:
        async def at_once(_: float) -> None:
            return None

        super().__init__(Target("http://x/v1", "m", "openai"), source, timeout=1, sleep=at_once)
        self._told: Iterator[str | None] = iter(readings)

    async def read(self) -> Reading:
        told = next(self._told)
        if told is None:
            raise BalanceError(say("status {status}", status=503))
        return reading_of(f'{{"left": "{told}", "used": {told}}}'.encode(), self.source.pointer)


async def notes(account: Account, cost: Cost, prices: Prices | None = None) -> list[str]:
    """What is said of a run that cost this, and of an aborted stream with a prompt of 31 tokens."""
    api = Api(FakeEndpoint(OPENAI), OPENAI, "fake-model")
    known = RecordedExchange((await api.complete(**ASKED)).exchange, OPENAI)
    found = Reconciliation(account, prices)
    await found.begin(Cost(requests=1, prompt_tokens=7))
    spent = Cost(cost.requests + 1, cost.prompt_tokens + 7, *_rest(cost))
    await found.end(api, [known], lambda: spent)
    return list(found.notes)


def _rest(cost: Cost) -> tuple[int, int, int]:
    return cost.completion_tokens, cost.estimated_tokens, cost.cached_tokens


def said(*readings: str | None, source: BalanceSource = TOKENS, **cost: int) -> list[str]:
    prices = PRICES if source is USD else None
    return asyncio.run(notes(Told(source, *readings), Cost(**cost), prices))


RUN = {"requests": 3, "prompt_tokens": 60, "completion_tokens": 40}


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ("900", "says 100 tokens for this run, and the reported usage 100 tokens; give or take 1"),
        ("899", "they agree"),
        ("850", "50 tokens more than that, give or take 1 token. Others who use the account"),
        ("950", "50 tokens less than that, give or take 1 token. Requests that are booked later"),
    ],
)
def test_run_is_compared_with_its_usage(after: str, told: str) -> None:
    assert told in said("1000", after, after, after, after, **RUN)[0]


def test_missing_usage_makes_a_range() -> None:
    told = said("1000", "850", "850", "850", "850", **RUN, estimated_tokens=70)[0]
    assert "the reported usage 100 to 170 tokens; give or take 1 token, they agree." in told


def test_spent_balances_rise() -> None:
    assert "they agree" in said("0", "100", "100", "100", "100", source=SPENT, **RUN)[0]


def test_late_booking_is_awaited() -> None:
    assert "they agree" in said("1000", "1000", "930", "900", "900", "900", "900", **RUN)[0]


def test_restless_balance_is_read_a_few_times() -> None:
    falling = [str(1000 - number) for number in range(MAX_READINGS + 1)]
    assert len(said(*falling, None, **RUN)) == 2


PROMPT = len(encode(COUNTING))
"""Tokens of the prompt of the aborted stream."""


@pytest.mark.parametrize(
    ("cost", "told"),
    [
        (0, "cost 0 tokens by the balance, not even its prompt"),
        (PROMPT, "or more, and less than its whole limit of 128 tokens"),
        (PROMPT + 20, "or more, and less than its whole limit of 128 tokens"),
        (PROMPT + 128, "as much as its whole limit of 128 tokens"),
        (PROMPT + 400, "more than its whole limit of 128 tokens"),
    ],
)
def test_aborted_stream_is_told_apart(cost: int, told: str) -> None:
    left = str(900 - cost)
    told_of_run, told_of_stream = said("1000", "900", "900", left, left, **RUN)
    assert "they agree" in told_of_run
    assert told in told_of_stream


def test_coarse_balance_tells_nothing_of_a_stream() -> None:
    run_note, stream_note = said("10.00", "10.00", "10.00", "9.99", "9.99", source=USD, **RUN)
    assert "give or take 0.01 USD, they agree" in run_note
    assert "cannot be told" in stream_note
    assert "the balance has steps of 0.01 USD" in stream_note


def test_fine_balance_is_compared_in_money() -> None:
    readings = ("1.000000", "0.999830", "0.999830", "0.999000", "0.999000")
    run_note, stream_note = said(*readings, source=USD, **RUN)
    assert "says 0.00017 USD for this run, and the reported usage 0.00017 USD" in run_note
    assert "more than its whole limit" in stream_note


def test_other_currency_is_not_compared() -> None:
    source = BalanceSource("/balance", "/left", "CNY")
    told = asyncio.run(notes(Told(source, "9", "8", "8", "7", "7"), Cost(**RUN), PRICES))
    assert "says 1 CNY for this run. Without prices in its currency" in told[0]
    assert told[1] == "A stream that was left after 4 events cost 1 CNY by the balance."


def test_unreadable_balance_is_told_once() -> None:
    assert said(None, **RUN) == ["The balance could not be read: status 503."]
    assert said("9", None, **RUN) == ["The balance could not be read: status 503."]


@pytest.mark.parametrize(
    ("body", "pointer", "value", "step"),
    [
        (b'{"infos":[{"total_balance":"110.00"}]}', "/infos/0/total_balance", "110.00", "0.01"),
        (b'{"data":{"total_usage":25.75}}', "/data/total_usage", "25.75", "0.01"),
        (b'{"a/b":{"c~d":-3}}', "/a~1b/c~0d", "-3", "1"),
        (b"[5]", "/0", "5", "1"),
    ],
)
def test_balance_is_read_as_written(body: bytes, pointer: str, value: str, step: str) -> None:
    assert reading_of(body, pointer) == Reading(Decimal(value), Decimal(step))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"<html>", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"{}", "nothing at /left"),
        (b"[]", "nothing at /left"),
        (b'{"left": null}', "is no number"),
        (b'{"left": true}', "is no number"),
        (b'{"left": NaN}', "is no number"),
        (b'{"left": "1\\u001b[31m"}', "is no number"),
        (b'{"left": ' + b"9" * 10_000 + b"}", "is no number"),
    ],
)
def test_hostile_balance_is_a_sentence(body: bytes, told: str) -> None:
    with pytest.raises(BalanceError) as error:
        reading_of(body, "/left")
    assert told in error.value.said


RULES = {
    "generated": "and less than its whole limit",
    "whole": "as much as its whole limit",
    "nothing": "not even its prompt",
}


@pytest.mark.parametrize("rule", by_default(["whole"], list(RULES)))
def test_rules_of_the_bundled_server_are_told_apart(rule: str) -> None:
    with running_server("--balance", rule) as server:
        source = BalanceSource("/v1/balance", "/left", "tokens")
        target = Target(server.base_url, MODEL, "openai", server.key, balance=source)
        footer = asyncio.run(judged(target))
    run_note, stream_note = footer.notes
    assert "they agree" in run_note
    assert RULES[rule] in stream_note
    assert footer.counts[Verdict.FAIL] == 0


async def judged(target: Target) -> Footer:
    events = run(target, OPENAI, Options(Tier.SMOKE, ("usage.present", "usage.total")))
    async with aclosing(events):
        async for event in events:
            if isinstance(event, RunFinished):
                return event.footer
    raise AssertionError("the run has no end")
