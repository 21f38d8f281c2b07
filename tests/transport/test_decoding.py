"""Content codings are undone in bounded memory, in any reads."""

from __future__ import annotations

import gzip
import os
import time
import zlib
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.protocol.content_codings import codings_of
from conformance.transport.decoding import (
    MAX_CODINGS,
    MAX_MEMBERS,
    PIECE,
    Decoder,
    DecodingError,
    TooLargeError,
)

MIB = 2**20


def raw_deflate(data: bytes) -> bytes:
    packed = zlib.compressobj(wbits=-15)
    return packed.compress(data) + packed.flush()


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


FORMATS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzipped),
    "x-gzip": ("x-gzip", gzipped),
    "zlib": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
}


def decoded(
    data: bytes, codings: Sequence[str], *, limit: int = MIB, read: int | None = None
) -> bytes:
    decoder = Decoder(codings, limit)
    size = read or max(1, len(data))
    body = b""
    for start in range(0, len(data), size):
        for piece in decoder.feed(data[start : start + size]):
            assert len(piece) <= PIECE
            body += piece
    decoder.finish()
    return body


@pytest.mark.parametrize(
    ("headers", "codings"),
    [
        ([], ()),
        ([("Content-Type", "gzip")], ()),
        ([("CONTENT-ENCODING", "GZip")], ("gzip",)),
        ([("content-encoding", "identity")], ()),
        ([("content-encoding", " , identity,,\tdeflate , ")], ("deflate",)),
        ([("content-encoding", "a, b"), ("Content-Encoding", "c")], ("a", "b", "c")),
    ],
)
def test_codings_are_read_from_all_headers(
    headers: list[tuple[str, str]], codings: tuple[str, ...]
) -> None:
    assert codings_of(headers) == codings


@given(
    data=st.one_of(st.binary(max_size=300), st.integers(0, 50_000).map(lambda n: b"ab" * n)),
    layers=st.lists(st.sampled_from(sorted(FORMATS)), min_size=1, max_size=MAX_CODINGS),
    read=st.sampled_from([None, 1, 7, 4_096]),
)
def test_any_coding_is_undone_in_any_reads(
    data: bytes, layers: list[str], read: int | None
) -> None:
    codings, packed = [], data
    for layer in layers:
        coding, pack = FORMATS[layer]
        codings.append(coding)
        packed = pack(packed)
    assert decoded(packed, codings, read=read) == data


@pytest.mark.parametrize("read", [None, 1])
def test_gzip_members_follow_one_another(read: int | None) -> None:
    assert decoded(gzipped(b"a") + gzipped(b"") + gzipped(b"b"), ["gzip"], read=read) == b"ab"


@pytest.mark.parametrize("format_name", sorted(FORMATS))
def test_size_of_a_full_buffer_is_no_end(format_name: str) -> None:
    coding, pack = FORMATS[format_name]
    for size in range(PIECE - 300, PIECE + 300, 50):
        assert len(decoded(pack(b"a" * size), [coding])) == size


def test_body_may_reach_the_limit_and_no_more() -> None:
    assert len(decoded(gzipped(b"a" * 1_000), ["gzip"], limit=1_000)) == 1_000
    with pytest.raises(TooLargeError):
        decoded(gzipped(b"a" * 1_001), ["gzip"], limit=1_000)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_every_layer_is_bounded(layers: int) -> None:
    bomb = b" " * (32 * MIB)
    for _ in range(layers):
        bomb = gzipped(bomb)
    sizes: list[int] = []
    with pytest.raises(TooLargeError):
        sizes.extend(map(len, Decoder(["gzip"] * layers, MIB).feed(bomb)))
    assert sum(sizes) <= MIB


def test_data_that_makes_nothing_is_bounded() -> None:
    empty_blocks = b"\x00\x00\x00\xff\xff" * 400_000
    began = time.process_time()
    with pytest.raises(TooLargeError):
        decoded(empty_blocks, ["deflate"])
    with pytest.raises(DecodingError, match=f"more than {MAX_MEMBERS} gzip members"):
        decoded(gzipped(b"") * (MAX_MEMBERS + 1), ["gzip"])
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("codings", "data", "reason"),
    [
        (["br"], b"", "the content encoding 'br', which the suite cannot decode"),
        (["gzip", "zstd"], b"", "the content encoding 'zstd'"),
        (["compress"], b"", "the content encoding 'compress'"),
        (["\x1b[31m" + "x" * 999], b"", r"the content encoding '\\x1b\[31mx+', which"),
        (["gzip"] * 4, b"", "4 content encodings, and the suite undoes at most 3"),
        (["gzip"], b'{"a":1}', "is not valid gzip data"),
        (["gzip"], b"\x1f", "ends in the middle of its gzip data"),
        (["gzip"], gzipped(b"text")[:-1], "ends in the middle of its gzip data"),
        (["gzip"], gzipped(b"text")[:-8] + b"12345678", "is not valid gzip data"),
        (["gzip"], gzipped(b"text") + b"x", "goes on after the end of its gzip data"),
        (["deflate"], zlib.compress(b"text") + b"x", "goes on after the end of its deflate data"),
        (["deflate"], zlib.compress(os.urandom(9_000))[:5_000], "ends in the middle"),
        (["gzip", "gzip"], gzipped(b"text"), "is not valid gzip data"),
    ],
)
def test_undecodable_data_has_one_reason(codings: list[str], data: bytes, reason: str) -> None:
    with pytest.raises(DecodingError, match=reason) as raised:
        decoded(data, codings)
    assert len(str(raised.value)) < 120


@given(st.lists(st.sampled_from(["gzip", "deflate"]), max_size=3), st.binary(max_size=200))
def test_any_bytes_are_decoded_or_rejected(codings: list[str], data: bytes) -> None:
    try:
        decoded(b"\x1f\x8b\x08\x00" + data, codings)
    except (DecodingError, TooLargeError):
        return
