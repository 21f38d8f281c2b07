"""HTML, fortunes and white space become plain documents."""

from pathlib import Path

from reference_server.training import corpus
from reference_server.training.corpus import Document

PAGE = """
<html><body><nav>Contents</nav>
<h1>Bread</h1><p>Flour,\n water and <b>salt</b>.</p><pre>bake(\n    220)</pre>
<h2>茶</h2><p>水\n开了。</p><script>track()</script>
</body></html>
"""


def test_page_becomes_one_document_per_section():
    assert list(corpus.sections(PAGE)) == [
        "Bread\n\nFlour, water and salt.\n\nbake(\n    220)",
        "茶\n\n水开了。",
    ]


def test_poems_lose_their_colours():
    assert list(corpus.poems("\x1b[32m春\x1b[m\n一\n%\n夏\n")) == ["春\n一", "夏\n"]


def test_white_space_is_normalised():
    assert corpus.normalise("  a\u00a0b \t\r\n\n\n\nc\n") == "a b\n\nc"


def test_documents_round_trip_through_files(tmp_path: Path):
    documents = [Document("天\nsky", "a book", "zh", held_out=True)]
    corpus.save(documents, tmp_path / "corpus.jsonl")
    assert corpus.load(tmp_path / "corpus.jsonl") == documents
