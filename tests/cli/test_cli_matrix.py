"""``conformance matrix`` and ``conformance init``."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from conformance.docs_audit.page_reader import PAGES
from conformance.record.ndjson import write_run
from conformance.targets import read_targets
from tests.report.builders import a_failure, a_finding, a_run

FINDINGS = {"kept": a_finding(), "broken": a_failure()}


@pytest.fixture(autouse=True)
def runs() -> None:
    """Two recorded runs below ``runs``, one of which has a page."""
    for name, finding in FINDINGS.items():
        folder = Path("runs", name)
        folder.mkdir(parents=True)
        write_run(a_run(finding, target="named" if name == "kept" else None), folder / "run.ndjson")
    Path("runs/broken/index.html").write_text("a page")


def rows(folder: str = "out") -> dict[str, dict[str, object]]:
    matrix = json.loads(Path(folder, "matrix.json").read_text())
    return {row["name"]: row for row in matrix["targets"]}


@pytest.mark.parametrize(
    "arguments",
    [
        ("runs",),
        ("runs/kept", "runs/broken"),
        ("runs/kept/run.ndjson", "runs/broken"),
        ("runs/*",),
        ("ru?s/*/run.ndjson", "runs/kept"),
    ],
)
def test_runs_are_named_by_folder_file_or_glob(command, arguments: tuple[str, ...]) -> None:
    result = command("matrix", *arguments, "--format", "json,html", "--out", "out")
    assert result.exit_code == 0, result.output
    assert set(rows()) == {"named", "broken", *PAGES}
    assert result.output.splitlines() == ["out/matrix.json", "out/index.html"]


def test_row_links_to_the_run_from_the_matrix(command) -> None:
    command("matrix", "runs", "--format", "json", "--out", "deep/out")
    assert rows("deep/out")["broken"]["report"] == "../../runs/broken/index.html"
    assert rows("deep/out")["named"]["report"] is None


def test_unusual_folder_name_is_escaped_in_the_link(command) -> None:
    folder = Path("javascript:alert(1) #&'\"")
    Path("runs/broken").rename(folder)
    command("matrix", str(folder), "--format", "json,html", "--out", "out")
    (row,) = [row for row in rows().values() if row["report"]]
    assert row["report"] == "../javascript%3Aalert%281%29%20%23%26%27%22/index.html"


def test_text_alone_writes_nothing(command) -> None:
    result = command("matrix", "runs", "--format", "text")
    assert result.exit_code == 0
    assert "2 targets: 1 not conforming, 1 conforming." in result.output
    assert not Path("reports").exists()


def test_page_and_text_are_written_by_default(command) -> None:
    result = command("matrix", "runs", "--lang", "zh")
    assert "2 个目标" in result.output
    (home,) = Path("reports").iterdir()
    assert [path.name for path in home.iterdir()] == ["index.html"]
    assert result.output.splitlines()[-1] == f"{home}/index.html"


def test_incomplete_run_is_marked(command) -> None:
    write_run(a_run(a_finding(), incomplete=True), Path("runs/kept/run.ndjson"))
    command("matrix", "runs/kept", "--format", "json", "--out", "out")
    assert rows()["kept"]["verdict"] == "broken off"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Missing argument 'RUN...'"),
        (["nowhere"], "cannot read nowhere: No such file"),
        (["no*where"], "no recorded run at no*where"),
        (["empty"], "no recorded run at empty: neither it nor its subfolders"),
        (["mine.txt"], "mine.txt, line 1: not JSON"),
        (
            ["runs", "--format", "pdf"],
            "unknown format 'pdf'; choose from json, markdown, html, text",
        ),
        (["runs", "--out", "runs"], "the folder runs is not empty"),
    ],
)
def test_wrong_usage_ends_with_one_sentence_and_4(command, words: list[str], sentence: str) -> None:
    Path("empty").mkdir()
    Path("mine.txt").write_text("mine\n")
    result = command("matrix", *words)
    assert result.exit_code == 4
    (line,) = result.output.splitlines()
    assert sentence in line


# ── init ─────────────────────────────────────────────────────────────────────────────────────────


def test_init_writes_the_vendors_of_all_documents(command) -> None:
    result = command("init")
    assert result.exit_code == 0
    assert "ZERO_API_KEY=… conformance run --target zero" in result.output
    entries = read_targets(Path("conformance.toml"))
    assert [entry.name for entry in entries] == list(PAGES)
    assert [entry.contract for entry in entries] == list(PAGES)
    assert len({entry.base_url for entry in entries}) == len(PAGES)
    assert all(entry.base_url.startswith("https://") for entry in entries)
    assert all(entry.base_url.endswith("/v1") for entry in entries)
    assert len({entry.api_key_env for entry in entries}) == len(PAGES)
    # The tier's own ceiling holds; a lower limit would cut a tier short.
    assert all(entry.options.limits.requests is None for entry in entries)


def test_commented_settings_of_the_file_are_valid(command) -> None:
    command("init")
    lines = Path("conformance.toml").read_text("utf-8").splitlines()
    lines = lines[: lines.index("# [watch]")]  # tests/cli/test_cli_watch.py reads the rest
    settings = [line[2:] for line in lines if line.startswith("# ") and " = " in line]
    tables = [line[2:] for line in lines if line.startswith("# [targets.")]
    assert tables == ["[targets.mine]"]
    place = next(i for i, line in enumerate(settings) if line.startswith("base-url"))
    shared, own = settings[:place], settings[place:]
    text = "\n".join(["[defaults]", *shared, *tables, *own])
    assert set(tomllib.loads(text)["targets"]["mine"]) == {
        *("base-url", "path", "model", "contract", "headers-env", "expected"),
        *("balance", "tokenizer"),
    }
    Path("mine.toml").write_text(text, "utf-8")
    (entry,) = read_targets(Path("mine.toml"))
    assert entry.headers == {"X-Tenant": "acme"}
    assert entry.options.transport.rate == 2.0


def test_existing_file_needs_force(command) -> None:
    Path("conformance.toml").write_text("precious")
    refused = command("init")
    assert refused.exit_code == 4
    assert "conformance.toml already exists; use --force to overwrite it" in refused.output
    assert Path("conformance.toml").read_text() == "precious"
    assert command("init", "--force").exit_code == 0
    assert read_targets(Path("conformance.toml"))


def test_file_can_be_written_elsewhere(command) -> None:
    result = command("init", "--config", "vendors.toml")
    assert "conformance run --config vendors.toml --target zero" in result.output
    assert read_targets(Path("vendors.toml"))
    refused = command("init", "--config", "missing/vendors.toml")
    assert refused.exit_code == 4
    assert "cannot write missing/vendors.toml: No such file" in refused.output
