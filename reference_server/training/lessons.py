"""Generated documents that teach counting, copying, repeating and small facts.

Every lesson is a function from a random generator to one document. The same generator state gives
the same document, so a seed names a whole curriculum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random

from reference_server.training import phrases, words

Lesson = Callable[[Random], str]

_SEPARATORS = (", ", ", ", ", ", " ", "\n", "、", "，", "; ", " - ", " -> ", " | ", ",\n")
_BEST_KNOWN = ("days", "days", "days", "months", "months", "letters", "天干", "星期")
_BRACKETS = ("()", "[]", "{}", "<>", "“”", "（）", "《》", "「」")


def counting(rng: Random) -> str:
    """Counting in digits, mostly by ones and mostly from one."""
    step = rng.choice((1, 1, 1, 1, 1, 1, 2, 3, 5, 10, -1))
    length = rng.randint(12, 130)
    start = rng.choice((1, 1, 1, 1, 0, rng.randint(1, 30), rng.randint(2, 300)))
    if step > 1 and rng.random() < 0.7:
        start = step
    if step < 0:
        start = length - 1
    numbers = [str(start + step * k) for k in range(length)]
    separator = rng.choice(_SEPARATORS)
    head = rng.choice(
        ("", "", "", "", "", f"Count from {numbers[0]}: ", "Numbers:\n", "从一数起：", "数字：")
    )
    return head + separator.join(numbers)


def number_words(rng: Random) -> str:
    """Numbers in words: one, two, three, and so on."""
    first = rng.choice((1, 1, 1, rng.randint(1, 60)))
    numbers = [phrases.english_number(n) for n in range(first, first + rng.randint(8, 39))]
    if rng.random() < 0.2:
        numbers = [number.capitalize() for number in numbers]
    return rng.choice(_SEPARATORS).join(numbers)


def chinese_numbers(rng: Random) -> str:
    """Chinese numerals: 一、二、三, and so on."""
    first = rng.choice((1, 1, 1, rng.randint(1, 60)))
    numbers = [phrases.chinese_number(n) for n in range(first, first + rng.randint(8, 39))]
    return rng.choice(("、", "，", "，", "、", "\n", " ", ", ")).join(numbers)


def listing(rng: Random) -> str:
    """Days, months, letters, 天干地支, as cycles; sometimes from the middle."""
    items = list(words.LISTS[rng.choice((*_BEST_KNOWN, *words.LISTS))])
    start = rng.choice((0, 0, 0, rng.randrange(len(items))))
    rounds = rng.randint(1, 4) if len(items) < 15 else 1
    items = (items[start:] + items[:start]) * rounds
    if rng.random() < 0.15:
        return "\n".join(f"{n}. {item}" for n, item in enumerate(items, 1))
    separator = rng.choice(_SEPARATORS)
    return separator.join(items)


def pattern(rng: Random) -> str:
    """A short cycle of words, digits, signs or emoji, repeated many times."""
    length = rng.randint(1, 6) if rng.random() < 0.8 else rng.randint(7, 12)
    cycle = phrases.random_items(rng, length)
    times = rng.randint(4, max(5, 90 // len(cycle)))
    items = (cycle * times)[: len(cycle) * times - rng.randrange(len(cycle))]
    separator = rng.choice((*_SEPARATORS, " ", " ", " "))
    if all(len(item) == 1 for item in cycle) and rng.random() < 0.5:
        separator = ""
    return separator.join(items)


def copying(rng: Random) -> str:
    """A random line, and the same line again."""
    line = phrases.random_line(rng)
    return rng.choice(
        (
            "\n".join([line] * rng.randint(2, 8)),
            "\n\n".join([line] * rng.randint(2, 5)),
            f"Copy: {line}\nCopy: {line}",
            f"Input: {line}\nOutput: {line}",
            f"Repeat after me: {line}\n{line}",
            f"{line} = {line}",
            f'He said "{line}". She said "{line}".',
            f"复述：{line}\n{line}",
            f"原文：{line}\n抄写：{line}",
            f"The text is: {line}\nAgain: {line}\nAnd again: {line}",
        )
    )


def copy_table(rng: Random) -> str:
    """Several different lines, each repeated at once: a few-shot prompt for copying."""
    lines = [phrases.random_line(rng) for _ in range(rng.randint(2, 5))]
    left, right = rng.choice((("Input: ", "Output: "), ("", ""), ("> ", "< "), ("问：", "答：")))
    return "\n\n".join(f"{left}{line}\n{right}{line}" for line in lines)


def random_sequence(rng: Random) -> str:
    """A long row of random items, then the whole row again."""
    items = phrases.random_items(rng, rng.randint(6, 40))
    row = rng.choice((" ", ", ", "\n", "、")).join(items)
    return rng.choice(("\n", "\n\n", " | ", "; ")).join([row] * rng.randint(2, 4))


def drill(rng: Random) -> str:
    """Different words in a row, the same row again and again: the simplest form of copying."""
    pool = (*words.NOUNS, *words.ADJECTIVES, *words.VERBS, *words.NOUNS_ZH, *words.EMOJI)
    row = " ".join(rng.sample(pool, rng.randint(3, rng.choice((6, 12, 25)))))
    return rng.choice(("\n", "\n", " ", " | ")).join([row] * rng.randint(3, 6))


def recall(rng: Random) -> str:
    """Names and things are introduced first and queried afterwards."""
    keys = rng.sample(words.NAMES, rng.randint(2, 6))
    facts = {key: rng.choice(words.NOUNS) for key in keys}
    request = rng.sample(keys, rng.randint(1, len(keys)))
    if rng.random() < 0.5:
        result = [f"{key} has the {thing}." for key, thing in facts.items()]
        return " ".join(result) + "\n" + "\n".join(f"{key}: {facts[key]}" for key in request)
    result = [f"{key}={rng.randint(0, 999)}" for key in keys]
    rng.shuffle(request)
    return "\n".join(
        result + [next(t for t in result if t.startswith(key + "=")) for key in request]
    )


def arithmetic(rng: Random) -> str:
    """Rows of small sums, differences and products."""
    rows = []
    for _ in range(rng.randint(1, 12)):
        a, b = rng.randint(0, 20), rng.randint(0, 20)
        sign = rng.choice("++-*")
        if sign == "*":
            a, b = rng.randint(0, 10), rng.randint(0, 10)
        elif sign == "-" and b > a:
            a, b = b, a
        result = {"+": a + b, "-": a - b, "*": a * b}[sign]
        rows.append(f"{a} {sign} {b} = {result}")
    return rng.choice(("\n", "\n", ", ")).join(rows)


def brackets(rng: Random) -> str:
    """Whatever is opened is closed: brackets, quotes, small JSON."""
    kind = rng.randrange(3)
    if kind == 0:
        pairs = [rng.choice(_BRACKETS) for _ in range(4)]
        inside = rng.choice(words.NOUNS)
        for pair in pairs[: rng.randint(1, 4)]:
            inside = rng.choice(("", " ")).join((pair[0], inside, pair[1]))
        return inside
    if kind == 1:
        keys = rng.sample(words.NOUNS, rng.randint(1, 4))
        return "{" + ", ".join(f'"{key}": {rng.randint(0, 99)}' for key in keys) + "}"
    return "[" + ", ".join(f'"{noun}"' for noun in rng.sample(words.NOUNS, rng.randint(2, 8))) + "]"


def questions(rng: Random) -> str:
    """Q: and A: lines about capitals, opposites, sounds and sums."""
    form = rng.choice((("Q: ", "A: "), ("Question: ", "Answer: "), ("问：", "答：")))
    chinese = form[0] == "问："
    rows = [
        f"{form[0]}{question}\n{form[1]}{response}"
        for question, response in (_question(rng, chinese) for _ in range(rng.randint(1, 5)))
    ]
    return "\n\n".join(rows)


def statements(rng: Random) -> str:
    """The same facts as plain sentences."""
    country, capital, country_zh, capital_zh = rng.choice(words.COUNTRIES)
    animal, sound = rng.choice(words.SOUNDS)
    one, other = rng.choice(words.OPPOSITES)
    return rng.choice(
        (
            f"The capital of {country} is {capital}.",
            f"{country_zh}的首都是{capital_zh}。",
            f"A {animal} {sound}.",
            f"The opposite of {one} is {other}.",
            f"{capital} is the capital of {country}, and people go there every year.",
        )
    )


def translation(rng: Random) -> str:
    """A small English and Chinese glossary, in both directions."""
    pairs = rng.sample(words.GLOSSARY, rng.randint(1, 8))
    arrow = rng.choice((" = ", ": ", " - ", "：", " → "))
    if rng.random() < 0.5:
        pairs = [(zh, en) for en, zh in pairs]
    return "\n".join(f"{left}{arrow}{right}" for left, right in pairs)


def saying(rng: Random) -> str:
    """'Say this is a test' and similar prompts; the reply is short and the document ends."""
    sentence = phrases.english_sentence(rng).rstrip(".")
    what = rng.choice(("this is a test", "this is a test", phrases.noun_phrase(rng), sentence))
    head = rng.choice(("Say ", "Say ", "Say: ", "Please say ", "Write: "))
    quote = rng.choice(("", "", '"'))
    response = what[0].upper() + what[1:]
    ending = rng.choice((".", "!"))
    return f"{head}{quote}{what}{quote}{rng.choice(('', '.'))}\n\n{response}{ending}"


def story(rng: Random) -> str:
    """Plain sentences, English or Chinese, one after the other."""
    make = rng.choice(
        (phrases.english_sentence, phrases.english_sentence, phrases.chinese_sentence)
    )
    glue = "" if make is phrases.chinese_sentence else " "
    return glue.join(make(rng) for _ in range(rng.randint(1, 8)))


def emoji_row(rng: Random) -> str:
    """A few emoji over and over, or one growing row."""
    some = rng.sample(words.EMOJI, rng.randint(1, 4))
    if rng.random() < 0.3:
        return "\n".join(some[0] * k for k in range(1, rng.randint(3, 9)))
    return rng.choice(("", " ")).join(some * rng.randint(3, 12))


Weights = Mapping[Lesson, float]

WEIGHTS: Weights = {
    counting: 1.6,
    number_words: 0.5,
    chinese_numbers: 0.8,
    listing: 5.0,
    pattern: 1.6,
    copying: 3.0,
    copy_table: 1.2,
    random_sequence: 1.2,
    drill: 0.3,
    recall: 0.8,
    arithmetic: 0.7,
    brackets: 0.8,
    questions: 1.6,
    statements: 0.5,
    translation: 1.0,
    saying: 2.5,
    story: 1.2,
    emoji_row: 0.5,
}
"""The share of each lesson, by documents rather than by length."""


FIRST_WEIGHTS: Weights = {
    drill: 4.0,
    copying: 3.0,
    random_sequence: 2.0,
    pattern: 2.0,
    copy_table: 1.0,
    counting: 0.7,
    listing: 0.5,
}
"""For the beginning: everything else builds on attending to earlier text and copying it."""


def stream(seed: int, weights: Weights = WEIGHTS) -> Iterator[str]:
    """Endless documents, determined by the seed."""
    rng = Random(seed)
    while True:
        yield rng.choices(list(weights), list(weights.values()))[0](rng)


def _question(rng: Random, chinese: bool) -> tuple[str, str]:
    country, capital, country_zh, capital_zh = rng.choice(words.COUNTRIES)
    a, b = rng.randint(0, 10), rng.randint(0, 10)
    if chinese:
        en, zh = rng.choice(words.GLOSSARY)
        return rng.choice(
            (
                (f"{country_zh}的首都是哪里？", f"{capital_zh}。"),
                (f"{a}加{b}等于几？", str(a + b)),
                (f"“{en}”是什么意思？", f"{zh}。"),
            )
        )
    animal, sound = rng.choice(words.SOUNDS)
    one, other = rng.choice(words.OPPOSITES[:20])
    return rng.choice(
        (
            (f"What is the capital of {country}?", f"{capital}."),
            (f"What is {a} plus {b}?", str(a + b)),
            (f"What is the opposite of {one}?", f"{other.capitalize()}."),
            (f"What does the {animal} do?", f"It {sound}."),
        )
    )
