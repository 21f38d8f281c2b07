"""Records are read compressed, and without what the runs of a contract have in common."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path

import pytest

from conformance.record import compressed, ndjson
from conformance.record.compressed import split, with_contract
from conformance.record.line import RunFileError
from conformance.record.ndjson import lines_of, read_run, write_run
from tests.gallery.recording import NAMES, RECORDS
from tests.report.builders import a_failure, a_run, a_subject, an_exchange

RUN = a_run(
    a_failure(exchanges=("x1",)), exchanges=(an_exchange(),), subjects=(a_subject(), a_subject("n"))
)


def stored(folder: Path) -> Path:
    """Write the record of a run as a history keeps it, and return its path."""
    digest, content, lines = split(lines_of(RUN))
    (folder / "contracts").mkdir()
    (folder / "contracts" / f"{digest}.json.gz").write_bytes(gzip.compress(content))
    (folder / "runs" / "zero").mkdir(parents=True)
    path = folder / "runs" / "zero" / "one.ndjson.gz"
    path.write_bytes(b"".join(compressed.compressed(lines)))
    return path


def test_compressed_record_is_the_same_run(tmp_path: Path) -> None:
    write_run(RUN, tmp_path / "run.ndjson")
    raw = (tmp_path / "run.ndjson").read_bytes()
    (tmp_path / "run.ndjson.gz").write_bytes(gzip.compress(raw))
    assert read_run(tmp_path / "run.ndjson.gz") == read_run(tmp_path / "run.ndjson") == RUN


def test_record_in_a_history_is_the_same_run(tmp_path: Path) -> None:
    path = stored(tmp_path)
    assert read_run(path) == RUN
    header = json.loads(gzip.decompress(path.read_bytes()).splitlines()[0])
    assert header["subjects"] == header["requirements"] == []


def test_contract_can_be_left_out(tmp_path: Path) -> None:
    brief = read_run(stored(tmp_path), contract=False)
    assert (brief.findings, brief.exchanges, brief.footer) == (
        RUN.findings,
        RUN.exchanges,
        RUN.footer,
    )
    assert brief.header.subjects == brief.header.requirements == ()
    assert brief.header.target == RUN.header.target


@pytest.mark.parametrize("name", NAMES)
def test_standard_run_takes_little_room(name: str) -> None:
    """The aim is 70 kB; extensions add requests, and a comparison server its responses."""
    with gzip.open(RECORDS / f"{name}.ndjson.gz") as file:
        _, _, lines = split(iter(file.readlines()))
    size = sum(map(len, compressed.compressed(lines)))
    assert size <= (93_000 if name == "faulty" else 90_000)


def test_equal_content_gives_equal_bytes() -> None:
    once, again = (b"".join(compressed.compressed(lines_of(RUN))) for _ in range(2))
    assert once == again


def refused(path: Path) -> str:
    with pytest.raises(RunFileError) as caught:
        read_run(path)
    return str(caught.value)


def test_missing_contract_is_named(tmp_path: Path) -> None:
    path = stored(tmp_path)
    (contract,) = (tmp_path / "contracts").iterdir()
    contract.rename(tmp_path / "elsewhere")
    assert "is a part of a history and needs its folder contracts" in refused(path)
    (tmp_path / "elsewhere").rename(contract)
    contract.write_bytes(gzip.compress(b'{"subjects":[],"requirements":[]}'))
    assert "is not the contract that" in refused(path)


@pytest.mark.parametrize("content", [b"[]", b"{}", b"no", b"[" * 100_000])
def test_nonsense_contract_is_refused(content: bytes, tmp_path: Path) -> None:
    path = stored(tmp_path)
    digest = compressed.hashlib.sha256(content).hexdigest()
    (tmp_path / "contracts" / f"{digest}.json.gz").write_bytes(gzip.compress(content))
    with pytest.raises(RunFileError, match="is not a contract of a history"):
        with_contract(b"{}", digest, path)


def test_contract_cannot_change_the_header(tmp_path: Path) -> None:
    path = stored(tmp_path)
    content = b'{"subjects":[],"requirements":[],"base_url":"http://evil.example"}'
    digest = compressed.hashlib.sha256(content).hexdigest()
    (tmp_path / "contracts" / f"{digest}.json.gz").write_bytes(gzip.compress(content))
    header = json.loads(with_contract(b'{"base_url":"http://a.example"}', digest, path))
    assert header["base_url"] == "http://a.example"


@pytest.mark.parametrize(
    "damage", [lambda raw: raw[:-20], lambda raw: raw[:40] + b"\0" * 40 + raw[80:]]
)
def test_damaged_file_is_one_sentence(damage, tmp_path: Path) -> None:
    path = tmp_path / "run.ndjson.gz"
    path.write_bytes(damage(gzip.compress(b"".join(lines_of(RUN)))))
    assert refused(path).startswith(f"{path} cannot be decompressed: ")


def test_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndjson, "MAX_FILE_BYTES", 2**20)
    path = tmp_path / "run.ndjson.gz"
    path.write_bytes(zlib_file(next(lines_of(RUN)).rstrip() + b" " * 2**21 + b"\n"))
    assert path.stat().st_size < 2**16
    assert "has more than 1 MiB when it is decompressed" in refused(path)


def zlib_file(content: bytes) -> bytes:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    return squeeze.compress(content) + squeeze.flush()


def test_twice_compressed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.ndjson.gz"
    path.write_bytes(gzip.compress(gzip.compress(b"".join(lines_of(RUN)))))
    assert "is compressed; decompress it" in refused(path)
