"""The Overlay format: examples and rules of its specification, and our additions."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.contract.overlay import OverlayError, apply_overlay
from tests.cases import for_each_case


def overlay(*actions: dict[str, Any], version: str = "1.1.0") -> dict[str, Any]:
    return {
        "overlay": version,
        "info": {"title": "A test", "version": "1.0.0"},
        "actions": list(actions),
    }


def applied(document: dict[str, Any], *actions: dict[str, Any]) -> dict[str, Any]:
    return apply_overlay(document, overlay(*actions))


def pets() -> dict[str, Any]:
    return {
        "info": {"title": "Pets"},
        "paths": {
            "/pets": {
                "get": {
                    "summary": "List pets",
                    "tags": ["pets", "dummy"],
                    "parameters": [{"name": "filter", "in": "query"}, {"name": "dummy"}],
                },
            },
            "/toys": {"get": {"summary": "List toys", "tags": [], "parameters": []}},
        },
    }


def test_object_is_merged_recursively() -> None:
    result = applied(
        pets(),
        {"target": "$", "update": {"info": {"x-done": True}, "tags": [{"name": "new"}]}},
    )
    assert result["info"] == {"title": "Pets", "x-done": True}
    assert result["tags"] == [{"name": "new"}]
    assert result["paths"] == pets()["paths"]


def test_primitive_replaces_a_primitive() -> None:
    result = applied(pets(), {"target": "$.info", "update": {"title": "Cats"}})
    assert result["info"]["title"] == "Cats"


def test_null_is_a_primitive() -> None:
    result = applied({"a": {"default": None}}, {"target": "$.a", "update": {"default": 1}})
    assert result == {"a": {"default": 1}}


def test_arrays_within_an_update_are_appended() -> None:
    result = applied({"a": {"list": [1]}}, {"target": "$.a", "update": {"list": [2, 3]}})
    assert result == {"a": {"list": [1, 2, 3]}}


def test_selected_array_takes_an_entry_or_a_list() -> None:
    one = applied({"list": [1]}, {"target": "$.list", "update": {"name": "new"}})
    several = applied({"list": [1]}, {"target": "$.list", "update": [2, 3]})
    assert one == {"list": [1, {"name": "new"}]}
    assert several == {"list": [1, 2, 3]}


def test_selected_primitive_is_replaced() -> None:
    result = applied(pets(), {"target": "$.paths['/pets'].get.summary", "update": "All pets"})
    assert result["paths"]["/pets"]["get"]["summary"] == "All pets"


def test_wildcard_updates_get_separate_copies() -> None:
    result = applied(
        pets(),
        {"target": "$.paths.*.get", "update": {"x-limits": {"rate": 1}}},
        {"target": "$.paths['/pets'].get", "update": {"x-limits": {"rate": 2}}},
    )
    assert result["paths"]["/pets"]["get"]["x-limits"] == {"rate": 2}
    assert result["paths"]["/toys"]["get"]["x-limits"] == {"rate": 1}


def test_filter_selects_by_value() -> None:
    target = "$.paths.*.get.parameters[?@.name=='filter' && @.in=='query']"
    result = applied(pets(), {"target": target, "update": {"required": True}})
    assert result["paths"]["/pets"]["get"]["parameters"] == [
        {"name": "filter", "in": "query", "required": True},
        {"name": "dummy"},
    ]


def test_objects_and_primitives_can_be_removed() -> None:
    result = applied(
        pets(),
        {"target": "$.paths.*.get.parameters[?@.name == 'dummy']", "remove": True},
        {"target": "$.paths.*.get.tags[?@ == 'dummy']", "remove": True},
    )
    get = result["paths"]["/pets"]["get"]
    assert get["parameters"] == [{"name": "filter", "in": "query"}]
    assert get["tags"] == ["pets"]


@for_each_case("target", ["$.list[0, 2]", "$.list[2, 0]", "$.list[?@ != 'b']"])
def test_removing_several_items_does_not_shift_the_others(target: str) -> None:
    assert applied({"list": ["a", "b", "c"]}, {"target": target, "remove": True}) == {"list": ["b"]}


def test_node_selected_twice_is_changed_once() -> None:
    document = {"a": 1, "list": [1]}
    assert applied(document, {"target": "$['a', 'a']", "remove": True}) == {"list": [1]}
    updated = applied(document, {"target": "$['list', 'list']", "update": [2]})
    assert updated["list"] == [1, 2]


def test_removal_overrides_an_update() -> None:
    result = applied(pets(), {"target": "$.info", "update": {"title": "Cats"}, "remove": True})
    assert "info" not in result


def test_remove_false_removes_nothing() -> None:
    result = applied(pets(), {"target": "$.info", "update": {"title": "Cats"}, "remove": False})
    assert result["info"] == {"title": "Cats"}


def test_actions_apply_in_order() -> None:
    result = applied(
        {"a": {"type": ["integer", "null"]}},
        {"target": "$.a.type", "remove": True},
        {"target": "$.a", "update": {"type": "string"}},
        {"target": "$.a.type", "update": "boolean"},
    )
    assert result == {"a": {"type": "boolean"}}


def test_copy_merges_another_node() -> None:
    result = applied(pets(), {"target": "$.paths['/toys']", "copy": "$.paths['/pets']"})
    assert result["paths"]["/toys"]["get"]["summary"] == "List pets"
    assert result["paths"]["/toys"]["get"]["tags"] == ["pets", "dummy"]


def test_keys_keep_their_order() -> None:
    result = applied({"b": 1, "a": {}}, {"target": "$", "update": {"a": {"x": 1}, "c": 2}})
    assert list(result) == ["b", "a", "c"]


def test_input_document_is_unchanged() -> None:
    document = pets()
    applied(document, {"target": "$.paths", "remove": True})
    assert document == pets()


def test_yaml_aliases_are_changed_separately() -> None:
    shared = {"type": "string"}
    result = applied({"a": shared, "b": shared}, {"target": "$.a", "update": {"type": "integer"}})
    assert result == {"a": {"type": "integer"}, "b": {"type": "string"}}


@for_each_case("version", ["1.0.0", "1.0.1", "1.1.0"])
def test_patch_versions_make_no_difference(version: str) -> None:
    action = {"target": "$.info", "update": {"title": "Cats"}}
    assert apply_overlay(pets(), overlay(action, version=version))["info"]["title"] == "Cats"


# ── mistakes ─────────────────────────────────────────────────────────────────────────────────────


@for_each_case(
    ("action", "sentence"),
    [
        (
            {"target": "$.nothing", "update": {}},
            "action 1 (target $.nothing): selects nothing",
        ),
        ({"target": "$", "remove": True}, "the whole document cannot be removed"),
        ({"target": "$.info", "update": [1]}, "an object cannot be updated with an array"),
        (
            {"target": "$", "update": {"info": "Pets"}},
            "$['info'] is an object and cannot be merged with a primitive",
        ),
        (
            {"target": "$..*", "update": {}},
            "selects nodes of different kinds (objects, arrays, primitives)",
        ),
        ({"target": "$.info", "copy": "$.paths.*"}, "`copy` must select one node"),
        ({"target": "info", "update": {}}, "action 1 (target info): "),
        ({"target": "$.info"}, "action 1 must have one of"),
        ({"target": "$.info", "update": {}, "copy": "$.paths"}, "action 1 must have one of"),
        ({"target": "$.info", "remove": "yes"}, "`remove` must be true or false"),
        ({"target": "$.info", "updates": {}}, "action 1 has an unknown field `updates`"),
        ({"update": {}}, "action 1 must be a mapping with a `target`"),
    ],
)
def test_mistake_in_an_action_is_named(action: dict[str, Any], sentence: str) -> None:
    with pytest.raises(OverlayError) as caught:
        applied(pets(), action)
    assert sentence in str(caught.value)


@for_each_case(
    ("document", "sentence"),
    [
        ([], "an overlay must be a mapping"),
        ({"overlay": "2.0.0"}, "`overlay` must be a format version"),
        ({"overlay": "1.1.0", "info": {"title": "x"}}, "`info` must have"),
        ({**overlay(), "actions": []}, "at least one action"),
        ({**overlay({"target": "$", "update": {}}), "action": []}, "unknown field `action`"),
    ],
)
def test_mistake_in_the_frame_is_named(document: object, sentence: str) -> None:
    with pytest.raises(OverlayError) as caught:
        apply_overlay(pets(), document)
    assert sentence in str(caught.value)


def test_extensions_are_allowed_everywhere() -> None:
    action = {"target": "$.info", "update": {"title": "Cats"}, "x-why": "for a change"}
    assert apply_overlay(pets(), {**overlay(action), "x-author": "us"})["info"]["title"] == "Cats"
