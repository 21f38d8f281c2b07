"""A choice from its tokens, compared with a reader of the whole text."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.engine.choice import Choice, ChoiceRequest, ChoiceWriter, TextChunk
from reference_server.engine.logprobs import TokenScore
from reference_server.engine.tokenizer import Tokenizer

END = 0


def ids(tokenizer: Tokenizer, text: str) -> tuple[int, ...]:
    return tokenizer.encode(text)


def score(token: int) -> TokenScore:
    return TokenScore(-float(token), ((token, -float(token)), (70, -99.0)))


def write(
    tokenizer: Tokenizer, sampled: Sequence[int], *, scored: bool = True, **request: Any
) -> Choice:
    """Feed tokens until the choice is finished."""
    body = ChoiceRequest(**{"prompt_ids": (), "prompt_text": "", "max_tokens": 99} | request)
    writer = ChoiceWriter(body, tokenizer)
    prompt_scores = [None, *map(score, body.prompt_ids[1:])] if body.prompt_ids else []
    choice = Choice([writer.begin(prompt_scores if scored and body.echo else None)])
    for token in sampled:
        if choice.finish:
            break
        choice.chunks.append(writer.add(token, score(token) if scored else None))
    return choice


def test_text_is_released_with_its_completing_token(tiny: Tokenizer) -> None:
    choice = write(tiny, ids(tiny, "ab世😀"), max_tokens=50)
    assert [chunk.text for chunk in choice.chunks] == ["", "ab", "世", "😀"]
    one_by_one = [ids(tiny, "ab")[0], *tiny_bytes(tiny, "é😀")]
    texts = [chunk.text for chunk in write(tiny, one_by_one).chunks]
    assert texts == ["", "ab", "", "é", "", "", "", "😀"]


def tiny_bytes(tokenizer: Tokenizer, text: str) -> list[int]:
    """The ids of the single bytes of a text."""
    singles = {tokenizer.token_bytes(token): token for token in range(4, 260)}
    return [singles[bytes([byte])] for byte in text.encode()]


def test_end_of_text_is_counted_but_not_shown(tiny: Tokenizer) -> None:
    choice = write(tiny, [*ids(tiny, "ab"), END])
    assert (choice.text, choice.finish, choice.tokens) == ("ab", "stop", 2)
    assert [(entry.token, entry.offset) for entry in choice.entries] == [
        ("ab", 0),
        ("<|endoftext|>", 2),
    ]
    cut = write(tiny, [tiny_bytes(tiny, "😀")[0], END])
    assert (cut.text, cut.entries[-1].offset) == ("\ufffd", 1)


def test_last_allowed_token_finishes_with_length(tiny: Tokenizer) -> None:
    choice = write(tiny, ids(tiny, "ab世界"), max_tokens=2)
    assert (choice.text, choice.finish, choice.tokens) == ("ab世", "length", 2)
    assert choice.chunks[-1] == TextChunk(
        "世", choice.entries[1:], "length", 2, ids=tuple(ids(tiny, "世"))
    )


def test_cut_character_is_one_replacement_character(tiny: Tokenizer) -> None:
    choice = write(tiny, tiny_bytes(tiny, "a😀"), max_tokens=4)
    assert choice.text == "a\ufffd"
    assert [entry.token for entry in choice.entries] == [
        "a",
        "bytes:\\xf0",
        "bytes:\\x9f",
        "bytes:\\x98",
    ]
    assert [entry.offset for entry in choice.entries] == [0, 1, 1, 1]
    assert [chunk.text for chunk in choice.chunks[:-1]] == ["", "a", "", ""]


def test_stop_over_three_tokens_is_held_and_cut(tiny: Tokenizer) -> None:
    sampled = [*ids(tiny, "ab"), *ids(tiny, "ST"), *ids(tiny, "OP"), *ids(tiny, "you")]
    choice = write(tiny, sampled, stop=("bSTO",))
    assert [chunk.text for chunk in choice.chunks] == ["", "a", "", ""]
    assert (choice.finish, choice.tokens) == ("stop", 3)
    assert [entry.token for entry in choice.entries] == ["ab"]


def test_incomplete_stop_is_released(tiny: Tokenizer) -> None:
    sampled = [*ids(tiny, "ab"), *ids(tiny, "ST"), *ids(tiny, "you")]
    choice = write(tiny, sampled, stop=("bSTOP",))
    assert [chunk.text for chunk in choice.chunks] == ["", "a", "", "bSTyou"]
    ended = write(tiny, [*sampled[:2], END], stop=("bSTOP",))
    assert (ended.text, ended.finish) == ("abST", "stop")
    limited = write(tiny, sampled, stop=("bSTOP",), max_tokens=2)
    assert (limited.text, limited.finish) == ("abST", "length")


def test_stop_in_the_last_allowed_token_finishes_stop(tiny: Tokenizer) -> None:
    assert write(tiny, ids(tiny, "ab"), stop=("b",), max_tokens=1).finish == "stop"


def test_prompt_is_never_searched_for_a_stop(tiny: Tokenizer) -> None:
    choice = write(
        tiny,
        ids(tiny, "you"),
        prompt_ids=ids(tiny, "STOP"),
        prompt_text="STOP",
        echo=True,
        stop=("STOP", "Pyou"),
        max_tokens=1,
    )
    assert (choice.text, choice.finish) == ("STOPyou", "length")


def test_echo_is_in_the_first_chunk(tiny: Tokenizer) -> None:
    prompt = ids(tiny, "世界")
    echoed = {"prompt_ids": prompt, "prompt_text": "世界", "echo": True}
    choice = write(tiny, ids(tiny, "ab"), **echoed, max_tokens=1)
    assert [chunk.text for chunk in choice.chunks] == ["世界", "ab"]
    assert [entry.offset for entry in choice.entries] == [0, 1, 2]
    assert choice.entries[0].logprob is choice.entries[0].top is None
    scoring = write(tiny, [], **echoed, max_tokens=0)
    assert (scoring.text, scoring.finish, scoring.tokens) == ("世界", "length", 0)


def test_echo_entries_include_a_partial_character(
    tiny: Tokenizer,
) -> None:
    head, *tail = tiny_bytes(tiny, "😀")
    choice = write(tiny, tail, prompt_ids=(head,), prompt_text=None, echo=True, max_tokens=3)
    assert [(chunk.text, len(chunk.entries)) for chunk in choice.chunks] == [
        ("", 1),
        ("", 0),
        ("", 0),
        ("😀", 3),
    ]
    assert [entry.offset for entry in choice.entries] == [0, 0, 0, 0]


def test_prompt_text_is_echoed_unchanged(
    tiny: Tokenizer,
) -> None:
    # As a vocabulary does that puts a space before every text, and one that takes characters apart.
    for spelt, sent, starts in [(" and", "nd", [0]), ("  ab", "ab", [0, 0, 0]), ("a", "ab", [1])]:
        request = {"prompt_ids": ids(tiny, spelt), "prompt_text": sent, "echo": True}
        choice = write(tiny, ids(tiny, "you"), **request, max_tokens=1)
        assert choice.text == sent + "you"
        assert [entry.offset for entry in choice.entries] == [*starts, len(sent)]


def test_echo_does_not_change_the_cut_tokens(tiny: Tokenizer) -> None:
    sampled = [*ids(tiny, "ab"), *ids(tiny, "ST"), *ids(tiny, "OP")]
    for echo in (False, True):
        request = ChoiceRequest(ids(tiny, "you"), "you", 9, echo, stop=("STOP",))
        writer = ChoiceWriter(request, tiny)
        # Ranked for best_of without logprobs: only the completion is scored.
        chunks = [writer.begin(None), *(writer.add(token, score(token)) for token in sampled)]
        assert [entry.token for entry in Choice(chunks).entries] == ["ab"]


def test_offsets_without_echo_begin_after_the_prompt(tiny: Tokenizer) -> None:
    choice = write(tiny, ids(tiny, "ab世"), prompt_ids=ids(tiny, "😀界"), prompt_text=None)
    assert [entry.offset for entry in choice.entries] == [2, 4]


def test_character_may_span_prompt_and_completion(tiny: Tokenizer) -> None:
    head, *tail = tiny_bytes(tiny, "😀")
    request = {"prompt_ids": (head,), "prompt_text": None, "max_tokens": 3}
    assert write(tiny, tail, **request, echo=True).text == "😀"
    assert write(tiny, tail, **request, echo=True, scored=False).text == "😀"
    # Its own text alone cannot hold it: each of the bytes is one of a character cut off.
    alone = write(tiny, tail, **request)
    assert (alone.text, [entry.offset for entry in alone.entries]) == ("\ufffd" * 3, [1, 2, 3])


def test_sampled_token_wins_among_equal_spellings(
    tiny: Tokenizer,
) -> None:
    token = ids(tiny, "a")[0]
    writer = ChoiceWriter(ChoiceRequest((), "", 1), tiny)
    writer.begin(None)
    twins = TokenScore(-2.0, ((70, -1.0), (token, -2.0)))
    (entry,) = writer.add(token, twins).entries
    assert entry.top == {tiny.token_bytes(70).decode(): -1.0, "a": -2.0}


@given(data=st.data())
def test_joined_chunks_equal_the_whole_text(tiny: Tokenizer, data: st.DataObject) -> None:
    token = st.integers(0, tiny.size - 1).filter(lambda t: t not in (0, 1, 2, 3))
    sampled = data.draw(st.lists(token | st.just(END), min_size=1, max_size=12))
    stops = data.draw(st.lists(st.text("abcSTOPyou世界é", min_size=1, max_size=3), max_size=3))
    limit = data.draw(st.integers(1, len(sampled)))
    prompt = data.draw(st.sampled_from(["", "ab", "世😀", "you and"]))
    echo = data.draw(st.booleans())
    choice = write(
        tiny,
        [*sampled, END],
        prompt_ids=ids(tiny, prompt),
        prompt_text=prompt,
        echo=echo,
        stop=tuple(stops),
        max_tokens=limit,
    )
    text, finish = second_reading(tiny, sampled[:limit], stops, full=len(sampled) >= limit)
    assert choice.text == (prompt if echo else "") + text
    assert choice.finish == finish
    assert [chunk.finish for chunk in choice.chunks[:-1]] == [None] * (len(choice.chunks) - 1)
    entries = choice.entries[len(ids(tiny, prompt)) if echo else 0 :]
    names = b"".join(tiny.token_bytes(int(-(e.logprob or 0))) for e in entries if e.logprob)
    if finish == "length":
        assert len(entries) == limit == choice.tokens
        assert names.decode("utf-8", "replace") == text
    assert names.decode("utf-8", "replace").rstrip("\ufffd").startswith(text.rstrip("\ufffd"))
    offsets = [entry.offset for entry in choice.entries]
    assert offsets == sorted(offsets)


def second_reading(
    tokenizer: Tokenizer, sampled: list[int], stops: list[str], *, full: bool
) -> tuple[str, str]:
    """Text and finish, from all tokens at once."""
    ended = END in sampled
    kept = sampled[: sampled.index(END)] if ended else sampled
    text = tokenizer.text(kept)
    for end in range(1, len(text) + 1):
        ending = [stop for stop in stops if text[:end].endswith(stop)]
        if ending:
            return text[: end - max(map(len, ending))], "stop"
    return text, "length" if full and not ended else "stop"


@pytest.mark.parametrize("scored", [True, False])
def test_empty_chunk_is_falsy(scored: bool) -> None:
    assert not TextChunk()
    assert TextChunk("a") if scored else TextChunk(finish="stop")
