"""Targets files that attack: each mistake is one short sentence with file and place."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from conformance.targets import TargetsError, read_targets
from conformance.targets.reading import MAX_BYTES, MAX_MISTAKES, MAX_SENTENCE_CHARS
from tests.cases import for_each_case

TARGET = '[targets.a]\nbase-url = "http://127.0.0.1:1/v1"\nmodel = "m"\n'
DIGITS = "9" * 5000

REFUSED = [
    (f"{TARGET}seed = {DIGITS}", "line 4: has a number with too many digits"),
    (f"{TARGET}seed = 0x{'f' * 5000}", "target 'a': seed must be an integer"),
    (f"{TARGET}rate = 0x{'f' * 5000}", "target 'a': rate must be a number from 0.001 to 86400"),
    (f"{TARGET}max-requests = 0x{'f' * 5000}", "max-requests must be an integer of at least 1"),
    (f"{TARGET}timeout = nan", "timeout must be a number greater than 0"),
    (f"{TARGET}timeout = inf", "timeout must be a number greater than 0"),
    (f"{TARGET}timeout = 2026-01-01", "timeout must be a number greater than 0"),
    (f"{TARGET}seed = 2026-02-31", "is not valid TOML"),
    (f"{TARGET}tier = [[]]", "tier must be one of"),
    (f"{TARGET}contract = {{a = 1}}", "contract must be a non-empty string"),
    (f'{TARGET}contract = "{"c" * 9999}"', "contract: unknown contract"),
    (f"{TARGET}x = {'[' * 100_000}", "is not valid TOML: it is nested too deeply"),
    (f"{TARGET}x = {'{a=' * 100_000}", "is not valid TOML: it is nested too deeply"),
    ("a." * 50_000 + "a = 1", "line 1: has a key with too many dots"),
    (f"{'k' * 900_000} = 1", "unknown key 'kkk"),
    (f"{TARGET}model = 'n'", "is not valid TOML: Cannot overwrite a value"),
    ("a.b = 1\na.b.c = 2", "is not valid TOML"),
    (f"{TARGET}\0", "is not valid TOML"),
    (f"\ufeff{TARGET}", "save it without a byte order mark"),
    ('[targets."\\u001b[31m"]', "the name is used as a folder name"),
    (f'[targets."{"n" * 9999}"]', "the name is used as a folder name"),
    (f'[targets.a]\nbase-url = "http://h/v1"\nmodel = "{"m" * 1001}"', "at most 1,000 characters"),
    ("".join(f"[targets.t{n}]\n" for n in range(1001)), "has more than 1,000 targets"),
    ("".join(f"k{n} = 1\n" for n in range(50_000)), "correct these mistakes first"),
    ("#" * (MAX_BYTES + 1), "has more than 1 MiB, too much to read"),
    ("targets = 1", "no targets"),
    ("targets = []", "no targets"),
    ("defaults = 1", "defaults must be a table"),
]


def mistakes_of(path: Path) -> tuple[str, ...]:
    began = time.process_time()
    with pytest.raises(TargetsError) as caught:
        read_targets(path)
    assert time.process_time() - began < 10.0
    mistakes = caught.value.mistakes
    assert len(mistakes) <= MAX_MISTAKES + 1
    for mistake in mistakes:
        assert mistake.isprintable()
        assert len(mistake) <= MAX_SENTENCE_CHARS
        assert str(path) in mistake
    return mistakes


@for_each_case("text, sentence", REFUSED)
def test_bad_file_is_refused_with_its_place(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "conformance.toml"
    path.write_text(text, "utf-8")
    mistakes = mistakes_of(path)
    assert any(sentence in mistake for mistake in mistakes), mistakes


def test_text_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "conformance.toml"
    path.write_bytes(b"# one\n# \xff")
    assert mistakes_of(path) == (f"{path}, line 2: is not UTF-8 text",)


@for_each_case(
    "make, sentence",
    [
        (os.mkfifo, "it is a pipe, not a file"),
        (lambda path: path.symlink_to("/dev/zero"), "it is a device, not a file"),
        (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
        (lambda path: path.mkdir(), "it is a folder, not a file"),
        (Path.resolve, "No such file or directory"),
    ],
)
def test_what_is_no_file_is_refused(tmp_path: Path, make: Any, sentence: str) -> None:
    path = tmp_path / str(len(list(tmp_path.iterdir())))
    make(path)
    (mistake,) = mistakes_of(path)
    assert sentence in mistake
