"""Control characters are shown as marks."""

import pytest

from conformance.report.sanitize import cut, line, lines


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred", "␛[31mred"),
        ("nul\x00byte", "nul␀byte"),
        ("\x7f", "␡"),
        ("\x9b31m", "⟨U+009B⟩31m"),
        ("\u202etxt.exe", "⟨U+202E⟩txt.exe"),
        ("\u2066hidden\u2069", "⟨U+2066⟩hidden⟨U+2069⟩"),
        ("zero\u200bwidth", "zero⟨U+200B⟩width"),
        ("\ufeffmark", "⟨U+FEFF⟩mark"),
        ("\ud800", "⟨U+D800⟩"),
        ("\uffff", "⟨U+FFFF⟩"),
        ("\u2028", "⟨U+2028⟩"),
    ],
)
def test_control_character_becomes_a_mark(hostile: str, shown: str) -> None:
    assert line(hostile) == lines(hostile) == shown


@pytest.mark.parametrize("plain", ["Grüße", "一二三", "👩‍👩‍👧", "שלום", "a b"])
def test_ordinary_text_is_unchanged(plain: str) -> None:
    assert line(plain) == plain


def test_only_multiline_text_keeps_newlines() -> None:
    assert line("a\nb\tc") == "a␊b␉c"
    assert lines("a\r\nb\tc\rd") == "a\nb\tc␍d"


def test_long_text_is_cut_with_an_ellipsis() -> None:
    assert cut("abcdef", 4) == "abc…"
    assert cut("abcd", 4) == "abcd"
