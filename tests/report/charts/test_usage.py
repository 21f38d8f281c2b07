"""Usage over length: offset and slope are stated only if the points support them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.report.charts import usage as usage_chart
from conformance.report.charts.regression import fitted, is_straight
from tests.report.charts.exchanges import non_streaming, record_of

LENGTHS = (4, 8, 27, 45, 123)


def in_ids(usage: Callable[[int], int], lengths=LENGTHS):
    return record_of(
        *(
            non_streaming(f"x{n}", prompt=list(range(n)), usage={"prompt_tokens": usage(n)})
            for n in lengths
        )
    )


def says(record) -> str:
    found = usage_chart.numbers(record)
    assert found is not None
    return usage_chart.draw(found).says.en


@pytest.mark.parametrize(
    ("usage", "sentence"),
    [
        (lambda n: n, "no offset, no extra growth"),
        (lambda n: n + 1, "no offset, no extra growth"),
        (lambda n: n + 12, "reports 12 more tokens than sent"),
        (lambda n: n + 2_417, "reports 2,417 more tokens than sent"),
        (lambda n: n * 3 // 2, "tokens grow 50 % faster than the prompt"),
        (
            lambda n: n * 2 + 30,
            "reports 30 more tokens than sent for every prompt: a constant offset",
        ),
        (lambda n: n * 2 + 30, "tokens grow 100 % faster than the prompt"),
        (lambda n: n // 2, "tokens grow 50 % slower than the prompt"),
        (lambda _: 7, "reported as about 7 tokens, regardless of its length"),
        (lambda _: 0, "reported as about 0 tokens, regardless of its length"),
        (lambda n: n - 3, "Usage reports 3 fewer tokens than sent for every prompt"),
        (lambda n: {4: 90, 8: 3, 27: 500, 45: 2, 123: 77}[n], "do not fit a line"),
    ],
)
def test_line_is_described_in_words(usage: Callable[[int], int], sentence: str) -> None:
    assert sentence in says(in_ids(usage))


def test_one_outlier_does_not_bend_the_line() -> None:
    assert "12 more tokens" in says(in_ids(lambda n: 900 if n == 27 else n + 12))


def test_few_points_make_no_line() -> None:
    assert "too few to fit a line" in says(in_ids(lambda n: n + 12, (4, 8, 45)))
    assert "no offset, no extra growth" in says(in_ids(lambda n: n, (4, 8, 45)))
    assert usage_chart.numbers(in_ids(lambda n: n, (4, 8))) is None


def test_close_points_show_no_slope() -> None:
    assert fitted([(20.0, 20.0), (21.0, 22.0), (22.0, 22.0), (23.0, 24.0)]) is None


def test_line_is_straight_if_most_points_fit() -> None:
    points = [(float(x), 2.0 * x + 5) for x in (1, 5, 10, 50)]
    line = fitted(points)
    assert line is not None
    assert (line.offset, line.slope) == pytest.approx((5, 2))
    assert is_straight(line, points)
    assert not is_straight(line, [*points, (20, 90), (30, 3)])


def an_echo(prompt: str, offsets: list, usage: object, text: str | None = None):
    choice = {"text": text or f"{prompt} next", "logprobs": {"text_offset": offsets}}
    return non_streaming(
        prompt, prompt=prompt, echo=True, choices=[choice], usage={"prompt_tokens": usage}
    )


def test_tokens_of_an_echoed_prompt_are_counted() -> None:
    record = record_of(
        an_echo("one", [0, 1, 2, 3], 13),
        an_echo("a longer one", [0, 2, 9, 12, 13], 13),
        non_streaming("x3", prompt="a longer one", usage={"prompt_tokens": 15}),
        non_streaming("x4", prompt=[1, 2, 3, 4, 5], usage={"prompt_tokens": 15}),
        an_echo("echoed otherwise", [0, 1], 9, text="something else"),
        an_echo("offsets that are none", [0, "1", None], 9),
    )
    found = usage_chart.numbers(record)
    assert found is not None
    assert not found.in_tokens  # the two lengths that can be counted are too few
    record = record_of(
        an_echo("one", [0, 1, 2, 3], 13),
        an_echo("one and another", [0, 2, 9, 12, 15], 14),
        non_streaming("x4", prompt=[1, 2, 3, 4, 5], usage={"prompt_tokens": 15}),
    )
    found = usage_chart.numbers(record)
    assert found is not None
    assert found.in_tokens
    assert found.all_points == ((3, 13), (4, 14), (5, 15))


def test_batched_usage_is_left_out() -> None:
    record = record_of(
        *(
            non_streaming(f"x{n}", prompt=list(range(n)), n=2, usage={"prompt_tokens": 2 * n})
            for n in LENGTHS
        ),
        non_streaming("batch", prompt=[[1, 2], [3]], usage={"prompt_tokens": 3}),
        non_streaming("texts", prompt=["a", "b"], usage={"prompt_tokens": 2}),
        non_streaming("fill", prompt="a", suffix="b", usage={"prompt_tokens": 5}),
    )
    assert usage_chart.numbers(record) is None


def test_uncountable_prompts_are_plotted_by_characters_per_script() -> None:
    ascii_usages = [
        non_streaming(f"a{n}", prompt="word " * n, usage={"prompt_tokens": n + 20})
        for n in (1, 4, 9, 30)
    ]
    chinese = [
        non_streaming(f"c{n}", prompt="今天" * n, usage={"prompt_tokens": 3 * n + 20})
        for n in (1, 4, 9, 30)
    ]
    mixed = non_streaming("m", prompt="a good 词", usage={"prompt_tokens": 500})
    found = usage_chart.numbers(record_of(*ascii_usages, *chinese, mixed))
    assert found is not None
    assert not found.in_tokens
    assert [series.script for series in found.series] == [usage_chart.ASCII, usage_chart.CJK]
    assert [len(series.points) for series in found.series] == [4, 4]
    result = usage_chart.draw(found).says
    assert "The shortest prompt, 2 characters, is reported as 23 tokens." in result.en
    assert "ASCII text: 0.20 tokens per character plus 20." in result.en
    assert "Chinese text: 1.50 tokens per character plus 20." in result.en
    assert "最短的 prompt（2 个字符）计 23 个 token。" in result.zh


@pytest.mark.parametrize(
    ("once", "twice", "sentence"),
    [
        (15, 30, "A text is reported as 15 tokens, the same text twice as 30: no offset."),
        (16, 31, "A text is reported as 16 tokens, the same text twice as 31: no offset."),
        (
            27,
            42,
            "A text is reported as 27 tokens, the same text twice as 42: an offset of 12",
        ),
    ],
)
@pytest.mark.parametrize("between", ["", " ", "\n"])
def test_doubled_text_shows_the_offset(once: int, twice: int, sentence: str, between: str) -> None:
    text = "red green blue"
    record = record_of(
        non_streaming("x1", prompt=text, usage={"prompt_tokens": once}),
        non_streaming("x2", prompt=f"{text}{between}{text}", usage={"prompt_tokens": twice}),
        non_streaming("x3", prompt="1", usage={"prompt_tokens": once - 14}),
    )
    assert sentence in says(record)
    assert ("one character, is reported as 1 token." in says(record)) is (once == 15)


def test_other_repeated_texts_do_not_show_the_offset() -> None:
    record = record_of(
        *(
            non_streaming(f"x{n}", prompt="red " * n + "blue", usage={"prompt_tokens": 12 + n})
            for n in (1, 2, 5)
        )
    )
    assert "the same text twice" not in says(record)


@pytest.mark.parametrize("usage", ["12", 12.0, -3, None, True, 10**30, {}, [12]])
def test_invalid_usage_is_no_point(usage: object) -> None:
    record = record_of(
        *(
            non_streaming(f"x{n}", prompt=list(range(n)), usage={"prompt_tokens": usage})
            for n in LENGTHS
        ),
        non_streaming("none", usage=usage),
    )
    assert usage_chart.numbers(record) is None
