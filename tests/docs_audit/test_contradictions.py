"""The table of contradictions is generated, current and limited to differences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cli import main
from conformance.contract import DOCUMENTS
from conformance.docs_audit.contradictions import (
    ABSENT,
    SILENT,
    Disagreement,
    Row,
    Section,
    about,
    contradictions,
)
from conformance.docs_audit.page import Page
from conformance.docs_audit.page_reader import PAGES, load_page
from tests.docs_audit.builders import SOUND, with_parameter

FILE = Path(__file__).parents[2] / "spec" / "CONTRADICTIONS.md"
FIVE = [load_page(name) for name in PAGES]
SECTIONS = contradictions(FIVE)


def row(section: str, topic: str, pages: list[Page] = FIVE) -> Row | None:
    """A row of the table, or None where there is no such row."""
    found = contradictions(pages) if pages is not FIVE else SECTIONS
    rows = [r for s in found if s.title == section for r in s.rows if r.topic == topic]
    return rows[0] if rows else None


def test_file_is_what_the_command_writes() -> None:
    words = ["documents", "--only", "contradictions", "--format", "markdown"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0
    assert FILE.read_text("utf-8") == result.output, f"run: conformance {' '.join(words)} > {FILE}"


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)
def test_every_row_covers_each_document_and_differs(section: Section) -> None:
    assert section.rows
    for one in section.rows:
        assert set(one.says) == set(DOCUMENTS)
        assert all(one.says.values())
        spoken = {words for words in one.says.values() if words not in {SILENT, ABSENT}}
        contradicts = one.kind is Disagreement.CONTRADICTION
        assert contradicts == (len(spoken) > 1)
        assert contradicts or len(set(one.says.values())) > 1


# What a reader of the six finds, document by document in the order of DOCUMENTS.
KNOWN = [
    ("Defaults", "max_tokens", ["16", SILENT, "16", "inf", ABSENT, "16"]),
    ("Defaults", "logprobs", [SILENT, SILENT, "null", "0", ABSENT, "null"]),
    ("Defaults", "seed", [ABSENT, ABSENT, ABSENT, "1", ABSENT, SILENT]),
    (
        "Number of items",
        "stop",
        ["at most 4", ABSENT, SILENT, "at most 4", "at most 4", "at most 4"],
    ),
    (
        "Upper limits",
        "presence_penalty",
        ["2", "2", SILENT, "2", ABSENT, "2"],
    ),
    ("Lower limits", "logit_bias", [ABSENT, ABSENT, SILENT, "-100", ABSENT, "-100"]),
    ("Upper limits", "logprobs", [SILENT, SILENT, SILENT, SILENT, "5", "5"]),
    ("Upper limits", "n", [SILENT, SILENT, SILENT, SILENT, SILENT, "128"]),
    (
        "What is required",
        "prompt",
        [SILENT, "required", SILENT, "required", "required", "optional"],
    ),
    (
        "What is required",
        "stream",
        ["optional", "optional", SILENT, "optional", "required", "optional"],
    ),
    ("Types", "max_tokens", ["integer", "number", "integer", "integer", "string", "integer"]),
    ("Types", "logprobs", ["integer", "integer", "integer", "number", "string", "integer"]),
    (
        "Which parameters there are",
        "best_of",
        [ABSENT, ABSENT, "listed", "listed", ABSENT, "listed"],
    ),
    (
        "Which parameters there are",
        "messages",
        [ABSENT, "listed", ABSENT, ABSENT, ABSENT, ABSENT],
    ),
    ("Forms of a prompt", "tokens", [SILENT, SILENT, SILENT, "named", "named", "named"]),
    (
        "Null as a value",
        "user",
        [ABSENT, SILENT, "allowed", SILENT, ABSENT, "not allowed"],
    ),
    (
        "Values of response fields",
        "choices[].finish_reason",
        ["stop or length", SILENT, SILENT, SILENT, SILENT, "stop, length or content_filter"],
    ),
    (
        "Which response fields are described",
        "usage",
        [ABSENT, ABSENT, "described", ABSENT, ABSENT, "described"],
    ),
]


@pytest.mark.parametrize(
    ("section", "topic", "says"), KNOWN, ids=[f"{k[0]}: {k[1]}" for k in KNOWN]
)
def test_known_disagreements_are_listed(section: str, topic: str, says: list[str]) -> None:
    found = row(section, topic)
    assert found is not None
    assert [found.says[name] for name in DOCUMENTS] == says


@pytest.mark.parametrize(
    ("topic", "document", "words"),
    [
        ("best_of", "zhizengzeng", "must be greater than n"),
        ("best_of", "openai", "at least n"),
        ("temperature", "zhizengzeng", "not together with top_p"),
        ("logprobs", "zhizengzeng", "true or false"),
        ("max_tokens", "eronmind", "2048"),
        ("error", "aocheng", "400, 401, 429 and 500"),
        ("error", "zero", SILENT),
        ("choices[].finish_reason", "openai", "content_filter"),
    ],
)
def test_complex_statements_are_reported_in_sentences(
    topic: str, document: str, words: str
) -> None:
    found = row("How it is read", topic)
    assert found is not None
    assert words in found.says[document]


def test_agreement_is_no_row() -> None:
    assert row("Lower limits", "temperature") is None
    assert row("Upper limits", "temperature") is None
    assert row("Types", "echo") is None
    assert row("Forms of a prompt", "string") is None


def test_row_follows_the_data() -> None:
    pages = [
        replace(page, parameters=tuple(replace(p, maximum=1) for p in page.parameters))
        if page.document == "zero"
        else page
        for page in FIVE
    ]
    changed = row("Upper limits", "temperature", pages)
    assert changed is not None
    assert changed.kind is Disagreement.CONTRADICTION
    assert changed.says["zero"] == "1"


def test_custom_page_is_compared_with_the_others() -> None:
    mine = with_parameter("max_tokens", default=64)
    found = row("Defaults", "max_tokens", [*FIVE, mine])
    assert found is not None
    known = row("Defaults", "max_tokens")
    assert known is not None
    assert found.says == {**known.says, SOUND.document: "64"}


def test_one_and_one_point_zero_are_one_default() -> None:
    found = row("Defaults", "temperature")
    assert found is not None
    assert {found.says[name] for name in ("zero", "aocheng")} == {"1"}


def test_rows_without_the_documents_statement_are_left_out() -> None:
    kept = about(SECTIONS, ["gpt-ge"])
    topics = {(section.title, one.topic) for section in kept for one in section.rows}
    assert ("What is required", "prompt") in topics
    assert ("Defaults", "max_tokens") not in topics
    assert ("Number of items", "stop") not in topics
    assert all(section.rows for section in kept)
