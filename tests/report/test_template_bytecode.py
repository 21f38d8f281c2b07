"""Compiled templates are cached for the next process and never used for changed source."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import jinja2
import pytest
from jinja2.bccache import Bucket

from conformance.report.html.bytecode import TemplateBytecode


def rendered(folder: Path) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        bytecode_cache=TemplateBytecode(folder),
        autoescape=True,
    )
    return environment.get_template("page.html.j2").render()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    (tmp_path / "page.html.j2").write_text("one", "utf-8")
    return tmp_path


def test_compiled_template_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rendered(folder) == "one"
    (kept,) = (folder / "__pycache__").iterdir()
    assert sys.implementation.cache_tag in kept.name
    monkeypatch.delattr(jinja2.Environment, "_generate")
    assert rendered(folder) == "one"


def test_changed_template_is_recompiled(folder: Path) -> None:
    rendered(folder)
    (folder / "page.html.j2").write_text("two", "utf-8")
    assert rendered(folder) == "two"


def test_invalid_cache_file_is_recompiled(folder: Path) -> None:
    rendered(folder)
    (kept,) = (folder / "__pycache__").iterdir()
    kept.write_bytes(b"nothing of the kind")
    assert rendered(folder) == "one"


def test_dont_write_bytecode_is_respected(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert rendered(folder) == "one"
    assert not (folder / "__pycache__").exists()


def test_unwritable_folder_is_no_error(folder: Path) -> None:
    (folder / "__pycache__").write_text("a file in its place", "utf-8")
    assert rendered(folder) == "one"


def test_failed_write_leaves_no_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Bucket, "write_bytecode", full)
    assert rendered(folder) == "one"
    assert list((folder / "__pycache__").iterdir()) == []
