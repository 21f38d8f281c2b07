"""Characters come out whole, and every piece knows which character it begins in."""

from hypothesis import example, given
from hypothesis import strategies as st

from reference_server.engine.utf8 import CharacterStream


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts} - {0, len(data)})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True) if a < b]


@given(st.binary(max_size=30), st.lists(st.integers(0, 30)))
@example(b"\xe4\xb8", [1])
@example(b"\xf0\x9f\x98a\xef\xbf\xbd", [1, 2, 3, 5])
def test_the_text_is_that_of_all_bytes_at_once(data: bytes, cuts: list[int]) -> None:
    stream = CharacterStream()
    text = "".join(stream.feed(piece)[0] for piece in split(data, cuts)) + stream.finish()
    assert text == data.decode("utf-8", "replace")
    assert stream.length == len(text)


@given(st.text(max_size=20), st.lists(st.integers(0, 80)))
def test_in_clean_text_no_replacement_is_made_and_starts_are_exact(
    text: str, cuts: list[int]
) -> None:
    data = text.encode()
    owner = [i for i, character in enumerate(text) for _ in character.encode()]
    stream, out, place = CharacterStream(), "", 0
    for piece in split(data, cuts):
        completed, start = stream.feed(piece)
        assert start == owner[place]
        place += len(piece)
        out += completed
        assert text.startswith(out)
    assert out + stream.finish() == text


def test_after_a_broken_character_the_next_piece_begins_behind_its_replacement() -> None:
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
