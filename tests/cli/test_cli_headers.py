"""Headers of every request, on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.record.ndjson import read_run
from conformance.testing import FakeEndpoint

RUN = ("run", "--base-url", "http://127.0.0.1:9/v1", "--model", "m", "--select", "envelope.id")


def test_headers_are_recorded_without_secrets(command, fake, monkeypatch) -> None:
    fake(FakeEndpoint)
    monkeypatch.setenv("GATEWAY", "a-secret-of-the-gateway")
    words = ("--header", "X-Hotkey-Mode: on", "--header-env", "X-Gateway-Token=GATEWAY")
    assert command(*RUN, *words, "--out", "run").exit_code == 0
    shown = read_run(Path("run/run.ndjson")).header.headers
    assert shown == {"X-Hotkey-Mode": "on", "X-Gateway-Token": "$GATEWAY"}
    assert b"a-secret-of" not in Path("run/run.ndjson").read_bytes()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--header", "X-Tenant"), "--header must have the form 'NAME: VALUE'"),
        (("--header", "X-Api-Key: abc"), "use --header-env X-Api-Key=VARIABLE"),
        (("--header", "A: 1", "--header", "a: 2"), "--header sets a header twice"),
        (("--header-env", "X-Key=NOT_SET"), "--header-env: Environment variable NOT_SET is not"),
        (("--header", "Host: x"), "has Host, which the suite sets itself"),
    ],
)
def test_wrong_header_says_the_way_out(command, words: tuple[str, ...], sentence: str) -> None:
    result = command(*RUN, *words)
    assert result.exit_code == 4
    assert sentence in result.output


def test_headers_of_targets_are_in_the_file(command) -> None:
    Path("conformance.toml").write_text('[targets.a]\nbase-url = "http://x/v1"\nmodel = "m"\n')
    result = command("run", "--header", "X-A: 1")
    assert result.exit_code == 4
    assert "set headers and headers-env in conformance.toml" in result.output
