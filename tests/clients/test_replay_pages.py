"""Each example of the five pages is sent by the client it names to its page's dialect."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.docs_audit.page import Client
from conformance.docs_audit.page_reader import PAGES, load_page
from conformance.docs_audit.replay import replay, sendable
from conformance.docs_audit.results import Endpoint, Outcome
from conformance.targets.bundled import bundled_server
from tests.npm import installed

HERE = Path(__file__).parent

TIMEOUT_SECONDS = 300.0
"""Seconds for one example, on a machine that may be busy with much else."""


@pytest.mark.parametrize("name", PAGES)
def test_examples_are_met_by_their_pages_dialect(name: str) -> None:
    page = load_page(name)
    with bundled_server(dialect=name) as server:
        endpoint = Endpoint(server.base_url, api_key=server.api_key)
        all_of_it = list(
            replay(
                page,
                sendable(page),
                endpoint,
                node_modules=installed(HERE),
                seconds=TIMEOUT_SECONDS,
            )
        )
    assert [(one.example, one.unmet, one.reason) for one in all_of_it] == [
        (example.name, (), None) for example in sendable(page)
    ]
    assert {one.outcome for one in all_of_it} == {Outcome.MET}
    for one, example in zip(all_of_it, sendable(page), strict=True):
        assert "answered" in one.met
        assert {"choices", "text", "finish_reason", "object", "media type"} <= set(one.met)
        assert ("usage" in one.met) is not example.streams
        assert ("endings" in one.met) is example.streams
        assert ("reads" in one.met) is bool(example.reads)


def test_five_pages_name_every_known_client() -> None:
    named = {example.client for name in PAGES for example in load_page(name).examples}
    assert named == set(Client)


@pytest.mark.parametrize(
    ("page", "example", "expectation", "seen"),
    [
        ("aocheng", "curl, with a stop sequence", "answered", "stop"),
        ("zhizengzeng", "curl", "sample", "no system_fingerprint in the response"),
    ],
)
def test_other_dialect_does_not_meet_page_specific_expectations(
    gpt_ge: Endpoint, page: str, example: str, expectation: str, seen: str
) -> None:
    (one,) = replay(load_page(page), [load_page(page).example(example)], gpt_ge)
    assert one.outcome is Outcome.NOT_MET
    assert [unmet.expectation for unmet in one.unmet] == [expectation]
    assert seen in one.unmet[0].seen


@pytest.fixture(scope="module")
def gpt_ge() -> Iterator[Endpoint]:
    """A server without stop and system_fingerprint."""
    with bundled_server(dialect="gpt-ge") as server:
        yield Endpoint(server.base_url, api_key=server.api_key)
