"""A run extends and prunes the file of expected deviations, and keeps everything else of it."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from conformance.expectations.reading import lines_of
from conformance.expectations.writing import EditError, extended, pruned

FILE = """\
# What we know of this vendor.

- check: a.b        # since May
  reason: "one"

# about c
- check: c.d
  reason: >-
    folded text

    goes on
# about e
- check:   'e.f'
  reason: three
  url: https://example.com/1

# the end
"""
A, C, E = lines_of(FILE.encode())


def test_new_file_says_what_it_is() -> None:
    text = extended("", ["a.b"], "2026-12-01")
    assert text.startswith("# Deviations of this endpoint")
    assert text.endswith("- check: a.b\n  reason: TODO\n  since: 2026-12-01\n")


def test_extended_file_keeps_every_line() -> None:
    text = extended(FILE, ["g.h"], "2026-12-01")
    assert text == FILE + "- check: g.h\n  reason: TODO\n  since: 2026-12-01\n"


def test_nothing_new_changes_nothing() -> None:
    assert extended(FILE, [], "2026-12-01") == FILE


def test_pruned_entry_goes_with_its_comment() -> None:
    text = pruned(FILE, {C})
    assert "about c" not in text
    assert text == "".join(FILE.splitlines(keepends=True)[:5] + FILE.splitlines(True)[11:])


def test_comments_of_other_entries_stay() -> None:
    text = pruned(FILE, {A, E})
    assert text.startswith("# What we know of this vendor.\n\n# about c\n- check: c.d\n")
    assert text.endswith("goes on\n\n# the end\n")


def test_file_without_entries_is_an_empty_list() -> None:
    text = pruned(FILE, {A, C, E})
    assert text.endswith("[]\n")
    assert "# the end" in text
    again = extended(text, ["a.b"], "2026-12-01")
    assert "[]" not in again
    assert len(yaml.safe_load(again)) == 1


def test_indented_list_stays_indented() -> None:
    assert extended("  - check: a.b\n    reason: x\n", ["c.d"], "2026-12-01").endswith(
        "  - check: c.d\n    reason: TODO\n    since: 2026-12-01\n"
    )


@pytest.mark.parametrize("text", ["[{check: a.b, reason: x},\n {check: c.d, reason: y}]\n"])
def test_list_on_one_line_is_refused(text: str) -> None:
    with pytest.raises(EditError, match="edit it by hand"):
        extended(text, ["e.f"], "2026-12-01")
    with pytest.raises(EditError, match="edit it by hand"):
        pruned(text, {1})


def test_comment_inside_a_reason_is_never_cut() -> None:
    text = "- check: a.b\n  reason: |\n    one\n    # not a comment\n- check: c.d\n  reason: x\n"
    with pytest.raises(EditError):
        pruned(text, {5})
    assert yaml.safe_load(pruned(text, {1})) == [{"check": "c.d", "reason": "x"}]


LINES = st.sampled_from(["", "# a comment", "\n# apart\n", "\n"])
REASONS = st.sampled_from(["x", "'quoted: #'", ">-\n    folded\n    text", "|\n    a\n\n    b"])
ENTRIES = st.lists(st.tuples(LINES, REASONS, LINES), min_size=1, max_size=5)


@given(entries=ENTRIES, data=st.data())
def test_pruning_removes_nothing_else(
    entries: list[tuple[str, str, str]], data: st.DataObject
) -> None:
    text = "".join(
        f"{above}\n- check: a.c{number}\n  reason: {reason}\n{below}\n"
        for number, (above, reason, below) in enumerate(entries)
    )
    starts = lines_of(text.encode())
    removed = data.draw(st.sets(st.sampled_from(starts)))
    kept = [
        item
        for start, item in zip(starts, yaml.safe_load(text), strict=True)
        if start not in removed
    ]
    result = pruned(text, removed)
    assert (yaml.safe_load(result) or []) == kept
    assert result.count("# apart") == text.count("# apart")
