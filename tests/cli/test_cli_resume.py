"""``conformance run --resume``, ``--shard``, ``--region`` and ``--as``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from conformance.model import Exchange, Request
from conformance.record.key import key_of
from conformance.record.ndjson import read_run
from conformance.testing import FakeEndpoint
from tests.cli.endpoints import NAMED

STOP = ("--select", "stop.*", "--tier", "smoke", "--reference", "none")
RUN = ("run", *NAMED, *STOP)
TWO = """
[targets.first]
base-url = "http://first.example/v1"
model = "tiny"

[targets.second]
base-url = "http://second.example/v1"
model = "tiny"
"""


class Counted(FakeEndpoint):
    """Counts the requests of all endpoints, and numbers exchanges across runs."""

    sent: ClassVar[list[Request]] = []

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        self.sent.append(request)
        exchange = await super().send(request, fresh=fresh)
        return replace(exchange, id=f"x{len(self.sent):04d}")


@pytest.fixture(autouse=True)
def _counted(fake) -> None:
    Counted.sent.clear()
    fake(Counted)


def break_off(record: Path, *, keep: int = 2) -> int:
    """Cut a record as kill -9 does: in the middle of a line; return the exchanges that are left."""
    lines = record.read_bytes().splitlines(keepends=True)
    exchanges = [line for line in lines if line.startswith(b'{"kind":"exchange"')]
    record.write_bytes(b"".join([lines[0], *exchanges[:keep], exchanges[keep][:50]]))
    return keep


def findings(folder: str) -> dict[str, str]:
    return {
        finding.id: finding.verdict for finding in read_run(Path(folder, "run.ndjson")).findings
    }


def test_broken_off_run_is_taken_up(command) -> None:
    assert command(*RUN, "--out", "quiet").exit_code == 0
    assert command(*RUN, "--out", "out").exit_code == 0
    price = len(Counted.sent) // 2
    kept = break_off(Path("out/run.ndjson"))
    result = command(*RUN, "--resume", "out")
    assert result.exit_code == 0, result.output
    assert f"takes over {kept} recorded exchanges of the run of 20" in result.output
    assert len(Counted.sent) == 3 * price - kept
    assert findings("out") == findings("quiet")
    (part,) = read_run(Path("out/run.ndjson")).header.resumed
    assert part.exchanges == kept
    assert "with 2 recorded exchanges, which were not sent again" in result.stdout
    assert "没有再次发送" in Path("out/index.html").read_text("utf-8")
    results = json.loads(Path("out/results.json").read_text())
    assert results["resumed"][0]["exchanges"] == kept


def test_folder_without_a_run_begins_one(command) -> None:
    Path("out").mkdir()
    assert command(*RUN, "--resume", "out").exit_code == 0
    Path("killed").mkdir()
    for beginning in (b"", b'{"kind":"hea'):  # killed before the first line was written
        Path("killed/run.ndjson").write_bytes(beginning)
        assert command(*RUN, "--resume", "killed").exit_code == 0
        assert read_run(Path("killed/run.ndjson")).header.resumed == ()


def refused(command, *words: str) -> str:
    """Call a command that cannot be executed and sends nothing; return its one sentence."""
    before = len(Counted.sent)
    result = command(*words)
    assert result.exit_code == 4, result.output
    assert len(Counted.sent) == before
    (sentence,) = result.output.splitlines()
    return sentence


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("--model", "large"), "its model is tiny, and that of this command is large"),
        (("--base-url", "http://b.example/v1"), "its base URL is http://fake.example/v1, and"),
        (("--contract", "zero"), "its contract is openai, and that of this command is zero"),
        (("--seed", "7"), "its seed is 0, and that of this command is 7"),
        (("--select", "n.*"), "its --select is stop.*, and that of this command is stop.* n.*"),
        (("--region", "eu"), "its region is unnamed, and that of this command is eu"),
        (("--as", "r7"), "its label is unnamed, and that of this command is r7"),
        (("--header", "X-A: b"), "its list of headers is empty, and that of this command is X-A"),
    ],
)
def test_other_run_is_not_taken_up(command, change: tuple[str, ...], said: str) -> None:
    command(*RUN, "--out", "out")
    break_off(Path("out/run.ndjson"))
    sentence = refused(command, *RUN, *change, "--resume", "out")
    assert said in sentence
    assert sentence.endswith("; begin a new run with --out")


def change_header(record: Path, **members: Any) -> None:
    header, rest = record.read_text("utf-8").split("\n", 1)
    record.write_text(json.dumps({**json.loads(header), **members}) + "\n" + rest, "utf-8")


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"suite_version": "0.0.1"}, "its suite version is 0.0.1, and that of this command is"),
        ({"contract_digest": "0" * 64}, f"its contract's SHA-256 is {'0' * 64}, and"),
        ({"contract_digest": None}, "its contract's SHA-256 is unknown, and"),
        ({"started_at": "soon"}, "'soon' is not a valid start time"),
    ],
)
def test_changed_promises_are_not_mixed(command, members: dict[str, Any], said: str) -> None:
    command(*RUN, "--out", "out")
    break_off(Path("out/run.ndjson"))
    change_header(Path("out/run.ndjson"), **members)
    assert said in refused(command, *RUN, "--resume", "out")


def test_wrong_folders_are_named(command) -> None:
    assert "there is no folder missing to resume" in refused(command, *RUN, "--resume", "missing")
    Path("other").mkdir()
    Path("other/notes.txt").write_text("mine")
    assert "the folder other has no record run.ndjson to resume" in refused(
        command, *RUN, "--resume", "other"
    )
    Path("other/run.ndjson").write_text("no record")
    assert "run.ndjson, line 1: not JSON" in refused(command, *RUN, "--resume", "other")
    assert Path("other/run.ndjson").read_text() == "no record"


def test_finished_run_is_not_repeated(command) -> None:
    command(*RUN, "--out", "out")
    before = Path("out/run.ndjson").read_bytes()
    assert "the run in out is finished, and --repeat-inconclusive would" in refused(
        command, *RUN, "--resume", "out"
    )
    again = ("--resume", "out", "--repeat-inconclusive")
    assert "no check of it is inconclusive" in refused(command, *RUN, *again)
    assert Path("out/run.ndjson").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--resume", "a", "--out", "b"), "--resume and --out cannot be combined"),
        (("--repeat-inconclusive",), "--repeat-inconclusive needs --resume DIR"),
        (("--resume", "a", "--dry-run"), "--resume and --dry-run cannot be combined"),
        (("--shard", "1/2"), "--shard divides the targets of a file"),
        (("--shard", "0/2"), "an index that begins at 0 needs 1 added"),
        (("--shard", "3/2"), "must have a number from 1 to 2"),
        (("--shard", "1"), "must have the form NUMBER/COUNT"),
        (("--shard", "1/5000"), "must have 1 to 1,000 shards"),
        (("--as", " "), "a label has 1 to 100 characters on one line"),
        (("--region", "x\ny"), "a region has 1 to 100 characters on one line"),
    ],
)
def test_contradictions_are_refused(command, words: tuple[str, ...], said: str) -> None:
    assert said in refused(command, *RUN, *words)


def test_key_has_the_words_of_the_command(command) -> None:
    command(*RUN, "--out", "out", "--region", "eu-1", "--as", "release 7")
    header = read_run(Path("out/run.ndjson")).header
    key = key_of(header)
    assert (key.target, key.region, key.tier) == ("http://fake.example/v1 tiny", "eu-1", "smoke")
    assert key.when == "release 7"
    assert key.contract == header.contract_digest
    assert len(key.contract or "") == 64
    command(*RUN, "--out", "other")
    assert key_of(read_run(Path("other/run.ndjson")).header).when == header.started_at[:10]


def test_finished_targets_are_skipped(command) -> None:
    Path("conformance.toml").write_text(TWO)
    many = ("run", *STOP, "--format", "json")
    assert command(*many, "--out", "out").exit_code == 0
    before = Path("out/matrix.json").read_text()
    price = len(Counted.sent) // 2
    kept = break_off(Path("out/second/run.ndjson"))
    Path("out/matrix.json").unlink()
    result = command(*many, "--resume", "out")
    assert result.exit_code == 0, result.output
    assert "first: is finished; nothing is sent" in result.output
    assert f"second: takes over {kept} recorded exchanges" in result.output
    assert len(Counted.sent) == 3 * price - kept
    rows = [json.loads(text)["targets"] for text in (before, Path("out/matrix.json").read_text())]
    assert [row["verdicts"] for row in rows[0]] == [row["verdicts"] for row in rows[1]]
    again = command(*many, "--resume", "out")
    assert again.exit_code == 0
    assert len(Counted.sent) == 3 * price - kept


def test_targets_that_never_began_are_run(command) -> None:
    Path("conformance.toml").write_text(TWO)
    Path("out/second").mkdir(parents=True)
    assert command("run", *STOP, "--resume", "out").exit_code == 0
    assert findings("out/first") == findings("out/second")


def test_target_of_a_damaged_record_runs_anew(command) -> None:
    Path("conformance.toml").write_text(TWO)
    command("run", *STOP, "--out", "out")
    Path("out/second/run.ndjson").write_bytes(b"\xff\x00garbage")
    result = command("run", *STOP, "--resume", "out")
    assert result.exit_code == 4
    assert "move the folder out/second away, and its target is run anew" in result.output
    Path("out/second").rename("away")
    assert command("run", *STOP, "--resume", "out").exit_code == 0
    assert findings("out/first") == findings("out/second")


def test_all_other_runs_are_named_first(command) -> None:
    Path("conformance.toml").write_text(TWO)
    command("run", *STOP, "--out", "out")
    before = len(Counted.sent)
    result = command("run", *STOP, "--seed", "7", "--resume", "out")
    assert result.exit_code == 4
    assert len(Counted.sent) == before
    assert [line.split(":")[1] for line in result.output.splitlines() if "cannot" in line] == [
        " cannot resume out/first/run.ndjson",
        " cannot resume out/second/run.ndjson",
    ]


def test_run_of_one_endpoint_takes_no_targets(command) -> None:
    assert command(*RUN, "--out", "one").exit_code == 0
    before = Path("one/index.html").read_bytes()
    price = len(Counted.sent)
    Path("conformance.toml").write_text(TWO, "utf-8")
    result = command("run", *STOP, "--resume", "one")
    assert result.exit_code == 4
    assert "cannot resume one/run.ndjson: it is the run of one endpoint" in result.output
    assert len(Counted.sent) == price
    assert Path("one/index.html").read_bytes() == before


def test_shards_together_are_all_targets(command) -> None:
    Path("conformance.toml").write_text(TWO)
    for number in (1, 2, 3):
        shard = ("--shard", f"{number}/3")
        assert command("run", *STOP, *shard, "--out", f"part-{number}").exit_code == 0
    found = [path.parent.name for path in sorted(Path().glob("part-*/*/run.ndjson"))]
    assert sorted(found) == ["first", "second"]


def test_empty_shard_has_nothing_to_do(command) -> None:
    Path("conformance.toml").write_text(TWO)
    results = [command("run", *STOP, "--shard", f"{n}/9", "--out", f"p{n}") for n in range(1, 10)]
    assert [result.exit_code for result in results] == [0] * 9
    empty = [one for one in results if "there is nothing to do" in one.output]
    assert len(empty) == 7


def test_empty_shard_can_be_merged(command) -> None:
    Path("conformance.toml").write_text(TWO)
    for number in range(1, 10):
        command("run", *STOP, "--shard", f"{number}/9", "--out", f"p{number}")
    folders = [f"p{number}" for number in range(1, 10)]
    result = command("merge", *folders, "--out", "all", "--format", "json")
    assert result.exit_code == 0, result.output
    assert {path.parent.name for path in Path("all").glob("*/run.ndjson")} == {"first", "second"}


def test_bundled_server_may_have_another_port(command) -> None:
    words = ("run", *STOP)
    assert command(*words, "--out", "out").exit_code == 0
    change_header(Path("out/run.ndjson"), base_url="http://127.0.0.1:9/v1")
    break_off(Path("out/run.ndjson"))
    assert command(*words, "--resume", "out").exit_code == 0
    change_header(Path("out/run.ndjson"), base_url="http://other.example/v1")
    break_off(Path("out/run.ndjson"))
    assert "its base URL is http://other.example/v1" in refused(command, *words, "--resume", "out")
