"""A tokenizer is a file or an encoding; what cannot be used is one sentence with the way out."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import tiktoken

from conformance.tokenizer import TokenizerError, load_tokenizer

BUNDLED = Path(__file__).parents[1] / "reference_server" / "weights"


@pytest.mark.parametrize("name", ["tokenizer.json", "."])
def test_file_or_folder_is_read(name: str) -> None:
    tokenizer = load_tokenizer(name, BUNDLED)
    assert tokenizer.name == name
    assert tokenizer.count("") == 0
    assert tokenizer.count("1, 2, 3, 4") > 4
    assert tokenizer.count("胡🌸🌙⭐") >= 4


def test_path_is_relative_to_the_current_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BUNDLED)
    assert load_tokenizer("tokenizer.json").count("a") == 1


def test_marks_of_a_template_are_not_counted(tmp_path: Path) -> None:
    described = json.loads((BUNDLED / "tokenizer.json").read_text("utf-8"))
    mark = described["added_tokens"][0]
    described["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [
            {"SpecialToken": {"id": mark["content"], "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}},
        ],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {
            mark["content"]: {
                "id": mark["content"],
                "ids": [mark["id"]],
                "tokens": [mark["content"]],
            }
        },
    }
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(described), "utf-8")
    assert load_tokenizer(str(path)).count("a") == 1


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"{}", "is not a tokenizer"), (b"\xff", "is not a tokenizer"), (b"", "is not a tokenizer")],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(TokenizerError, match=told) as error:
        load_tokenizer(str(path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("missing.json", "there is no file missing.json"),
        ("no/such", "there is no file no/such"),
        ("cl100k", "neither a file nor known to tiktoken; name a tokenizer.json, one of"),
        ("x\x1b[31m" * 200, "neither a file nor known"),
    ],
)
def test_unknown_names_are_told(name: str, told: str) -> None:
    with pytest.raises(TokenizerError) as error:
        load_tokenizer(name)
    assert told in str(error.value)
    assert "\x1b" not in str(error.value)


def test_encodings_count_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    ranks = {bytes([number]): number for number in range(256)} | {b"ab": 256}
    marks = {"<|endoftext|>": 257}
    encoding = tiktoken.Encoding(
        "cl100k_base", pat_str=r"\S+|\s+", mergeable_ranks=ranks, special_tokens=marks
    )
    monkeypatch.setattr(tiktoken, "get_encoding", {"cl100k_base": encoding}.__getitem__)
    for name in ("cl100k_base", "gpt-3.5-turbo"):
        tokenizer = load_tokenizer(name)
        assert tokenizer.count("ab 一") == 1 + 1 + 3
        assert tokenizer.count("<|endoftext|>") == 13


def test_missing_network_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(_: str) -> None:
        raise ConnectionError("HTTPSConnectionPool(host='…', port=443): Max retries exceeded")

    monkeypatch.setattr(tiktoken, "get_encoding", offline)
    with pytest.raises(TokenizerError, match="has to download the encoding cl100k_base"):
        load_tokenizer("cl100k_base")


@pytest.mark.parametrize(
    ("package", "name"), [("tokenizers", str(BUNDLED)), ("tiktoken", "cl100k_base")]
)
def test_missing_package_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, package: str, name: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(TokenizerError, match=r"completions-conformance\[tokenizer\]"):
        load_tokenizer(name)
