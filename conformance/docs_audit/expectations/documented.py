"""Expectations from the page: fields that its code reads, its table lists and its samples show."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from conformance.docs_audit.expectations.case import Case
from conformance.docs_audit.expectations.paths import paths_in, values_at
from conformance.docs_audit.printed_samples import read
from conformance.judgement import Failure, shown
from conformance.message import say
from conformance.protocol.completion import JsonObject

NOT_IN_CHUNKS = "usage"
"""Only sent in a stream on request by ``stream_options``, which no page mentions."""

WHEN_ASKED = "choices[].logprobs"
"""Null or absent unless log probabilities were requested; clients treat both alike."""


def reads(case: Case) -> None:
    """Every field that the page's code reads is in the response, or in every chunk."""
    for document in case.documents:
        for path in case.example.reads or ():
            for value in values_at(document, path):
                if value is None:
                    raise Failure(
                        say("{path}, which the page's code reads", path=path), say("null")
                    )


def fields(case: Case) -> None:
    """Every field that the page lists is there, with one of the listed values."""
    for listed in case.page.fields:
        if not _due(case, listed.path):
            continue
        for document in case.documents:
            for value in values_at(document, listed.path):
                # All chunks of a choice except the last one have a null finish_reason.
                if listed.values and value not in listed.values and value is not None:
                    named = ", ".join(shown(value) for value in listed.values)
                    raise Failure(
                        say("{name} one of {values}", name=listed.path, values=named), shown(value)
                    )


def shape(case: Case) -> None:
    """Every field of the page's sample is in the response."""
    for sample in _samples(case):
        for path in dict.fromkeys(paths_in(sample)):
            if _due(case, path):
                for document in case.documents:
                    deque(values_at(document, path), maxlen=0)


def has_sample(case: Case) -> bool:
    """Return whether the page shows a readable response to this example."""
    return any(True for _ in _samples(case))


def _samples(case: Case) -> Iterator[JsonObject]:
    """Yield the responses, or the chunks, that the page shows for the example."""
    wanted = "stream" if case.streamed else "plain"
    for sample in case.page.samples:
        if case.example.name in sample.answers and sample.kind == wanted:
            yield from read(sample).objects


def _due(case: Case, path: str) -> bool:
    if path.startswith(WHEN_ASKED):
        return case.count("logprobs") is not None
    return not (case.streamed and path.startswith(NOT_IN_CHUNKS))
