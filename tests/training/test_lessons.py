"""Lessons are repeatable, varied and correct."""

from itertools import islice
from random import Random

import pytest

from reference_server.training import lessons, phrases


def test_seed_determines_a_curriculum():
    assert list(islice(lessons.stream(7), 200)) == list(islice(lessons.stream(7), 200))


def test_another_seed_gives_another_curriculum():
    assert list(islice(lessons.stream(7), 20)) != list(islice(lessons.stream(8), 20))


def test_lessons_rarely_repeat():
    some = list(islice(lessons.stream(1), 2000))
    assert len(set(some)) > 0.85 * len(some)


@pytest.mark.parametrize("lesson", lessons.WEIGHTS, ids=lambda lesson: lesson.__name__)
def test_every_lesson_has_text(lesson: lessons.Lesson):
    assert all(lesson(Random(seed)).strip() for seed in range(50))


@pytest.mark.parametrize(
    ("number", "english", "chinese"),
    [
        (7, "seven", "七"),
        (10, "ten", "十"),
        (13, "thirteen", "十三"),
        (40, "forty", "四十"),
        (99, "ninety-nine", "九十九"),
    ],
)
def test_numbers_are_spelled_in_words(number: int, english: str, chinese: str):
    assert phrases.english_number(number) == english
    assert phrases.chinese_number(number) == chinese


def test_sums_are_right():
    for seed in range(50):
        for row in lessons.arithmetic(Random(seed)).replace(", ", "\n").splitlines():
            left, sign, right, _, result = row.split()
            a, b = int(left), int(right)
            assert int(result) == {"+": a + b, "-": a - b, "*": a * b}[sign]
