"""The list of models is read whatever an endpoint sends."""

from __future__ import annotations

import json
from datetime import date

from conformance.protocol.model_list import MAX_MODELS, ListedModel, listed_models
from tests.cases import for_each_case


def test_entries_of_openai_are_read() -> None:
    entry = {"id": "a", "object": "model", "owned_by": "system", "shutdown_date": "2027-01-14"}
    body = json.dumps({"object": "list", "data": [entry, {"id": "b", "shutdown_date": None}]})
    assert listed_models(body.encode()) == (
        ListedModel("a", "system", date(2027, 1, 14)),
        ListedModel("b"),
    )


def test_bare_array_of_together_is_read() -> None:
    assert listed_models(b'[{"id": "m", "organization": "Meta"}]') == (ListedModel("m"),)


@for_each_case(
    "body",
    [
        b"",
        b"<html>",
        b"\xff",
        b"[" * 50_000,
        b"7",
        b'{"data": {}}',
        b'{"data": [7, null, {"id": 7}]}',
        b'{"error": {"message": "no"}}',
    ],
)
def test_other_bodies_list_nothing(body: bytes) -> None:
    assert listed_models(body) == ()


@for_each_case("day", ["2026-13-01", "soon", "", 20260928, "2026-9-8", "2026-09-28T00:00:00Z"])
def test_what_is_no_date_is_none(day: object) -> None:
    (model,) = listed_models(json.dumps([{"id": "m", "shutdown_date": day}]).encode())
    assert model.shutdown_date is None


def test_long_lists_and_owners_are_cut_off() -> None:
    entries = [{"id": str(i), "owned_by": "x" * 1_000} for i in range(MAX_MODELS + 5)]
    models = listed_models(json.dumps(entries).encode())
    assert len(models) == MAX_MODELS
    assert models[0].owned_by is None
