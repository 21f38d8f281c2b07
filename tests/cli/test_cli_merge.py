"""``conformance merge``: the folders of several machines become one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.model import Run
from conformance.record.ndjson import read_run, write_run
from tests.report.builders import a_failure, a_finding, a_run

QUIET = ("--format", "json")
FILE = """
[targets.b]
base-url = "http://b.example/v1"
model = "tiny"

[targets.a]
base-url = "http://a.example/v1"
model = "tiny"

[targets.never]
base-url = "http://never.example/v1"
model = "tiny"
contract = "zero"
"""


def recorded(place: str, *findings, at: str = "2026-12-01T10:00:00+00:00", **header: Any) -> Run:
    """Write the record of a run to a folder, ``part/target``."""
    header = {"target": place.rpartition("/")[2], "contract_digest": "0" * 64, **header}
    run = a_run(*(findings or (a_finding(),)), started_at=at, **header)
    if run.footer is not None:
        run = replace(run, footer=replace(run.footer, finished_at=at))
    folder = Path(place)
    folder.mkdir(parents=True)
    write_run(run, folder / "run.ndjson")
    return run


def merged() -> dict[str, dict[str, Any]]:
    matrix = json.loads(Path("out/matrix.json").read_text())
    asked = [row for row in matrix["targets"] if row["report"] or row["base_url"] or row["verdict"]]
    return {row["name"]: row for row in asked}


def test_parts_become_one_folder(command) -> None:
    recorded("part-1/b")
    recorded("part-2/a", a_failure())
    result = command("merge", "part-1", "part-2", "--out", "out")
    assert result.exit_code == 1, result.output
    rows = merged()
    assert list(rows) == ["a", "b"]
    assert rows["a"]["verdict"] == "not conforming"
    assert rows["a"]["report"] == "a/index.html"
    assert {path.name for path in Path("out/a").iterdir()} == {
        "run.ndjson",
        "index.html",
        "junit.xml",
        "results.json",
    }
    assert Path("out/a/run.ndjson").read_bytes() == Path("part-2/a/run.ndjson").read_bytes()
    assert result.output.splitlines()[-1] == "out/index.html"


def test_file_gives_the_order_and_what_is_missing(command) -> None:
    recorded("part-1/a")
    recorded("part-2/b")
    recorded("part-2/old")
    Path("targets.toml").write_text(FILE)
    words = ("merge", "part-1", "part-2", "--config", "targets.toml", "--out", "out", *QUIET)
    result = command(*words)
    assert result.exit_code == 3
    assert "part-2/old/run.ndjson is left out: targets.toml lists no selected" in result.output
    rows = merged()
    assert list(rows) == ["b", "a", "never"]
    assert rows["never"]["verdict"] is None
    assert rows["never"]["because"] == "No record of it is in the merged folders."
    chosen = ("--target", "a", "--target", "b")
    assert command(*words[:-4], "--out", "some", *QUIET, *chosen).exit_code == 0


def test_finished_run_comes_before_a_broken_one(command) -> None:
    recorded("part-1/a", a_failure(), incomplete=True, at="2026-12-01T12:00:00+00:00")
    recorded("part-2/a")
    result = command("merge", "part-1", "part-2", "--out", "out", *QUIET)
    assert result.exit_code == 0, result.output
    assert "part-1/a/run.ndjson did not come to its end and is left out: part-2/a/run" in (
        result.output
    )


def test_newest_finished_run_comes_first(command) -> None:
    recorded("part-1/a", a_failure(), at="2026-12-01T12:00:00+00:00")
    recorded("part-2/a")
    result = command("merge", "part-1", "part-2", "--out", "out", *QUIET)
    assert result.exit_code == 1
    assert "part-2/a/run.ndjson is older and is left out" in result.output


def test_folder_named_twice_is_merged_once(command) -> None:
    recorded("part-1/a")
    result = command("merge", "part-1", "./part-1/../part-1", "--out", "out", *QUIET)
    assert result.exit_code == 0, result.output
    assert "left out" not in result.output


def test_copy_is_not_called_older(command) -> None:
    recorded("part-1/a")
    recorded("copy/a")
    result = command("merge", "part-1", "copy", "--out", "out", *QUIET)
    assert "is as old and is left out" in result.output


def test_regions_stay_side_by_side(command) -> None:
    recorded("eu/a", region="eu")
    recorded("us/a", a_failure(), region="us")
    result = command("merge", "eu", "us", "--out", "out", *QUIET)
    assert result.exit_code == 1
    assert {name: row["verdict"] for name, row in merged().items()} == {
        "a-eu": "conforming",
        "a-us": "not conforming",
    }
    assert Path("out/a-us/results.json").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"at": "2026-12-02T10:00:00+00:00"}, "day or label 2026-12-01 and 2026-12-02"),
        ({"suite_version": "9.9"}, "suite version "),
        ({"contract_digest": "1" * 64}, f"contract {'0' * 64} and {'1' * 64}"),
        ({"label": "r7"}, "day or label 2026-12-01 and r7"),
    ],
)
def test_different_runs_of_a_target_conflict(command, change: dict[str, Any], said: str) -> None:
    recorded("part-1/a")
    recorded("part-2/a", **change)
    result = command("merge", "part-1", "part-2", "--out", "out")
    assert result.exit_code == 4
    assert "part-1/a/run.ndjson and part-2/a/run.ndjson are different runs of a" in result.output
    assert said in result.output
    assert not Path("out").exists()


def test_other_checks_of_the_same_run_conflict(command) -> None:
    recorded("part-1/a", select=("stop.*",))
    recorded("part-2/a", select=("n.*",))
    result = command("merge", "part-1", "part-2", "--out", "out")
    assert result.exit_code == 4
    assert "are of the same run with other checks" in result.output


def test_runs_of_one_endpoint_are_named_by_folder(command) -> None:
    recorded("zero-today", target=None, contract="zero")
    recorded("openai-today", target=None, contract_digest="1" * 64)
    assert command("merge", "zero-today", "openai-today", "--out", "out", *QUIET).exit_code == 0
    assert list(merged()) == ["openai-today", "zero-today"]


def test_unreadable_record_is_a_target_without_a_run(command) -> None:
    recorded("part/a")
    Path("part/b").mkdir()
    Path("part/b/run.ndjson").write_bytes(b'{"kind":"header","form')
    result = command("merge", "part", "--out", "out", *QUIET)
    assert result.exit_code == 3
    assert "part/b/run.ndjson, line 1: not JSON" in result.output
    assert merged()["a"]["verdict"] == "conforming"
    matrix = json.loads(Path("out/matrix.json").read_text())["targets"]
    (row,) = [row for row in matrix if row["name"] == "b"]
    assert "line 1: not JSON" in row["because"]
    assert "2 targets: 1 conforming, 1 not run." in result.output


def test_hostile_names_stay_in_the_folder(command) -> None:
    recorded("part/x", target="../../evil")
    recorded("part/y", target="EVIL/..")
    recorded("part/z", target="..")
    assert command("merge", "part", "--out", "out", *QUIET).exit_code == 0
    folders = sorted(path.parent.name for path in Path("out").glob("*/run.ndjson"))
    assert folders in (["EVIL", "evil-2", "run"], ["EVIL-2", "evil", "run"])
    assert not Path("../evil").exists()
    assert len(list(Path().glob("**/run.ndjson"))) == 6


def test_empty_shards_are_no_mistake(command) -> None:
    recorded("part-1/a")
    Path("part-2").mkdir()
    result = command("merge", "part-1", "part-2", "--out", "out", *QUIET)
    assert result.exit_code == 0
    assert "part-2 has no run, and nothing of it is merged" in result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("empty",), "no run to merge in empty"),
        (("missing",), "there is no folder missing to merge"),
        (("part", "--target", "a"), "--target needs --config FILE"),
        (("part", "--config", "no.toml"), "no.toml"),
        (("part", "--out", "part"), "the folder part is not empty"),
    ],
)
def test_mistakes_are_named(command, words: tuple[str, ...], said: str) -> None:
    recorded("part/a")
    Path("empty").mkdir()
    result = command("merge", *words)
    assert result.exit_code == 4, result.output
    assert said in result.output
    assert "Traceback" not in result.output


def test_merged_run_stays_incomplete(command) -> None:
    recorded("part/a", incomplete=True)
    result = command("merge", "part", "--out", "out", *QUIET)
    assert result.exit_code == 2
    assert read_run(Path("out/a/run.ndjson")).footer is None
