"""Text is released as early as a possible stop sequence allows."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_server.engine.choice import ChoiceRequest, ChoiceWriter, TextChunk
from reference_server.engine.logprobs import TokenScore
from reference_server.engine.tokenizer import Tokenizer
from tests.reference_server.utf8_definition import complete, owners

# Letters that make sequences overlap, and characters that come as several tokens of one byte each.
SPELLINGS = ["a", "b", "ab", "abc", "bc", "ST", "OP", "世", "界", "\n\n"]
CHARACTERS = "ab世界😀STOP"


@dataclass(frozen=True)
class Scripted:
    """Sampled tokens, the stop sequences to look for in them, and whether a prompt is echoed."""

    tokens: tuple[int, ...]
    stops: tuple[str, ...]
    echo: bool


def by_byte(tokenizer: Tokenizer) -> dict[bytes, int]:
    return {tokenizer.token_bytes(token): token for token in range(4, tokenizer.size)}


@st.composite
def scripts(draw: st.DrawFn, tokenizer: Tokenizer) -> Scripted:
    ids = by_byte(tokenizer)
    words = st.sampled_from(SPELLINGS).map(lambda text: [ids[text.encode()]])
    split = st.sampled_from("世界😀").map(lambda c: [ids[bytes([b])] for b in c.encode()])
    broken = st.sampled_from([b"\xf0", b"\x9f", b"\xe4", b"\xed", b"\xa0"]).map(lambda b: [ids[b]])
    runs = draw(st.lists(words | words | split | broken, min_size=1, max_size=12))
    tokens = tuple(token for run in runs for token in run)
    text = complete(b"".join(map(tokenizer.token_bytes, tokens)))
    stops = draw(st.lists(_sequences(text), max_size=4))
    return Scripted(tokens, tuple(stops), draw(st.booleans()))


@st.composite
def _sequences(draw: st.DrawFn, text: str) -> str:
    """A part of the text as it is, or gone on with something that does not follow there."""
    start = draw(st.integers(0, max(0, len(text) - 1)))
    part = text[start : start + draw(st.integers(0, 6))]
    return part + draw(st.text(CHARACTERS, min_size=not part, max_size=2))


def must_wait(text: str, stops: tuple[str, ...]) -> int:
    """The longest ending of a text that is the beginning of a stop sequence, but not all of it."""
    beginnings = [stop[:size] for stop in stops for size in range(1, len(stop))]
    return max((len(b) for b in beginnings if text.endswith(b)), default=0)


def stopped(text: str, stops: tuple[str, ...]) -> bool:
    return any(stop in text for stop in stops)


def begin(tokenizer: Tokenizer, script: Scripted) -> tuple[ChoiceWriter, TextChunk]:
    # The prompt's end is the beginning of many of the stop sequences, and must not count.
    prompt = "STOPa" if script.echo else ""
    request = ChoiceRequest(
        tokenizer.encode(prompt), prompt, len(script.tokens) + 1, script.echo, script.stops
    )
    writer = ChoiceWriter(request, tokenizer)
    scores = [TokenScore(-1.0, ()) for _ in request.prompt_ids]
    return writer, writer.begin(scores if script.echo else None)


@settings(derandomize=True, deadline=None, max_examples=600)
@given(data=st.data())
def test_only_possible_stop_beginnings_are_held_back(tiny: Tokenizer, data: st.DataObject) -> None:
    script = data.draw(scripts(tiny))
    writer, echo = begin(tiny, script)
    assert echo.text == ("STOPa" if script.echo else "")
    read, out, entries = b"", "", 0
    places: list[int] = []
    for token in script.tokens:
        places.append(len(read))
        read += tiny.token_bytes(token)
        chunk = writer.add(token, TokenScore(-1.0, ()))
        out += chunk.text
        entries += len(chunk.entries)
        text = complete(read)
        if stopped(text, script.stops):
            assert chunk.finish == "stop"
            break
        assert chunk.finish is None
        assert len(text) - len(out) == must_wait(text, script.stops)
        assert text.startswith(out)
        begun = owners(read)
        assert entries == sum(begun[place] < len(out) for place in places), "scored with its text"


def released(tokenizer: Tokenizer, chunks: list[str | int], *stops: str) -> list[str]:
    """What comes out token by token; a piece is a token's text, or a number for a single byte."""
    ids = by_byte(tokenizer)
    tokens = [ids[p.encode() if isinstance(p, str) else bytes([p])] for p in chunks]
    writer = ChoiceWriter(ChoiceRequest((), "", len(tokens) + 1, stop=stops), tokenizer)
    writer.begin(None)
    out = []
    for token in tokens:
        chunk = writer.add(token, None)
        out.append(chunk.text)
        if chunk.finish:
            break
    return out


@pytest.mark.parametrize(
    ("chunks", "stops", "expected"),
    [
        (["a", "a", "b"], ["aab"], ["", "", ""]),
        (["a", "a", "a", "b"], ["aab"], ["", "", "a", ""]),
        (["a", "a", "b", "a"], ["aac"], ["", "", "aab", ""]),
        (["a", "b", "a", "b", "b"], ["ababa", "abb"], ["", "", "", "", "ab"]),
        (["S", "T", "O"], ["ST", "STOP"], ["", ""]),
        (["ab", "世", "界"], ["b世人", "世界"], ["a", "", "b"]),
        (["世", "世", "界"], ["世界"], ["", "世", ""]),
        ([*"é😀".encode(), "b"], ["😀a"], ["", "é", "", "", "", "", "😀b"]),
        (["a", 0xF0, "b"], ["a😀"], ["", "", "a\ufffdb"]),
    ],
    ids=[
        "all of it",
        "overlaps itself",
        "fails at its end",
        "the longer of two beginnings",
        "one begins the other",
        "begins in a token and fails in the next",
        "chinese",
        "characters of several tokens",
        "a character that breaks off",
    ],
)
def test_released_text_after_each_token_is_exact(
    tiny: Tokenizer, chunks: list[str | int], stops: list[str], expected: list[str]
) -> None:
    assert released(tiny, chunks, *stops) == expected
