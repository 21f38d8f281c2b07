"""Samples per setting: which texts are equal, and whether they should be."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.report.charts import diversity
from tests.report.charts.exchanges import non_streaming, record_of, stream


def sampled(*texts: Any, **request: Any):
    choices = [{"text": text, "index": place} for place, text in enumerate(texts)]
    return non_streaming("x", choices=choices, **{"max_tokens": 8, "n": len(texts), **request})


def rows_of(*exchanges):
    found = diversity.numbers(record_of(*exchanges))
    return found or ()


def test_texts_are_numbered_in_order() -> None:
    (row,) = rows_of(sampled("a", "b", "a", "c", temperature=1))
    assert row.texts == (0, 1, 0, 2)
    assert row.distinct == 3
    assert row.setting == diversity.Setting(1.0, None, seeded=False)


def test_samples_of_one_setting_are_combined() -> None:
    (row,) = rows_of(sampled("a", "b"), sampled("c"), sampled("d", "a"))
    assert row.texts == (0, 1, 2, 3, 0)


def test_prompt_with_most_samples_is_shown() -> None:
    (row,) = rows_of(sampled("a", "b", "c"), sampled("a", "b", "c", "d", prompt="another"))
    assert len(row.texts) == 4


def test_seeded_requests_compare_first_choices() -> None:
    seeded = [sampled("a", str(number), seed=7) for number in range(3)]
    (row,) = rows_of(*seeded)
    assert row.texts == (0, 0, 0)
    assert row.setting.seeded


def test_deterministic_rows_come_first() -> None:
    rows = rows_of(
        *(sampled("a", "b", "c", temperature=heat) for heat in (1.5, 0, 0.2)),
        *(sampled("a", temperature=1, seed=3) for _ in range(3)),
    )
    assert [(row.setting.temperature, row.setting.certain) for row in rows] == [
        (0.0, True),
        (1.0, True),
        (0.2, False),
        (1.5, False),
    ]


@pytest.mark.parametrize(
    "exchange",
    [
        sampled("a", "b"),
        sampled("a", "b", "c", echo=True),
        sampled("a", "b", "c", best_of=5),
        sampled("a", "b", "c", logit_bias={"5": 1}),
        sampled("a", "b", "c", suffix="x"),
        sampled("a", "b", "c", max_tokens=1),
        sampled("a", "b", "c", max_tokens="8"),
        sampled("a", "b", "c", prompt=["1", "2", "3"]),
        sampled(None, 7, {}, []),
        stream("s", [0.1] * 5),
    ],
)
def test_modified_samples_are_left_out(exchange) -> None:
    assert rows_of(exchange) == ()


@pytest.mark.parametrize(
    ("exchange", "sentence"),
    [
        (sampled("a", "a", "b", temperature=0), "temperature 0: 2 different texts among 3 samples"),
        (sampled("a", "b", "c", temperature=0), "temperature 0: all 3 samples differ."),
        (sampled("a", "a", "a", temperature=1), "temperature 1: all 3 samples are the same."),
        (sampled("a", "a", "a"), "temperature (default): all 3 samples are the same."),
        (sampled("a", "a", "a", temperature=0), "At temperature 0, all samples are the same."),
        (sampled("a", "b", "a", temperature=1), "With random sampling, samples differ."),
        (sampled("a", "a", "a", top_p=0.1), "Each letter is a distinct output."),
    ],
)
def test_unexpected_diversity_is_reported(exchange, sentence: str) -> None:
    picture = diversity.draw(rows_of(exchange))
    assert sentence in picture.says.en
    assert picture.says.zh.startswith("每个字母代表一种输出。")


def test_deterministic_settings_are_named() -> None:
    cold = sampled("a", "a", "a", temperature=0)
    seeded = [sampled("a", seed=7) for _ in range(3)]
    for request, sentence in (
        ([cold], "At temperature 0, all samples are the same."),
        (seeded, "With the same seed, all samples are the same."),
        ([cold, *seeded], "At temperature 0 and with the same seed, all samples are the same."),
    ):
        assert (
            diversity.draw(rows_of(*request)).says.en
            == f"Each letter is a distinct output. {sentence}"
        )


def test_expected_diversity_is_in_the_text_alternative() -> None:
    picture = diversity.draw(rows_of(sampled("a", "b", "c", temperature=1)))
    assert "all 3 samples differ" not in picture.says.en
    assert "temperature 1: all 3 samples differ." in picture.svg


def test_every_drawn_text_has_a_letter() -> None:
    (row,) = rows_of(sampled(*map(str, range(100))))
    assert row.distinct == len(row.texts) == diversity.MAX_SAMPLES == len(diversity.LETTERS)
    assert ">X<" in diversity.draw((row,)).svg
