"""Models of this endpoint that no longer live, or soon will not: notes, never verdicts; pure.

A relay that sells a retired model may answer well, so nothing here is a deviation. But its maker's
API no longer serves that model to everyone, and who buys it wants to know.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from conformance.message import Message, say
from conformance.protocol.model_list import ListedModel

MAX_NAME_CHARS = 100

OPENAI_PAGE = "https://developers.openai.com/api/docs/deprecations"
AZURE_PAGE = "https://learn.microsoft.com/azure/ai-foundry/openai/concepts/legacy-models"
AZURE_HOST = ".openai.azure.com"


@dataclass(frozen=True, slots=True)
class Retirement:
    """The end of some models at their maker's API.

    Attributes:
        models: the names of the models.
        by: who ended them.
        on: the day.
        source: the page that says so.
        host: the end of the host names that this is about; empty is every other host.
    """

    models: frozenset[str]
    by: str
    on: date
    source: str
    host: str = ""


RETIREMENTS = (
    Retirement(
        frozenset({"gpt-3.5-turbo-instruct", "babbage-002", "davinci-002"}),
        "OpenAI",
        date(2026, 9, 28),
        OPENAI_PAGE,
    ),
    Retirement(
        frozenset(
            {
                *(f"text-davinci-00{number}" for number in (1, 2, 3)),
                *(f"text-{name}-001" for name in ("ada", "babbage", "curie")),
                *("ada", "babbage", "curie", "davinci"),
            }
        ),
        "OpenAI",
        date(2024, 1, 4),
        OPENAI_PAGE,
    ),
    Retirement(
        frozenset({"babbage-002", "davinci-002"}),
        "Azure",
        date(2025, 1, 27),
        AZURE_PAGE,
        AZURE_HOST,
    ),
    Retirement(
        frozenset(
            {
                *("text-davinci-002", "text-davinci-003"),
                *(f"text-{name}-001" for name in ("ada", "babbage", "curie")),
                *("ada", "babbage", "curie", "davinci"),
            }
        ),
        "Azure",
        date(2024, 6, 14),
        AZURE_PAGE,
        AZURE_HOST,
    ),
)
"""Read on 2026-12-01. The pages list every model; these are those of the completions endpoint.

OpenAI announced the end of the first three on 2025-09-26
(https://github.com/cognizant-ai-lab/neuro-san/pull/414)."""


def retirement_of(model: str, base_url: str) -> Retirement | None:
    """Return what is known of the end of a model that an endpoint sells; None if nothing is.

    Relays put the maker before the name (``openai/davinci-002``).
    """
    name = model.removeprefix("openai/")
    try:
        host = urlsplit(base_url).hostname or ""
    except ValueError:
        host = ""
    at = AZURE_HOST if host.endswith(AZURE_HOST) else ""
    known = (known for known in RETIREMENTS if known.host == at and name in known.models)
    return next(known, None)


def lifecycle_notes(
    model: str, base_url: str, listed: Iterable[ListedModel], today: date
) -> tuple[Message, ...]:
    """Return what a buyer should know of how long a model lives.

    Args:
        model: the model that is requested.
        base_url: the endpoint; a model of a local server has the name that its owner gave it, so
            callers ask about others only.
        listed: the endpoint's own list of models.
        today: the day of the run, by which the notes are worded.
    """
    notes = []
    known = retirement_of(model, base_url)
    if known is not None:
        notes.append(_retired(model, known, today))
    announced = next((one.shutdown_date for one in listed if one.id == model), None)
    if announced is not None:
        notes.append(_announced(model, announced, today))
    return tuple(notes)


def _retired(model: str, known: Retirement, today: date) -> Message:
    values = {
        "model": model[:MAX_NAME_CHARS],
        "maker": known.by,
        "date": known.on.isoformat(),
        "source": known.source,
    }
    if known.on > today:
        return say("{maker} shuts `{model}` down on {date} ({source})", **values)
    return say(
        "{maker} shut `{model}` down on {date} ({source}): ask the vendor which model answers "
        "under this name",
        **values,
    )


def _announced(model: str, day: date, today: date) -> Message:
    name, when = model[:MAX_NAME_CHARS], day.isoformat()
    if day > today:
        return say(
            "the endpoint's list of models says that `{model}` is shut down on {date}",
            model=name,
            date=when,
        )
    return say(
        "the endpoint's list of models says that `{model}` was shut down on {date}",
        model=name,
        date=when,
    )
