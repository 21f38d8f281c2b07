"""What the page says of the answer: what its code reads, its table lists, its samples show."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from conformance.docs_audit.expectations.case import Case
from conformance.docs_audit.expectations.paths import paths_in, values_at
from conformance.docs_audit.printed_samples import read
from conformance.judgement import Failure, shown
from conformance.protocol.completion import JsonObject

NOT_IN_CHUNKS = "usage"
"""Comes with a stream only where ``stream_options`` asks for it, which no page knows."""

WHEN_ASKED = "choices[].logprobs"
"""Null or absent where no log probabilities were asked for, which is the same to every client."""


def reads(case: Case) -> None:
    """What the page's code takes from the answer is there, in every chunk that it goes through."""
    for document in case.documents:
        for path in case.example.reads or ():
            for value in values_at(document, path):
                if value is None:
                    raise Failure(f"{path}, which the page's code reads", "null")


def fields(case: Case) -> None:
    """Every field that the page lists is there, with one of the values that it names."""
    for listed in case.page.fields:
        if not _due(case, listed.path):
            continue
        for document in case.documents:
            for value in values_at(document, listed.path):
                # A chunk that is not a choice's last has null where the ending will be.
                if listed.values and value not in listed.values and value is not None:
                    named = ", ".join(shown(value) for value in listed.values)
                    raise Failure(f"{listed.path} one of {named}", shown(value))


def shape(case: Case) -> None:
    """Every field that the page's sample answer has is in the answer, too."""
    for sample in _samples(case):
        for path in dict.fromkeys(paths_in(sample)):
            if _due(case, path):
                for document in case.documents:
                    deque(values_at(document, path), maxlen=0)


def has_sample(case: Case) -> bool:
    """Tell whether the page shows an answer to this example of which anything can be read."""
    return any(True for _ in _samples(case))


def _samples(case: Case) -> Iterator[JsonObject]:
    """Yield the answers, or the chunks, that the page shows for the example."""
    wanted = "stream" if case.streamed else "plain"
    for sample in case.page.samples:
        if case.example.name in sample.answers and sample.kind == wanted:
            yield from read(sample).objects


def _due(case: Case, path: str) -> bool:
    if path.startswith(WHEN_ASKED):
        return case.count("logprobs") is not None
    return not (case.streamed and path.startswith(NOT_IN_CHUNKS))
