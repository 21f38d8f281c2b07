"""Chart of sample diversity: squares with the same letter are the same text.

At temperature 0 or with a seed all squares of a row should be the same; otherwise long samples
should differ.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from conformance.language import Text, join_texts, same
from conformance.report.charts.svg import (
    INK,
    MUTED,
    THEIRS,
    WIDTH,
    Drawing,
    Picture,
    sentences,
)
from conformance.report.charts.traffic import ReadExchange, Recorded, choices, count, number
from conformance.report.snippet import is_steered

MIN_SAMPLES = 3
"""Minimum number of samples in a row."""

ENOUGH_TOKENS = 2
"""Minimum tokens per sample; shorter samples are often equal by chance."""

ROOM = 0.5
"""Minimum temperature and ``top_p`` at which samples are expected to differ."""

MAX_SAMPLES = 24
MAX_ROWS = 8
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWX"

STEERING = ("echo", "logit_bias", "presence_penalty", "frequency_penalty", "suffix")

ROW, TOP, LEFT, RIGHT = 40.0, 4.0, 10.0, WIDTH - 10.0
PITCH = (RIGHT - LEFT) / MAX_SAMPLES


@dataclass(frozen=True, slots=True)
class Setting:
    """Sampling parameters; None is the endpoint's default."""

    temperature: float | None
    top_p: float | None
    seeded: bool

    @property
    def certain(self) -> bool:
        """Return whether all samples must be the same."""
        return self.seeded or self.temperature == 0

    @property
    def free(self) -> bool:
        """Return whether samples are expected to differ."""
        heat, mass = self.temperature, self.top_p
        wide = (heat is None or heat >= ROOM) and (mass is None or mass >= ROOM)
        return wide and not self.certain


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples of one prompt in one setting, as numbers of distinct texts, in order of arrival."""

    setting: Setting
    texts: tuple[int, ...]

    @property
    def distinct(self) -> int:
        """Number of different texts."""
        return len(set(self.texts))

    @property
    def surprises(self) -> bool:
        """Return whether samples unexpectedly differ or are unexpectedly all the same."""
        if self.setting.certain:
            return self.distinct > 1
        return self.setting.free and self.distinct == 1


def numbers(record: Recorded) -> tuple[Samples, ...] | None:
    """Collect samples by setting; None if no prompt has enough."""
    pools: dict[tuple[Setting, str], list[str]] = {}
    for exchange in record.responses:
        setting = _setting(exchange)
        if setting is not None:
            texts = list(_texts(exchange))
            # With a seed, choices of one response differ; only first choices are comparable.
            kept = texts[:1] if setting.seeded else texts
            pools.setdefault((setting, _question(exchange)), []).extend(kept)
    largest: dict[Setting, list[str]] = {}
    for (setting, _), texts in pools.items():
        if len(texts) > max(MIN_SAMPLES - 1, len(largest.get(setting, ()))):
            largest[setting] = texts
    rows = [Samples(setting, _numbered(texts)) for setting, texts in largest.items()]
    rows.sort(key=lambda row: (not row.setting.certain, row.setting.temperature or 0.0))
    return tuple(rows[:MAX_ROWS]) or None


def _setting(exchange: ReadExchange) -> Setting | None:
    """Read the sampling parameters; None unless it is a plain sample of one prompt."""
    request = exchange.request_body
    best_of = request.get("best_of")
    if (
        exchange.prompt is None
        or exchange.is_stream
        or is_steered(request, STEERING)
        or (best_of is not None and best_of != request.get("n", 1))
        or (count(request.get("max_tokens", 16)) or 0) < ENOUGH_TOKENS
    ):
        return None
    seed = request.get("seed")
    return Setting(
        number(request.get("temperature")), number(request.get("top_p")), seed is not None
    )


def _question(exchange: ReadExchange) -> str:
    """Return a key for the request, ignoring the number of choices."""
    request = {
        name: value for name, value in exchange.request_body.items() if name not in {"n", "best_of"}
    }
    return json.dumps(request, sort_keys=True)


def _texts(response: ReadExchange) -> Iterator[str]:
    for choice in choices(response.document):
        text = choice.get("text")
        if isinstance(text, str):
            yield text


def _numbered(texts: list[str]) -> tuple[int, ...]:
    """Number texts in order of first occurrence."""
    known: dict[str, int] = {}
    return tuple(known.setdefault(text, len(known)) for text in texts[:MAX_SAMPLES])


def draw(rows: tuple[Samples, ...]) -> Picture:
    """Draw a row of squares per setting; repeated texts are filled."""
    drawing = Drawing()
    for number_of, row in enumerate(rows):
        y = TOP + number_of * ROW
        drawing.label((LEFT, y + 10), _named(row.setting), colour=INK)
        result = DISTINCT if row.distinct > 1 else ONE
        result = result.format(distinct=row.distinct, n=len(row.texts))
        drawing.label((RIGHT, y + 10), result, anchor="end")
        times = Counter(row.texts)
        for place, text in enumerate(row.texts):
            x = LEFT + place * PITCH
            again = times[text] > 1
            square = (x, y + 16, PITCH - 2, PITCH - 2)
            drawing.box(square, THEIRS if again else MUTED, opacity=0.3, outline=not again)
            middle = (x + (PITCH - 2) / 2, y + 16 + PITCH / 2 + 2)
            drawing.label(middle, same(LETTERS[text]), anchor="middle", colour=INK, size=9)
    title = Text("Sample diversity", "采样结果的差异")
    return drawing.picture(
        "diversity",
        TOP + len(rows) * ROW + 2,
        title=title,
        says=_says(rows),
        details=[_described(row) for row in rows],
    )


def _named(setting: Setting) -> Text:
    parts = [Text("temperature {value}", "temperature {value}").format(value=_value(setting))]
    if setting.top_p is not None:
        parts.append(same(f"top_p {setting.top_p:g}"))
    if setting.seeded:
        parts.append(Text("same seed", "同一 seed"))
    return join_texts(parts, Text(", ", "，"))


def _value(setting: Setting) -> Text:
    if setting.temperature is None:
        return Text("(default)", "默认值")
    return same(f"{setting.temperature:g}")


def _says(rows: tuple[Samples, ...]) -> Text:
    return sentences(
        [LEGEND, *([_described(row) for row in rows if row.surprises] or _as_wanted(rows))]
    )


def _as_wanted(rows: tuple[Samples, ...]) -> Iterator[Text]:
    zero = any(row.setting.certain and not row.setting.seeded for row in rows)
    seeded = any(row.setting.seeded for row in rows)
    if zero or seeded:
        yield CERTAIN if zero and seeded else COLD if zero else SEEDED
    if any(row.setting.free for row in rows):
        yield FREE


def _described(row: Samples) -> Text:
    n, distinct = len(row.texts), row.distinct
    words = ALL_SAME if distinct == 1 else ALL_DIFFER if distinct == n else SOME
    return words.format(setting=_named(row.setting), n=n, distinct=distinct)


CERTAIN = Text(
    "At temperature 0 and with the same seed, all samples are the same.",
    "temperature 为 0 或使用同一 seed 时，样本均相同。",
)
COLD = Text("At temperature 0, all samples are the same.", "temperature 为 0 时，样本均相同。")
SEEDED = Text("With the same seed, all samples are the same.", "使用同一 seed 时，样本均相同。")
FREE = Text("With random sampling, samples differ.", "随机采样时，样本各不相同。")
LEGEND = Text("Each letter is a distinct output.", "每个字母代表一种输出。")
DISTINCT = Text("{n} samples, {distinct} texts", "{n} 个样本，{distinct} 种文本")
ONE = Text("{n} samples, one text", "{n} 个样本，同一文本")
ALL_SAME = Text("{setting}: all {n} samples are the same.", "{setting}：{n} 个样本完全相同。")
ALL_DIFFER = Text("{setting}: all {n} samples differ.", "{setting}：{n} 个样本各不相同。")
SOME = Text(
    "{setting}: {distinct} different texts among {n} samples.",
    "{setting}：{n} 个样本中有 {distinct} 种文本。",
)
