"""The place of a balance is a path on the target's host; anything else is one clear sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.contract import load_contract
from conformance.model import BalanceSource
from conformance.targets import MissingSecretError, TargetsError, read_targets

OPENAI = load_contract("openai")
TARGET = """
[targets.x]
base-url = "http://127.0.0.1:1/v1"
model = "m"
"""


def read(tmp_path: Path, line: str, **environment: str) -> BalanceSource | None:
    path = tmp_path / "conformance.toml"
    path.write_text(TARGET + line)
    (entry,) = read_targets(path)
    return entry.target(OPENAI, environment).balance


def test_balance_is_read(tmp_path: Path) -> None:
    line = 'balance = {path = "/user/balance", pointer = "/left", unit = "tokens"}'
    assert read(tmp_path, line) == BalanceSource("/user/balance", "/left", "tokens")
    assert read(tmp_path, "") is None


def test_its_own_key_comes_from_the_environment(tmp_path: Path) -> None:
    line = (
        'balance = {path = "/b", pointer = "/x", unit = "USD", rises = true, '
        'api-key-env = "OTHER_KEY"}'
    )
    source = read(tmp_path, line, OTHER_KEY="sk-other-secret")
    assert source == BalanceSource("/b", "/x", "USD", rises=True, api_key="sk-other-secret")
    assert "sk-other" not in repr(source)
    with pytest.raises(MissingSecretError, match="OTHER_KEY"):
        read(tmp_path, line)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('"/user/balance"', "must be a table, such as"),
        ('{pointer = "/x", unit = "USD"}', "has no path"),
        ('{path = "/b", unit = "USD"}', "has no pointer"),
        ('{path = "/b", pointer = "/x"}', "has no unit"),
        ('{path = "//evil.example/b", pointer = "/x", unit = "USD"}', "not one on the host"),
        ('{path = "https://evil.example/b", pointer = "/x", unit = "USD"}', "not one on the host"),
        ('{path = "@evil.example", pointer = "/x", unit = "USD"}', "not one on the host"),
        ('{path = "/b\\r\\nX: y", pointer = "/x", unit = "USD"}', "not one on the host"),
        ('{path = "/b", pointer = "x", unit = "USD"}', "no JSON Pointer"),
        ('{path = "/b", pointer = "/~2", unit = "USD"}', "no JSON Pointer"),
        ('{path = "/b", pointer = "/x", unit = "dollars"}', "neither"),
        ('{path = "/b", pointer = "/x", unit = "USD", rises = "yes"}', "must be true or false"),
        ('{path = "/b", pointer = "/x", unit = "USD", key = "sk-1"}', "has 'key'"),
        (
            '{path = "/b", pointer = "/x", unit = "USD", api-key-env = "sk-abc-123-def-456-ghi"}',
            "must be the name of an environment variable",
        ),
    ],
)
def test_nonsense_is_one_sentence(tmp_path: Path, written: str, told: str) -> None:
    with pytest.raises(TargetsError) as error:
        read(tmp_path, f"balance = {written}")
    (sentence,) = error.value.mistakes
    assert "target 'x': balance " in sentence
    assert told in sentence
    assert "sk-abc" not in sentence
