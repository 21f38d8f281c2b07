"""Encoding and decoding lose nothing, for any kind of tokenizer."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as HuggingFaceTokenizer
from tokenizers import decoders, models, normalizers

from reference_server.engine.engine import BUNDLED
from reference_server.engine.tokenizer import FillInTheMiddle, Tokenizer
from tests.reference_server.checkpoints import FAMILIES
from tests.reference_server.scripted import tiny_tokenizer_json

SHIPPED = Tokenizer(BUNDLED)


@given(st.text())
def test_token_bytes_join_to_the_text(text: str) -> None:
    assert b"".join(map(SHIPPED.token_bytes, SHIPPED.encode(text))) == text.encode()


def test_every_byte_has_a_token() -> None:
    spelled = {SHIPPED.token_bytes(token) for token in range(SHIPPED.size)}
    assert {bytes([byte]) for byte in range(256)} <= spelled


def test_batch_is_encoded_like_its_texts() -> None:
    texts = ["", "one", "二", "<|endoftext|>", "😀"]
    assert SHIPPED.encode_batch(texts) == [SHIPPED.encode(text) for text in texts]


def test_marks_are_recognised_and_named() -> None:
    assert SHIPPED.encode("<|endoftext|>") == (SHIPPED.document_start,)
    assert SHIPPED.end_ids == {SHIPPED.document_start}
    assert SHIPPED.text([SHIPPED.document_start]) == "<|endoftext|>"
    assert SHIPPED.fill_in_the_middle is not None


def test_infilling_tokens_surround_prefix_and_suffix() -> None:
    assert FillInTheMiddle(1, 2, 3).arrange((7, 8), (9,)) == (1, 7, 8, 2, 9, 3)


def test_sentencepiece_spaces_and_bytes_are_decoded(tmp_path: Path) -> None:
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


def test_tokens_before_every_text_are_known(tmp_path: Path) -> None:
    family = FAMILIES["code-llama"]
    family.tokenizer().save_pretrained(tmp_path)
    tokenizer = Tokenizer(tmp_path)
    assert (tokenizer.opening, tokenizer.prefix) == ((1,), " ")
    assert tokenizer.document_start == 1
    assert (SHIPPED.opening, SHIPPED.prefix) == ((), "")


def test_unused_vocabulary_id_has_no_text(tmp_path: Path) -> None:
    description = json.loads(tiny_tokenizer_json())
    vocabulary = description["model"]["vocab"]
    vocabulary["ab"] = 1000
    description["added_tokens"][0]["id"] = vocabulary["<|endoftext|>"]
    (tmp_path / "tokenizer.json").write_text(json.dumps(description), "utf-8")
    tokenizer = Tokenizer(tmp_path)
    assert tokenizer.size == 1001
    assert set(range(282, 1000)) <= tokenizer.special
    assert 1000 not in tokenizer.special
    assert tokenizer.text(tokenizer.encode("ab")) == "ab"


def test_non_byte_level_spelling_is_kept(tmp_path: Path) -> None:
    description = json.loads(tiny_tokenizer_json())
    description["model"]["vocab"]["世 界"] = 282
    (tmp_path / "tokenizer.json").write_text(json.dumps(description), "utf-8")
    assert Tokenizer(tmp_path).text([282]) == "世 界"


@pytest.mark.parametrize(
    ("stated", "ends"), [(5, {5}), ([5, 6], {5, 6}), (None, {0}), (70_000, {0})]
)
def test_configuration_names_the_end_of_text(
    tmp_path: Path, tiny: Tokenizer, stated: object, ends: set[int]
) -> None:
    (tmp_path / "tokenizer.json").write_bytes((BUNDLED / "tokenizer.json").read_bytes())
    (tmp_path / "config.json").write_text(json.dumps({"eos_token_id": stated}), "utf-8")
    assert Tokenizer(tmp_path).end_ids == ends
