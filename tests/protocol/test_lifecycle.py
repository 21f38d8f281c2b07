"""Notes about models that no longer live are worded by the day of the run."""

from __future__ import annotations

from datetime import date

from conformance.protocol.lifecycle import RETIREMENTS, lifecycle_notes, retirement_of
from conformance.protocol.model_list import ListedModel
from tests.cases import for_each_case

RELAY = "https://relay.example/v1"
AZURE = "https://mine.openai.azure.com/openai/v1"
INSTRUCT = "gpt-3.5-turbo-instruct"
DAY = date(2026, 12, 1)


@for_each_case("model", [INSTRUCT, "babbage-002", "davinci-002", "openai/davinci-002"])
def test_retired_model_gets_a_note(model: str) -> None:
    (note,) = lifecycle_notes(model, RELAY, (), DAY)
    assert note == (
        f"OpenAI shut `{model}` down on 2026-09-28 "
        "(https://developers.openai.com/api/docs/deprecations): ask the vendor which model answers "
        "under this name"
    )


def test_run_before_the_day_looks_ahead() -> None:
    (note,) = lifecycle_notes(INSTRUCT, RELAY, (), date(2026, 9, 27))
    assert note.startswith(f"OpenAI shuts `{INSTRUCT}` down on 2026-09-28 (")
    (note,) = lifecycle_notes(INSTRUCT, RELAY, (), date(2026, 9, 28))
    assert note.startswith(f"OpenAI shut `{INSTRUCT}` down on 2026-09-28 (")


def test_azure_has_dates_of_its_own() -> None:
    (note,) = lifecycle_notes("davinci-002", AZURE, (), DAY)
    assert note.startswith("Azure shut `davinci-002` down on 2025-01-27 (https://learn.microsoft.")
    assert lifecycle_notes(INSTRUCT, AZURE, (), DAY) == ()


@for_each_case("model", ["Qwen/Qwen2.5-Coder-7B", "my-davinci-002", "gpt-3.5-turbo-instruct-x", ""])
def test_living_model_gets_none(model: str) -> None:
    assert lifecycle_notes(model, RELAY, (), DAY) == ()


def test_announced_date_of_the_model_is_told() -> None:
    listed = (ListedModel("other", None, date(2026, 1, 1)), ListedModel("m", None, DAY))
    (ahead,) = lifecycle_notes("m", RELAY, listed, date(2026, 11, 30))
    assert ahead == "the endpoint's list of models says that `m` is shut down on 2026-12-01"
    (past,) = lifecycle_notes("m", RELAY, listed, DAY)
    assert past == "the endpoint's list of models says that `m` was shut down on 2026-12-01"


def test_broken_url_is_no_obstacle() -> None:
    assert retirement_of("davinci-002", "http://[") is not None


def test_every_retirement_has_its_page() -> None:
    for known in RETIREMENTS:
        assert known.source.startswith("https://")
        assert known.models
        assert date(2023, 1, 1) < known.on
