"""Texts in two languages, and how the language is chosen."""

from __future__ import annotations

import pytest

from conformance.language import Language, Text, join_texts, language_of, same

CHECKS = Text("{count} checks", "{count} 项检查")


def test_text_has_both_languages() -> None:
    text = CHECKS.format(count=2)
    assert text.of(Language.ENGLISH) == "2 checks"
    assert text.of(Language.CHINESE) == "2 项检查"


def test_nested_text_uses_the_outer_language() -> None:
    text = Text("{checks} failed", "{checks}未通过").format(checks=CHECKS.format(count=2))
    assert text == Text("2 checks failed", "2 项检查未通过")


def test_texts_are_joined_for_each_language() -> None:
    parts = [same("`stop`"), same("`echo`")]
    assert join_texts(parts, Text(", ", "、")) == Text("`stop`, `echo`", "`stop`、`echo`")


def test_change_applies_to_both_languages() -> None:
    assert Text("a", "b").mapped(str.upper) == Text("A", "B")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "ZH_TW"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8", "LC_ALL": ""}, "zh"),
    ],
)
def test_locale_selects_the_language(environment: dict[str, str], language: str) -> None:
    assert language_of(environment) == Language(language)
