"""``--tokenizer`` counts prompts beside the endpoint, in a run and of a record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.test_tokenizer import BUNDLED

CHECK = "usage.prompt-by-tokenizer-everywhere"
ABOUT = ("--select", "usage", "--tier", "standard", "--format", "json")
TARGETS = """
[targets.x]
base-url = "http://127.0.0.1:1/v1"
model = "m"
tokenizer = "missing.json"
"""


def finding_in(folder: str) -> dict[str, Any]:
    document = json.loads(Path(folder, "results.json").read_text())
    (found,) = (one for one in document["findings"] if one["id"] == CHECK)
    return found


def test_bundled_server_counts_as_its_tokenizer(command) -> None:
    result = command("run", *ABOUT, "--tokenizer", str(BUNDLED), "--out", "r")
    assert result.exit_code == 0, result.output
    assert finding_in("r")["verdict"] == "pass"
    assert json.loads(Path("r/run.ndjson").read_text().splitlines()[0])["tokenizer"] == str(BUNDLED)
    again = ("--rejudge", "--tokenizer", str(BUNDLED), "--out", "again")
    command("report", "r", *again)
    assert finding_in("again")["verdict"] == "pass"
    command("report", "r", "--rejudge", "--out", "without")
    assert finding_in("without")["verdict"] == "skipped"


def test_without_a_tokenizer_the_check_is_skipped(command) -> None:
    command("run", *ABOUT, "--out", "r")
    assert "--tokenizer" in finding_in("r")["message"]


def test_missing_tokenizer_is_one_sentence(command) -> None:
    result = command("run", "--tokenizer", "missing.json")
    assert (result.exit_code, result.output.count("\n")) == (4, 1), result.output
    Path("conformance.toml").write_text(TARGETS)
    result = command("run")
    assert result.exit_code == 4
    assert "target 'x': tokenizer: there is no file missing.json" in result.output


def test_empty_tokenizer_is_refused(command) -> None:
    result = command("run", "--tokenizer", "")  # as of an unset variable
    assert (result.exit_code, result.output.count("\n")) == (4, 1), result.output
    assert "--tokenizer: must be a tokenizer.json or an encoding" in result.output


def test_record_alone_needs_no_tokenizer(command) -> None:
    result = command("report", "r", "--tokenizer", str(BUNDLED))
    assert result.exit_code == 4
    assert "--tokenizer requires --rejudge" in result.output
