"""A broken character counts only where the tokens show a whole one in its place."""

from __future__ import annotations

import pytest

from conformance.checks._shared.spelling import is_broken_in, spell

LOST = "\ufffd"


@pytest.mark.parametrize(
    ("text", "tokens", "broken"),
    [
        (f"一{LOST}三", ["一", "二", "三"], True),
        (f"{LOST}二三", ["一", "二", "三"], True),
        (LOST * 6, ["一", "二"], True),
        (f"一{LOST}三", ["一", r"bytes:\xe4\xba", r"bytes:\x8c", "三"], True),
        (f"一{LOST}三", ["一", "<0xE4>", "<0xBA>", "<0x8C>", "三"], True),
        (f"一{LOST * 2}三", ["一", "", "二", "三"], True),
        ("a\ud83c\udf4eb", ["a", "🍎", "b"], True),
        (f"*{LOST * 2}\x00", ["*", "", "", "\x00"], False),  # lone bytes written as nothing
        (f"*{LOST * 2}\x00", ["*", LOST, LOST, "\x00"], False),
        (f"*{LOST * 2}\x00", ["*", r"bytes:\xfe", r"bytes:\xff", "\x00"], False),
        (f"*{LOST * 2}\x00", ["*", "<0xFE>", "<0xFF>", "\x00"], False),
        (f"旧{LOST}就", ["旧", "", "就"], False),
        (f"旧{LOST}就是", ["旧", "", "就", "<|fim_middle|>", "是"], False),
        (f"a{LOST}，{LOST}b中", ["a", "", "", "", LOST, "b", "中"], False),
        (f"🍎{LOST}🍎", ["🍎", "", "🍎"], False),
        (f"一二{LOST}", ["一", "二", "三"], False),  # the limit may have cut it
        ("一二", ["一", "二"], False),
    ],
)
def test_broken_character_needs_a_whole_one(text: str, tokens: list[str], broken: bool) -> None:
    assert is_broken_in(text, tokens) is broken


@pytest.mark.parametrize("to_the_end", [False, True])
@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("一二三", ["一", "二", "三"]),
        ("今天早", [LOST, "", "天", "早"]),
        ("a今天", ["a", "", "", "今", "天"]),
        ("a今天", ["a", "", "", "天"]),
        (f"旧{LOST}就是", ["旧", "", "就", "是"]),
        ("一二", ["一", "", "二", ""]),
        ("", []),
        ("🍎", [r"bytes:\xf0\x9f", r"bytes:\x8d\x8e"]),
        ("中a", ["<0xE4>", "<0xB8>", "<0xAD>", "a"]),
    ],
)
def test_tokens_spell_the_text(text: str, tokens: list[str], to_the_end: bool) -> None:
    assert spell(tokens, text, to_the_end=to_the_end)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (" road found", [" road", "<|fim_middle|>", " found"]),
        ("一二三", ["一", "", "三 "]),
        ("一二三四", ["一", "", "四"]),
        ("今天早", ["", "天", "晚"]),
        ("a b", ["a", "b"]),
    ],
)
def test_other_tokens_do_not_spell_it(text: str, tokens: list[str]) -> None:
    assert not spell(tokens, text, to_the_end=True)


def test_tokens_may_go_on_behind_a_stop() -> None:
    assert spell(["a", "b", "c"], "ab", to_the_end=False)
    assert not spell(["a", "b", "c"], "ab", to_the_end=True)
    assert not spell(["a", "c"], "ab", to_the_end=False)
