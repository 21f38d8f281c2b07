"""Cutting a gap into a text loses nothing."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from reference_server.training import fim
from reference_server.training.tokenizer import SPECIAL_TOKENS, special

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(text=TEXT, seed=st.integers())
def test_three_parts_join_to_the_text(text: str, seed: int):
    hole = fim.cut(text, Random(seed))
    assert hole.prefix + hole.middle + hole.suffix == text


@given(text=TEXT, seed=st.integers())
def test_encoding_can_be_undone(tokenizer: Tokenizer, text: str, seed: int):
    hole = fim.cut(text, Random(seed))
    assert fim.join(fim.encode(hole, tokenizer), tokenizer) == hole


def test_order_is_prefix_suffix_middle(tokenizer: Tokenizer):
    ids = fim.encode(fim.Hole("a", "b", "c"), tokenizer)
    _, prefix, suffix, middle = (special(tokenizer, token) for token in SPECIAL_TOKENS)
    assert [ids.index(prefix), ids.index(suffix), ids.index(middle)] == [0, 2, 4]
    assert tokenizer.decode(ids) == "acb"
