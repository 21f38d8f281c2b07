"""Send the examples of a page with the clients that it names, and judge the responses.

    for replayed in replay(page, sendable(page), Endpoint("http://127.0.0.1:8000/v1")):
        print(replayed.example, replayed.outcome)

An example is sent as printed, with three exceptions: the base URL and, if given, the model are
those of the endpoint, and a variable of the page's code is replaced by :data:`STAND_IN`. One
example costs one request, because clients do not retry.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.docs_audit.clients import ClientRequest, NotInstalledError, Program, program_for
from conformance.docs_audit.expectations import Case, judge
from conformance.docs_audit.page import Client, Example, Page
from conformance.docs_audit.results import Endpoint, Outcome, Replayed
from conformance.model import Request
from conformance.transport.token_bound import upper_bound

TIMEOUT_SECONDS = 60.0
"""Timeout of a client for one example, including its start."""

STAND_IN = (
    "The town library opens at nine and closes at six. On Sundays it stays closed. "
    "Whoever lives in the town may borrow ten books at a time and keep them for a month."
)
"""The value of a variable in the page's code: a text that can be summarised."""

_VARIABLE = re.compile(r"\$\{([^}]*)\}")


@dataclass(frozen=True, slots=True)
class Price:
    """The maximum cost of examples.

    ``unlimited`` is the number of requests without a limit on tokens, of which ``tokens`` includes
    only the prompt.
    """

    requests: int
    tokens: int
    unlimited: int


def sendable(page: Page) -> tuple[Example, ...]:
    """Return the examples that can be sent, which excludes parts of a body."""
    return tuple(example for example in page.examples if program_for(example.client) is not None)


def request_of(example: Example, model: str | None = None) -> Mapping[str, Any]:
    """Return the body that is sent for an example.

    Args:
        example: the example.
        model: replaces the page's model; None keeps it.
    """
    request: dict[str, Any] = _filled(example.request)
    return {**request, "model": model} if model else request


def price(page: Page, examples: Iterable[Example]) -> Price:
    """Return the maximum cost of sending examples of a page."""
    requests = tokens = unlimited = 0
    parameter = page.parameter("max_tokens")
    default = parameter.default if parameter else None
    for example in examples:
        body = request_of(example)
        limited = body.get("max_tokens") is not None or isinstance(default, int)
        request = Request("POST", "/completions", json.dumps(body, ensure_ascii=False).encode())
        requests += 1
        tokens += upper_bound(request, default if isinstance(default, int) else 0)
        unlimited += not limited
    return Price(requests, tokens, unlimited)


def replay(
    page: Page,
    examples: Iterable[Example],
    endpoint: Endpoint,
    *,
    node_modules: Path | None = None,
    seconds: float = TIMEOUT_SECONDS,
) -> Iterator[Replayed]:
    """Send examples one after the other and yield each result.

    Args:
        page: the page.
        examples: some of its examples.
        endpoint: the endpoint to send them to.
        node_modules: a folder with npm packages, if it is not where Node looks for them.
        seconds: timeout for each example.
    """
    found: dict[Client, str] = {}
    for example in examples:
        program = program_for(example.client, node_modules)
        if program is None:
            yield _not_run(page, example, "", "it is only part of a request body")
            continue
        try:
            if example.client not in found:
                found[example.client] = f"{program.label} {program.version()}".rstrip()
            yield _sent(
                page, example, endpoint, program, label=found[example.client], seconds=seconds
            )
        except NotInstalledError as error:
            yield _not_run(page, example, program.label, str(error))
        except OSError as error:
            yield _not_run(page, example, program.label, f"the client cannot be started: {error}")


def _sent(
    page: Page,
    example: Example,
    endpoint: Endpoint,
    program: Program,
    *,
    label: str,
    seconds: float,
) -> Replayed:
    request = request_of(example, endpoint.model)
    response = program.send(ClientRequest(endpoint.base_url, request, endpoint.api_key, seconds))
    met, unmet = judge(Case(page, example, request, response))
    return Replayed(
        document=page.document,
        example=example.name,
        client=label,
        outcome=Outcome.NOT_MET if unmet else Outcome.MET,
        met=met,
        unmet=unmet,
        stand_ins=_variables(example.request),
    )


def _not_run(page: Page, example: Example, client: str, reason: str) -> Replayed:
    return Replayed(page.document, example.name, client, Outcome.NOT_RUN, reason=reason)


def _filled(value: Any) -> Any:
    """Replace variables of the code by the stand-in."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda _: STAND_IN, value)
    if isinstance(value, Mapping):
        return {key: _filled(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner) for inner in value]
    return value


def _variables(value: Any) -> tuple[str, ...]:
    """Return the variables in a request, each once."""
    return tuple(dict.fromkeys(_VARIABLE.findall(json.dumps(value, ensure_ascii=False))))
