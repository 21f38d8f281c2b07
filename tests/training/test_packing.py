"""Training tokens come in repeatable shards."""

from tokenizers import Tokenizer

from reference_server.training import packing
from reference_server.training.corpus import Document
from reference_server.training.tokenizer import END_OF_TEXT, special

DOCUMENTS = [
    Document("In the beginning was the word. " * 60, "a book", "en", held_out=False),
    Document("起初有道。" * 60, "一本书", "zh", held_out=False),
]


def test_seed_determines_a_shard(tokenizer: Tokenizer):
    first = packing.shard(DOCUMENTS, tokenizer, seed=3, tokens=4000)
    again = packing.shard(DOCUMENTS, tokenizer, seed=3, tokens=4000)
    assert first.shape == (4000,)
    assert (first == again).all()
    assert (first != packing.shard(DOCUMENTS, tokenizer, seed=4, tokens=4000)).any()


def test_documents_end_with_end_of_text(tokenizer: Tokenizer):
    shard = packing.shard(DOCUMENTS, tokenizer, seed=3, tokens=4000)
    assert (shard == special(tokenizer, END_OF_TEXT)).sum() > 20
