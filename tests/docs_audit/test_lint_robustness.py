"""The lint accepts any page without an error."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from conformance.contract import spec_directory
from conformance.docs_audit.contradictions import contradictions
from conformance.docs_audit.lint import lint
from conformance.docs_audit.page import Page
from conformance.docs_audit.page_reader import PAGES, PageError, read_page

ROWS = {
    name: yaml.safe_load((spec_directory() / "pages" / f"{name}.yaml").read_text("utf-8"))
    for name in PAGES
}


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place inside a page."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)  # type: ignore[arg-type] - containers only
    for key, item in inner:
        yield (*path, key)
        if isinstance(item, dict | list):
            yield from places(item, (*path, key))


def responses(kind: str) -> dict[str, Any]:
    """Places of an answer that a sample is printed with, by its text."""
    return {
        "plain": {"id": "x", "choices": [{"text": "a", "index": 0, "logprobs": {"tokens": ["a"]}}]},
        "stream": {"choices": [{"text": "a", "index": 0, "finish_reason": None}]},
    }[kind]


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | st.sampled_from(["string", "array", "data: [DONE]", "{", "n", "curl"])
)
NAMES = st.sampled_from(["text", "index", "logprobs", "tokens", "usage", "n"])
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner),
    max_leaves=5,
)


def free(rows: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The places where a page may hold any JSON: what is sent, what is answered, defaults."""
    return [
        path
        for path in places(rows)
        if (len(path) > 3 and path[2] in {"request", "payload"}) or path[-1] == "default"
    ]


@st.composite
def pages(draw: st.DrawFn) -> dict[str, Any]:
    """One of the five pages with a few places changed, and samples with anything in them."""
    rows = copy.deepcopy(ROWS[draw(st.sampled_from(PAGES))])
    for sample in rows["samples"]:
        if draw(st.booleans()):
            response = responses(sample["kind"])
            _put(response, draw(st.sampled_from(list(places(response)))), draw(JSON))
            text = json.dumps(response)
            sample["text"] = f"data: {text}\n" if sample["kind"] == "stream" else text
    anywhere = draw(st.integers(0, 9)) == 0
    for _ in range(draw(st.integers(1, 3))):
        spots = list(places(rows)) if anywhere else free(rows)
        _put(rows, draw(st.sampled_from(spots)), draw(JSON))
    return rows


def _put(rows: Any, path: tuple[Any, ...], value: object) -> None:
    for key in path[:-1]:
        rows = rows[key]
    rows[path[-1]] = value


@settings(
    max_examples=200,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=pages())
def test_changed_page_is_rejected_or_linted(rows: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "page.yaml"
    path.write_text(json.dumps(rows), "utf-8")
    try:
        page = read_page(path)
    except PageError as error:
        event("refused")
        result = str(error)
    else:
        event("linted")
        result = ""
        assert_lint(page)
    assert "\n" not in result


def assert_lint(page: Page) -> None:
    """Assert that every finding can be printed and the page compared."""
    for finding in lint(page):
        assert finding.place
        assert finding.written
        assert finding.wrong
    for section in contradictions([page]):
        assert section.rows


@pytest.mark.parametrize("n", [10**18, -1, "3", None, True, 1.5])
def test_unprintable_choice_count_is_only_compared(tmp_path: Path, n: object) -> None:
    rows = copy.deepcopy(ROWS["zero"])
    rows["examples"][0]["request"]["n"] = n
    path = tmp_path / "page.yaml"
    path.write_text(json.dumps(rows), "utf-8")
    found = {finding.rule for finding in lint(read_page(path))}
    assert ("sample.choices" in found) == (n == 10**18)
