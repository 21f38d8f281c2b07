"""``documents``: content, formats and exit codes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

from conformance.cli import documents_markdown, documents_text
from conformance.contract import DOCUMENTS, spec_directory
from conformance.docs_audit.lint import lint
from conformance.docs_audit.page_reader import PAGES, load_page
from conformance.docs_audit.results import Examined, Outcome, Replayed, Unmet
from conformance.report.console import console_for
from conformance.targets.bundled import BundledServerError

MODULE = "conformance.cli.documents"
HOSTILE = "\x1b[31mred\u202egnorw | `<b>`"


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch):
    """Let every example have one outcome, with no client and no server."""
    request: list[tuple[str, object, int]] = []

    def as_if(outcome: Outcome) -> list[tuple[str, object, int]]:
        def replay(page, examples, endpoint, **_):
            request.append((page.document, endpoint, len(examples)))
            for example in examples:
                unmet = (Unmet("an answer", "200", HOSTILE),) if outcome is Outcome.NOT_MET else ()
                reason = "no node here" if outcome is Outcome.NOT_RUN else None
                yield Replayed(
                    page.document, example.name, "curl 8", outcome, unmet=unmet, reason=reason
                )

        monkeypatch.setattr(sys.modules[MODULE], "replay", replay)
        return request

    return as_if


ELSEWHERE = ("--base-url", "http://127.0.0.1:9/v1", "--model", "some-model")


def test_help_has_an_example_and_the_exit_codes(command) -> None:
    result = command("documents", "--help")
    assert result.exit_code == 0
    assert "Examples:\n    conformance documents" in result.output
    assert "--strict" in result.output


def test_table_of_pages_comes_first(command) -> None:
    result = command("documents", "--only", "lint")
    assert result.exit_code == 0
    rows = result.output.split("\n")
    assert rows[0].split() == ["page", "defects", "gaps"]
    for name, words in zip(PAGES, (row.split() for row in rows[1:6]), strict=True):
        found = lint(load_page(name))
        defects = sum(finding.severity == "defect" for finding in found)
        assert words == [name, str(defects), str(len(found) - defects)]


@pytest.mark.parametrize("document", PAGES)
def test_finding_has_place_text_reason_and_fix(command, document: str) -> None:
    text = command("documents", document, "--only", "lint").output
    page = command("documents", document, "--only", "lint", "--format", "markdown").output
    for finding in lint(load_page(document)):
        assert finding.place in text
        assert finding.rule in text
        assert finding.wrong.replace("`", "") in text
        assert finding.fix.replace("`", "") in text
        assert f"`{finding.rule}`" in page
        assert finding.fix_zh.replace("`", "") in page.replace("`", "").replace("\\", "")
    assert f"## {document}" in page


def test_rule_is_reported_once_with_all_its_places(command) -> None:
    text = command("documents", "eronmind", "--only", "lint").output
    typed = [f for f in lint(load_page("eronmind")) if f.rule == "type.not-what-is-taken"]
    assert len(typed) > 1
    assert text.count("type.not-what-is-taken") == 1
    assert text.count(typed[0].fix) == 1


def test_only_named_pages_are_reported(command) -> None:
    result = command("documents", "zero", "--only", "lint")
    assert "code.index-unread" in result.output
    assert "aocheng" not in result.output


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_contradictions_alone_show_every_row(command, form: str) -> None:
    result = command("documents", "--only", "contradictions", "--format", form)
    assert result.exit_code == 0
    for name in DOCUMENTS:
        assert name in result.output
    for words in ("stream_options", "must be greater than n", "inf"):
        assert words in result.output


def test_other_output_shows_only_real_contradictions(command) -> None:
    result = command("documents", "--only", "lint,contradictions")
    assert "stream_options" not in result.output
    assert "Where the documents disagree" in result.output
    assert "in which some documents are silent" in result.output


def test_named_page_limits_the_contradictions(command) -> None:
    result = command("documents", "gpt-ge", "--only", "contradictions", "--format", "json")
    for section in json.loads(result.output)["contradictions"]:
        assert all(row["says"]["gpt-ge"] not in {"–", "not said"} for row in section["rows"])


def test_json_has_null_for_skipped_parts(command) -> None:
    result = json.loads(command("documents", "zero", "--only", "lint", "--format", "json").output)
    assert result["contradictions"] is None
    (zero,) = result["documents"]
    assert zero["document"] == "zero"
    assert zero["replays"] is None
    assert zero["findings"][0].keys() >= {"rule", "place", "written", "wrong", "mend", "mend_zh"}


def test_custom_page_is_linted_by_its_path(command, tmp_path: Path) -> None:
    rows = yaml.safe_load((spec_directory() / "pages" / "zero.yaml").read_text("utf-8"))
    rows["document"] = "mine"
    rows["examples"][0]["authorization"] = "sk-1"
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(rows), "utf-8")
    result = command("documents", str(path), "--only", "lint,contradictions")
    assert result.exit_code == 0
    assert "authorization.no-bearer" in result.output
    assert "mine" in result.output.split("Where the documents disagree")[1]


def test_sound_page_is_reported_as_sound(capsys) -> None:
    documents_text.show([Examined(load_page("zero"), findings=())], None, console_for())
    assert "No findings" in capsys.readouterr().out
    assert "None." in documents_markdown.render([Examined(load_page("zero"), findings=())], None)


@pytest.mark.parametrize(
    ("outcome", "words", "code"),
    [
        (Outcome.MET, (), 0),
        (Outcome.NOT_MET, (), 1),
        (Outcome.NOT_RUN, (), 0),
        (Outcome.MET, ("--strict",), 0),
        (Outcome.NOT_RUN, ("--strict",), 1),
    ],
)
def test_exit_code_depends_on_the_replayed_examples(
    command, replayed, outcome: Outcome, words: tuple[str, ...], code: int
) -> None:
    replayed(outcome)
    result = command("documents", "zero", "--only", "replay", *ELSEWHERE, *words)
    assert result.exit_code == code
    assert f"{outcome.value}  openai-python, a batch of prompts" in result.output


def test_findings_fail_only_with_strict(command) -> None:
    assert command("documents", "zero", "--only", "lint").exit_code == 0
    assert command("documents", "zero", "--only", "lint", "--strict").exit_code == 1


def test_named_endpoint_gets_the_examples_and_their_price(command, replayed, monkeypatch) -> None:
    monkeypatch.setenv("EXAMPLE_KEY", "sk-secret-1")
    request = replayed(Outcome.MET)
    key = ("--api-key-env", "EXAMPLE_KEY")
    result = command("documents", "zero", "gpt-ge", "--only", "replay", *ELSEWHERE, *key)
    assert [(name, count) for name, _, count in request] == [("zero", 3), ("gpt-ge", 3)]
    endpoint = request[0][1]
    assert (endpoint.base_url, endpoint.model) == ("http://127.0.0.1:9/v1", "some-model")
    assert endpoint.api_key == "sk-secret-1"
    assert "zero: sending 3 requests, at most" in result.stderr
    assert "sk-secret-1" not in result.output


def test_endpoint_messages_cannot_control_the_terminal(command, replayed) -> None:
    replayed(Outcome.NOT_MET)
    words = ("documents", "zero", "--only", "replay", *ELSEWHERE)
    text = command(*words).output
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "␛[31mred" in text
    page = command(*words, "--format", "markdown").output
    assert "\x1b" not in page
    assert r"\| `<b>`" in page
    assert page.count("|\n") == page.count("\n|") + page.startswith("|")


def test_page_without_a_dialect_is_not_run(command, tmp_path: Path) -> None:
    rows = yaml.safe_load((spec_directory() / "pages" / "eronmind.yaml").read_text("utf-8"))
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**rows, "document": "mine"}), "utf-8")
    result = command("documents", str(path), "--only", "replay")
    assert result.exit_code == 0
    assert "does not emulate this page; give an endpoint with --base-url" in result.output


def test_missing_server_leaves_the_examples_not_run(command, monkeypatch) -> None:
    def refuse(**_: object) -> object:
        raise BundledServerError("it is not installed")

    monkeypatch.setattr(sys.modules[MODULE], "bundled_server", refuse)
    result = command("documents", "eronmind", "--only", "replay")
    assert "not run  the schema's example" in result.output
    assert "it is not installed; or give an endpoint with --base-url" in result.output


@pytest.mark.parametrize(
    ("words", "reported"),
    [
        (["zeru"], "unknown page `zeru`"),
        (["--only", "lnt"], "unknown part 'lnt'; choose from lint, replay, contradictions"),
        (["--only", ","], "no part given"),
        (["--model", "m"], "--model and --api-key-env require --base-url"),
        (["--only", "lint", "--base-url", "http://x/v1"], "--base-url requires the part replay"),
        (["--base-url", "ftp://x/v1"], "needs http:// or https://"),
        (["--node-modules", "nowhere"], "nowhere"),
        (["--format", "html"], "html"),
    ],
)
def test_wrong_usage_ends_with_4_and_one_sentence(command, words: list[str], reported: str) -> None:
    result = command("documents", *words)
    assert result.exit_code == 4
    assert reported in result.stderr
    assert result.stdout == ""


def test_equal_page_names_are_rejected(command, tmp_path: Path) -> None:
    text = (spec_directory() / "pages" / "zero.yaml").read_text("utf-8")
    (tmp_path / "zero.yaml").write_text(text, "utf-8")
    result = command("documents", "zero", str(tmp_path / "zero.yaml"), "--only", "lint")
    assert result.exit_code == 4
    assert "two pages have the name `zero`" in result.output
