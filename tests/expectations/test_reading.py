"""The file of expected deviations: what it can say, and what its mistakes are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.engine.discovery import all_checks
from conformance.expectations.reading import ExpectedFileError, read_expected
from conformance.model import EntryKind, Expectation, ExpectedFile, State, Verdict


def read(folder: Path, text: str) -> ExpectedFile:
    path = folder / "expected.yaml"
    path.write_text(text, "utf-8")
    return read_expected(path, all_checks())


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(ExpectedFileError) as raised:
        read(folder, text)
    return [mistake.replace(f"{folder}/", "") for mistake in raised.value.mistakes]


def test_entry_has_what_is_written(tmp_path: Path) -> None:
    text = """\
# known
- check: stop.five-refused
  reason: "the gateway cuts the list off"
  url: https://example.com/issues/12
  since: 2026-11-30
  expires: 2027-03-31
  intermittent: true
  verdict: fail
  state: ignored
- requirement: usage.*
  reason: never counted
"""
    assert read(tmp_path, text).entries == (
        Expectation(
            EntryKind.CHECK,
            "stop.five-refused",
            "the gateway cuts the list off",
            2,
            "https://example.com/issues/12",
            "2026-11-30",
            "2027-03-31",
            intermittent=True,
            verdict=Verdict.FAIL,
            state=State.IGNORED,
        ),
        Expectation(EntryKind.REQUIREMENT, "usage.*", "never counted", 10),
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]\n"])
def test_file_without_entries_expects_nothing(text: str, tmp_path: Path) -> None:
    assert read(tmp_path, text).entries == ()


WHY = "\n  reason: known"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("check: a", "must be a list of entries, each beginning with `- check: ID`"),
        ("- stop.five-refused", "line 1: must be an entry with `check` or `requirement`"),
        ("- check: stop.five-refused", "line 1: needs a `reason`"),
        ("- check: stop.five-refused\n  reason: TODO", "line 1: reason is still TODO: say why"),
        ("- check: stop.five-refused\n  reason: todo.", "reason is still TODO"),
        ("- check: stop.five-refused\n  reason: ''", "reason must be a text"),
        (f"- check: stop.five-refusd{WHY}", "did you mean stop.five-refused?"),
        (f"- check: stop.at-most-four{WHY}", "write `requirement: stop.at-most-four`"),
        (f"- check: 'nothing.*'{WHY}", "'nothing.*' names no check; `conformance list`"),
        ("- reason: known", "needs either `check` or `requirement`"),
        (f"- check: stop.string\n  expire: 2026-01-01{WHY}", "did you mean expires?"),
        (f"- check: stop.string\n  expires: 1.1.2027{WHY}", "must be a date, such as 2027-03-31"),
        (f"- check: stop.string\n  expires: 2027-02-30{WHY}", "must be a date"),
        (f"- check: stop.string\n  url: javascript:x{WHY}", "url must be an address"),
        (f"- check: stop.string\n  verdict: pass{WHY}", "verdict must be one of fail, warn"),
        (f"- check: stop.string\n  intermittent: maybe{WHY}", "must be true or false"),
        (f"- check: stop.string{WHY}\n- check: stop.string{WHY}", "line 3: expects the same as"),
        ("- check: [", "is not valid YAML"),
    ],
)
def test_mistake_names_line_and_way_out(text: str, sentence: str, tmp_path: Path) -> None:
    (mistake,) = mistakes(tmp_path, text)
    assert mistake.startswith("expected.yaml")
    assert sentence in mistake


def test_all_mistakes_are_reported(tmp_path: Path) -> None:
    found = mistakes(tmp_path, f"- check: stop.stringg{WHY}\n- check: stop.string\n  reason: TODO")
    assert len(found) == 2


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExpectedFileError, match="cannot read"):
        read_expected(tmp_path / "none.yaml", all_checks())
