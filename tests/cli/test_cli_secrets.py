"""Whole runs against endpoints that show the key: no file and no line of output has it."""

from __future__ import annotations

import base64
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from conformance.report import formats
from tests.hostile import HostileServer, hostile_server
from tests.hostile.secrets import FORMS

ALL_FORMATS = tuple(formats())
KEY = "sk-proj-R4nd0m_Zq8Xw7Vu6Tt5-Gg3Hh2Jj1LmNpB9kQeYs"
SECRET = "tenant-8Zq3Wx-R7vK2mLp5Td9Yb"
BEHAVIOURS = (
    "key-in-every-form",
    "key-in-pieces",
    "key-in-raw-events",
    "key-in-the-status-line",
    "key-in-a-redirect",
)


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    with hostile_server() as running:
        yield running


def squeezed(text: str) -> str:
    """Return the letters and digits of a text, in lower case."""
    return re.sub(r"[^a-z0-9]+", "", text.lower())


def texts_in(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text in a JSON value, and its names of members, with its place."""
    match value:
        case str():
            yield place, value
        case list():
            for each in value:
                yield from texts_in(each, place)
        case dict():
            for name, each in value.items():
                yield f"{place} names", name
                yield from texts_in(each, f"{place}/{name}")


def joined_texts(record: Path) -> str:
    """Join the texts of each place in the bodies of a record, as a reader would."""
    joined: dict[str, str] = defaultdict(str)
    for line in record.read_text("utf-8").splitlines():
        exchange = json.loads(line)
        body = exchange.get("body") or {}
        text = body.get("text") or base64.b64decode(body.get("base64", "")).decode("latin-1")
        for part in text.split("\n"):
            payload = part.removeprefix("data: ")
            try:
                value = json.loads(payload)
            except ValueError:
                joined["payloads"] += payload
                continue
            for place, each in texts_in(value):
                joined[place] += each
    return "\n".join(joined.values())


def assert_hidden(text: str, key: str = KEY) -> None:
    """Check that a text shows the key in no form that this test knows."""
    for name, form in FORMS.items():
        assert form(key) not in text, name
    for window in range(len(key) - 12):
        part = key[window : window + 12]
        assert part not in text
    assert squeezed(key) not in squeezed(text)


@pytest.mark.exhaustive
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_no_output_shows_the_key(
    command, server: HostileServer, monkeypatch, behaviour: str, language: str
) -> None:
    run_and_search(command, server, monkeypatch, behaviour, "--lang", language)


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_small_run_shows_no_key(
    command, server: HostileServer, monkeypatch, behaviour: str
) -> None:
    run_and_search(command, server, monkeypatch, behaviour, "-k", "streaming.*", "-k", "stop.*")


def run_and_search(
    command: Callable[..., Result],
    server: HostileServer,
    monkeypatch: pytest.MonkeyPatch,
    behaviour: str,
    *words: str,
) -> None:
    """Run the smoke tier and search all output for the key."""
    monkeypatch.setenv("VENDOR_KEY", KEY)
    where = ("--base-url", server.base_url(behaviour), "--model", "m", "--reference", "none")
    written = ("--tier", "smoke", "--format", ",".join(ALL_FORMATS), "--out", "out")
    result = command("run", *where, *written, "--api-key-env", "VENDOR_KEY", *words)
    assert result.exit_code in {1, 3}
    assert KEY in server.keys
    assert_hidden(result.stdout + result.stderr)
    files = list(Path("out").iterdir())
    assert {path.name for path in files} >= {"run.ndjson", "index.html", "junit.xml"}
    for path in files:
        assert_hidden(path.read_text("utf-8"))
    record = Path("out/run.ndjson")
    assert_hidden(joined_texts(record))
    assert "$API_KEY" in record.read_text("utf-8")


def test_unnamed_key_reaches_no_stranger(command, server: HostileServer, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    before = len(server.keys)
    where = ("--base-url", server.base_url("key-in-pieces"), "--model", "m")
    result = command("run", *where, "--tier", "smoke", "-k", "stop.*", "--reference", "none")
    assert "OPENAI_API_KEY is set but not sent" in result.stderr
    assert len(server.keys) > before
    assert KEY not in server.keys[before:]


def test_secret_header_is_hidden_as_well(command, server: HostileServer, monkeypatch) -> None:
    monkeypatch.setenv("VENDOR_KEY", KEY)
    monkeypatch.setenv("TENANT", SECRET)
    Path("conformance.toml").write_text(
        f"""
        [targets.stranger]
        base-url = "{server.base_url("key-in-pieces")}"
        model = "m"
        api-key-env = "VENDOR_KEY"
        headers-env = {{"X-Tenant" = "TENANT"}}
        """,
        encoding="utf-8",
    )
    words = ("--tier", "smoke", "-k", "stop.*", "--reference", "none", "--out", "out")
    result = command("run", *words)
    shown = [result.output, *(p.read_text("utf-8") for p in Path("out").rglob("*") if p.is_file())]
    for text in shown:
        assert_hidden(text)
        assert_hidden(text, SECRET)


def test_record_hides_the_keys_of_other_targets(command, server, monkeypatch) -> None:
    """Two accounts at one gateway: what shows one key can show the other."""
    other = "sk-proj-9Tq3LmX7vRs2WbN6cYhK4pQd"
    monkeypatch.setenv("FIRST_KEY", KEY)
    monkeypatch.setenv("SECOND_KEY", other)
    Path("conformance.toml").write_text(
        "".join(
            f"""
            [targets.{name}]
            base-url = "{server.base_url("keys-of-all")}"
            model = "m"
            api-key-env = "{name.upper()}_KEY"
            """
            for name in ("first", "second")
        ),
        encoding="utf-8",
    )
    words = ("--tier", "smoke", "-k", "stop.*", "--reference", "none", "--out", "out")
    result = command("run", *words)
    assert {KEY, other} <= set(server.keys)
    shown = [result.output, *(p.read_text("utf-8") for p in Path("out").rglob("*") if p.is_file())]
    for text in shown:
        assert KEY not in text
        assert other not in text


@pytest.mark.parametrize("mark", ["?key=", "#"])
def test_key_in_a_query_is_not_repeated(command, mark: str) -> None:
    url = f"https://vendor.example/v1{mark}{KEY}"
    result = command("run", "--base-url", url, "--model", "m", "--reference", "none")
    assert result.exit_code == 4
    assert "https://vendor.example/v1" in result.output
    assert_hidden(result.output)


def test_key_in_a_mistyped_option_is_hidden(command, monkeypatch) -> None:
    monkeypatch.setenv("VENDOR_KEY", KEY)
    where = ("--base-url", "http://127.0.0.1:9/v1", "--model", KEY, "--reference", "none")
    words = ("--api-key-env", "VENDOR_KEY", "-k", "stop.*", "--tier", "smoke", "--out", "out")
    result = command("run", *where, *words)
    assert_hidden(result.output)
    for path in Path("out").iterdir():
        assert_hidden(path.read_text("utf-8"))


@pytest.mark.parametrize("named", [("--api-key-env", "VENDOR_KEY"), ("--api-key-env=VENDOR_KEY",)])
@pytest.mark.parametrize("option", ["--format", "--tier", "--rate", "--seed", "--no-such-option"])
def test_key_in_an_earlier_option_is_hidden(
    command, monkeypatch, option: str, named: tuple[str, ...]
) -> None:
    monkeypatch.setenv("VENDOR_KEY", KEY)
    result = command("run", option, KEY, *named)
    assert result.exit_code == 4
    assert_hidden(result.output)


def test_usual_key_in_an_option_is_hidden(command, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    result = command("run", f"--{KEY}", "--format", KEY)
    assert result.exit_code == 4
    assert_hidden(result.output)


@pytest.mark.parametrize("option", ["--format", "--select", "--tier"])
def test_long_key_is_hidden_before_it_is_cut(command, monkeypatch, option: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY * 10)
    result = command("run", option, KEY * 10, "--reference", "none")
    assert result.exit_code in {4, 5}
    assert_hidden(result.output)
