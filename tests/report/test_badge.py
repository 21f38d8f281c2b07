"""Badges: JSON for shields.io, and SVG."""

import json
import xml.etree.ElementTree as ET

import pytest

from conformance.language import Language
from conformance.report import badge
from tests.report.builders import a_failure, a_finding, a_run
from tests.report.hostile import ACTING, ATTACKS, a_hostile_run


def test_endpoint_counts_deviations() -> None:
    told = json.loads(badge.endpoint(a_run(a_failure(), a_failure("stop.two"), target="zero")))
    assert told == {
        "schemaVersion": 1,
        "label": "zero · openai",
        "message": "2 deviations (standard)",
        "color": "red",
        "isError": False,
    }


def test_conforming_run_is_green() -> None:
    told = json.loads(badge.endpoint(a_run(a_finding()), "my label"))
    assert (told["label"], told["color"]) == ("my label", "brightgreen")
    assert told["message"] == "Conforming (standard)"


def test_incomplete_run_is_grey() -> None:
    told = json.loads(badge.endpoint(a_run(a_finding(), incomplete=True)))
    assert (told["message"], told["color"]) == ("Incomplete (standard)", "lightgrey")


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_svg_is_inert(attack: str) -> None:
    written = badge.svg(a_hostile_run(attack))
    tags = [element.tag.rpartition("}")[2] for element in ET.fromstring(written).iter()]
    assert set(tags) == {"svg", "title", "clipPath", "rect", "g", "text"}
    assert ACTING.findall(written) == []
    assert len(written) < 4_000


def test_svg_speaks_chinese() -> None:
    assert "1 项偏差（standard）" in badge.svg(a_run(a_failure()), language=Language.CHINESE)
