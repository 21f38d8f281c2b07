"""Text in, bytes out: nothing is lost on the way, whatever the tokenizer calls a byte."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as HuggingFaceTokenizer
from tokenizers import decoders, models, normalizers

from reference_server.engine.engine import BUNDLED
from reference_server.engine.tokenizer import FillInTheMiddle, Tokenizer

SHIPPED = Tokenizer(BUNDLED)


@given(st.text())
def test_the_bytes_of_a_texts_tokens_are_the_text(text: str) -> None:
    assert b"".join(map(SHIPPED.token_bytes, SHIPPED.encode(text))) == text.encode()


def test_every_byte_has_a_token() -> None:
    spelled = {SHIPPED.token_bytes(token) for token in range(SHIPPED.size)}
    assert {bytes([byte]) for byte in range(256)} <= spelled


def test_a_batch_is_encoded_like_its_texts() -> None:
    texts = ["", "one", "二", "<|endoftext|>", "😀"]
    assert SHIPPED.encode_batch(texts) == [SHIPPED.encode(text) for text in texts]


def test_marks_are_recognised_and_named() -> None:
    assert SHIPPED.encode("<|endoftext|>") == (SHIPPED.document_start,)
    assert SHIPPED.end_ids == {SHIPPED.document_start}
    assert SHIPPED.text([SHIPPED.document_start]) == "<|endoftext|>"
    assert SHIPPED.fill_in_the_middle is not None


def test_what_comes_before_and_after_a_gap_is_marked() -> None:
    assert FillInTheMiddle(1, 2, 3).arrange((7, 8), (9,)) == (1, 7, 8, 2, 9, 3)


def test_sentencepiece_spells_spaces_and_bytes_in_its_own_way(tmp_path: Path) -> None:
    names = ["<unk>", "<s>", "</s>", "<0xE4>", "<0xB8>", "<0x96>", "▁", "a", "▁a"]
    vocabulary = {name: place for place, name in enumerate(names)}
    inner = HuggingFaceTokenizer(models.BPE(vocabulary, [("▁", "a")], byte_fallback=True))
    inner.normalizer = normalizers.Replace(" ", "▁")
    inner.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback()])
    inner.add_special_tokens(["<unk>", "<s>", "</s>"])
    inner.save(str(tmp_path / "tokenizer.json"))
    tokenizer = Tokenizer(tmp_path)
    ids = tokenizer.encode(" a世a")
    assert b"".join(map(tokenizer.token_bytes, ids)).decode() == " a世a"
    assert tokenizer.text([3, 4, 5]) == "世"
    assert tokenizer.fill_in_the_middle is None
    assert tokenizer.end_ids == {1, 2}


@pytest.mark.parametrize(("stated", "ends"), [(5, {5}), ([5, 6], {5, 6}), (None, {0})])
def test_the_configuration_says_what_ends_a_text(
    tmp_path: Path, tiny: Tokenizer, stated: object, ends: set[int]
) -> None:
    (tmp_path / "tokenizer.json").write_bytes((BUNDLED / "tokenizer.json").read_bytes())
    (tmp_path / "config.json").write_text(json.dumps({"eos_token_id": stated}), "utf-8")
    assert Tokenizer(tmp_path).end_ids == ends
