"""Any text round-trips through the tokenizer."""

from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from reference_server.training.tokenizer import SPECIAL_TOKENS, VOCABULARY, non_streaming, special

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(text=ANY_TEXT)
def test_decoding_undoes_encoding(tokenizer: Tokenizer, text: str):
    assert tokenizer.decode(non_streaming(tokenizer, text), skip_special_tokens=False) == text


@given(text=ANY_TEXT)
def test_transformers_reads_the_same_tokenizer(tokenizer: Tokenizer, hub_tokenizer, text: str):
    ids = hub_tokenizer.encode(text, add_special_tokens=False)
    assert ids == non_streaming(tokenizer, text)
    assert hub_tokenizer.decode(ids) == text


def test_vocabulary_has_its_documented_size(tokenizer: Tokenizer):
    assert tokenizer.get_vocab_size() == VOCABULARY


def test_special_tokens_come_first(tokenizer: Tokenizer):
    assert [special(tokenizer, token) for token in SPECIAL_TOKENS] == [0, 1, 2, 3]


def test_digits_are_single_tokens(tokenizer: Tokenizer):
    assert [tokenizer.decode([i]) for i in non_streaming(tokenizer, "in 2026")] == [
        "in",
        " 2",
        "0",
        "2",
        "6",
    ]


def test_chinese_is_split_by_character(tokenizer: Tokenizer):
    assert [tokenizer.decode([i]) for i in non_streaming(tokenizer, "明月几时有")] == list(
        "明月几时有"
    )
