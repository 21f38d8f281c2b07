"""All charts: which are drawn, of what they consist, and that responses cannot break them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.language import Text
from conformance.model import Arrival
from conformance.report.charts import Picture, pictures
from conformance.report.charts.svg import Drawing, Scale
from tests.report.builders import a_run
from tests.report.charts.exchanges import compared, non_streaming, stream
from tests.report.charts.test_agreement import generated, scored
from tests.report.charts.test_diversity import sampled

LARGEST = 40_000
"""Bytes that a picture may take of a page."""

ALL = ["arrivals", "latency", "bills", "agreement", "diversity"]


def a_run_with_everything():
    times = [0.1 + 0.05 * number for number in range(10)]
    streams = [stream(f"s{number}", times, user=str(number)) for number in range(9)]
    usages = [
        non_streaming(f"b{n}", prompt=list(range(n)), usage={"prompt_tokens": n + 9})
        for n in (4, 8, 30, 90)
    ]
    samples = sampled("a", "b", "a", temperature=1)
    exchanges = (*streams, *usages, generated(), scored(), samples)
    return compared(a_run(exchanges=exchanges), "s3", stream("r1", times))


def text_of(picture: Picture) -> str:
    return str(picture.svg)


def parsed(picture: Picture) -> ET.Element:
    return ET.fromstring(text_of(picture))


def test_run_without_data_has_no_charts() -> None:
    assert pictures(a_run()) == ()
    assert pictures(a_run(exchanges=(replace(non_streaming(), status=500),))) == ()


def test_complete_run_has_every_chart_in_order() -> None:
    assert [picture.id for picture in pictures(a_run_with_everything())] == ALL


def test_missing_data_leaves_charts_out() -> None:
    run = replace(a_run_with_everything(), exchanges=(generated(), scored()))
    assert [picture.id for picture in pictures(run)] == ["agreement"]


@pytest.mark.parametrize("picture", pictures(a_run_with_everything()), ids=lambda p: p.id)
def test_chart_has_a_text_alternative_in_both_languages(picture: Picture) -> None:
    svg = parsed(picture)
    assert svg.get("role") == "img"
    by_id = {element.get("id"): element for element in svg.iter() if element.get("id")}
    for attribute, tag in (("aria-labelledby", "title"), ("aria-describedby", "desc")):
        named = [by_id[name] for name in (svg.get(attribute) or "").split()]
        assert [element.tag for element in named] == [tag, tag]
        assert [element.get("lang") for element in named] == ["en", "zh"]
        assert all(element.text for element in named)
    assert by_id[f"picture-{picture.id}-title-en"].text == picture.title.en
    assert (by_id[f"picture-{picture.id}-desc-zh"].text or "").startswith(picture.says.zh)


@pytest.mark.parametrize("picture", pictures(a_run_with_everything()), ids=lambda p: p.id)
def test_words_exist_in_both_languages(picture: Picture) -> None:
    languages = [element.get("lang") for element in parsed(picture).iter("text")]
    assert languages.count("en") == languages.count("zh") > 0


@pytest.mark.parametrize("picture", pictures(a_run_with_everything()), ids=lambda p: p.id)
def test_chart_uses_page_colours_without_styles_or_links(picture: Picture) -> None:
    svg = text_of(picture)
    assert set(re.findall(r'(?:fill|stroke)="([^"]*)"', svg)) <= {
        "none",
        *(f"var(--{name})" for name in ("ink", "muted", "line", "link", "good", "bad", "info")),
    }
    assert not re.search(r"style=|<style|<script|href|url\(|<image|<use", svg)
    assert len(svg.encode()) <= LARGEST


@pytest.mark.parametrize("picture", pictures(a_run_with_everything()), ids=lambda p: p.id)
def test_everything_is_drawn_inside(picture: Picture) -> None:
    svg = parsed(picture)
    _, _, width, height = map(float, (svg.get("viewBox") or "").split())
    for element in svg.iter():
        for name, most in (("x", width), ("cx", width), ("y", height), ("cy", height)):
            value = element.get(name)
            assert value is None or 0 <= float(value) <= most
        for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", element.get("d") or ""):
            assert 0 <= float(x) <= width
            assert 0 <= float(y) <= height


# ── what an endpoint can send ────────────────────────────────────────────────────────────────────

HOSTILE: list[Any] = [
    None,
    True,
    -1,
    10**30,
    1e308,
    float("nan"),
    float("-inf"),
    "</text><script>alert(1)</script>",
    "\x00\u202e\ud800",
    [],
    {},
    [[[]]],
    {"a": {"b": None}},
    "9" * 1_000,
]
hostile = st.sampled_from(HOSTILE)
listed = st.lists(hostile, max_size=6)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    usage=hostile,
    stated_usage=hostile,
    texts=listed,
    scores=listed,
    times=st.lists(st.floats(), max_size=6),
)
def test_no_response_breaks_or_enters_a_chart(
    usage: Any, stated_usage: Any, texts: list[Any], scores: list[Any], times: list[float]
) -> None:
    logprobs = {"tokens": texts, "text_offset": scores, "token_logprobs": scores}
    outlier = [
        non_streaming("x1", usage=usage, choices=texts),
        non_streaming("x2", usage={"prompt_tokens": stated_usage}, choices=usage),
        non_streaming(
            "x3",
            echo=True,
            logprobs=1,
            choices=[{"text": stated_usage, "logprobs": logprobs}, stated_usage],
        ),
        non_streaming(
            "x4", temperature=stated_usage, top_p=usage, seed=stated_usage, n=usage, choices=texts
        ),
        stream("x5", [0.1] * len(texts), texts=texts),
        replace(
            stream("x6", [0.1] * 6),
            arrivals=tuple(Arrival(at, 60) for at in times),
            elapsed=times[0] if times else 0.0,
        ),
    ]
    run = a_run_with_everything()
    for picture in pictures(replace(run, exchanges=(*run.exchanges, *outlier, *outlier, *outlier))):
        svg = text_of(picture)
        parsed(picture)
        assert len(svg.encode()) <= LARGEST
        assert not re.search(r"nan|inf\b|script|\x00|\u202e", svg)


def test_chart_size_is_bounded_for_large_runs() -> None:
    many = tuple(
        exchange
        for n in range(1_500)
        for exchange in (
            non_streaming(
                f"p{n}", elapsed=0.001 * (n + 1), prompt=[1] * (n + 1), usage={"prompt_tokens": n}
            ),
            sampled(*"abcdefghijklmnopqrstuvwxyz", temperature=n / 1_000),
        )
    )
    drawn = pictures(
        a_run(
            exchanges=(*many, *(stream(f"s{n}", [0.001 * i for i in range(900)]) for n in range(9)))
        )
    )
    assert {picture.id for picture in drawn} == {"arrivals", "latency", "bills", "diversity"}
    assert max(len(text_of(picture).encode()) for picture in drawn) <= LARGEST


def test_every_word_is_escaped() -> None:
    words = Text('<script>&"', "</text><script>")
    drawing = Drawing()
    drawing.label((0, 0), words)
    picture = drawing.picture("odd", 10, title=words, says=words, details=[words])
    spoken = [element.text for element in parsed(picture).iter("text")]
    assert spoken == [words.en, words.zh]
    assert "<script" not in picture.svg


# ── the axes ─────────────────────────────────────────────────────────────────────────────────────


@settings(derandomize=True, deadline=None)
@given(last=st.floats(1e-6, 1e9))
def test_ticks_are_few_and_round(last: float) -> None:
    scale = Scale(0.0, last, 10.0, 90.0)
    ticks = scale.ticks()
    assert 2 <= len(ticks) <= 7
    assert all(-1e-9 <= tick <= last * 1.001 for tick in ticks)
    assert all(10.0 <= scale(tick) <= 90.0 for tick in ticks)
    assert ticks == sorted(ticks)


def test_scale_keeps_its_ends() -> None:
    scale = Scale(0.001, 10.0, 0.0, 100.0, log=True)
    assert [scale(value) for value in (0.0, 0.001, 0.1, 10.0, 99.0)] == pytest.approx(
        [0, 0, 50, 100, 100]
    )
    assert scale.ticks() == pytest.approx([0.001, 0.01, 0.1, 1, 10])
    assert Scale(3.0, 3.0, 5.0, 9.0)(3.0) == 5.0
