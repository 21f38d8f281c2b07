"""What a newcomer types first: slow rates, empty paths, words that are no ids, broken overlays."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.cli.limits import slow_rate
from conformance.engine.selection import Options
from conformance.model import Limits, Tier, TransportOptions

ENDPOINT = ("--base-url", "http://127.0.0.1:9/v1", "--model", "m")


@pytest.mark.parametrize(
    ("rate", "requests", "english", "chinese"),
    [
        (0.001, None, "up to 25 requests take about 6.7 hours", "至多 25 次请求，约需 6.7 小时"),
        (0.001, 3, "up to 3 requests take about 33 min 20 s", "至多 3 次请求，约需 33 分 20 秒"),
        (0.0001, None, "take about 3 days", "约需 3 天"),
    ],
)
def test_slow_rate_says_how_long(
    rate: float, requests: int | None, english: str, chinese: str
) -> None:
    slow = Options(Tier.SMOKE, transport=TransportOptions(rate=rate), limits=Limits(requests))
    told = slow_rate(slow)
    assert told is not None
    assert english in told.en
    assert chinese in told.zh


@pytest.mark.parametrize("rate", [None, 1.0, 50.0])
def test_usual_rates_say_nothing(rate: float | None) -> None:
    assert slow_rate(Options(Tier.SMOKE, transport=TransportOptions(rate=rate))) is None


def test_run_announces_its_rate(command, tmp_path: Path) -> None:
    words = ("--rate", "0.35", "--reference", "none", "--lang", "en")
    # Nobody listens there, so that preflight ends the run after its first request.
    result = command("run", *ENDPOINT, *words, "--tier", "smoke", "--out", str(tmp_path / "out"))
    assert "--rate 0.35 is one request every 2.9 s" in result.output


def test_help_has_the_range_of_numbers(command) -> None:
    shown = " ".join(command("run", "--help").output.split())
    assert "Timeout in seconds for each attempt at a request, 0.001 to 86400." in shown
    assert "Maximum requests per second, 0.001 to 86400. [default: no limit]" in shown


@pytest.mark.parametrize(
    "words", [("run", *ENDPOINT), ("report", "x"), ("matrix", "x"), ("compare", "x", "y")]
)
def test_empty_folder_is_one_clear_sentence(command, words: tuple[str, ...]) -> None:
    result = command(*words, "--out", "")
    assert result.exit_code == 4
    assert "Invalid value for '--out': the path is empty; name a new folder" in result.output
    assert result.output.count("conformance: ") == 1


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("nope", "did you mean "),
        ("stop", "did you mean stop."),
        ("stop.at-most-four", "did you mean stop.five-refused"),
        ("usage.completion", "did you mean usage.completion"),
        ("logprbs.xyzzy", "did you mean logprobs."),
        ("wat", "run `conformance list` to see all checks"),
    ],
)
def test_unknown_check_gets_near_ids(command, typed: str, meant: str) -> None:
    result = command("explain", typed)
    assert result.exit_code == 4
    assert meant in result.output


HEAD = "overlay: 1.1.0\ninfo: {title: t, version: 1.0.0}\nactions:\n"


@pytest.mark.parametrize(
    ("written", "place", "way_out"),
    [
        (
            HEAD + "- {target: $.x.stop, update: {}}",
            "action 1 (target $.x.stop)",
            "properties.NAME",
        ),
        ("openapi: 3.1.0", "unknown field `openapi`", "docs/own-contract.md"),
        (HEAD + "- [", "line 5", "docs/own-contract.md"),
    ],
)
def test_broken_overlay_has_place_and_way_out(
    command, tmp_path: Path, written: str, place: str, way_out: str
) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(written, "utf-8")
    result = command("plan", "--contract", str(path))
    assert result.exit_code == 4
    assert place in result.output
    assert way_out in result.output
