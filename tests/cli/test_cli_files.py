"""Files are whole or absent, and folders belong to one run."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from conformance.cli import files, folder
from conformance.cli.exit_codes import UserError
from conformance.cli.files import DiskError, WriteError, write_chunks, write_text
from conformance.cli.folder import claimed, fresh_folder, new_record
from conformance.record import ndjson
from conformance.record.ndjson import read_run
from tests.cases import for_each_case
from tests.processes import python_with_file_limit


def test_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    for text in ("first, which is longer", "half a pair: \ud800\n"):
        write_text(path, text)
    assert path.read_bytes() == b"half a pair: \\ud800\n"
    assert list(tmp_path.iterdir()) == [path]


def test_link_keeps_its_target(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    write_text(link, "text")
    assert link.is_symlink()
    assert target.read_text() == "text"


def test_device_is_written_in_place() -> None:
    write_text(Path(os.devnull), "text")
    assert not Path(os.devnull).is_file()


def broken(error: int) -> Any:
    def chunks():
        yield b"the beginning"
        raise OSError(error, os.strerror(error))

    return chunks()


@for_each_case(
    "error, kind, code",
    [
        (errno.ENOSPC, DiskError, 3),
        (errno.EDQUOT, DiskError, 3),
        (errno.EFBIG, DiskError, 3),
        (errno.EIO, DiskError, 3),
        (errno.EACCES, WriteError, 4),
        (errno.EROFS, WriteError, 4),
    ],
)
def test_failed_write_keeps_what_was_there(
    tmp_path: Path, error: int, kind: type[WriteError], code: int
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(WriteError, match=f"cannot write .*: {os.strerror(error)}") as caught:
        write_chunks(path, broken(error))
    assert type(caught.value) is kind
    assert caught.value.exit_code == code
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@for_each_case("name", ["no/where", "a\0b", "\ud800", "n" * 300, "file/x"], ids=ascii)
def test_impossible_path_is_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="cannot write ") as caught:
        write_text(tmp_path / name, "text")
    assert caught.value.message.isprintable()
    with (
        pytest.raises(UserError, match="cannot create the folder "),
        fresh_folder(tmp_path / "file" / name, "host", "openai"),
    ):
        pass


def test_folder_in_use_is_refused(tmp_path: Path) -> None:
    with fresh_folder(tmp_path / "out", "host", "openai") as ours:
        assert not any(ours.iterdir())
        with (
            pytest.raises(UserError, match="another run is using the folder"),
            fresh_folder(ours, "host", "openai"),
        ):
            pass
    with claimed(ours) as is_ours:
        assert is_ours


def test_record_of_another_run_is_kept(tmp_path: Path) -> None:
    (tmp_path / "run.ndjson").write_text("theirs")
    with pytest.raises(
        UserError, match=r"another run has created .*; choose a new or empty folder"
    ):
        new_record(tmp_path)
    assert (tmp_path / "run.ndjson").read_text() == "theirs"


def test_report_that_fails_does_not_stop_others(tmp_path: Path, monkeypatch) -> None:
    from tests.report.builders import a_finding, a_run  # noqa: PLC0415

    def write(path: Path, text: str) -> None:
        if path.suffix == ".html":
            raise DiskError({"full": [path]})
        write_text(path, text)

    monkeypatch.setattr(folder, "write_text", write)
    with pytest.raises(DiskError, match="full"):
        folder.write_reports(a_run(a_finding()), tmp_path, ["html", "junit", "json"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["junit.xml", "results.json"]


@pytest.mark.parametrize("lines", [0, 3])
def test_full_disk_ends_a_run_with_3(command, fake, monkeypatch, lines: int) -> None:
    write_all, written = ndjson._write_all, []

    def write(file: Any, data: bytes) -> None:
        if len(written) == lines:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(data)
        write_all(file, data)

    fake()
    monkeypatch.setattr(ndjson, "_write_all", write)
    words = ("--base-url", "http://fake.example/v1", "--model", "m", "--tier", "smoke")
    result = command("run", *words, "--out", "out")
    assert result.exit_code == 3, result.output
    last = result.output.splitlines()[-1]
    assert "cannot write to out/run.ndjson any more (No space left on device)" in last
    if lines:
        assert read_run(Path("out/run.ndjson")).footer is None
        assert "This run is incomplete" in Path("out/index.html").read_text("utf-8")
    else:
        assert not list(Path("out").iterdir())


def test_full_disk_after_a_run_ends_with_3(command, fake, monkeypatch) -> None:
    def refuse(path: Path, chunks: Any, mode: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    fake()
    monkeypatch.setattr(files, "_write_and_rename", refuse)
    words = ("--base-url", "http://fake.example/v1", "--model", "m", "--select", "stop.string")
    result = command("run", *words, "--out", "out")
    assert result.exit_code == 3, result.output
    all_of_them = "out/index.html, out/junit.xml, out/results.json"
    assert f"cannot write {all_of_them}: No space left on device" in result.output
    assert [path.name for path in Path("out").iterdir()] == ["run.ndjson"]
    assert read_run(Path("out/run.ndjson")).footer is not None


def test_full_disk_is_told_for_record_and_reports(command, fake, monkeypatch) -> None:
    write_all, written = ndjson._write_all, []

    def write(file: Any, data: bytes) -> None:
        if len(written) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(data)
        write_all(file, data)

    def refuse(path: Path, chunks: Any, mode: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    fake()
    monkeypatch.setattr(ndjson, "_write_all", write)
    monkeypatch.setattr(files, "_write_and_rename", refuse)
    words = ("--base-url", "http://fake.example/v1", "--model", "m", "--select", "stop.string")
    result = command("run", *words, "--out", "out")
    assert result.exit_code == 3, result.output
    assert "cannot write to out/run.ndjson any more" in result.output
    assert "cannot write out/index.html, out/junit.xml, out/results.json: No sp" in result.output


def test_several_reasons_are_all_named() -> None:
    errors = [
        WriteError({"Permission denied": [Path("a")]}),
        DiskError({"No space left": [Path("b")]}),
        WriteError({"Permission denied": [Path("c")]}),
    ]
    united = files.together(errors)
    assert united.message == "cannot write a, c: Permission denied; cannot write b: No space left"
    assert united.exit_code == 3
    assert files.together(errors[:1]).message == errors[0].message


# ── standard output ──────────────────────────────────────────────────────────────────────────────


def ended(words: str, shell: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", f'"$0" -m conformance {words} {shell}', sys.executable],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
        check=False,
    )


NOBODY = "run --base-url http://127.0.0.1:1/v1 --model m --tier smoke --out out"


@for_each_case(
    "shell",
    [">/dev/full 2>/dev/full", ">&- 2>&- <&-"],
)
def test_run_ends_whoever_reads_it(tmp_path: Path, shell: str) -> None:
    work = tmp_path / str(len(list(tmp_path.iterdir())))
    work.mkdir()
    result = ended(NOBODY, shell, work)
    assert result.returncode == 3, result.stderr  # nothing listens there
    assert "Traceback" not in result.stderr
    assert "ignored" not in result.stderr
    assert read_run(work / "out" / "run.ndjson").footer is not None
    assert {path.name for path in (work / "out").iterdir()} == {
        *("index.html", "junit.xml", "results.json", "run.ndjson")
    }


@for_each_case(
    "shell, sentence",
    [
        (">/dev/full", "cannot write to standard output: No space left on device"),
        (">&-", "cannot write to standard output: it is closed"),
    ],
)
def test_lost_output_is_an_error(tmp_path: Path, shell: str, sentence: str) -> None:
    result = ended("--version", shell, tmp_path)
    assert (result.returncode, result.stderr) == (3, f"conformance: {sentence}\n")


# ── values of options ────────────────────────────────────────────────────────────────────────────

ONE = ("run", "--base-url", "http://127.0.0.1:1/v1")


@for_each_case(
    "words, sentence",
    [
        ((*ONE, "--model", "a\udcff"), "Invalid value for '--model'"),
        ((*ONE, "--model", "a\x1b[31m"), "Invalid value for '--model'"),
        ((*ONE, "--model", "a\0"), "is not valid text"),
        ((*ONE, "--model", "m" * 10**6), "must have at most 1,000 characters"),
        ((*ONE, "--model", ""), "--model is required with --base-url"),
        (("run", "--base-url", "http://h/\udcff", "--model", "m"), "--base-url"),
        (("run", "--base-url", "h" * 10**5, "--model", "m"), "needs http:// or https://"),
        ((*ONE, "--model", "m", "--seed", "9" * 30), "is not below 2^63"),
        ((*ONE, "--model", "m", "--seed", "9" * 5000), "is not a valid integer"),
        ((*ONE, "--model", "m", "--max-requests", "9" * 30), "is not below 2^63"),
        ((*ONE, "--model", "m", "--select", "\udcff"), "matches no check"),
        ((*ONE, "--model", "m", "--out", "a\0"), "is not valid text"),
        ((*ONE, "--model", "m", "--out", "n" * 300), "File name too long"),
        ((*ONE, "--model", "m", "--contract", "n" * 5000), "unknown contract"),
        ((*ONE, "--model", "m", "--reference", "http://h/v1", "--reference-model", "\udcff"), "-m"),
        (("run", "--config", "n" * 300), "File name too long"),
        (("report", "n" * 300), "File name too long"),
        (("report", "a\0"), "is not valid text"),
        (("compare", "\ud800", "b"), "is not valid text"),
        (("matrix", "n" * 300), "File name too long"),
        (("matrix", "a\0"), "is not valid text"),
    ],
    ids=lambda value: ascii(value)[-60:],
)
def test_bad_value_is_one_sentence(command, words: tuple[str, ...], sentence: str) -> None:
    result = command(*words)
    assert result.exit_code in {4, 5}, result.output
    assert result.output.startswith("conformance: ")
    assert sentence in result.output
    assert len(result.output) < 2_500
    assert "internal error" not in result.output


def test_limit_of_file_size_leaves_a_sentence(tmp_path: Path) -> None:
    result = python_with_file_limit(1024, "-m", "conformance", *NOBODY.split(), cwd=tmp_path)
    assert result.returncode == 3, result.stderr
    assert "(File too large)" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def test_missing_file_elsewhere_is_one_sentence() -> None:
    from conformance.cli.exit_codes import _unexpected  # noqa: PLC0415

    found = _unexpected(PermissionError(errno.EACCES, "Permission denied", "a/b"))
    assert found == ("cannot use a/b: Permission denied", 4)
    assert issubclass(WriteError, click.ClickException)
