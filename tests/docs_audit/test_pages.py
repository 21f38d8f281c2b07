"""Reading transcribed pages, and messages about invalid files."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from conformance.docs_audit.page import Client, requested_choices, requested_stops
from conformance.docs_audit.page_reader import PAGES, PageError, load_page, read_page

SMALL = {
    "document": "mine",
    "title": "My page",
    "endpoint": "https://api.example.com/v1/completions",
    "parameters": [{"name": "model", "type": "string", "required": True}],
    "examples": [{"name": "curl", "client": "curl", "request": {"model": "m"}}],
}


def written(tmp_path: Path, content: object) -> Path:
    """Write a page's file."""
    path = tmp_path / "mine.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), "utf-8")
    return path


@pytest.mark.parametrize(
    ("document", "parameters", "examples", "samples"),
    [
        ("zero", 13, 3, 1),
        ("gpt-ge", 11, 3, 1),
        ("aocheng", 16, 11, 2),
        ("zhizengzeng", 17, 6, 3),
        ("eronmind", 9, 1, 1),
    ],
)
def test_five_pages_are_transcribed(
    document: str, parameters: int, examples: int, samples: int
) -> None:
    page = load_page(document)
    assert page.document == document
    counted = (len(page.parameters), len(page.examples), len(page.samples))
    assert counted == (parameters, examples, samples)


def test_unstated_attributes_stay_unset() -> None:
    page = load_page("zhizengzeng")
    user, echo, stop = (page.parameter(name) for name in ("user", "echo", "stop"))
    assert user is not None
    assert not user.has_default
    assert echo is not None
    assert (echo.has_default, echo.default, echo.minimum) == (True, False, None)
    assert stop is not None
    assert (stop.has_default, stop.default, stop.most) == (True, None, 4)
    assert page.example("curl").reads is None
    assert page.example("openai-python").base_url is None


def test_custom_page_is_read_by_its_path(tmp_path: Path) -> None:
    page = load_page(str(written(tmp_path, SMALL)))
    assert page.document == "mine"
    assert page.example("curl").client is Client.CURL
    assert page.samples == ()


def test_row_with_two_names_is_found_by_each() -> None:
    page = load_page("gpt-ge")
    assert page.parameter("messages") is page.parameter("prompt") is not None
    assert page.parameter("seed") is None
    with pytest.raises(KeyError):
        page.example("perl")


def test_names_are_defined_by_earlier_examples() -> None:
    page = load_page("aocheng")
    lacking = {example.name: page.undefined(example) for example in page.examples}
    assert {name: names for name, names in lacking.items() if names} == {
        "openai-python, a summary": ("long_text",)
    }


@pytest.mark.parametrize(
    ("content", "result"),
    [
        ("a: [", "is not valid YAML"),
        ("\x00", "is not valid YAML"),
        ([], "the file as a whole: [] is not of type 'object'"),
        ({**SMALL, "extra": "x"}, "the file as a whole: Additional properties are not allowed"),
        (
            {**SMALL, "parameters": [{"name": "n", "required": "yes"}]},
            "parameters[0].required: 'yes' is not of type 'boolean'",
        ),
        (
            {**SMALL, "examples": [{"name": "x", "client": "perl", "request": {}}]},
            "examples[0].client: 'perl' is not one of",
        ),
        (
            {**SMALL, "examples": SMALL["examples"] * 2},
            "examples: `curl` occurs twice",
        ),
        (
            {**SMALL, "parameters": [{"name": "n"}, {"name": "n / best_of"}]},
            "parameters: `n` occurs twice",
        ),
        (
            {
                **SMALL,
                "samples": [{"name": "a", "answers": ["wget"], "kind": "plain", "text": "{}"}],
            },
            "samples: `a` refers to `wget`, which is not an example",
        ),
        (
            {**SMALL, "samples": [{"name": "a", "answers": ["curl"], "kind": "plain"}]},
            "samples[0]: ",
        ),
        ({**SMALL, "document": "openai"}, "document: `openai` is reserved for the live API"),
        ("title: 2026-01-01", "is a required property"),
        ("title: .inf", "has values that JSON cannot represent"),
        ("title: &a [*a]", "line 1: the alias *a is inside its own anchor"),
    ],
)
def test_invalid_page_is_rejected_with_the_place(
    tmp_path: Path, content: object, result: str
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(PageError) as refused:
        read_page(path)
    assert str(refused.value).startswith(str(path))
    assert result in str(refused.value)
    assert "\n" not in str(refused.value)


def test_object_keys_are_text(tmp_path: Path) -> None:
    request = {"model": "m", "logit_bias": {50256: -100}}
    examples = [{"name": "curl", "client": "curl", "request": request}]
    page = read_page(written(tmp_path, {**SMALL, "examples": examples}))
    assert page.example("curl").request["logit_bias"] == {"50256": -100}


def test_missing_page_is_reported_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(PageError, match=r"unknown page `zeru`; choose one of zero, .*or give"):
        load_page("zeru")
    with pytest.raises(PageError, match="cannot read"):
        read_page(tmp_path)


def test_live_api_is_no_page() -> None:
    assert "openai" not in PAGES
    with pytest.raises(PageError):
        load_page("openai")


@pytest.mark.parametrize(
    ("request_", "count"),
    [
        ({}, 1),
        ({"prompt": "a", "n": 3}, 3),
        ({"prompt": ["a", "b"], "n": 2}, 4),
        ({"prompt": [1, 2, 3]}, 1),
        ({"prompt": [[1], [2]], "n": 1}, 2),
        ({"prompt": [], "n": None}, 1),
        ({"n": True}, 1),
    ],
)
def test_choices_are_prompts_times_n(request_: dict[str, object], count: int) -> None:
    assert requested_choices(request_) == count


def test_stops_are_one_or_several_and_never_empty() -> None:
    assert requested_stops({}) == ()
    assert requested_stops({"stop": None}) == ()
    assert requested_stops({"stop": "\n"}) == ("\n",)
    assert requested_stops({"stop": ["a", "", 3, "b"]}) == ("a", "b")


def test_example_streams_if_it_requests_a_stream() -> None:
    streaming = [example.name for example in load_page("aocheng").examples if example.streams]
    assert streaming == ["curl, streamed", "openai-python, streamed"]


def test_unstated_security_differs_from_no_security(tmp_path: Path) -> None:
    silent = read_page(written(tmp_path, {**SMALL, "openapi": {"servers": []}})).openapi
    assert silent is not None
    assert silent.security is None
    eronmind = load_page("eronmind").openapi
    assert eronmind is not None
    assert eronmind.security == ()


def test_long_error_about_a_file_is_cut(tmp_path: Path) -> None:
    with pytest.raises(PageError) as refused:
        read_page(written(tmp_path, {**SMALL, "title": ["x" * 1_000]}))
    result = str(refused.value).partition("title: ")[2].removesuffix("; see spec/pages.schema.json")
    assert len(result) == 200
    assert result.endswith("x…")


def test_page_of_aliases_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    path = tmp_path / "mine.yaml"
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(PageError, match="values when its aliases are expanded"):
        load_page(str(path))
