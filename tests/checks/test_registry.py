"""Every registered check has its sentence in both languages."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from conformance.api import Api
from conformance.checks import Check
from conformance.checks._shared.request_shapes import SHAPES, ShapeQueue
from conformance.checks.registry import check, invariant, titles_of
from conformance.engine.discovery import all_checks
from tests.cases import for_each_case


def documented(docstring: str) -> Callable[[], None]:
    def function() -> None:
        return

    function.__doc__ = docstring
    return function


def test_sentence_is_the_first_two_paragraphs() -> None:
    function = documented(
        """The limit holds in a batch
        as well.

        批次同样遵守上限，无论 `n`
        取何值，且不超过
        max_tokens 与
        n 之积。

        Nothing else is read.
        """
    )
    english, chinese = titles_of(function, "a.check")
    assert english == "The limit holds in a batch as well."
    assert chinese == "批次同样遵守上限，无论 `n` 取何值，且不超过 max_tokens 与 n 之积。"


@pytest.mark.parametrize(
    "docstring",
    ["", "It holds.", "It holds.\n\nRaises:\n    ValueError: it does not.\n\n太晚了。"],
)
def test_check_without_both_sentences_is_rejected(docstring: str) -> None:
    async def function(_: Api) -> None:
        return

    function.__doc__ = docstring
    with pytest.raises(ValueError, match=r"^check no\.sentence: the docstring"):
        check("no.sentence", requirement="stop.string")(function)
    with pytest.raises(ValueError, match=r"^check no\.sentence: the docstring"):
        invariant("no.sentence", requirement="stop.string")(documented(docstring))
    assert "no.sentence" not in {known.id for known in all_checks()}


def test_id_is_registered_once() -> None:
    with pytest.raises(ValueError, match=r"^check stop\.string is registered twice"):
        invariant("stop.string", requirement="stop.string")(documented("It holds.\n\n成立。"))


@for_each_case("known", all_checks(), ids=lambda known: known.id)
def test_both_sentences_name_the_same_parameters(known: Check) -> None:
    english, chinese = (set(re.findall("`[^`]+`", t)) for t in (known.title, known.title_zh))
    assert english <= chinese, "what is quoted is the same in every language"
    assert known.title_zh.endswith("。")
    assert "  " not in known.title_zh


def test_shared_parts_are_requested_once() -> None:
    turns, request = ShapeQueue(SHAPES), []
    for shape in turns:
        request.append(shape)
        turns.take_apart(shape)
    parts = {part for shape in SHAPES for part in shape.parts}
    assert request[: len(SHAPES)] == list(SHAPES)
    assert len(request) == len(set(request)) == len(SHAPES) + len(parts)
