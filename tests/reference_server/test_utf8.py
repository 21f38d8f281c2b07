"""Characters are complete, and every chunk knows its first character."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from reference_server.engine.utf8 import CharacterStream
from tests.reference_server.utf8_definition import complete, owners, unfinished

exactly = settings(derandomize=True, deadline=None, max_examples=500)
# Where UTF-8 has its borders: leads, continuations that only some leads allow, bytes of no use.
EDGES = bytes(
    [0x41, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xE0, 0xE4, 0xED, 0xF0, 0xF4, 0xF5]
)
DIRTY = st.lists(st.sampled_from(EDGES), max_size=12).map(bytes)


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts} - {0, len(data)})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True) if a < b]


@exactly
@given(st.binary(max_size=30), st.lists(st.integers(0, 30)))
@example(b"\xe4\xb8", [1])
@example(b"\xf0\x9f\x98a\xef\xbf\xbd", [1, 2, 3, 5])
def test_joined_text_equals_decoding_all_bytes(data: bytes, cuts: list[int]) -> None:
    stream = CharacterStream()
    text = "".join(stream.feed(chunk)[0] for chunk in split(data, cuts)) + stream.finish()
    assert text == data.decode("utf-8", "replace")
    assert stream.length == len(text)


@exactly
@given(DIRTY | st.binary(max_size=12), st.lists(st.integers(0, 12)))
@example(b"\xed\xa0a", [1, 2])
@example(b"\xed\xa0\x80", [1, 2])
def test_only_incomplete_characters_are_held_back(data: bytes, cuts: list[int]) -> None:
    stream, out, read = CharacterStream(), "", 0
    for chunk in split(data, cuts):
        completed, start = stream.feed(chunk)
        assert start == owners(data)[read]
        out += completed
        read += len(chunk)
        assert len(stream.begun) == unfinished(data[:read])
        assert out == complete(data[:read])


@exactly
@given(st.text(max_size=20), st.lists(st.integers(0, 80)))
def test_valid_text_has_exact_starts_without_replacements(text: str, cuts: list[int]) -> None:
    data = text.encode()
    owner = [i for i, character in enumerate(text) for _ in character.encode()]
    stream, out, place = CharacterStream(), "", 0
    for chunk in split(data, cuts):
        completed, start = stream.feed(chunk)
        assert start == owner[place]
        place += len(chunk)
        out += completed
        assert text.startswith(out)
    assert out + stream.finish() == text


def test_next_text_starts_after_a_replacement_character() -> None:
    for head, tail, start in [
        (b"\xe4\xb8", b"a", 1),
        (b"\xe4\xb8", b"\xe4\xb8\x96", 1),
        (b"\xe4\xb8", b"\x96", 0),
        (b"\xef\xbf", b"\xbd", 0),
        (b"\xe0", b"\x80", 1),
    ]:
        stream = CharacterStream()
        assert stream.feed(head) == ("", 0)
        assert stream.feed(tail)[1] == start
